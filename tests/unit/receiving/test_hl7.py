"""The receiver of HL7 v2: spoken to by python-hl7's client and our own destination, its answers read by hl7apy."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hl7
import pytest
from hl7.client import MLLPClient
from hl7apy.parser import parse_message

from service.api.deployment import Deployment
from service.delivery.destination import Outcome, Outgoing
from service.delivery.mllp import MllpDestination
from service.delivery.settings import Mllp, ServerTls, Tls
from service.domain.limits import Limits
from service.pipeline import Format
from service.receiving.hl7 import Hl7Server
from service.receiving.reception import Reception
from service.receiving.settings import Hl7Listener
from tests.certificates import Authority
from tests.unit.receiving.conftest import Deploy, destinations, kept, written

FOREIGN = (
    "MSH|^~\\&|RIS|NORTH|EHR|MAIN|20260302101500||ORU^R01^ORU_R01|M1|P|2.5.1\r"
    "PID|1||P1^^^NORTH^MR||Doe^Jane||19800102|F\r"
    "OBR|1|O1|F1|24558-9^US Abdomen^LN|||20260302100000||||||||||||||||||F\r"
    "OBX|1|TX|18782-3^Impression^LN||One lesion of the liver.||||||F\r"
)


def serve(here: Deployment, **settings: Any) -> Hl7Server:
    return Hl7Server(Reception(here, "hl7"), Hl7Listener(port=0, **settings))


@pytest.fixture
def server(here: Deployment) -> Iterator[Hl7Server]:
    """A receiver."""
    made = serve(here)
    yield made
    made.stop()


def ask(server: Hl7Server, message: str | bytes) -> Any:
    """The answer to a message, sent by python-hl7 and read by hl7apy."""
    with MLLPClient("127.0.0.1", server.port) as client:
        answer = client.send_message(message)
    return parse_message(answer.strip(b"\x0b\x1c\r").decode("ascii"), find_groups=False)


def changed(old: str, new: str) -> str:
    assert old in FOREIGN
    return FOREIGN.replace(old, new)


def test_accepts_a_message_that_is_on_disk(server: Hl7Server, here: Deployment) -> None:
    answer = ask(server, FOREIGN)
    assert answer.msa.msa_1.value == "AA"
    assert answer.msa.msa_2.value == "M1"
    assert (answer.msh.msh_3.value, answer.msh.msh_5.value) == ("EHR", "RIS")
    assert answer.msh.msh_9.value == "ACK^R01^ACK"
    [report] = here.store.search({"report_id": "F1"}, limit=9)
    assert report.sender == "north"
    assert destinations(here) == {"pacs", "ehr"}


def test_our_own_destination_is_answered_as_it_expects(server: Hl7Server, here: Deployment) -> None:
    message = written(Format.HL7V2)
    peer = MllpDestination(Mllp(name="peer", host="127.0.0.1", port=server.port))
    outgoing = Outgoing("id", "application/hl7-v2", message, "id.hl7")
    answers = [peer.send(outgoing), peer.send(outgoing)]
    assert [one.outcome for one in answers] == [Outcome.VERIFIED, Outcome.VERIFIED]
    assert kept(here) == 1


def test_many_messages_on_one_connection_each_with_its_answer(server: Hl7Server) -> None:
    with MLLPClient("127.0.0.1", server.port) as client:
        answers = [
            hl7.parse(client.send_message(changed("|M1|", f"|M{n}|").replace("F1", f"F{n}")).strip(b"\x0b\x1c\r"))
            for n in range(5)
        ]
    assert [str(one["MSA"][0][2]) for one in answers] == [f"M{n}" for n in range(5)]


@pytest.mark.parametrize(
    ("message", "code", "condition", "place"),
    [
        (changed("P1^^^NORTH^MR", ""), "AE", "101", "PID^1^3"),
        (changed("ORU^R01^ORU_R01", "ORM^O01^ORM_O01"), "AR", "200", "MSH^1^9"),
        (changed("OBR|1", "ZBR|1"), "AE", "101", "OBR^1"),
        (changed("OBR|1", "PID|2||P2\rOBR|1"), "AE", "102", "PID^2"),
    ],
)
def test_says_what_is_wrong_and_where(
    server: Hl7Server, here: Deployment, message: str, code: str, condition: str, place: str
) -> None:
    answer = ask(server, message)
    assert answer.msa.msa_1.value == code
    error = answer.err[0]
    assert (error.err_3.err_3_1.value, error.err_4.value) == (condition, "E")
    assert error.err_2.value == place
    assert error.err_8.value
    assert here.store.search({"sender": "north"}, limit=9) == ()


def test_older_versions_get_the_error_segment_of_theirs(server: Hl7Server) -> None:
    answer = ask(server, changed("|2.5.1", "|2.3.1").replace("P1^^^NORTH^MR", ""))
    assert answer.msh.msh_12.value == "2.3.1"
    assert answer.err.err_1.value == "PID^1^3^101&Required field missing&HL70357"


def test_a_refusal_is_answered_whatever_the_version_says(server: Hl7Server) -> None:
    strange = changed("|2.5.1", "|" + "9" * 5_000).replace("P1^^^NORTH^MR", "")
    answer = b""
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as sender:
        sender.sendall(b"\x0b" + strange.encode() + b"\x1c\r")
        while not answer.endswith(b"\x1c\r"):
            answer += sender.recv(65_536)
    assert b"\rMSA|A" in answer
    assert b"\rERR|" in answer


def test_a_preliminary_result_after_the_final_one_is_a_duplicate(server: Hl7Server) -> None:
    assert ask(server, FOREIGN).msa.msa_1.value == "AA"
    answer = ask(server, changed("|F\rOBX", "|P\rOBX"))
    assert (answer.msa.msa_1.value, answer.err[0].err_3.err_3_1.value) == ("AE", "205")


def test_a_database_that_is_away_is_a_reject(server: Hl7Server, here: Deployment, tmp_path: Path) -> None:
    here.store.close()
    (tmp_path / "in.sqlite3").unlink()
    answer = ask(server, FOREIGN)
    assert (answer.msa.msa_1.value, answer.err[0].err_3.err_3_1.value) == ("AR", "206")


@pytest.mark.parametrize(
    ("accept", "application", "good", "bad"),
    [
        ("AL", "NE", ["CA"], ["CE"]),
        ("NE", "AL", ["AA"], ["AE"]),
        ("AL", "AL", ["CA", "AA"], ["CE", "AE"]),
        ("ER", "SU", ["AA"], ["CE"]),
    ],
)
def test_enhanced_mode_gives_what_is_asked_for(
    server: Hl7Server, accept: str, application: str, good: list[str], bad: list[str]
) -> None:
    asked = changed("|P|2.5.1", f"|P|2.5.1|||{accept}|{application}")
    for message, codes in ((asked, good), (asked.replace("P1^^^NORTH^MR", ""), bad)):
        with socket.create_connection(("127.0.0.1", server.port), timeout=20) as line:
            line.sendall(b"\x0b" + message.encode() + b"\x1c\r")
            come = b""
            while come.count(b"\x1c\r") < len(codes):
                come += line.recv(9999)
        assert [block.split(b"MSA|")[1][:2].decode() for block in come.split(b"\x1c\r")[:-1]] == codes


@pytest.mark.parametrize("message", ["hello", "PID|1||P1\r", "MSH|\r", "MSH|||||||\r", "MSH|^~\\&\r"])
def test_what_is_no_message_is_answered_too(server: Hl7Server, message: str) -> None:
    assert ask(server, message).msa.msa_1.value in ("AE", "AR")


def hangs_up(port: int, content: bytes) -> bool:
    """Whether the receiver ends the connection without an answer; raises TimeoutError where it keeps it."""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as line:
        try:
            line.sendall(content)
            return line.recv(9) == b""
        except ConnectionError:
            return True


def test_ends_a_connection_that_is_too_slow_too_large_or_no_mllp(deploy: Deploy) -> None:
    server = serve(deploy(limits=Limits(body_bytes=100_000)), timeout_s=0.3, idle_s=0.6)
    try:
        assert hangs_up(server.port, b"\x0bMSH|")
        assert hangs_up(server.port, b"")
        assert hangs_up(server.port, b"GET / HTTP/1.1\r\n\r\n")
        assert hangs_up(server.port, b"\x0bMSH|" + b"x" * 400_000)
    finally:
        server.stop()


@pytest.mark.parametrize("begins", [b"\x0b", b"\r\n", b"\xef\xbb\xbf", "utf-16"])
def test_whatever_stands_before_the_header_its_sender_is_known_and_it_is_acknowledged(
    server: Hl7Server, here: Deployment, begins: bytes | str
) -> None:
    message = FOREIGN.encode(begins) if isinstance(begins, str) else begins + FOREIGN.encode()
    answer = ask(server, message)
    assert (answer.msa.msa_1.value, answer.msa.msa_2.value) == ("AA", "M1")
    assert kept(here, sender="north") == 1


def test_takes_no_more_connections_than_it_is_told(here: Deployment) -> None:
    server = serve(here, connections=1)
    try:
        with socket.create_connection(("127.0.0.1", server.port), timeout=20) as first:
            first.sendall(b"\x0b" + FOREIGN.encode() + b"\x1c\r")
            assert b"MSA|AA" in first.recv(9999)
            assert hangs_up(server.port, b"")
    finally:
        server.stop()


def test_tls_with_certificates_on_both_sides(here: Deployment, tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    ours, theirs = authority.identity("server", "127.0.0.1", "localhost"), authority.identity("client", "client")
    tls = ServerTls(str(ours.certificate), str(ours.key), str(authority.certificate))
    server = serve(here, tls=tls)
    try:
        trusting = Tls(str(authority.certificate), str(theirs.certificate), str(theirs.key))
        outgoing = Outgoing("id", "application/hl7-v2", written(Format.HL7V2), "id.hl7")
        peer = MllpDestination(Mllp(name="peer", host="127.0.0.1", port=server.port, tls=trusting))
        assert peer.send(outgoing).outcome is Outcome.VERIFIED
        stranger = ssl.create_default_context(cafile=str(authority.certificate))
        assert not _let_in(stranger, server.port)
    finally:
        server.stop()


def _let_in(context: ssl.SSLContext, port: int) -> bool:
    """Whether a client gets an answer. In TLS 1.3 it learns that it is not let in when it reads."""
    try:
        with (
            socket.create_connection(("127.0.0.1", port), timeout=20) as raw,
            context.wrap_socket(raw, server_hostname="127.0.0.1") as line,
        ):
            line.sendall(b"\x0b" + FOREIGN.encode() + b"\x1c\r")
            return line.recv(9) != b""
    except OSError:
        return False
