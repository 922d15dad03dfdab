"""Texts of one line: spaces within are kept, breaks are one and flagged, ids of ours are known by any text."""

from dataclasses import replace

import pytest

from service.coding import vocabulary
from service.coding.coder import code_report
from service.domain.received import Intake
from service.formats.fhir.read import read
from service.formats.fhir.write import write
from service.formats.sr.write import write as write_sr
from tests.fhir_bundles import sr_of
from tests.reports import make_coded_report, make_lesion
from tests.unit.formats.fhir.test_read import make_report, of_rule, reading

KEPT = ["A\N{NO-BREAK SPACE} 1", "A  \N{RIGHT-TO-LEFT MARK}1", "A \N{IDEOGRAPHIC SPACE}1", "\N{ZERO WIDTH SPACE}A  1"]


def with_patient(**members: object) -> dict[str, object]:
    document = make_report()
    document["contained"][0] |= members
    return document


@pytest.mark.parametrize("said", KEPT)
def test_an_id_keeps_every_space_that_stands_in_it(said: str) -> None:
    found = reading(with_patient(identifier=[{"system": "http://hospital/mrn", "value": said}]))
    assert found.report.patient.id == said
    assert of_rule(found, "fhir-one-line") == []


@pytest.mark.parametrize("mark", ["\n", "\r\n", "\t", "\N{LINE SEPARATOR}", "\N{PARAGRAPH SEPARATOR}", " \n "])
def test_a_line_break_in_an_id_is_one_space_and_is_flagged(mark: str) -> None:
    found = reading(with_patient(identifier=[{"system": "http://hospital/mrn", "value": f"A  {mark}1"}]))
    assert found.report.patient.id == "A 1"
    assert [(loss.kind, loss.where) for loss in of_rule(found, "fhir-one-line")] == [
        ("flagged", "DiagnosticReport.contained[0].identifier[0].value")
    ]


def test_a_name_of_several_lines_is_flagged_and_can_be_written_as_an_sr() -> None:
    found = reading(with_patient(name=[{"family": "Doe\nRoe", "given": ["Jane\tA"], "suffix": ["Jr."]}]))
    assert str(found.report.patient.name) == "Doe Roe^Jane A^^^Jr."
    places = {loss.where.rpartition(".")[2] for loss in of_rule(found, "fhir-one-line")}
    assert places == {"family", "given"}
    assert write_sr(code_report(found.report, vocabulary())).content


@pytest.mark.parametrize("said", [*KEPT, "\N{LEFT-TO-RIGHT MARK}site"])
def test_our_own_report_is_known_again_by_id_and_sender_whatever_spaces_they_hold(said: str) -> None:
    report = replace(make_coded_report(), id=said, sender=said)
    found = read(write(report, sr_of(report)).content, Intake("another")).report
    assert (found.id, found.sender) == (said, said)


@pytest.mark.parametrize("said", ["scan\\1", "L" * 200])
def test_a_lesions_id_is_a_text_in_dicom_and_may_hold_what_one_may(said: str) -> None:
    report = replace(make_coded_report(), lesions=(make_lesion(said),))
    received = read(write(report, sr_of(report)).content, Intake(report.sender))
    assert [one.id for one in received.report.lesions] == [said]
    assert of_rule(received, "fhir-length") == []
