"""The places of a listener."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from service.delivery.room import Place, Room


class Line:
    """A room of three places for two who are served, and what becomes of the connections."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.room = Room(3, self.said.append, served=2)
        self.pairs: list[tuple[socket.socket, socket.socket]] = []

    def comes(self, address: str) -> Place | None:
        self.pairs.append(socket.socketpair())
        return self.room.take(self.pairs[-1][0], address)

    def gone(self) -> list[int]:
        """Which connections were ended, by the order of their coming."""
        ended = []
        for number, (_, theirs) in enumerate(self.pairs):
            theirs.setblocking(False)
            try:
                ended += [number] if theirs.recv(1) == b"" else []
            except BlockingIOError:
                continue
        return ended


@pytest.fixture
def line() -> Iterator[Line]:
    made = Line()
    yield made
    for pair in made.pairs:
        for one in pair:
            one.close()


def test_the_one_silent_the_longest_makes_room(line: Line) -> None:
    assert all(line.comes("a") for _ in range(5))
    assert line.gone() == [0, 1]
    assert line.said == ["it said nothing, and its place was wanted"] * 2


def test_an_address_with_many_makes_room_before_one_with_few(line: Line) -> None:
    for address in ("few", "many", "many", "many", "many"):
        assert line.comes(address)
    assert line.gone() == [1, 2]


def test_who_comes_again_and_again_takes_one_place_of_others_and_then_its_own(line: Line) -> None:
    for address in ("a", "b", "c", "x", "x", "x"):
        assert line.comes(address)
    assert line.gone() == [0, 3, 4]


def test_who_is_served_stays_until_it_has_been(line: Line) -> None:
    first, second = line.comes("a"), line.comes("a")
    assert first is not None
    assert second is not None
    assert line.room.serves(first)
    assert line.room.serves(second)
    third = line.comes("b")
    assert third is not None
    assert not line.room.serves(third)  # two are served already
    assert line.comes("a")
    assert line.gone() == [2]
    line.room.has_served(first)
    assert line.comes("a")
    assert line.gone() == [0, 2]


def test_where_all_are_served_nobody_comes_in(line: Line) -> None:
    line.room = Room(2, line.said.append)
    for _ in range(2):
        place = line.comes("a")
        assert place is not None
        assert line.room.serves(place)
    assert line.comes("a") is None
    assert line.said == ["too many connections"]
    line.pairs[0][0].close()
    assert line.comes("a")
