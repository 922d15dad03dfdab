"""Destinations, each with a real peer, for the contract that all of them keep; the fake is its own peer."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import requests
from hl7apy.core import Message
from hl7apy.mllp import AbstractHandler, MLLPServer
from hl7apy.parser import parse_message
from pydicom import dcmread

from service.delivery.destination import Answer, Destination, Outcome, Outgoing
from service.delivery.opening import open_destination
from service.delivery.policy import Timeouts
from service.delivery.settings import CStore, Fhir, Folder, Mllp, Stow, Webhook
from service.pipeline import Format, Options, Source, convert
from tests.conformance.generated import Written, make
from tests.destinations import RecordingDestination
from tests.faults import relayed
from tests.findings import make_body, make_findings
from tests.oracles import servers

UNHURRIED: Final = Timeouts(connect_s=30, read_s=200, total_s=250)
"""A real peer on a machine with other work answers late, and that is no answer lost: four transactions at once took
Medplum more than 20 s at a load of 12 [ran]. What times out is held by tests/unit/delivery, against a peer that hangs.
"""


@dataclass(frozen=True, slots=True)
class Bench:
    """A destination, what to send to it, and how to take its peer away.

    ``make(number)`` is the same for the same number; ``alter`` gives other content under the same identity. ``proves``:
    the destination can prove that its peer has something; ``tells_apart``: it finds out other content under an
    identity; ``count`` tells how many the peer holds. ``at_once`` is how many it can take at a time: dcmtk's
    archive names files by the time, answers 0000 to each of several at once, lists them all and keeps one [ran].
    ``lose`` makes the next answer get lost after the peer has acted; None where nothing can be lost.
    """

    destination: Destination
    make: Callable[[int], Outgoing]
    alter: Callable[[Outgoing], Outgoing]
    leave: Callable[[], None]
    count: Callable[[], int]
    proves: bool = True
    tells_apart: bool = True
    at_once: int = 4
    lose: Callable[[], None] | None = None


def _text(number: int) -> Outgoing:
    return Outgoing(f"delivery-{number}", "text/html; charset=utf-8", b"<p>%d</p>" % number, f"report-{number}.html")


def _other_text(outgoing: Outgoing) -> Outgoing:
    return replace(outgoing, content=outgoing.content + b"<p>more</p>")


@cache
def written(number: int) -> Written:
    """A report of its own for each number, of one patient and one study."""
    return make(make_findings(report__id=f"R-{number}", report__impression=f"Report {number}."))


def sr(number: int) -> Outgoing:
    """A DICOM SR."""
    made = written(number).sr
    return Outgoing(
        f"delivery-{number}", "application/dicom", made.content, f"{made.reference.sop_instance}.dcm", made.reference
    )


def other_sr(outgoing: Outgoing) -> Outgoing:
    """The same SOP Instance UID, and another impression in the content tree."""
    dataset = dcmread(BytesIO(outgoing.content))

    def change(where: Any, element: Any) -> None:
        if element.keyword == "TextValue" and element.value.startswith("Report"):
            element.value = "Something else."

    dataset.walk(change)
    made = BytesIO()
    dataset.save_as(made)
    return replace(outgoing, content=made.getvalue())


@contextmanager
def recording(_: Path) -> Iterator[Bench]:
    """The fake."""
    fake = RecordingDestination()

    def leave() -> None:
        fake.away = True

    def lose() -> None:
        fake.told.append(Answer(Outcome.UNKNOWN, "the answer was lost"))

    yield Bench(fake, _text, _other_text, leave, lambda: len(fake.held), lose=lose)


@contextmanager
def folder(path: Path) -> Iterator[Bench]:
    """A folder."""
    place = path / "out"
    place.mkdir()
    made = open_destination(Folder(name="folder", path=str(place)))
    yield Bench(made, _text, _other_text, lambda: shutil.rmtree(place), lambda: len(list(place.iterdir())))


@contextmanager
def stow(_: Path) -> Iterator[Bench]:
    """Orthanc over DICOMweb."""
    with ExitStack() as stack:
        pacs = stack.enter_context(servers.orthanc())
        port, lose = _relay(stack, int(pacs.url.rpartition(":")[2]), 1)
        made = open_destination(Stow(name="pacs", url=f"http://127.0.0.1:{port}/dicom-web", timeouts=UNHURRIED))
        yield Bench(made, sr, other_sr, stack.close, lambda: _instances(pacs), lose=lose)


def _relay(stack: ExitStack, port: int, piece: int) -> tuple[int, Callable[[], None]]:
    """A port before another, and what makes it lose the so manieth piece of the next answer."""
    relay = stack.enter_context(relayed(port))

    def lose() -> None:
        relay.cut_at = piece

    return relay.port, lose


def _instances(pacs: servers.Pacs) -> int:
    return len(requests.get(f"{pacs.url}/instances", timeout=60).json())


@contextmanager
def cstore_orthanc(_: Path) -> Iterator[Bench]:
    """Orthanc over DIMSE; it opens an association of its own to report a commitment."""
    port = servers.free_port()
    with ExitStack() as stack:
        known = {"DicomModalities": {"lesionbridge": ["LESIONBRIDGE", "127.0.0.1", port]}}
        pacs = stack.enter_context(servers.orthanc(settings=known))
        at, lose = _relay(stack, pacs.dicom_port, _STORED)
        made = open_destination(_cstore(at, pacs.ae_title, commitment_port=port, commitment_host="127.0.0.1"))
        yield Bench(made, sr, other_sr, stack.close, lambda: _instances(pacs), tells_apart=False, lose=lose)


@contextmanager
def cstore_read_back(_: Path) -> Iterator[Bench]:
    """Orthanc over DIMSE, read back over DICOMweb."""
    with ExitStack() as stack:
        pacs = stack.enter_context(servers.orthanc())
        web = {"dicomweb_url": pacs.dicom_web, "verify": "read-back"}
        made = open_destination(_cstore(pacs.dicom_port, pacs.ae_title, **web))
        yield Bench(made, sr, other_sr, stack.close, lambda: _instances(pacs))


@contextmanager
def cstore_orthanc_get(_: Path) -> Iterator[Bench]:
    """Orthanc over DIMSE, read back with C-GET."""
    with ExitStack() as stack:
        known = {"DicomModalities": {"lesionbridge": ["LESIONBRIDGE", "127.0.0.1", servers.free_port()]}}
        pacs = stack.enter_context(servers.orthanc(settings=known))
        at, lose = _relay(stack, pacs.dicom_port, _STORED)
        made = open_destination(_cstore(at, pacs.ae_title, verify="get"))
        yield Bench(made, sr, other_sr, stack.close, lambda: _instances(pacs), lose=lose)


@contextmanager
def cstore_dcmqrscp(_: Path) -> Iterator[Bench]:
    """dcmtk's archive, asked with C-FIND. It is no archive to send to at once: see `Bench.at_once`."""
    with ExitStack() as stack:
        peer = stack.enter_context(servers.dcmqrscp())
        made = open_destination(_cstore(peer.port, peer.ae_title, verify="find"))
        yield Bench(made, sr, other_sr, stack.close, peer.count, tells_apart=False, at_once=1)


@contextmanager
def cstore_dcmqrscp_get(_: Path) -> Iterator[Bench]:
    """dcmtk's archive, read back with C-GET. It replaces an older object of the same UID."""
    with ExitStack() as stack:
        peer = stack.enter_context(servers.dcmqrscp())
        at, lose = _relay(stack, peer.port, _STORED)
        made = open_destination(_cstore(at, peer.ae_title, verify="get"))
        yield Bench(made, sr, other_sr, stack.close, peer.count, tells_apart=False, at_once=1, lose=lose)


@contextmanager
def cstore_storescp(_: Path) -> Iterator[Bench]:
    """dcmtk's storage SCP, which can't be asked anything."""
    with ExitStack() as stack:
        peer = stack.enter_context(servers.storescp("+xa"))
        at, lose = _relay(stack, peer.port, _STORED)
        made = open_destination(_cstore(at, peer.ae_title, verify="none"))
        yield Bench(made, sr, other_sr, stack.close, peer.count, proves=False, tells_apart=False, lose=lose)


_STORED: Final = 2
"""The piece of an answer that has the status of a C-STORE; the first accepts the association."""


def _cstore(port: int, called: str, **settings: Any) -> CStore:
    return CStore(name="pacs", host="127.0.0.1", port=port, called=called, timeouts=UNHURRIED, **settings)


def bundle(number: int) -> Outgoing:
    """A FHIR transaction."""
    made = written(number).fhir
    return Outgoing(f"delivery-{number}", made.media_type, made.content, f"report-{number}.fhir.json")


def other_bundle(outgoing: Outgoing) -> Outgoing:
    """The same identifiers, and another conclusion."""
    return replace(outgoing, content=outgoing.content.replace(b'"conclusion":"Report', b'"conclusion":"Other'))


def bundle_r5(number: int) -> Outgoing:
    """The same in R5."""
    body = make_body(report__id=f"R-{number}", report__impression=f"Report {number}.")
    made = convert(Source(body), (Format.FHIR_R5,), Options()).outputs[Format.FHIR_R5]
    return Outgoing(f"delivery-{number}", made.media_type, made.content, f"report-{number}.fhir-r5.json")


def _fhir(
    server: AbstractContextManager[str], reads: str, sends: Callable[[int], Outgoing] = bundle, **more: Any
) -> Iterator[Bench]:
    """A server; ``reads`` is where the reports that it has are counted. A later bundle takes the place of an older."""
    with ExitStack() as stack:
        url = stack.enter_context(server)
        port = urlsplit(url).port
        assert port is not None
        at, lose = _relay(stack, port, 1)
        made = open_destination(Fhir(name="ehr", url=url.replace(f":{port}", f":{at}"), timeouts=UNHURRIED, **more))

        def counted() -> int:
            return _reports(f"{url}/{reads}")

        yield Bench(made, sends, other_bundle, stack.close, counted, tells_apart=False, lose=lose)


def _reports(url: str) -> int:
    return int(requests.get(url, headers={"Accept": "application/fhir+json"}, timeout=60).json()["total"])


_REPORTS: Final = "DiagnosticReport?_summary=count"


@contextmanager
def fhir_sekmet(_: Path) -> Iterator[Bench]:
    """A FHIR server, by transaction."""
    yield from _fhir(servers.sekmet(), _REPORTS)


@contextmanager
def fhir_sekmet_single(_: Path) -> Iterator[Bench]:
    """The same, request by request."""
    yield from _fhir(servers.sekmet(), _REPORTS, bundle="single")


@contextmanager
def fhir_medplum(_: Path) -> Iterator[Bench]:
    """Medplum's router, which runs a transaction as a batch."""
    yield from _fhir(servers.medplum(), f"{_REPORTS}&_total=accurate")


@contextmanager
def fhir_medplum_single(_: Path) -> Iterator[Bench]:
    """The same, request by request."""
    yield from _fhir(servers.medplum(), f"{_REPORTS}&_total=accurate", bundle="single")


@contextmanager
def fhir_r5_hapi(_: Path) -> Iterator[Bench]:
    """HAPI's REST server for R5, request by request."""
    yield from _fhir(servers.hapi_r5(), _REPORTS, bundle_r5, takes="fhir-r5", bundle="single")


@contextmanager
def fhir_r5_hapi_own_ids(_: Path) -> Iterator[Bench]:
    """The same, which gives out its ids itself: what has no identifier is looked for, so one delivery at a time."""
    made = servers.hapi_r5(own_ids=True)
    for bench in _fhir(made, _REPORTS, bundle_r5, takes="fhir-r5", update_as_create=False):
        yield replace(bench, at_once=1)


def message(number: int) -> Outgoing:
    """An HL7 v2 message."""
    content = (
        f"MSH|^~\\&|LESIONBRIDGE|SITE|EHR|SITE|20260302104100+0100||ORU^R01^ORU_R01|M{number}|P|2.5.1\r"
        f"PID|1||PID-11235^^^HOSP||Doe^Jane\rOBR|1|||24558-9^MR^LN\r"
        f"OBX|1|TX|18782-3^Impression^LN||Report {number}||||||F\r"
    )
    return Outgoing(f"delivery-{number}", "application/hl7-v2", content.encode(), f"report-{number}.hl7")


@contextmanager
def receiving() -> Iterator[tuple[int, dict[str, str]]]:
    """The MLLP server of hl7apy, which keeps one message of each control id: its port, and what it keeps."""
    kept: dict[str, str] = {}

    class Receiver(AbstractHandler):  # type: ignore[misc]  # hl7apy ships no types
        def reply(self) -> str:
            told = parse_message(self.incoming_message)
            control_id = told.msh.msh_10.value
            kept.setdefault(control_id, self.incoming_message)
            made = Message("ACK", version="2.5.1")
            made.msa.msa_1, made.msa.msa_2 = "AA", control_id
            return str(made.to_mllp())

    server = MLLPServer("127.0.0.1", 0, {"ORU^R01^ORU_R01": (Receiver,)})
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield server.server_address[1], kept
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def mllp(_: Path) -> Iterator[Bench]:
    """The MLLP server of hl7apy."""
    with ExitStack() as stack:
        port, kept = stack.enter_context(receiving())
        at, lose = _relay(stack, port, 1)
        made = open_destination(Mllp(name="engine", host="127.0.0.1", port=at, timeouts=UNHURRIED))
        yield Bench(made, message, _other_text, stack.close, lambda: len(kept), tells_apart=False, lose=lose)


@contextmanager
def webhook(_: Path) -> Iterator[Bench]:
    """A receiver that keeps one of each key."""
    kept: dict[str, bytes] = {}

    class Receiver(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            content = self.rfile.read(int(self.headers["Content-Length"]))
            kept.setdefault(self.headers["Idempotency-Key"], content)
            self._answer(204)

        def do_HEAD(self) -> None:
            self._answer(405)

        def _answer(self, status: int) -> None:
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    with ExitStack() as stack:
        server = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        stack.callback(thread.join)
        stack.callback(server.server_close)
        stack.callback(server.shutdown)
        at, lose = _relay(stack, server.server_port, 1)
        made = open_destination(Webhook(name="hook", url=f"http://127.0.0.1:{at}/in", timeouts=UNHURRIED))
        here = stack.close
        yield Bench(made, _text, _other_text, here, lambda: len(kept), proves=False, tells_apart=False, lose=lose)


BENCHES: Final[dict[str, Callable[[Path], AbstractContextManager[Bench]]]] = {
    "recording": recording,
    "folder": folder,
    "stow-orthanc": stow,
    "cstore-orthanc": cstore_orthanc,
    "cstore-read-back": cstore_read_back,
    "cstore-orthanc-get": cstore_orthanc_get,
    "cstore-dcmqrscp": cstore_dcmqrscp,
    "cstore-dcmqrscp-get": cstore_dcmqrscp_get,
    "cstore-storescp": cstore_storescp,
    "fhir-sekmet": fhir_sekmet,
    "fhir-sekmet-single": fhir_sekmet_single,
    "fhir-medplum": fhir_medplum,
    "fhir-medplum-single": fhir_medplum_single,
    "fhir-r5-hapi": fhir_r5_hapi,
    "fhir-r5-hapi-own-ids": fhir_r5_hapi_own_ids,
    "mllp": mllp,
    "webhook": webhook,
}
