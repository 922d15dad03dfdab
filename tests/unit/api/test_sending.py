"""The head of an answer goes out with what comes first of its body, over plain sockets and over TLS."""

import socket
import ssl
from collections.abc import Sequence

import pytest

from service.api.sending import Together

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
