"""The shipped examples: read, coded whole, described, and true to the table they come from."""

import json
import re
from functools import cache
from pathlib import Path

import pytest

from service.check.compare import compare
from service.coding import vocabulary
from service.coding.coder import code_report
from service.domain.limits import Limits
from service.domain.loss import LossKind
from service.domain.report import CodedReport
from service.formats.fhir.write import write as write_fhir
from service.formats.findings.read import read
from service.formats.html.write import narrative, page
from service.formats.sr.write import write as write_sr
from tests.coded_reports import terms_in
from tests.tables.openbtai import TABLE, all_findings, legible, rows_of

EXAMPLES = Path(__file__).parents[3] / "examples"
NAMES = sorted(path.stem for path in EXAMPLES.glob("*.json"))
FROM_TABLE = [name for name in NAMES if name.startswith("openbtai-")]
INVENTED = [name for name in NAMES if name not in FROM_TABLE]
UNCODED = "brain-ct-uncoded-term"
LOST_IN_SR = {"lumbar-mri-degenerative-volunteer": {"/patient/birthDate"}}
"""A year of birth alone has no place in DICOM."""
CODELESS = {
    "epidural extension",
    "gray-white matter junction",
    "susceptibility signal loss / low-intensity rim",
    "cauda equina syndrome",
}
"""Concepts of the vocabulary for which no system has a code, or only a class that is not denied with a finding: known,
and emitted as their label.
"""


@cache
def coded(name: str) -> CodedReport:
    """An example, read and coded."""
    body = (EXAMPLES / f"{name}.json").read_bytes()
    return code_report(read(body, default_sender="local", limits=Limits()), vocabulary())


@pytest.mark.parametrize("name", [name for name in NAMES if name != UNCODED])
def test_codes_every_term_without_a_loss(name: str) -> None:
    report = coded(name)
    assert report.losses == ()
    assert all(term.concept is not None for term in terms_in(report))
    assert {term.text for term in terms_in(report) if not term.codes} <= CODELESS


def test_leaves_one_term_as_text_on_purpose_and_says_so() -> None:
    report = coded(UNCODED)
    assert [term.text for term in terms_in(report) if not term.codes] == ["layered like an onion"]
    (loss,) = report.losses
    assert loss.kind is LossKind.UNCODED


@pytest.mark.parametrize("name", NAMES)
def test_becomes_readable(name: str) -> None:
    assert "<h1>" in page(coded(name))
    assert narrative(coded(name)).startswith("<div")


@pytest.mark.parametrize("name", NAMES)
def test_both_outputs_say_what_the_report_says(name: str) -> None:
    report = coded(name)
    document = write_sr(report)
    assert document.reference is not None
    bundle = write_fhir(report, document.reference)
    assert compare(report, document.content, bundle.content, document.losses) == ()
    assert {loss.where for loss in document.losses} <= LOST_IN_SR.get(name, set())


@pytest.mark.parametrize("name", NAMES)
def test_is_described_in_the_readme(name: str) -> None:
    readme = (EXAMPLES / "README.md").read_text(encoding="utf-8")
    assert f"`{name}`" in readme or name in FROM_TABLE


@pytest.mark.parametrize("name", INVENTED)
def test_an_invented_report_is_marked_as_one(name: str) -> None:
    text = (EXAMPLES / f"{name}.json").read_text(encoding="utf-8")
    report = json.loads(text)
    assert report["report"]["id"].startswith("EX-")
    assert report["patient"]["id"].startswith("EX-")
    assert report["patient"]["issuer"] == "HOSP"
    classes = re.compile(r"1\.2\.840\.10008\.5\.1\.4\.1\.1\.")
    uids = re.findall(r'"([0-2](?:\.[0-9]+){3,})"', text)
    assert all(uid.startswith("2.25.") or classes.match(uid) for uid in uids)


def test_a_report_of_the_table_says_what_the_table_says(cases: Path) -> None:
    made = all_findings(rows_of(cases / TABLE), legible)
    for name in FROM_TABLE:
        assert json.loads((EXAMPLES / f"{name}.json").read_text(encoding="utf-8")) == made[name]


def test_the_table_gives_six_patients_and_two_of_them_several_times() -> None:
    patients = [name.split("-")[1] for name in FROM_TABLE]
    assert len(set(patients)) >= 6
    assert len({patient for patient in patients if patients.count(patient) > 1}) >= 2


@pytest.mark.parametrize("patient", ["10005", "40037"])
def test_a_lesion_is_the_same_one_at_every_time_point(patient: str) -> None:
    uids: dict[str, set[str | None]] = {}
    for name in FROM_TABLE:
        if name.startswith(f"openbtai-{patient}-"):
            for lesion in coded(name).lesions:
                uids.setdefault(lesion.id, set()).add(lesion.tracking_uid)
    assert len(uids) > 1
    assert all(len(same) == 1 for same in uids.values())


def test_names_keep_their_scripts() -> None:
    report = coded("brain-mr-names-in-three-scripts")
    assert str(report.patient.name) == "Mori^Yui=森^結衣=もり^ゆい"
    referring = report.study.referring_physician
    assert referring is not None
    assert referring.name.alphabetic.family == "سعد"
    assert report.verifier is not None
    assert report.verifier.name.alphabetic.family == "Wójcik-Żółtowska"
