"""The places of a listener."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from service.delivery.room import LEAST_BYTES, STALLS_S, Place, Room


class Line:
    """A room of three places for two who are served, and what becomes of the connections."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.now = 0.0
        self.of: list[str] = []
        self.room = Room(3, self.ended, served=2)
        self.pairs: list[tuple[socket.socket, socket.socket]] = []

    def ended(self, why: str, address: str) -> None:
        self.said.append(why)
        self.of.append(address)

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
    assert line.of == ["many", "many"]


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
    line.room = Room(2, line.ended)
    for _ in range(2):
        place = line.comes("a")
        assert place is not None
        assert line.room.serves(place)
    assert line.comes("a") is None
    assert (line.said, line.of) == (["too many connections"], ["a"])
    line.pairs[0][0].close()
    assert line.comes("a")


def stalling(line: Line, *addresses: str) -> list[Place]:
    """Peers who have begun a message each, one after the other, and stall from then on."""
    made = []
    for address in addresses:
        place = line.comes(address)
        assert place is not None
        line.room.serves(place)
        line.room.hears(place, 1)
        line.now += 1.0
        made.append(place)
    return made


def test_who_stalls_in_a_message_the_longest_makes_room_where_nobody_is_silent(line: Line) -> None:
    line.room = Room(3, line.ended, clock=lambda: line.now)
    first, *_ = stalling(line, "a", "a", "a")
    assert line.comes("b") is None  # nobody stalls yet
    line.now += STALLS_S
    line.room.hears(first, LEAST_BYTES)  # it goes on
    assert line.comes("b")
    assert line.gone() == [1]
    assert line.said == ["too many connections", "it stalled in a message, and its place was wanted"]


def test_one_that_is_silent_makes_room_before_one_that_stalls(line: Line) -> None:
    line.room = Room(3, line.ended, clock=lambda: line.now)
    stalling(line, "a", "a")
    line.now += STALLS_S
    assert line.comes("b")
    assert line.comes("c")
    assert line.gone() == [2]


def test_who_stalls_with_many_connections_makes_room_before_one_with_few(line: Line) -> None:
    line.room = Room(3, line.ended, clock=lambda: line.now)
    stalling(line, "few", "many", "many")
    line.now += STALLS_S
    assert line.comes("new")
    assert line.gone() == [1]


def test_who_is_answered_makes_no_room_and_who_has_given_its_place_is_not_answered(line: Line) -> None:
    line.room = Room(2, line.ended, clock=lambda: line.now)
    answered, late = stalling(line, "a", "a")
    line.now += STALLS_S
    assert line.room.has_whole(answered)
    assert line.comes("b")
    assert line.gone() == [1]
    assert not line.room.has_whole(late)


def test_who_drips_makes_room_and_who_sends_slowly_does_not(line: Line) -> None:
    line.room = Room(2, line.ended, clock=lambda: line.now)
    slow, drips = stalling(line, "a", "a")
    for _ in range(20):
        line.now += STALLS_S / 10
        line.room.hears(slow, LEAST_BYTES // 5)
        line.room.hears(drips, 1)
    assert line.comes("b")
    assert line.gone() == [1]


def test_where_all_are_served_one_that_stalls_makes_room_for_who_asks(line: Line) -> None:
    line.room = Room(4, line.ended, served=1, clock=lambda: line.now)
    (stalls,) = stalling(line, "a")
    asks = line.comes("b")
    assert asks is not None
    assert not line.room.serves(asks)
    line.now += STALLS_S
    assert line.room.serves(asks)
    assert line.gone() == [0]
    assert not line.room.has_whole(stalls)
