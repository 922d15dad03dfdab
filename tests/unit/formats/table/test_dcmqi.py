"""dcmqi's JSON: every number that it holds is in the report, or named."""

import json
from pathlib import Path

import pytest

from service.coding import vocabulary
from service.coding.coder import code_report
from service.domain.errors import Refused
from service.domain.received import Intake, Received
from service.doors import READERS, Format, detect

MAPPING = """
[constants]
"/report/id" = "R"
"/report/issued" = "2026-03-02T10:00:00Z"
"/patient/id" = "P"
"/study/uid" = "1.2.3"
"/study/modality" = "CT"
"""
QUANTITY = {"CodeValue": "103339001", "CodingSchemeDesignator": "SCT", "CodeMeaning": "Long axis"}
UNITS = {"CodeValue": "mm", "CodingSchemeDesignator": "UCUM", "CodeMeaning": "millimeter"}
GROUP = {"TrackingIdentifier": "G", "measurementItems": [{"value": "12.50", "quantity": QUANTITY, "units": UNITS}]}


def read(content: bytes) -> Received:
    return READERS[Format.DCMQI](content, Intake(mapping=MAPPING))


def of(**members: object) -> bytes:
    return json.dumps({"Measurements": [GROUP], **members}).encode()


def test_it_is_known_by_what_it_holds() -> None:
    assert detect(of()) is Format.DCMQI


def test_a_group_is_a_lesion_with_its_numbers() -> None:
    lesion = read(of(CompletionFlag="COMPLETE")).report.lesions[0]
    assert (lesion.id, str(lesion.measurements[0].value)) == ("G", "12.50")
    assert lesion.measurements[0].concept.where == "#/Measurements/0/measurementItems/0/quantity"


def test_patient_and_study_may_stand_beside_it() -> None:
    beside = {"report": {"id": "R2", "issued": "2026-03-02T10:00:00Z"}, "patient": {"id": "P2"}}
    beside["study"] = {"uid": "1.2", "modality": "CT"}
    made = READERS[Format.DCMQI](of(findings=beside), Intake())
    assert (made.report.id, made.report.patient.id) == ("R2", "P2")


def test_two_groups_with_one_identifier_stay_two() -> None:
    made = read(of(Measurements=[GROUP, GROUP]))
    assert [lesion.id for lesion in made.report.lesions] == ["G", "G 2"]
    assert "dcmqi-tracking" in {loss.rule for loss in made.losses}


@pytest.mark.parametrize("item", [{}, None, {"value": "x", "quantity": QUANTITY, "units": UNITS}, {"value": "1"}])
def test_a_number_that_is_none_is_listed_and_the_rest_stands(item: object) -> None:
    made = read(of(Measurements=[{**GROUP, "measurementItems": [item, *GROUP["measurementItems"]]}]))
    assert len(made.report.lesions[0].measurements) == 1
    assert "#/Measurements/0/measurementItems/0" in {loss.where for loss in made.losses}


@pytest.mark.parametrize("content", [b"{", b"[]", b"{}", b'{"Measurements": 1}'])
def test_what_is_no_such_file_is_refused(content: bytes) -> None:
    with pytest.raises(Refused):
        read(content)


@pytest.mark.cases
def test_every_number_of_dcmqi_s_own_output_is_there(cases: Path) -> None:
    paths = sorted(cases.glob("sr/*.dcmqi.json"))
    assert len(paths) > 10
    for path in paths:
        said = json.loads(path.read_text(encoding="utf-8"))
        if not said.get("Measurements"):
            with pytest.raises(Refused):  # it says nothing
                read(path.read_bytes())
            continue
        made = read(path.read_bytes())
        numbers = sum(len(group.get("measurementItems", ())) for group in said.get("Measurements", ()))
        skipped = sum("/measurementItems/" in loss.where and loss.what == "measurement" for loss in made.losses)
        assert sum(len(lesion.measurements) for lesion in made.report.lesions) + skipped == numbers, path.name
        assert code_report(made.report, vocabulary()), path.name
