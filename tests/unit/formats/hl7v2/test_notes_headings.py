"""What was asked or known before is no finding: notes and named texts of others keep what they are of."""

from dataclasses import replace

import pytest

from service.domain.received import Intake
from service.domain.times import DateTime
from service.formats.hl7v2.read import read
from service.formats.hl7v2.write import write
from tests.reports import make_coded_report
from tests.unit.formats.hl7v2.test_lesions import FINDING
from tests.unit.formats.hl7v2.test_no_results import of_rule
from tests.unit.formats.hl7v2.test_read import HEADER, ORDER, PATIENT, TEXT, message, received


def test_a_note_says_what_it_is_a_note_of() -> None:
    lines = [
        HEADER.format(charset="UNICODE UTF-8"),
        PATIENT.format(name="Doe^Jane"),
        "NTE|1||Allergic to iodine",
        ORDER,
        "NTE|1||Rule out metastasis~on the left",
        "NTE|2||urgent",
        TEXT,
        "NTE|1||seen twice",
    ]
    found = read("\r".join(lines).encode(), Intake()).report.findings
    assert found == (
        "A lesion, 14 mm.\nNote on the patient:\nAllergic to iodine\n"
        "Note on the order:\nRule out metastasis\non the left\nurgent\nseen twice"
    )


def test_a_note_on_a_lesion_is_of_the_lesion() -> None:
    report = received(FINDING, "NTE|1||the one on the left~not the other").report
    assert (report.lesions[0].text, report.findings) == ("the one on the left\nnot the other", None)


def test_a_text_that_is_named_keeps_its_name() -> None:
    report = received(
        "OBX|1|TX|HX^Clinical history^L||metastatic melanoma||||||F",
        "OBX|2|TX|HX^Clinical history^L||in 2019||||||F",
        "OBX|3|TX|MR1^MRI brain^L||One lesion.||||||F",
        "OBX|4|ST|PSA^PSA^L||4.5|ng/ml|||||F",
        "OBX|5|TX|IMP^Impression^L||New metastasis.||||||F",
        "OBX|6|TX|ADD^Addendum^L||None.||||||F",
    ).report
    assert report.findings == "Clinical history:\nmetastatic melanoma\nin 2019\n\nOne lesion.\nPSA:\n4.5 ng/ml"
    assert report.impression == "New metastasis.\nAddendum:\nNone."


@pytest.mark.parametrize("said", ["FINDINGS:\nx\nIMPRESSION:\ny", "a\nConclusion"])
def test_our_own_findings_stay_what_they_are_whatever_stands_in_them(said: str) -> None:
    written = write(make_coded_report(findings=said, impression="z"))
    report = read(written.content, Intake()).report
    assert (report.findings, report.impression) == (said, "z")


def test_a_second_study_or_modality_is_listed() -> None:
    made = received(
        TEXT,
        "OBX|2|ST|110180^Study Instance UID^DCM||1.2.3||||||F",
        "OBX|3|ST|110180^Study Instance UID^DCM||1.2.4||||||F",
        "OBX|4|CWE|121139^Modality^DCM||CT^CT^DCM||||||F",
        "OBX|5|CWE|121139^Modality^DCM||MR^MR^DCM||||||F",
    )
    assert made.report.study.uid == "1.2.3"
    assert made.report.study.modality.text == "CT"
    assert of_rule(made, "v2-further") == ["OBX[3]", "OBX[5]"]


def test_the_patient_is_known_by_the_id_of_the_hospital() -> None:
    body = message().replace("P1^^^NORTH^MR", "999^^^SSA^SS~P1^^^NORTH^MR~P2^^^SOUTH^MR")
    patient = read(body.encode(), Intake()).report.patient
    assert (patient.id, [one.id for one in patient.other_ids]) == ("P1", ["P2", "999"])


def test_a_start_without_a_zone_is_flagged_since_msh_7_gives_it_one() -> None:
    study = make_coded_report().study
    report = make_coded_report(study=replace(study, started=DateTime("2026-03-02T09:12:00")))
    assert [loss.where for loss in write(report).losses if loss.rule == "v2-zone"] == ["/study/started"]
