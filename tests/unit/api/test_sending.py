"""The head of an answer goes out with what comes first of its body, over plain sockets and over TLS."""

import socket
import ssl
from collections.abc import Sequence
from io import BytesIO
from types import SimpleNamespace

import pytest

from service.api.sending import Together
from service.api.unreadable import Worker

HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n"
BODY = b"some body"


class Slow:
    """A socket that takes at most so many bytes in its first message of several parts."""

    def __init__(self, takes: int) -> None:
        self.takes, self.got, self.messages = takes, b"", 0

    def sendmsg(self, buffers: Sequence[bytes]) -> int:
        self.messages += 1
        taken = b"".join(buffers)[: self.takes]
        self.got += taken
        return len(taken)

    def sendall(self, data: bytes) -> None:
        self.messages += 1
        self.got += bytes(data)

    def sendfile(self, file: BytesIO, _offset: int, _count: int | None) -> int:
        self.sendall(file.getvalue())
        return len(file.getvalue())


class Tls(ssl.SSLSocket):
    """A TLS socket that only remembers; it is never connected."""

    sent: list[bytes]

    def sendall(self, data: object, _flags: int = 0) -> None:
        assert isinstance(data, bytes)
        self.sent.append(data)


def test_head_and_first_part_are_one_message() -> None:
    there, here = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with there, here:
        together = Together(here)
        together.sendall(HEAD)
        together.sendall(BODY)
        together.sendall(b"more")
        together.end()
        here.close()
        assert [there.recv(999), there.recv(999), there.recv(999)] == [HEAD + BODY, b"more", b""]


@pytest.mark.parametrize("takes", [0, 1, len(HEAD) - 1, len(HEAD), len(HEAD) + 1, len(HEAD + BODY)])
def test_what_a_message_did_not_take_follows(takes: int) -> None:
    slow = Slow(takes)
    together = Together(slow)
    together.sendall(HEAD)
    together.sendall(BODY)
    assert slow.got == HEAD + BODY


def test_a_head_without_a_body_goes_at_the_end_and_once() -> None:
    slow = Slow(999)
    together = Together(slow)
    together.sendall(HEAD)
    assert slow.got == b""
    together.end()
    together.end()
    assert (slow.got, slow.messages) == (HEAD, 1)


def test_a_file_follows_the_head() -> None:
    slow = Slow(999)
    together = Together(slow)
    together.sendall(HEAD)
    assert together.sendfile(BytesIO(BODY)) == len(BODY)
    together.end()
    assert slow.got == HEAD + BODY


def test_an_answer_of_which_nothing_came_sends_nothing() -> None:
    slow = Slow(999)
    Together(slow).end()
    assert slow.messages == 0


def test_over_tls_head_and_body_are_sent_in_turn() -> None:
    tls = Tls.__new__(Tls)
    tls.sent = []
    together = Together(tls)
    together.sendall(HEAD)
    together.sendall(BODY)
    assert tls.sent == [HEAD, BODY]


def test_all_else_is_the_sockets_own() -> None:
    there, here = socket.socketpair()
    with there, here:
        assert Together(here).fileno() == here.fileno()


class Reader:
    """What reads a body: how much of one of known length is left."""

    def __init__(self, **left: int) -> None:
        self.__dict__.update(left)


@pytest.mark.parametrize(
    ("left", "kept", "drained", "stays"),
    [
        ({"length": 0}, True, 0, True),
        ({"length": 7}, True, 1, False),
        ({}, True, 1, False),
        ({"length": 0}, False, 0, False),
    ],
)
def test_only_a_body_that_was_read_to_its_length_is_not_drained(
    left: dict[str, int], *, kept: bool, drained: int, stays: bool
) -> None:
    drains: list[float] = []

    class Parser:
        """Its drain gives up, as with a sender that stalls."""

        mesg = SimpleNamespace(body=SimpleNamespace(reader=Reader(**left)))

        def finish_body(self, deadline: float) -> bool:
            drains.append(deadline)
            return False

    worker = Worker.__new__(Worker)
    assert worker._keepalive_after(SimpleNamespace(parser=Parser()), kept) is stays
    assert len(drains) == drained
