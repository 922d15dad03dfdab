"""A TLS handshake that fails at a listener is said in one line, with the reason and without the peer's words."""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import REGISTRY

from service.api.deployment import Deployment
from service.delivery.commitment import _DESK
from service.delivery.handshake import reason
from service.delivery.policy import Timeouts
from service.delivery.settings import CStore, ServerTls
from service.receiving.dicom import DicomServer
from service.receiving.hl7 import Hl7Server
from service.receiving.reception import Reception
from service.receiving.settings import DicomListener, Hl7Listener
from tests.certificates import Authority, Identity
from tests.oracles.servers import free_port
from tests.unit.receiving.lines import captured

PATIENCE_S = 60.0
TIMEOUT_S = 1.0
Lines = list[Any]
WAYS = ("dicom", "hl7", "commitment")
UNVERIFIED = "CERTIFICATE_VERIFY_FAILED"


@dataclass(frozen=True)
class World:
    """A listener that wants certificates of one authority, and another authority."""

    way: str
    port: int
    ours: Authority
    theirs: Authority

    def known(self, since: float = -1, until: float = 12) -> Identity:
        return self.ours.identity("known", valid=(since, until))

    def stranger(self) -> Identity:
        return self.theirs.identity("stranger")


@contextmanager
def listening(way: str, here: Deployment, folder: Path, timeout_s: float) -> Iterator[World]:
    """A listener that gives a handshake so long."""
    (folder / "theirs").mkdir()
    ours, theirs = Authority(folder), Authority(folder / "theirs", "theirs")
    identity = ours.identity("server", "127.0.0.1")
    tls = ServerTls(str(identity.certificate), str(identity.key), str(ours.certificate))
    if way == "commitment":
        asks = CStore(
            name="p", host="127.0.0.1", port=1, called="P", verify="none", timeouts=Timeouts(read_s=timeout_s)
        )
        asks = replace(asks, commitment_host="127.0.0.1", commitment_port=free_port(), commitment_tls=tls)
        with _DESK.listening(asks):
            yield World("commitment", asks.commitment_port, ours, theirs)
        return
    reception = Reception(here, way)
    server: DicomServer | Hl7Server
    if way == "dicom":
        server = DicomServer(reception, DicomListener(port=0, timeout_s=timeout_s, tls=tls))
    else:
        server = Hl7Server(reception, Hl7Listener(port=0, timeout_s=timeout_s, tls=tls))
    try:
        yield World(way, server.port, ours, theirs)
    finally:
        server.stop()


@pytest.fixture(params=WAYS)
def world(request: pytest.FixtureRequest, here: Deployment, tmp_path: Path) -> Iterator[World]:
    """A listener in no hurry: peers here make their certificates while it waits."""
    with listening(request.param, here, tmp_path, PATIENCE_S) as made:
        yield made


@pytest.fixture(params=WAYS)
def hasty(request: pytest.FixtureRequest, here: Deployment, tmp_path: Path) -> Iterator[World]:
    """One that waits for nobody."""
    with listening(request.param, here, tmp_path, TIMEOUT_S) as made:
        yield made


def client(world: World, trusts: Authority, shows: Identity | None = None) -> ssl.SSLContext:
    made = ssl.create_default_context(cafile=str(trusts.certificate))
    if shows is not None:
        made.load_cert_chain(shows.certificate, shows.key)
    return made


def speaks_tls(make: Callable[[World], ssl.SSLContext]) -> Callable[[World, socket.socket], None]:
    def speak(world: World, line: socket.socket) -> None:
        make(world).wrap_socket(line, server_hostname="127.0.0.1").recv(1)

    return speak


def too_old(world: World) -> ssl.SSLContext:
    made = client(world, world.ours, world.known())
    made.set_ciphers("AES128-SHA")
    made.maximum_version = ssl.TLSVersion.TLSv1_2
    return made


def says(content: bytes) -> Callable[[World, socket.socket], None]:
    def speak(_: World, line: socket.socket) -> None:
        line.sendall(content)
        line.recv(1)

    return speak


def failed(world: World, speak: Callable[[World, socket.socket], None]) -> Lines:
    """The lines about handshakes, once the peer is done and the listener has had its time."""
    with captured() as lines:
        with (
            closing(socket.create_connection(("127.0.0.1", world.port), timeout=PATIENCE_S)) as line,
            suppress(OSError),
        ):
            speak(world, line)
        until = time.monotonic() + PATIENCE_S
        while time.monotonic() < until and not (found := about_handshakes(lines)):
            time.sleep(0.05)
    return found


def about_handshakes(lines: Lines) -> Lines:
    return [one for one in lines if one["event"] == "handshake failed"]


def count(way: str, why: str) -> float:
    said = {"way": way, "reason": why}
    return REGISTRY.get_sample_value("lesionbridge_handshakes_failed_total", said) or 0.0


@pytest.mark.parametrize(
    ("speak", "why", "openssl"),
    [
        (speaks_tls(lambda w: client(w, w.ours)), "no-certificate", "PEER_DID_NOT_RETURN_A_CERTIFICATE"),
        (speaks_tls(lambda w: client(w, w.ours, w.stranger())), "unknown-authority", UNVERIFIED),
        (speaks_tls(lambda w: client(w, w.ours, w.theirs.itself())), "unknown-authority", UNVERIFIED),
        (speaks_tls(lambda w: client(w, w.ours, w.known(-9, -1))), "certificate-expired", UNVERIFIED),
        (
            speaks_tls(lambda w: client(w, w.ours, w.known(1, 2))),
            "certificate-not-yet-valid",
            "CERTIFICATE_VERIFY_FAILED",
        ),
        (speaks_tls(lambda w: client(w, w.theirs, w.known())), "refused-by-peer", "TLSV1_ALERT_UNKNOWN_CA"),
        (speaks_tls(too_old), "no-common-cipher", "NO_SHARED_CIPHER"),
        (says(b"\x01\x00\x00\x00\x00\xd0PATIENT^NAME"), "no-tls", "WRONG_VERSION_NUMBER"),
    ],
    ids=[
        "no certificate",
        "another authority's",
        "itself",
        "expired",
        "not yet valid",
        "they do not believe ours",
        "no cipher",
        "no TLS",
    ],
)
def test_a_handshake_that_fails_says_why(
    world: World, speak: Callable[[World, socket.socket], None], why: str, openssl: str
) -> None:
    is_said(world, speak, why, openssl)


def test_a_handshake_that_stalls_says_so(hasty: World) -> None:
    is_said(hasty, says(b"\x16\x03\x01\x02\x00\x01"), "too-slow", None)


def is_said(world: World, speak: Callable[[World, socket.socket], None], why: str, openssl: str | None) -> None:
    before = count(world.way, why)
    (line,) = failed(world, speak)
    said = {"way": world.way, "address": "127.0.0.1", "reason": why, "openssl": openssl}
    assert line == {"event": "handshake failed", "log_level": "warning", **said}
    assert count(world.way, why) == before + 1


def test_who_hangs_up_in_the_middle_is_said_who_said_nothing_is_not(world: World) -> None:
    with captured() as lines:
        for content in (b"", b"\x16\x03\x01\x02\x00\x01"):
            with closing(socket.create_connection(("127.0.0.1", world.port), timeout=PATIENCE_S)) as line:
                line.sendall(content)
        until = time.monotonic() + PATIENCE_S
        while time.monotonic() < until and not about_handshakes(lines):
            time.sleep(0.05)
        time.sleep(0.2)
    assert [one["reason"] for one in about_handshakes(lines)] == ["hung-up"]


@pytest.mark.parametrize(
    ("code", "why"),
    [(10, "certificate-expired"), (9, "certificate-not-yet-valid"), (18, "unknown-authority"), (23, "certificate")],
)
def test_what_is_wrong_with_a_certificate_is_told_by_its_code(code: int, why: str) -> None:
    error = ssl.SSLCertVerificationError()
    error.verify_code = code
    assert reason(error) == why


def test_what_openssl_alone_knows_is_another_reason() -> None:
    assert reason(ssl.SSLError(1, "[SSL] internal error")) == "other"
