"""What several answers of an archive about one study come to, and dates that say only a part."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from service.app import create_app
from service.coding import vocabulary
from service.coding.coder import code_report
from service.config import Settings
from service.delivery.destination import Failed, Outcome
from service.delivery.settings import Stow
from service.delivery.study_context import Asked, StudyContext, archive
from service.domain.errors import Contradiction
from service.domain.limits import Limits
from service.domain.received import Intake
from service.domain.report import CodedReport
from service.formats.findings.read import read
from service.store.reports import Store
from service.study_context import RULE, with_context
from tests.faults import faulty, http
from tests.findings import make_body, make_findings

STUDY = "1.2.840.113619.2.1.1"
PATIENT = "PID-11235"
PLAIN = {"issuer": "00100021", "born": "00100030", "accession": "00080050", "description": "00081030"}
ITEMS = {"issuer_uid": ("00100024", "00400032"), "accession_issuer_uid": ("00080051", "00400032")}


def bare(**patient: str) -> CodedReport:
    study = {"uid": STUDY, "modality": "MR", "procedure": "MR brain"}
    lesions = [{"id": "L1", "finding": "brain metastasis"}]
    document = {**make_findings(), "patient": {"id": PATIENT, **patient}, "study": study, "lesions": lesions}
    return code_report(read(json.dumps(document).encode(), default_sender="local", limits=Limits()), vocabulary())


def row(**said: str) -> dict[str, Any]:
    made: dict[str, Any] = {"0020000D": {"Value": [STUDY]}, "00100020": {"Value": [PATIENT]}}
    for name, value in said.items():
        if name in PLAIN:
            made[PLAIN[name]] = {"Value": [value]}
        else:
            sequence, entity = ITEMS[name]
            made[sequence] = {"Value": [{entity: {"Value": [value]}}]}
    return made


def answered(*rows: dict[str, Any]) -> CodedReport:
    """A bare report, asked of an archive that gives these rows."""
    with faulty() as server:
        server.answer = http("200 OK", json.dumps(rows).encode())
        found = archive({"pacs": Stow(name="pacs", url=server.url)}, "pacs")
        assert found is not None
        return with_context(bare(), found, vocabulary(), Intake())


@pytest.mark.parametrize("name", ["issuer", "issuer_uid"])
def test_one_id_of_two_issuers_is_of_two_patients(name: str) -> None:
    with pytest.raises(Contradiction, match="several patients"):
        answered(row(**{name: "1.2.3.4"}), row(**{name: "1.2.3.5"}))


def test_what_two_answers_differ_in_is_left_out_and_flagged() -> None:
    one = row(issuer="HOSP", born="19500101", accession="A1", description="MR Kopf")
    other = row(issuer="HOSP", born="19600101", accession="A2", description="MR Kopf")
    made = answered(one, other)
    assert (made.patient.birth_date, made.study.accession) == (None, None)
    assert {"birth date", "accession"} <= {loss.what for loss in made.losses if loss.rule == RULE}
    assert made.patient.issuer is not None
    assert (made.patient.issuer.key, made.study.description) == ("HOSP", "MR Kopf")


def test_a_number_of_two_issuers_is_two_numbers() -> None:
    made = answered(row(accession="A1", accession_issuer_uid="1.2.3.4"), row(accession_issuer_uid="1.2.3.5"))
    assert (made.study.accession, made.study.accession_issuer) == (None, None)
    assert "accession" in {loss.what for loss in made.losses if loss.rule == RULE}


@pytest.mark.parametrize("said", ["1961", "1961-04", "1961-04-02"])
def test_a_birth_date_agrees_as_far_as_it_goes(said: str) -> None:
    made = placed(bare(birthDate=said), "19610402")
    assert made.patient.birth_date is not None
    assert made.patient.birth_date.text == said


@pytest.mark.parametrize("said", ["1960", "1961-05", "1961-04-03"])
def test_a_part_of_a_birth_date_that_is_another_is_refused(said: str) -> None:
    with pytest.raises(Contradiction, match=f"{said}.*1961"):
        placed(bare(birthDate=said), "19610402")


def test_an_archive_that_does_not_answer_is_said_by_readiness_until_it_does(
    tmp_path: Path,
) -> None:
    with faulty() as server:
        server.answer = http("503 Service Unavailable")
        (tmp_path / "d.toml").write_text(f'[destinations.pacs]\nkind = "stow"\nurl = "{server.url}"\n')
        url = f"sqlite:///{tmp_path / 'db.sqlite3'}"
        client = create_app(
            Settings(database_url=url, destinations_file=str(tmp_path / "d.toml"), study_context="pacs")
        ).test_client()
        Store(url).migrate()

        def said() -> bool:
            answer = client.get("/health/ready")
            assert (answer.status_code, answer.json is not None) == (200, True)
            return "the archive pacs (study_context) does not answer since" in answer.text

        body = make_body(study__uid=STUDY)
        assert not said()
        assert client.post("/v1/reports", data=body, headers={"Content-Type": "application/json"}).status_code == 503
        assert said()
        server.answer = http("204 No Content")
        assert client.post("/v1/reports", data=body, headers={"Content-Type": "application/json"}).status_code == 201
        assert not said()


def test_an_archive_that_refuses_is_not_away() -> None:
    told = [Outcome.UNKNOWN, Outcome.REFUSED]

    def ask(_: str) -> None:
        raise Failed(told.pop(0), "no")

    asked = Asked("pacs", ask)
    for is_away in (True, False):
        with pytest.raises(Failed):
            asked(STUDY)
        assert bool(asked.away_since) is is_away


def placed(report: CodedReport, born: str) -> CodedReport:
    known = StudyContext(patient_id=PATIENT, birth_date=born)
    return with_context(report, lambda _: known, vocabulary(), Intake())
