"""Third parties rule on the bundles of every report of the test set, and real servers take each one twice."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from http import HTTPStatus
from pathlib import Path

import pytest
import requests

from service.domain.report import CodedReport, Status
from service.formats.fhir.r4 import R4
from service.formats.fhir.r5 import R5
from service.formats.fhir.release import Release
from service.formats.fhir.write import BUNDLES, write
from service.formats.fhir.xml import as_xml
from tests.amended import WAYS, following, history, transactions
from tests.conftest import AskFhir
from tests.fhir_bundles import sr_of
from tests.fhir_profiles import RELEASES, modes, proven_report
from tests.report_set import REPORTS, status_report

TIMEOUT_S = 120
HEADERS = {"Content-Type": "application/fhir+json", "Accept": "application/fhir+json"}


BIG = "benchmark"  # the same lesion many times: nothing in it that another report has not


def _bundles() -> list[tuple[str, CodedReport, str]]:
    """Every report as what is sent and as a document, which has all resources; one as each kind; every state."""
    reports = [
        (name, make(), kind)
        for name, make in REPORTS.items()
        for kind in BUNDLES
        if name != BIG and (kind != "collection" or name == "rich")
    ]
    return [*reports, *((f"status-{status.value}", status_report(status), "document") for status in Status)]


@pytest.mark.slow
@pytest.mark.oracle("fhir")
@pytest.mark.parametrize("release", [R4, R5], ids=lambda release: release.name)
def test_every_judge_accepts_every_bundle_of_every_report(
    release: Release, tmp_path: Path, fhir_complaints: AskFhir
) -> None:
    files = []
    for name, report, kind in _bundles():
        file = tmp_path / f"{name}.{kind}.json"
        file.write_bytes(write(report, sr_of(report), bundle=kind, release=release).content)
        files.append(file)

    assert fhir_complaints(files, release=release.name) == []


@pytest.mark.slow
@pytest.mark.oracle("fhir")
@pytest.mark.parametrize("release", [R4, R5], ids=lambda release: release.name)
def test_hapi_accepts_the_same_in_xml(release: Release, tmp_path: Path, fhir_complaints: AskFhir) -> None:
    files = []
    for name, report, kind in _bundles():
        file = tmp_path / f"{name}.{kind}.xml"
        file.write_bytes(as_xml(write(report, sr_of(report), bundle=kind, release=release), release.name).content)
        files.append(file)

    assert fhir_complaints(files, release=release.name, only=("hapi",)) == []


@pytest.mark.slow
@pytest.mark.oracle("fhir")
@pytest.mark.parametrize("release", ["R4", "R5"])
def test_every_judge_accepts_what_profiles_make_of_it(release: str, tmp_path: Path, fhir_complaints: AskFhir) -> None:
    files = []
    for mode, of, kind in modes():
        if of != release or kind in ("collection", "single"):
            continue
        for name, make in REPORTS.items():
            if name != BIG:
                report = make()
                made = json.loads(write(report, sr_of(report), bundle=kind, release=RELEASES[of], profile=mode).content)
                for turn, one in enumerate([made] if isinstance(made, dict) else made):
                    files.append(tmp_path / f"{mode}.{name}.{kind}.{turn}.json")
                    files[-1].write_text(json.dumps(one if isinstance(made, dict) else one["resource"]))

    assert fhir_complaints(files, release=release) == []


def _histories() -> dict[str, list[CodedReport]]:
    """A report that loses a lesion and its text, then is withdrawn; one that never was final; one with a tumor."""
    made = {}
    for name, report in (("rich", REPORTS["rich"]()), ("proven", proven_report())):
        second = following(report, Status.CORRECTED, lesions=report.lesions[1:], findings=None)
        made[name] = [report, second, following(second, Status.ENTERED_IN_ERROR)]
    draft = status_report(Status.PRELIMINARY)
    made["draft"] = [draft, following(draft, Status.CANCELLED)]
    return made


@pytest.mark.slow
@pytest.mark.oracle("fhir")
@pytest.mark.parametrize("release", ["R4", "R5"])
def test_every_judge_accepts_what_withdraws_and_supersedes(
    release: str, tmp_path: Path, fhir_complaints: AskFhir
) -> None:
    files, states = [], set()
    for profile, of in WAYS:
        if of.name != release:
            continue
        for name, versions in _histories().items():
            for number, emitted in enumerate(history(versions, of, profile)[1:], start=2):
                for turn, bundle in enumerate(transactions(emitted)):
                    files.append(tmp_path / f"{profile}.{name}.{number}.{turn}.json")
                    files[-1].write_text(json.dumps(bundle))
                    states |= {one["resource"].get("status") for one in bundle["entry"]}

    assert {"superseded", "entered-in-error", "cancelled"} <= states
    assert fhir_complaints(files, release=release) == []


class Server:
    """A FHIR server, asked over one connection."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._session = requests.Session()
        self._session.headers.update(HEADERS)

    def post(self, content: bytes) -> list[str]:
        """Type and id that each entry of a transaction was stored under."""
        answer = self._session.post(self._url, data=content, timeout=TIMEOUT_S)
        assert answer.status_code == HTTPStatus.OK, answer.text[:500]
        responses = [entry["response"] for entry in answer.json()["entry"]]
        assert {response["status"][:3] for response in responses} <= {"200", "201"}
        locations = (re.sub(r"/_history.*", "", response["location"]) for response in responses)
        return ["/".join(location.split("/")[-2:]) for location in locations]

    def read(self, place: str) -> str:
        """A resource as stored."""
        answer = self._session.get(f"{self._url}/{place}", timeout=TIMEOUT_S)
        assert answer.status_code == HTTPStatus.OK, place
        return json.dumps(answer.json())

    def count(self, kinds: set[str]) -> dict[str, int]:
        """How many resources of each type it has."""
        return {
            kind: self._session.get(f"{self._url}/{kind}?_summary=count", timeout=TIMEOUT_S).json()["total"]
            for kind in sorted(kinds)
        }


def _accepts_each_twice(url: str, names: Iterable[str]) -> None:
    server = Server(url)
    for name in names:
        report = REPORTS[name]()
        content = write(report, sr_of(report)).content
        first = server.post(content)
        kinds = {place.split("/")[0] for place in first}
        before = server.count(kinds)

        second = server.post(content)

        assert second == first, name
        assert server.count(kinds) == before, name
        for place in second:
            assert '"reference": "urn:' not in server.read(place), (name, place)


@pytest.mark.slow
def test_a_server_keeps_what_it_has_when_a_bundle_comes_again(sekmet: str) -> None:
    _accepts_each_twice(sekmet, [name for name in REPORTS if name != BIG])


@pytest.mark.slow
def test_medplum_keeps_what_it_has_when_a_bundle_comes_again(medplum: str) -> None:
    _accepts_each_twice(medplum, ["rich", "segment", "minimal"])  # slow: it searches by looking at all it has


@pytest.mark.slow
def test_a_server_finds_what_the_transactions_of_imr_refer_to(sekmet: str) -> None:
    server = Server(sekmet)
    for name in ("rich", "bone", "default"):
        report = REPORTS[name]()
        transactions = json.loads(write(report, sr_of(report), profile="imr").content)
        first, second = (
            [place for one in transactions for place in server.post(json.dumps(one["resource"]).encode())]
            for _ in range(2)
        )

        assert second == first, name
        for place in second:
            stored = server.read(place)
            assert '"reference": "urn:' not in stored, (name, place)
            assert "?identifier=" not in stored, (name, place)
