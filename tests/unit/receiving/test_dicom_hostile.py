"""The Storage SCP against senders that break the protocol: what they do ends their association and nobody else's."""

from __future__ import annotations

import socket
import struct
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import closing
from io import BytesIO

import pytest
from pydicom import dcmread

from service.api.deployment import Deployment
from service.domain.limits import Limits
from service.pipeline import Format
from service.receiving.dicom import DicomServer
from service.receiving.reception import Reception
from service.receiving.settings import DicomListener
from tests.unit.receiving import pdus
from tests.unit.receiving.conftest import Deploy, kept, written

ENHANCED = "1.2.840.10008.5.1.4.1.1.88.22"
KEY_OBJECTS = "1.2.840.10008.5.1.4.1.1.88.59"
DEFLATED = "1.2.840.10008.1.2.1.99"
TIMEOUT_S = 1.0
PATIENCE_S = 60.0
MOST = 200_000


@pytest.fixture
def server(deploy: Deploy) -> Iterator[DicomServer]:
    """An SCP with little patience, for one association."""
    here = deploy(limits=Limits(body_bytes=MOST))
    made = DicomServer(Reception(here, "dicom"), DicomListener(port=0, timeout_s=TIMEOUT_S, associations=1))
    yield made
    made.stop()


def opened(server: DicomServer, request: bytes = b"") -> socket.socket:
    """A connection; with a request it is accepted, once the association before it has ended."""
    until = time.monotonic() + PATIENCE_S
    while True:
        made = socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE_S)
        if not request:
            return made
        made.sendall(request)
        answer = pdus.received(made)
        if answer is not None and answer[0] == pdus.ACCEPT:
            return made
        made.close()
        assert time.monotonic() < until
        time.sleep(0.05)


def echoes(server: DicomServer) -> bool:
    """Whether an honest sender is served."""
    with closing(socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE_S)) as line:
        line.sendall(pdus.request((1, pdus.VERIFICATION)))
        answer = pdus.received(line)
        if answer is None or answer[0] != pdus.ACCEPT:
            return False
        line.sendall(pdus.command(pdus.ECHO, pdus.VERIFICATION))
        return pdus.status(pdus.received(line)) == 0


def soon(found: Callable[[], bool]) -> bool:
    """Whether something comes about while the threads of an association end."""
    until = time.monotonic() + PATIENCE_S
    while not found():
        if time.monotonic() > until:
            return False
        time.sleep(0.05)
    return True


def is_cut_off(line: socket.socket, content: bytes = bytes(MOST), times: int = 200, pause_s: float = 0.0) -> bool:
    """Whether the other side ends the connection while it is sent this, again and again."""
    try:
        for _ in range(times):
            line.sendall(content)
            time.sleep(pause_s)
    except ConnectionError:
        return True
    return False


@pytest.mark.parametrize("kind", [1, pdus.P_DATA])
def test_a_pdu_that_announces_4_gb_is_not_read(server: DicomServer, kind: int) -> None:
    with closing(opened(server, pdus.request((1, ENHANCED)) if kind == pdus.P_DATA else b"")) as line:
        line.sendall(pdus.announced(kind, 0xFFFFFFFF))
        assert is_cut_off(line)
    assert soon(lambda: echoes(server))


def test_an_object_without_end_is_cut_off(server: DicomServer) -> None:
    with closing(opened(server, pdus.request((1, ENHANCED)))) as line:
        line.sendall(pdus.command(pdus.STORE, ENHANCED, "1.2.3"))
        assert is_cut_off(line, pdus.data(bytes(16_000), last=False))
    assert soon(lambda: echoes(server))


@pytest.mark.parametrize(
    "begun",
    [b"", b"\1\0\0", pdus.announced(1, 200)],
    ids=["nothing", "half a head", "a head"],
)
def test_who_never_asks_for_an_association_holds_none(server: DicomServer, begun: bytes) -> None:
    with closing(opened(server)) as line:
        line.sendall(begun)
        assert pdus.received(line) is None
    assert soon(lambda: echoes(server))


@pytest.mark.parametrize("begun", [pdus.announced(pdus.P_DATA, 100), pdus.data(b"abc")[:9]])
def test_a_pdu_that_never_comes_whole_ends_the_association(server: DicomServer, begun: bytes) -> None:
    with closing(opened(server, pdus.request((1, ENHANCED)))) as line:
        line.sendall(begun)
        assert pdus.received(line) is None
        assert soon(lambda: echoes(server))


def test_a_pdu_that_drips_ends_the_association(server: DicomServer) -> None:
    with closing(opened(server, pdus.request((1, ENHANCED)))) as line:
        line.sendall(pdus.announced(pdus.P_DATA, 100))
        began = time.monotonic()
        assert is_cut_off(line, b"\0", times=100, pause_s=TIMEOUT_S / 5)
        assert time.monotonic() - began < 10 * TIMEOUT_S


def test_connections_over_the_number_are_rejected_and_make_room_for_the_next(here: Deployment) -> None:
    server = DicomServer(Reception(here, "dicom"), DicomListener(port=0, timeout_s=10 * PATIENCE_S, associations=1))
    try:
        with closing(opened(server, pdus.request((1, ENHANCED)))), closing(opened(server)) as second:
            second.sendall(pdus.request((1, ENHANCED)))
            answer = pdus.received(second)
            assert answer is not None
            assert (answer[0], answer[1][1:4]) == (pdus.REJECT, b"\2\3\2")  # transient, local limit exceeded
            with closing(opened(server)):
                assert pdus.received(second) is None
        assert soon(lambda: echoes(server))
    finally:
        server.stop()


def test_who_waits_for_no_answer_is_cut_off(server: DicomServer) -> None:
    with closing(opened(server, pdus.request((1, pdus.VERIFICATION)))) as line:
        assert is_cut_off(line, pdus.command(pdus.ECHO, pdus.VERIFICATION) * 20)
    assert soon(lambda: echoes(server))


def test_a_long_association_may_echo_without_end(deploy: Deploy) -> None:
    server = DicomServer(Reception(deploy(limits=Limits(body_bytes=1)), "dicom"), DicomListener(port=0))
    ask = pdus.command(pdus.ECHO, pdus.VERIFICATION)
    try:
        with closing(opened(server, pdus.request((1, pdus.VERIFICATION)))) as line:
            for _ in range(70_000 // len(ask)):
                line.sendall(ask)
                assert pdus.status(pdus.received(line)) == 0
    finally:
        server.stop()


BROKEN = (
    pdus.announced(pdus.P_DATA, 0),
    pdus.announced(pdus.P_DATA, 4) + bytes(4),
    pdus.announced(pdus.P_DATA, 5) + struct.pack(">IB", 1, 1),
    pdus.announced(pdus.P_DATA, 6) + struct.pack(">IBB", 4_000_000_000, 1, 3),
    pdus.announced(9, 0),
    pdus.data(b"no command"),
    pdus.data(b"\xff" * 60, command=True),
    pdus.command(0xFFFF, ENHANCED),
    pdus.command(0x0020, ENHANCED),
    pdus.request((1, ENHANCED)),
)


@pytest.mark.filterwarnings("error::pytest.PytestUnhandledThreadExceptionWarning")
def test_what_is_no_message_ends_the_association(server: DicomServer) -> None:
    for content in BROKEN:
        with closing(opened(server, pdus.request((1, ENHANCED)))) as line:
            line.sendall(content)
            answer = pdus.received(line)
            assert answer is None or answer[0] == pdus.ABORT
        assert soon(lambda: echoes(server))


def stored(server: DicomServer, content: bytes, context: str = ENHANCED, **names: str) -> int:
    """The status of a C-STORE of a data set, by its own command."""
    with closing(opened(server, pdus.request((1, context)))) as line:
        line.sendall(pdus.command(pdus.STORE, names.get("sop_class", ENHANCED), names.get("instance", "1.2.3")))
        line.sendall(pdus.data(content))
        return pdus.status(pdus.received(line))


@pytest.fixture
def sr() -> tuple[str, bytes]:
    """Instance UID and data set of an Enhanced SR."""
    file = written(Format.SR)
    made = dcmread(BytesIO(file))
    assert made.SOPClassUID == ENHANCED
    return str(made.SOPInstanceUID), file[144 + struct.unpack_from("<I", file, 140)[0] :]


def test_an_object_of_another_class_than_its_presentation_context_is_refused(
    server: DicomServer, sr: tuple[str, bytes]
) -> None:
    instance, content = sr
    assert stored(server, content, pdus.VERIFICATION, instance=instance) == 0x0122
    other = content.replace(ENHANCED.encode(), KEY_OBJECTS.encode())
    assert soon(lambda: echoes(server))
    assert stored(server, other, sop_class=KEY_OBJECTS, instance=instance) == 0x0122


def test_broken_data_sets_are_refused_and_the_association_goes_on(server: DicomServer, sr: tuple[str, bytes]) -> None:
    instance, content = sr
    nest = b"\x40\x00\x30\xa7SQ\0\0\xff\xff\xff\xff\xfe\xff\x00\xe0\xff\xff\xff\xff"
    broken = [
        content[:-7],
        content[: len(content) // 2],
        b"",
        content + nest * 8_000,
        content + nest[:8] + b"\xf0\xff\xff\x7f",
    ]
    with closing(opened(server, pdus.request((1, ENHANCED)))) as line:
        for one in broken:
            line.sendall(pdus.command(pdus.STORE, ENHANCED, instance) + pdus.data(one))
            assert pdus.status(pdus.received(line)) == 0xC000
        line.sendall(pdus.command(pdus.STORE, ENHANCED, "1.2.3.4") + pdus.data(content))
        assert pdus.status(pdus.received(line)) == 0xC000
        line.sendall(pdus.command(pdus.STORE, ENHANCED, instance) + pdus.data(content))
        assert pdus.status(pdus.received(line)) == 0x0000


def test_a_deflated_bomb_is_out_of_resources(server: DicomServer, sr: tuple[str, bytes]) -> None:
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    bomb = b"".join((packer.compress(sr[1]), *(packer.compress(bytes(1_000_000)) for _ in range(100)), packer.flush()))
    assert len(bomb) < MOST
    with closing(opened(server, pdus.request((1, ENHANCED), syntax=DEFLATED))) as line:
        line.sendall(pdus.command(pdus.STORE, ENHANCED, sr[0]) + pdus.data(bomb))
        assert pdus.status(pdus.received(line)) == 0xA700


def test_one_instance_twice_at_once_is_kept_once(here: Deployment, sr: tuple[str, bytes]) -> None:
    instance, content = sr
    server = DicomServer(Reception(here, "dicom"), DicomListener(port=0))
    told: list[int] = []
    try:
        senders = [
            threading.Thread(target=lambda: told.append(stored(server, content, instance=instance))) for _ in range(6)
        ]
        for one in senders:
            one.start()
        for one in senders:
            one.join(PATIENCE_S)
    finally:
        server.stop()
    assert told == [0] * 6
    assert kept(here) == 1


def test_who_hangs_up_in_the_middle_of_an_object_leaves_nothing(here: Deployment, sr: tuple[str, bytes]) -> None:
    server = DicomServer(Reception(here, "dicom"), DicomListener(port=0))
    try:
        for end in (b"", pdus.announced(pdus.ABORT, 4) + bytes(4)):
            with closing(opened(server, pdus.request((1, ENHANCED)))) as line:
                line.sendall(pdus.command(pdus.STORE, ENHANCED, sr[0]) + pdus.data(sr[1][:4_000], last=False) + end)
        assert echoes(server)
    finally:
        server.stop()
    assert kept(here) == 0
