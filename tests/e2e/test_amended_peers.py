"""A report is corrected and withdrawn at real peers: FHIR servers in every mode, an archive over both protocols."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import requests

from service.amendments import Kind, amended, cancelled
from service.delivery.opening import open_destination
from service.delivery.settings import CStore, DestinationSettings, Fhir, Stow
from service.pipeline import Format, Options, Source
from service.publishing import publish
from service.store.reports import Store
from service.workflows.accepting import Plan
from service.workflows.courier import Peer
from service.workflows.rejecting import Rejecting
from tests.contract.benches import UNHURRIED
from tests.findings import make_body, make_findings
from tests.oracles import servers
from tests.unit.workflows.peers import QUICK, states, until, working

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

SECOND = {"id": "L2", "finding": "brain metastasis", "site": "parietal lobe", "measurements": {"long axis": "7.0 mm"}}
WAYS: dict[str, dict[str, Any]] = {
    "json": {},
    "xml": {"encoding": "xml"},
    "one-by-one": {"bundle": "single"},
    "own-ids": {"update_as_create": False},
    "uscore": {"profile": "uscore"},
    "mcode": {"profile": "mcode"},
    "imr": {"profile": "imr"},
}
"""Each way to a FHIR server, with the settings that make it."""


class Versions:
    """A report of two lesions, corrected to one, then withdrawn, each version delivered before the next."""

    def __init__(self, url: str, *peers: Peer) -> None:
        self.store = Store(url)
        self.store.migrate()
        self._peers = peers
        self._plan = Plan(tuple(one.settings for one in peers))

    def publish(self) -> str:
        return self._settled(
            publish(
                Source(make_body(lesions=[*make_findings()["lesions"], SECOND])),
                Options(),
                self.store,
                planner=self._plan,
            ).id
        )

    def correct(self, base: str) -> str:
        """The second lesion was none."""
        body = make_body(report__issued="2026-03-03T08:00:00+01:00")
        source = amended(Source(body), self.store.get(base), Kind.CORRECT, self.store)
        return self._settled(publish(source, Options(), self.store, planner=self._plan).id)

    def cancel(self, base: str, reject: str | None = None) -> str:
        kept = self.store.get(base)
        source = cancelled(Source(b"", Format.FINDINGS), kept, self.store, reject=reject)
        planner = Rejecting(self._plan, reject, kept, self.store) if reject is not None else self._plan
        return self._settled(publish(source, Options(), self.store, planner=planner).id)

    def _settled(self, version: str | None) -> str:
        wanted = {one.settings.name: "verified" for one in self._peers}
        settled = until(lambda: all(one.state == "verified" for one in self.store.deliveries.of(str(version))))
        assert settled, self.store.deliveries.of(str(version))
        assert states(self.store, str(version)) == wanted
        return str(version)


@pytest.fixture
def deliver(tmp_path: Path) -> Iterator[Callable[..., Versions]]:
    """Opens destinations, with a worker that delivers to them."""
    with ExitStack() as stack:

        def opened(*settings: DestinationSettings) -> Versions:
            peers = [Peer(one, open_destination(one)) for one in settings]
            url = f"sqlite:///{tmp_path / 'x.sqlite3'}"
            made = Versions(url, *peers)
            stack.callback(made.store.close)
            stack.enter_context(working(url, *peers))
            return made

        yield opened


def states_there(url: str, kind: str) -> list[str]:
    """The states of all resources of a type at a server."""
    headers = {"Accept": "application/fhir+json"}
    answer = requests.get(f"{url}/{kind}?_count=200", headers=headers, timeout=60)
    return sorted(one["resource"]["status"] for one in answer.json().get("entry", ()))


def documents_there(url: str, store: Store, *versions: str) -> list[str]:
    """The state of the DocumentReference of each version's SR."""
    found = []
    for version in versions:
        uid = store.get(version).sr.sop_instance
        query = {"identifier": f"urn:dicom:uid|urn:oid:{uid}"}
        headers = {"Accept": "application/fhir+json"}
        entries = requests.get(f"{url}/DocumentReference", params=query, headers=headers, timeout=60).json()["entry"]
        (one,) = entries
        assert "urn:uuid:" not in json.dumps(one)
        found.append(one["resource"]["status"])
    return found


@pytest.mark.oracle("sekmet")
@pytest.mark.parametrize("way", WAYS)
def test_a_server_holds_the_old_document_as_superseded_and_then_in_error(
    way: str, sekmet: str, deliver: Callable[..., Versions]
) -> None:
    here = deliver(Fhir(name="ehr", url=sekmet, timeouts=UNHURRIED, retry=QUICK, **WAYS[way]))
    first = here.publish()
    second = here.correct(first)
    assert documents_there(sekmet, here.store, first, second) == ["superseded", "current"]
    observed = states_there(sekmet, "Observation")
    assert {"corrected", "entered-in-error"} == set(observed)
    third = here.cancel(second)
    assert documents_there(sekmet, here.store, first, second, third) == ["entered-in-error"] * 3
    assert set(states_there(sekmet, "Observation")) == {"entered-in-error"}
    # IMR has a DiagnosticReport a version, all other ways one for all versions.
    assert set(states_there(sekmet, "DiagnosticReport")) == {"entered-in-error"}
    assert len(states_there(sekmet, "DiagnosticReport")) == (3 if way == "imr" else 1)


@pytest.mark.oracle("medplum server")
def test_another_server_holds_it_too(medplum: str, deliver: Callable[..., Versions]) -> None:
    here = deliver(Fhir(name="ehr", url=medplum, timeouts=UNHURRIED, retry=QUICK))
    first = here.publish()
    second = here.correct(first)
    assert documents_there(medplum, here.store, first, second) == ["superseded", "current"]
    third = here.cancel(second)
    assert documents_there(medplum, here.store, first, second, third) == ["entered-in-error"] * 3


@pytest.mark.oracle("orthanc")
def test_an_archive_takes_the_rejection_note_over_both_protocols_and_gives_it_back(
    pacs: servers.Pacs, deliver: Callable[..., Versions]
) -> None:
    common: dict[str, Any] = {"timeouts": UNHURRIED, "retry": QUICK}
    web = Stow(name="web", url=pacs.dicom_web, **common)
    at: dict[str, Any] = {"host": "127.0.0.1", "port": pacs.dicom_port, "called": pacs.ae_title}
    dimse = CStore(name="dimse", verify="read-back", dicomweb_url=pacs.dicom_web, **at, **common)
    here = deliver(web, dimse)
    first = here.publish()
    second = here.cancel(first, reject="patient-safety")
    made = here.store.deliveries.of(second)
    assert [(one.destination, one.role, one.state) for one in made] == [
        (name, role, "verified")
        for name, role in (("web", "sr"), ("dimse", "sr"), ("web", "rejection"), ("dimse", "rejection"))
    ]
    note = here.store.output(second, "rejection").content
    uid = next(one.sr.sop_instance for one in made if one.role == "rejection" and one.sr is not None)
    listed = requests.post(
        f"{pacs.url}/tools/find",
        json={"Level": "Instance", "Query": {"Modality": "KO"}, "Expand": True},
        timeout=20,
    ).json()
    assert [one["MainDicomTags"]["SOPInstanceUID"] for one in listed] == [uid]
    assert requests.get(f"{pacs.url}/instances/{listed[0]['ID']}/file", timeout=60).content == note
    tags = requests.get(f"{pacs.url}/instances/{listed[0]['ID']}/simplified-tags", timeout=60).json()
    assert tags["ConceptNameCodeSequence"][0]["CodeValue"] == "113037"
    [study] = tags["CurrentRequestedProcedureEvidenceSequence"]
    named = [
        one["ReferencedSOPInstanceUID"]
        for series in study["ReferencedSeriesSequence"]
        for one in series["ReferencedSOPSequence"]
    ]
    assert named == [here.store.get(first).sr.sop_instance]
    assert len(requests.get(f"{pacs.url}/instances", timeout=60).json()) == 3
