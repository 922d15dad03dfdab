"""Commands that lack what they have to have, or are none: who sent them hears of it, and does not wait."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import closing
from types import SimpleNamespace

import pytest

from service.api.deployment import Deployment
from service.receiving import dicom
from service.receiving.dicom import DicomServer
from service.receiving.reception import Reception
from service.receiving.settings import DicomListener
from tests.unit.receiving import pdus

ENHANCED = "1.2.840.10008.5.1.4.1.1.88.22"
DATA = pdus.data(b"no data set")
PATIENCE_S = 60.0
STORE = pdus.command(pdus.STORE, ENHANCED, "1.2.3")
CLASS, FIELD, ID, TYPE, INSTANCE = 0x0002, 0x0100, 0x0110, 0x0800, 0x1000


@pytest.fixture
def server(here: Deployment) -> Iterator[DicomServer]:
    """An SCP with more patience than the senders here."""
    made = DicomServer(Reception(here, "dicom"), DicomListener(port=0, timeout_s=10 * PATIENCE_S))
    yield made
    made.stop()


def associated(server: DicomServer, context: str = ENHANCED) -> socket.socket:
    made = socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE_S)
    made.sendall(pdus.request((1, context)))
    answer = pdus.received(made)
    assert answer is not None
    assert answer[0] == pdus.ACCEPT
    return made


@pytest.mark.parametrize("without", [CLASS, INSTANCE])
def test_a_store_that_names_no_object_is_refused_and_the_association_goes_on(
    server: DicomServer, here: Deployment, without: int
) -> None:
    with closing(associated(server)) as line:
        for _ in range(2):
            line.sendall(pdus.command(pdus.STORE, ENHANCED, "1.2.3", without=without) + DATA)
            answer = pdus.received(line)
            assert pdus.status(answer) == 0xC000
            assert answer is not None
            assert b"sr-identity" in answer[1]
            assert (pdus.element(answer, CLASS), pdus.element(answer, INSTANCE)) == (
                None if without == CLASS else ENHANCED.encode(),
                None if without == INSTANCE else b"1.2.3",
            )
        line.sendall(STORE + DATA)
        assert pdus.status(pdus.received(line)) == 0xC000
    assert len(here.store.audit.after(0)) == 3


NONE = {
    "a store without a message id": (ENHANCED, pdus.command(pdus.STORE, ENHANCED, "1.2.3", without=ID) + DATA),
    "an echo without a class": (pdus.VERIFICATION, pdus.command(pdus.ECHO, pdus.VERIFICATION, without=CLASS)),
    "an echo without a message id": (pdus.VERIFICATION, pdus.command(pdus.ECHO, pdus.VERIFICATION, without=ID)),
    "another context": (ENHANCED, pdus.command(pdus.STORE, ENHANCED, without=INSTANCE, context=5) + DATA),
    "no kind of command": (ENHANCED, pdus.command(pdus.STORE, ENHANCED, "1.2.3", without=FIELD) + DATA),
    "no kind of data set": (ENHANCED, pdus.command(pdus.STORE, ENHANCED, "1.2.3", without=TYPE) + DATA),
    "a command of a kind that there is not": (ENHANCED, pdus.command(0x0FFE, ENHANCED)),
    "a cancel that names no request": (ENHANCED, pdus.command(0x0FFF, ENHANCED)),
    "nothing": (ENHANCED, pdus.data(b"", command=True)),
    "a command for a data set": (ENHANCED, STORE + pdus.command(pdus.ECHO, ENHANCED)),
}


@pytest.mark.parametrize(("context", "content"), NONE.values(), ids=NONE)
def test_what_can_have_no_answer_aborts_the_association_with_a_line_in_the_log(
    server: DicomServer, context: str, content: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[tuple[str, str]] = []
    log = SimpleNamespace(warning=lambda _, reason, address: said.append((reason, address)))
    monkeypatch.setattr(dicom, "_log", log)
    with closing(associated(server, context)) as line:
        line.sendall(content)
        answer = pdus.received(line)
    assert answer is not None
    assert answer[0] == pdus.ABORT
    assert [(reason[:9], address) for reason, address in said] == [("a command", "127.0.0.1")]


def test_an_answer_that_nobody_asked_for_is_passed_over(server: DicomServer) -> None:
    with closing(associated(server, pdus.VERIFICATION)) as line:
        line.sendall(pdus.echoed())
        line.sendall(pdus.command(pdus.ECHO, pdus.VERIFICATION))
        assert pdus.status(pdus.received(line)) == 0
