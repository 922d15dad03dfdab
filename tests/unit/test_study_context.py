"""What the archive knows of a study: filled in where the sender left it out, refused where both disagree."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
import requests
from pydicom import Dataset, dcmread
from pydicom.dataset import FileMetaDataset
from pydicom.uid import UID, ExplicitVRLittleEndian

from service.app import create_app
from service.coding import vocabulary
from service.coding.coder import code_report
from service.config import Settings
from service.delivery.destination import Failed, Outcome
from service.delivery.settings import CStore, Folder, Stow
from service.delivery.study_context import Archive, StudyContext, archive
from service.delivery.study_context import _of_dataset as of_dataset
from service.delivery.study_context import _of_json as of_json
from service.domain.errors import Contradiction, TableError, Unavailable
from service.domain.limits import Limits
from service.domain.received import Intake
from service.domain.report import CodedReport
from service.formats.findings.read import read
from service.store.reports import Store
from service.study_context import RULE, with_context
from tests.conftest import Missing
from tests.contract.benches import UNHURRIED
from tests.faults import faulty, http
from tests.findings import make_findings
from tests.oracles import servers
from tests.oracles.complaint import NotInstalled

STUDY = "1.2.840.113619.2.1.1"
KNOWN = StudyContext(
    patient_id="PID-11235",
    patient_issuer="HOSP",
    patient_issuer_uid="1.2.276.0.76.3.1.999.1",
    patient_name="Doe^Jane=山田^花子",
    birth_date="19610402",
    sex="F",
    accession="A481",
    accession_issuer="RIS",
    accession_issuer_uid="1.2.276.0.76.3.1.999.2",
    study_date="20260302",
    study_time="091200.5",
    offset="+0100",
    description="MR Schädel",
    referring_physician="Gray^Henry",
)
BARE = {
    "patient": {"id": "PID-11235"},
    "study": {"uid": STUDY, "modality": "MR", "procedure": "MR brain"},
    "lesions": [{"id": "L1", "finding": "brain metastasis"}],
}


def coded(**changes: Any) -> CodedReport:
    document = {**make_findings(), **BARE}
    for path, value in changes.items():
        member, _, name = path.partition("__")
        document[member] = {**document[member], name: value}
    said = read(json.dumps(document).encode(), default_sender="local", limits=Limits())
    return code_report(said, vocabulary())


def placed(report: CodedReport, context: StudyContext | None) -> CodedReport:
    return with_context(report, lambda _: context, vocabulary(), Intake(zone="Europe/Berlin"))


def test_what_the_sender_left_out_is_filled_in_and_told() -> None:
    made = placed(coded(), KNOWN)
    patient, study = made.patient, made.study
    assert (str(patient.name), patient.birth_date and patient.birth_date.text, patient.sex) == (
        "Doe^Jane=山田^花子",
        "1961-04-02",
        "F",
    )
    assert patient.issuer is not None
    assert patient.issuer.oid == "1.2.276.0.76.3.1.999.1"
    assert (study.accession, study.description) == ("A481", "MR Schädel")
    assert study.accession_issuer is not None
    assert study.accession_issuer.oid == "1.2.276.0.76.3.1.999.2"
    assert study.started is not None
    assert study.started.text == "2026-03-02T09:12:00+01:00"
    assert study.referring_physician is not None
    assert {loss.where for loss in made.losses if loss.rule == RULE} == {
        "/patient/issuer",
        "/patient/name",
        "/patient/birthDate",
        "/patient/sex",
        "/study/accession",
        "/study/accessionIssuer",
        "/study/started",
        "/study/description",
        "/study/referringPhysician",
    }


def test_what_the_sender_said_stays() -> None:
    said = coded(
        patient__name="Doe^Jane", patient__birthDate="1961-04", study__description="Kopf", study__accession="A481"
    )
    made = placed(said, KNOWN)
    assert (str(made.patient.name), made.study.description) == ("Doe^Jane", "Kopf")
    assert made.patient.birth_date == said.patient.birth_date


def test_no_uid_changes_with_what_an_archive_knows() -> None:
    bare = coded()
    assert [one.tracking_uid for one in placed(bare, KNOWN).lesions] == [one.tracking_uid for one in bare.lesions]


@pytest.mark.parametrize(
    ("member", "value", "pointer", "values"),
    [
        ("patient__id", "PID-9", "/patient/id", ("PID-9", "PID-11235")),
        ("patient__birthDate", "1961-04-03", "/patient/birthDate", ("1961-04-03", "1961-04-02")),
        ("patient__sex", "M", "/patient/sex", ("M", "F")),
        ("patient__issuer", "1.2.3.4", "/patient/issuer", ("1.2.3.4", "1.2.276.0.76.3.1.999.1")),
        ("study__accession", "A999", "/study/accession", ("A999", "A481")),
    ],
)
def test_a_disagreement_is_refused_with_both_values(
    member: str, value: str, pointer: str, values: tuple[str, str]
) -> None:
    with pytest.raises(Contradiction) as refused:
        placed(coded(**{member: value}), KNOWN)
    (problem,) = refused.value.problems
    assert (problem.pointer, problem.rule) == (pointer, RULE)
    assert all(repr(one) in problem.detail for one in values)


@pytest.mark.parametrize(
    ("member", "value", "flagged"),
    [
        ("patient__name", "Roe^Jane", True),
        ("patient__name", "DOE^Jáne Mary", False),
        ("study__started", "2026-03-03T09:12:00+01:00", True),
        ("study__started", "2026-03-02", False),
    ],
)
def test_a_doubtful_difference_is_flagged(member: str, value: str, *, flagged: bool) -> None:
    made = placed(coded(**{member: value}), KNOWN)
    told = {loss.where: loss.why for loss in made.losses if loss.rule == RULE}
    assert ("/" + member.replace("__", "/") in told) is flagged


def test_an_accession_number_of_the_senders_own_gets_no_issuer_of_another() -> None:
    made = placed(coded(study__accession="B1"), StudyContext(patient_id="PID-11235", accession_issuer="RIS"))
    assert (made.study.accession, made.study.accession_issuer) == ("B1", None)


def test_a_study_that_the_archive_does_not_know_is_flagged() -> None:
    made = placed(coded(), None)
    assert [(loss.where, loss.rule) for loss in made.losses][-1] == ("/study/uid", RULE)


@pytest.mark.parametrize("outcome", [outcome for outcome in Outcome if not outcome.is_kept])
def test_an_archive_that_is_away_is_asked_again(outcome: Outcome) -> None:
    def away(_: str) -> StudyContext:
        raise Failed(outcome, "why")

    expected = Contradiction if outcome is Outcome.REFUSED else Unavailable
    with pytest.raises(expected):
        with_context(coded(), away, vocabulary(), Intake())


def test_malformed_attributes_are_none() -> None:
    wrong = StudyContext(
        "PID-11235", patient_name="^^", birth_date="1961", sex="X", study_date="20261399", study_time="9"
    )
    made = placed(coded(), wrong)
    assert (made.patient.name, made.patient.birth_date, made.patient.sex, made.study.started) == (None,) * 4


@pytest.mark.parametrize("name", ["accession", "description", "patient_issuer", "patient_name", "referring_physician"])
def test_what_an_archive_has_several_values_for_is_left_out_and_flagged(name: str) -> None:
    made = placed(coded(), StudyContext(**{"patient_id": "PID-11235", name: "one\\two"}))
    patient, study = made.patient, made.study
    filled = (study.accession, study.description, patient.issuer, patient.name, study.referring_physician)
    assert filled == (None,) * 5
    assert name.replace("_", " ") in {loss.what for loss in made.losses if loss.rule == RULE}


def test_a_patient_under_two_ids_is_another_patient() -> None:
    with pytest.raises(Contradiction):
        placed(coded(), StudyContext(patient_id="PID-11235\\PID-2"))


def test_several_values_of_a_match_stand_as_in_its_data_set() -> None:
    match = Dataset()
    match.PatientName, match.PatientID = "Doe^Jane", "PID-11235"
    match.AccessionNumber = ["A481", "A482"]
    found = of_dataset(match)
    assert (found.accession, found.patient_name, found.patient_id) == ("A481\\A482", "Doe^Jane", "PID-11235")


def test_several_values_in_json_are_those_of_the_data_set() -> None:
    match = Dataset()
    match.PatientName, match.PatientID = ["Doe^Jane", "Roe^Ann=Roe"], "PID-11235"
    match.AccessionNumber, match.ReferringPhysicianName = ["A481", "A482"], "Lee^An"
    match.IssuerOfAccessionNumberSequence = [Dataset()]
    match.IssuerOfAccessionNumberSequence[0].LocalNamespaceEntityID = "HOSP\\RAD"
    found = of_json(match.to_json_dict())
    assert found == of_dataset(match)
    assert (found.accession, found.accession_issuer) == ("A481\\A482", "HOSP\\RAD")


def test_a_backslash_in_the_name_of_an_issuer_is_one_value() -> None:
    made = placed(coded(), StudyContext(patient_id="PID-11235", accession="A9", accession_issuer="HOSP\\RAD"))
    assert made.study.accession_issuer is not None
    assert made.study.accession_issuer.key == "HOSP\\RAD"
    assert not [loss for loss in made.losses if "several values" in loss.why]


def test_only_an_archive_can_be_asked() -> None:
    stow, folder = Stow(name="pacs", url="https://x"), Folder(name="out", path="/x")
    known = {"pacs": stow, "out": folder}
    assert archive(known, "") is None
    assert archive(known, "pacs") is not None
    for name in ("out", "nowhere"):
        with pytest.raises(TableError):
            archive(known, name)


def instance(patient: str = "PID-11235", instance_uid: str = "1.2.3.4.5") -> bytes:
    """An image of the study, as a modality would send it."""
    made = Dataset()
    made.SpecificCharacterSet = "ISO_IR 192"
    made.SOPClassUID, made.SOPInstanceUID = "1.2.840.10008.5.1.4.1.1.4", instance_uid
    made.StudyInstanceUID, made.SeriesInstanceUID = STUDY, "1.2.3.4"
    made.PatientID, made.IssuerOfPatientID, made.PatientName = patient, "HOSP", "Doe^Jane=山田^花子"
    made.PatientBirthDate, made.PatientSex = "19610402", "F"
    made.AccessionNumber, made.StudyDate, made.StudyTime = "A481", "20260302", "091200"
    made.TimezoneOffsetFromUTC, made.StudyDescription, made.Modality = "+0100", "MR Schädel", "MR"
    made.ReferringPhysicianName, made.StudyID = "Gray^Henry", "1"
    made.file_meta = FileMetaDataset()
    made.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    made.file_meta.MediaStorageSOPClassUID, made.file_meta.MediaStorageSOPInstanceUID = (
        made.SOPClassUID,
        UID(instance_uid),
    )
    file = BytesIO()
    made.save_as(file, enforce_file_format=True)
    return file.getvalue()


@pytest.fixture(scope="module")
def orthanc() -> Iterator[servers.Pacs | NotInstalled]:
    with ExitStack() as stack:
        known = {"DicomModalities": {"lesionbridge": ["LESIONBRIDGE", "127.0.0.1", servers.free_port()]}}
        try:
            pacs = stack.enter_context(servers.orthanc(settings=known))
        except NotInstalled as error:
            yield error
            return
        requests.post(f"{pacs.url}/instances", data=instance(), timeout=60).raise_for_status()
        yield pacs


@pytest.fixture(params=["qido", "c-find"])
def asked(request: pytest.FixtureRequest, orthanc: servers.Pacs | NotInstalled, missing: Missing) -> Archive:
    """The archive, over each of the two."""
    if isinstance(orthanc, NotInstalled):
        missing.skip("orthanc", str(orthanc))
        raise AssertionError
    times = UNHURRIED
    if request.param == "qido":
        settings: Any = Stow(name="pacs", url=orthanc.dicom_web, timeouts=times)
    else:
        settings = CStore(
            name="pacs", host="127.0.0.1", port=orthanc.dicom_port, called=orthanc.ae_title, timeouts=times
        )
    found = archive({"pacs": settings}, "pacs")
    assert found is not None
    return found


@pytest.mark.oracle("orthanc")
def test_an_archive_tells_what_it_knows(asked: Archive) -> None:
    found = asked(STUDY)
    assert found is not None
    assert (found.patient_id, found.patient_name, found.birth_date, found.sex) == (
        "PID-11235",
        "Doe^Jane=山田^花子",
        "19610402",
        "F",
    )
    assert (found.accession, found.study_date, found.description) == ("A481", "20260302", "MR Schädel")
    assert (found.patient_issuer, found.offset, found.referring_physician) == ("HOSP", "+0100", "Gray^Henry")
    assert asked("1.2.3.999") is None


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (http("204 No Content"), None),
        (http("200 OK", b"[]"), None),
        (http("200 OK", b"[{}]"), None),
        (http("200 OK", b"<html>"), Outcome.UNKNOWN),
        (http("503 Service Unavailable"), Outcome.BUSY),
        (http("401 Unauthorized"), Outcome.NOT_SENT),
    ],
)
def test_what_an_archive_answers(answer: bytes, outcome: Outcome | None) -> None:
    with faulty() as server:
        server.answer = answer
        found = archive({"pacs": Stow(name="pacs", url=server.url)}, "pacs")
        assert found is not None
        if outcome is None:
            assert found(STUDY) is None
        else:
            with pytest.raises(Failed) as failed:
                found(STUDY)
            assert failed.value.answer.outcome is outcome


def test_a_study_under_two_patients_is_nobodys() -> None:
    def row(patient: str) -> dict[str, Any]:
        return {"0020000D": {"Value": [STUDY]}, "00100020": {"Value": [patient]}}

    with faulty() as server:
        server.answer = http("200 OK", json.dumps([row("A"), row("B")]).encode())
        found = archive({"pacs": Stow(name="pacs", url=server.url)}, "pacs")
        assert found is not None
        with pytest.raises(Contradiction, match="several patients"):
            with_context(coded(), found, vocabulary(), Intake())


@pytest.mark.oracle("orthanc")
def test_a_report_is_kept_with_what_the_archive_knows(
    orthanc: servers.Pacs | NotInstalled, missing: Missing, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if isinstance(orthanc, NotInstalled):
        missing.skip("orthanc", str(orthanc))
        raise AssertionError
    (tmp_path / "d.toml").write_text(f'[destinations.pacs]\nkind = "stow"\nurl = "{orthanc.dicom_web}"\n')
    settings = Settings(
        database_url=f"sqlite:///{tmp_path / 'x.sqlite3'}",
        destinations_file=str(tmp_path / "d.toml"),
        study_context="pacs",
        log_level="error",
    )
    app = create_app(settings)
    Store(settings.database_url).migrate()
    client, document = app.test_client(), {**make_findings(), **BARE}
    answer = client.post("/v1/reports", json=document)
    assert answer.status_code == 201, answer.json
    sr = dcmread(BytesIO(client.get(f"{answer.headers['Location']}/sr").data))
    assert (sr.PatientName, sr.PatientBirthDate, sr.AccessionNumber) == ("Doe^Jane=山田^花子", "19610402", "A481")
    document["patient"] = {"id": "SOMEBODY-ELSE"}
    document["report"] = {**document["report"], "id": "other"}
    answer = client.post("/v1/reports", json=document)
    assert (answer.status_code, answer.json and answer.json["rule"]) == (422, RULE)
