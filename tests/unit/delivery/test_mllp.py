"""MLLP: acknowledgments of both kinds, and receivers that misbehave."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import hl7
import pytest

from service.delivery.acknowledgment import NotHl7, expected, read
from service.delivery.destination import Outcome, Outgoing
from service.delivery.mllp import MllpDestination
from service.delivery.policy import Timeouts
from service.delivery.settings import Mllp, Tls
from service.delivery.statuses import HL7
from tests.certificates import Authority
from tests.faults import FaultyServer
from tests.oracles.servers import free_port


def message(control_id: str = "M1", accept: str = "", application: str = "") -> Outgoing:
    header = f"MSH|^~\\&|A|B|C|D|20260302||ORU^R01^ORU_R01|{control_id}|P|2.5.1|||{accept}|{application}"
    return Outgoing("d1", "application/hl7-v2", f"{header}\rPID|1\r".encode(), "m.hl7")


def block(code: str, control_id: str = "M1", said: str = "", *errors: str) -> bytes:
    """An acknowledgment as python-hl7 writes it, framed."""
    segments = ["MSH|^~\\&|C|D|A|B|20260302||ACK|X|P|2.5.1", f"MSA|{code}|{control_id}|{said}", *errors]
    return b"\x0b" + str(hl7.parse("\r".join(segments))).encode() + b"\x1c\r"


FAST = Timeouts(connect_s=30, read_s=0.5, total_s=1)
"""For a peer that does not answer."""


def destination(port: int, **settings: Any) -> MllpDestination:
    told: dict[str, Any] = {"timeouts": Timeouts(30, 30, 60), **settings}
    return MllpDestination(Mllp(name="engine", host="127.0.0.1", port=port, **told))


@pytest.mark.parametrize("code", HL7)
def test_every_code_has_its_meaning(server: FaultyServer, code: str) -> None:
    commit = code.startswith("C")
    server.answer = block(
        code,
        said="text",
    )
    outgoing = message(accept="AL" if commit else "", application="NE" if commit else "")
    answer = destination(server.port).send(outgoing)
    assert (answer.outcome, answer.status) == (HL7[code][0], code)
    assert "text" in answer.reason
    assert server.asked == [b"\x0b" + outgoing.content + b"\x1c\r"]


def test_the_error_segment_is_told_verbatim(server: FaultyServer) -> None:
    error = "ERR||PID^1^3|204^Unknown key identifier^HL70357|E"
    server.answer = block("AE", "M1", "no such patient", error)
    answer = destination(server.port).send(message())
    assert answer.outcome is Outcome.REFUSED
    assert answer.reason == f"application error: no such patient / {error}"


@pytest.mark.parametrize("code", ["AE", "AR"])
def test_whether_an_error_is_tried_again_is_a_setting(server: FaultyServer, code: str) -> None:
    server.answer = block(code)
    assert destination(server.port, retry_on_application_error=True).send(message()).outcome is Outcome.UNKNOWN


@pytest.mark.parametrize(
    ("accept", "application", "answer", "outcome"),
    [
        ("AL", "AL", block("CA") + block("AA"), Outcome.VERIFIED),
        ("AL", "AL", block("CA") + block("AE"), Outcome.REFUSED),
        ("AL", "AL", block("CA"), Outcome.STORED),  # the application's did not come
        ("AL", "AL", block("CR"), Outcome.REFUSED),
        ("AL", "AL", block("AA"), Outcome.VERIFIED),  # a receiver of the original mode
        ("AL", "NE", block("CA"), Outcome.STORED),
        ("NE", "AL", block("AA"), Outcome.VERIFIED),
        ("NE", "NE", b"", Outcome.STORED),
        ("", "", block("CA") + block("AA"), Outcome.VERIFIED),
        ("NE", "AL", block("CA") + block("AA"), Outcome.VERIFIED),
        ("NE", "AL", block("CA") + block("AR"), Outcome.REFUSED),
        ("NE", "AL", block("CA"), Outcome.STORED),  # a receiver that only ever commits, whatever it is asked for
        ("NE", "AL", block("CE"), Outcome.REFUSED),
        ("AL", "AL", block("CA") + block("CA") + block("AA"), Outcome.VERIFIED),
        ("NE", "AL", block("AA") + block("AE"), Outcome.VERIFIED),  # the first verdict counts
        ("", "", block("XX"), Outcome.UNKNOWN),
    ],
)
def test_the_message_says_which_acknowledgments_are_awaited(
    server: FaultyServer, accept: str, application: str, answer: bytes, outcome: Outcome
) -> None:
    server.answer = answer
    assert destination(server.port).send(message(accept=accept, application=application)).outcome is outcome


@pytest.mark.parametrize("way", ["drop", "reset", "hang", "drip"])
def test_an_acknowledgment_that_is_lost_leaves_it_open(server: FaultyServer, way: str) -> None:
    server.way, server.answer = way, block("AA", said="x" * 100)
    settings = {"timeouts": FAST} if way in ("hang", "drip") else {}
    assert destination(server.port, **settings).send(message()).outcome is Outcome.UNKNOWN
    assert not server.tired


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
        b"\x0bMSH|^~\\&|C\x1c\r",
        b"\x0b\x1c\r",
        b"\x0bMSA|AA|M1\x1c\r",
        block("AA", "ANOTHER"),
        b"\x0b" + b"x" * 2_000_000,
    ],
)
def test_garbage_is_no_acknowledgment(server: FaultyServer, answer: bytes) -> None:
    server.answer = answer
    assert destination(server.port).send(message()).outcome is Outcome.UNKNOWN


def test_where_nobody_listens_nothing_was_sent() -> None:
    made = destination(free_port())
    assert made.send(message()).outcome is Outcome.NOT_SENT
    assert [echo.passed for echo in made.probe()] == [False]


@pytest.mark.parametrize("content", [b"", b"MSH", b"PID|1\r", b"MSH|^~\\&|A\x1c\rMSH", b"MSH|^~\\&|A\x0b"])
def test_refuses_what_can_not_be_a_message(server: FaultyServer, content: bytes) -> None:
    answer = destination(server.port).send(Outgoing("d", "application/hl7-v2", content, "x"))
    assert answer.outcome is Outcome.REFUSED
    assert server.asked == []


def test_other_separators_and_character_sets_are_read() -> None:
    told = read("MSH#^~\\&#C#D\rMSA#AE#M1#Größe\r".encode("latin-1"))
    assert (told.code, told.control_id, told.said) == ("AE", "M1", "Größe")
    assert expected(b"MSH#^~\\&#A#B#C#D#2026##ORU#M7").control_id == "M7"
    with pytest.raises(NotHl7):
        read(b"MSH|^~\\&|C\rMSA|AA")


@contextmanager
def accepting(context: Any) -> Iterator[int]:
    """A TLS receiver that accepts every message."""
    listener = socket.create_server(("127.0.0.1", 0))
    listener.settimeout(0.1)
    over = threading.Event()

    def serve() -> None:
        while not over.is_set():
            with suppress(OSError):  # nobody comes yet, or a client hangs up, as it may
                connection, _ = listener.accept()
                connection.settimeout(60)
                with context.wrap_socket(connection, server_side=True) as line:
                    line.recv(65_536)
                    line.sendall(block("AA"))

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        over.set()
        thread.join()
        listener.close()


def test_tls_with_our_own_certificate(tmp_path: Path) -> None:
    authority, other = Authority(tmp_path), Authority(tmp_path, "other")
    me = authority.identity("me")
    mine = Tls(str(authority.certificate), str(me.certificate), str(me.key))
    with accepting(authority.identity("server", "127.0.0.1").server(authority)) as port:
        assert destination(port, tls=mine).send(message()).outcome is Outcome.VERIFIED
        assert [echo.passed for echo in destination(port, tls=mine).probe()] == [True, None]
        wrong = Tls(str(other.certificate), str(me.certificate), str(me.key))
        assert destination(port, tls=wrong).send(message()).outcome is Outcome.NOT_SENT
        without = destination(port, tls=Tls(str(authority.certificate))).send(message())
        assert not without.outcome.is_kept
        assert not without.outcome.is_final
        missing = Tls(str(tmp_path / "none.pem"))
        assert destination(port, tls=missing).send(message()).outcome is Outcome.NOT_SENT
