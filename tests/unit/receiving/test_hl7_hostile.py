"""The receiver of HL7 v2 against senders that break the frame, the delimiters, or the connection."""

from __future__ import annotations

import errno
import socket
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from functools import partial
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from service.api.deployment import Deployment
from service.delivery.settings import ServerTls
from service.receiving.hl7 import Hl7Server
from service.receiving.reception import Reception
from service.receiving.settings import Hl7Listener
from tests.certificates import Authority
from tests.unit.receiving.conftest import Deploy, kept
from tests.unit.receiving.lines import captured
from tests.unit.receiving.test_dicom_hostile import soon
from tests.unit.receiving.test_hl7 import FOREIGN, changed, hangs_up

PATIENCE_S = 60.0


def serve(here: Deployment, **settings: Any) -> Hl7Server:
    return Hl7Server(Reception(here, "hl7"), Hl7Listener(port=0, **settings))


@pytest.fixture
def server(here: Deployment) -> Iterator[Hl7Server]:
    """A receiver."""
    made = serve(here)
    yield made
    made.stop()


def framed(message: str | bytes) -> bytes:
    return b"\x0b" + (message.encode() if isinstance(message, str) else message) + b"\x1c\r"


def answered(port: int, content: bytes) -> bytes:
    """All that comes back until the end of a frame, and what follows within a moment."""
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S) as line:
        line.sendall(content)
        come = b""
        while not come.endswith(b"\x1c\r"):
            more = line.recv(65_536)
            assert more, "it hung up"
            come += more
        line.settimeout(0.2)
        try:
            return come + line.recv(65_536)
        except TimeoutError:
            return come


def is_one_frame(answer: bytes) -> bool:
    inner = answer[1:-2]
    return answer[:1] == b"\x0b" and answer[-2:] == b"\x1c\r" and not set(inner) - {0x0D, *range(0x20, 0x7F)}


@pytest.mark.parametrize("odd", ["\x1c", "\x0b", "\x0b\x1c", "\0", "\x1b[31m", "\x85", "\u2028"])
def test_an_id_that_holds_the_frame_does_not_break_that_of_the_answer(server: Hl7Server, odd: str) -> None:
    answer = answered(server.port, framed(changed("|M1|", f"|M1{odd}|")))
    assert is_one_frame(answer)
    assert b"\rMSA|AA|M1" in answer


@pytest.mark.parametrize("signs", ["\x1c^~\\&", "\x0b^~\\&", "\0^~\\&", "A^~\\&", " ^~\\&"])
def test_a_separator_that_can_be_none_is_answered_in_the_usual_ones(server: Hl7Server, signs: str) -> None:
    answer = answered(server.port, framed(FOREIGN.replace("|", signs[0]).replace(signs[0] + "^~\\&", signs, 1)))
    assert is_one_frame(answer)
    assert answer.startswith(b"\x0bMSH|^~\\&|")
    assert b"\rMSA|AE|" in answer


@pytest.mark.parametrize("signs", ["^^\\&", "ABCD", "1234", "^~\x1c&", "\x0b~\\&", "\0\1\2\3"])
def test_delimiters_that_can_be_none_are_refused_under_the_id_of_the_message(server: Hl7Server, signs: str) -> None:
    answer = answered(server.port, framed(changed("^~\\&", signs)))
    assert is_one_frame(answer)
    assert answer.startswith(b"\x0bMSH|^~\\&|")
    assert b"\rMSA|AE|M1\r" in answer


def test_a_header_with_two_delimiters_is_answered_under_its_id(server: Hl7Server) -> None:
    assert b"\rMSA|AA|M1\r" in answered(server.port, framed(changed("|^~\\&|", "|^~|")))


def test_who_asks_for_an_acknowledgment_that_there_is_not_gets_the_usual_one(server: Hl7Server) -> None:
    assert b"\rMSA|AA|M1\r" in answered(server.port, framed(changed("|P|2.5.1", "|P|2.5.1|||YES|MAYBE")))


def test_line_ends_of_other_systems_are_read(server: Hl7Server, here: Deployment) -> None:
    for number, end in enumerate(("\n", "\r\n")):
        message = changed("|F1|", f"|F{number}|").replace("\r", end)
        assert b"\rMSA|AA|M1\r" in answered(server.port, framed(message))
    assert kept(here, sender="north") == 2


def test_who_hangs_up_before_the_answer_finds_the_message_kept_once(server: Hl7Server, here: Deployment) -> None:
    with closing(socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE_S)) as line:
        line.sendall(framed(FOREIGN))
    assert b"\rMSA|AA|M1\r" in answered(server.port, framed(FOREIGN))
    assert kept(here, sender="north") == 1


def test_messages_that_come_together_are_answered_one_by_one(server: Hl7Server, here: Deployment) -> None:
    several = b"".join(framed(changed("|M1|", f"|M{n}|").replace("F1", f"F{n}")) for n in range(3))
    come = b""
    with socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE_S) as line:
        line.sendall(several)
        while come.count(b"\x1c\r") < 3:
            more = line.recv(65_536)
            assert more, "it hung up"
            come += more
    assert [f"MSA|AA|M{n}\r".encode() in come for n in range(3)] == [True] * 3
    assert kept(here, sender="north") == 3


def test_a_message_in_small_pieces_is_put_together(server: Hl7Server) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE_S) as line:
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in framed(FOREIGN):
            line.sendall(bytes([byte]))
        assert b"\rMSA|AA|M1\r" in line.recv(65_536)


class Failing:
    """A listening socket whose first accept fails as one does where too many files are open."""

    def __init__(self, real: socket.socket) -> None:
        self.real, self.failed = real, 0

    def accept(self) -> Any:
        if not self.failed:
            self.failed += 1
            raise OSError(errno.EMFILE, "Too many open files")
        return self.real.accept()

    def close(self) -> None:
        self.real.close()


def test_an_accept_that_fails_does_not_end_the_listening(server: Hl7Server, monkeypatch: pytest.MonkeyPatch) -> None:
    failing = Failing(server._socket)
    monkeypatch.setattr(server, "_socket", failing)
    for _ in range(3):
        assert b"\rMSA|AA|M1\r" in answered(server.port, framed(FOREIGN))
    assert failing.failed


def test_a_handshake_that_drips_gives_its_place_to_others(here: Deployment, tmp_path: Path) -> None:
    ours = Authority(tmp_path).identity("server", "127.0.0.1")
    server = serve(here, timeout_s=1.0, connections=1, tls=ServerTls(str(ours.certificate), str(ours.key)))
    try:
        began = time.monotonic()
        with (
            socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE_S) as line,
            suppress(ConnectionError),
        ):
            for byte in b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(60):
                line.sendall(bytes([byte]))
                time.sleep(0.3)
        assert time.monotonic() - began < 10
    finally:
        server.stop()


def test_a_receiver_that_is_full_serves_again_when_one_leaves(here: Deployment) -> None:
    server = serve(here, connections=2)
    try:
        with (
            closing(socket.create_connection(("127.0.0.1", server.port))) as first,
            closing(socket.create_connection(("127.0.0.1", server.port))) as second,
        ):
            for line in (first, second):
                line.sendall(framed(FOREIGN))
                assert line.recv(65_536)
            assert all(hangs_up(server.port, b"") for _ in range(20))
        assert soon(lambda: not server._threads)
        assert b"\rMSA|AA|M1\r" in answered(server.port, framed(FOREIGN))
    finally:
        server.stop()


def test_a_slow_reader_of_answers_has_the_time_of_a_message(deploy: Deploy) -> None:
    server = serve(deploy(), timeout_s=20.0)
    try:
        with socket.socket() as line:
            line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2_048)
            line.settimeout(PATIENCE_S)
            line.connect(("127.0.0.1", server.port))
            strange = framed("MSH|^~\\&|" + "x" * 60_000 + "|||||||X|M1|P|2.5.1\r")
            for _ in range(60):
                line.sendall(strange)
            time.sleep(3.0)
            come, last = 0, b""
            while come < 60:
                more = line.recv(65_536)
                assert more
                come += (last + more).count(b"\x1c\r")  # an end may come in two pieces
                last = more[-1:]
    finally:
        server.stop()


def test_a_thread_that_can_not_be_started_ends_its_connection_and_not_the_listener(
    server: Hl7Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patched:
        patched.setattr("service.receiving.hl7.threading.Thread.start", full)
        with socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE_S) as line:
            assert line.recv(1) == b""
    assert b"\rMSA|AA|" in answered(server.port, framed(FOREIGN))


def so_many_wait(server: Hl7Server, number: int) -> bool:
    """Whether so many have begun a message."""
    return sum(one.waits_since is not None for one in server._room._places) == number


def test_who_stalls_in_a_message_gives_its_place_to_others_before_the_time_of_a_message(
    here: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.delivery.room.STALLS_S", 0.5)
    server = serve(here, connections=2, timeout_s=60.0)
    try:
        lines = [socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE_S) for _ in range(2)]
        for number, line in enumerate(lines, 1):
            line.sendall(framed(FOREIGN)[:-2])
            assert soon(partial(so_many_wait, server, number))
        time.sleep(0.6)
        assert b"\rMSA|AA|" in answered(server.port, framed(FOREIGN))
        assert lines[0].recv(1) == b""
        lines[1].sendall(b"\x1c\r")  # it goes on, and is answered
        assert b"\rMSA|AA|" in lines[1].recv(65_536)
        for line in lines:
            line.close()
    finally:
        server.stop()


def test_a_connection_that_is_ended_is_said_with_its_address(server: Hl7Server) -> None:
    with captured() as lines, socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE_S) as line:
        line.sendall(b"no MLLP")
        with suppress(ConnectionError):
            assert line.recv(1) == b""
    ended = [one for one in lines if one["event"] == "hl7 connection ended"]
    assert [(one["reason"], one["address"]) for one in ended] == [("not MLLP", "127.0.0.1")]
