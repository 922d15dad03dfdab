"""What a test of a destination says of the way to verify, and of a connection that does not come about."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import SimpleQueue
from socketserver import BaseRequestHandler, ThreadingTCPServer
from typing import Any

import pytest
from pynetdicom import evt

from service.delivery.destination import Echo, Outcome
from service.delivery.dimse import EXPLICIT, IMPLICIT, STUDY_ROOT_FIND
from service.delivery.opening import open_destination
from service.delivery.settings import Tls
from tests.certificates import Authority
from tests.contract.benches import sr
from tests.faults import faulty, http
from tests.oracles import servers
from tests.unit.delivery.test_cstore import PATIENCE_S, PUSH, SR_CLASS, destination, peer, reports_on
from tests.unit.delivery.test_tls import PEERS

PLAIN = {SR_CLASS: [EXPLICIT], "1.2.840.10008.1.1": [IMPLICIT]}
NOT_OFFERED = "it does not offer this: set `verify` to a way that it has"


def last(port: int, **settings: Any) -> Echo:
    """What the probe says of the way to verify."""
    return destination(port, **settings).probe()[-1]


@pytest.mark.parametrize(
    ("verify", "tried"),
    [
        ("commitment", "storage commitment is reported"),
        ("get", "C-GET is answered"),
        ("find", "C-FIND is answered"),
    ],
)
def test_a_way_to_verify_that_an_archive_does_not_have_is_said(verify: str, tried: str) -> None:
    with peer(PLAIN) as port:
        echo = last(port, verify=verify)
        answer = destination(port, verify=verify).verify(sr(1))
    assert (echo.tried, echo.passed) == (tried, False)
    assert echo.said.endswith(NOT_OFFERED)
    assert answer.outcome is Outcome.UNKNOWN
    assert answer.reason.startswith("it can't be asked: it takes no")


def test_nothing_is_asked_where_nothing_is_verified() -> None:
    with peer(PLAIN) as port:
        assert last(port, verify="none").tried == "Key Object Selection Document is taken"


def acting(failed: int | None, asked: SimpleQueue[str]) -> Callable[[Any], tuple[int, None]]:
    """Take a request for commitment, and report on it."""

    def act(event: Any) -> tuple[int, None]:
        threading.Timer(0.2, reports_on, (event, asked), {"failed": failed}).start()
        return 0, None

    return act


def test_a_commitment_is_asked_for_an_object_that_nobody_has() -> None:
    for failed, passed in ((0x0112, True), (None, False)):
        asked = SimpleQueue[str]()
        with peer({**PLAIN, PUSH: [IMPLICIT]}, (evt.EVT_N_ACTION, acting(failed, asked))) as port:
            echo = last(port, verify="commitment")
            assert asked.get(timeout=PATIENCE_S) == "0000"
        assert echo.passed is passed
    assert "its word proves nothing" in echo.said


@pytest.mark.parametrize("is_listening", [True, False])
def test_a_report_that_does_not_come_is_said_with_what_to_set(is_listening: bool) -> None:
    with peer({**PLAIN, PUSH: [IMPLICIT]}, (evt.EVT_N_ACTION, lambda _: (0, None))) as port:
        at = servers.free_port() if is_listening else 0
        echo = last(port, verify="commitment", commitment_s=0.3, commitment_port=at, commitment_host="127.0.0.1")
    assert echo.passed is None, "it may come later"
    assert (f"it has to know LESIONBRIDGE at this host and port {at}" in echo.said) is is_listening
    assert ("set commitment_port" in echo.said) is not is_listening


def test_a_search_that_finds_nothing_passes() -> None:
    with peer({**PLAIN, STUDY_ROOT_FIND: [IMPLICIT]}, (evt.EVT_C_FIND, lambda _: iter(()))) as port:
        assert last(port, verify="find").passed


def test_dicomweb_is_tried_where_objects_are_read_back_by_it() -> None:
    with peer(PLAIN) as port, faulty() as web:
        for status, passed in (("204 No Content", True), ("404 Not Found", False), ("401 Unauthorized", False)):
            web.answer = http(status)
            echo = last(port, verify="read-back", dicomweb_url=f"{web.url}/dicom-web")
            assert (echo.tried, echo.passed) == ("QIDO-RS answers at dicomweb_url", passed)
    assert b"GET /dicom-web/studies?" in web.asked[0]


def said(kind: str, port: int, tls: Tls) -> str:
    """The first thing that a test of a destination of this kind says."""
    first = open_destination(PEERS[kind][0](port, tls)).probe()[0]
    assert not first.passed
    return first.said


@contextmanager
def greeting() -> Iterator[int]:
    """The port of a server that answers whoever comes in words of its own."""

    class Greeting(BaseRequestHandler):
        def handle(self) -> None:
            self.request.recv(65_536)
            self.request.sendall(b"220 hello, this is no TLS at all\r\n")

    with ThreadingTCPServer(("127.0.0.1", 0), Greeting) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield server.server_address[1]
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("kind", PEERS)
def test_why_no_connection_is_believed_is_told_apart(kind: str, tmp_path: Path) -> None:
    authority, other = Authority(tmp_path), Authority(tmp_path, "other")
    trust = Tls(str(authority.certificate))
    with faulty(authority.identity("server", "127.0.0.1").server()) as server:
        assert said(kind, server.port, Tls(str(other.certificate))).startswith(
            "TLS: its certificate is vouched for by nobody in tls.ca_file"
        )
    with faulty(authority.identity("elsewhere", "pacs.example.org").server()) as server:
        assert said(kind, server.port, trust).startswith("TLS: its certificate is of another name than the one that")
    for valid, why in {
        (-9.0, -1.0): "has expired, or that of who vouches for it: it has to be renewed",
        (1.0, 2.0): "is not valid yet: is a clock wrong, there or here?",
    }.items():
        with faulty(authority.identity("late", "127.0.0.1", valid=valid).server()) as server:
            assert said(kind, server.port, trust).startswith(f"TLS: its certificate {why} (certificate ")
    with faulty(Authority(tmp_path, "itself").itself("127.0.0.1").server()) as server:
        assert said(kind, server.port, trust).startswith("TLS: its certificate vouches for itself: put it into tls.ca_")
    for files, why in {
        ("", "", "none"): "TLS: tls.ca_file: none can't be read (No such file or directory)",
        ("", "", __file__): f"TLS: tls.ca_file: {__file__} holds no certificate in PEM",
        ("none", "none", ""): "TLS: tls.certificate_file: none can't be read (No such file or directory)",
    }.items():
        certificate, key, trusted = files
        with faulty(authority.identity("server", "127.0.0.1").server()) as server:
            ours = Tls(trusted or str(authority.certificate), certificate, key)
            assert said(kind, server.port, ours) == why
    with greeting() as port:
        assert said(kind, port, trust) == "TLS: it does not speak TLS on this port"
    assert said(kind, servers.free_port(), trust) == "no connection: nobody listens on this port there"


def test_a_peer_that_takes_the_connection_and_speaks_no_dicom_is_told_from_one_that_is_away() -> None:
    with greeting() as port:
        echoes = destination(port).probe()
    assert {echo.said for echo in echoes} == {
        "a connection stands, but no association comes about: it speaks no DICOM there, or wants TLS"
    }
