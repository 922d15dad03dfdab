"""What is said of a fetus or a device in an SR is no lesion of the patient whose name the document bears."""

import pytest
from pydicom.dataset import Dataset

from service.domain.loss import LossKind
from service.formats.sr.read_subjects import RULE
from tests import sr_files as sr
from tests.unit.formats.sr.reading import long_axis, received, rules

SUBJECT_CLASS = ("121024", "DCM", "Subject Class")
PATIENT = ("121025", "DCM", "Patient")
FETUS = ("121026", "DCM", "Fetus")
SPECIMEN = ("121027", "DCM", "Specimen")
DEVICE = ("121192", "DCM", "Device Subject")
EVALUATIONS = ("C0034375", "UMLS", "Qualitative Evaluations")
ABSENT = ("2667000", "SCT", "Absent")


def subject(code: sr.Code) -> Dataset:
    return sr.answer(SUBJECT_CLASS, code, relation="HAS OBS CONTEXT")


def ids(content: bytes) -> list[str]:
    return [lesion.id for lesion in received(content).report.lesions]


@pytest.mark.parametrize(
    ("said", "expected"),
    [(FETUS, ["mother"]), (DEVICE, ["mother"]), (SPECIMEN, ["first", "mother"]), (PATIENT, ["first", "mother"])],
)
def test_a_group_of_somebody_else_is_no_lesion(said: sr.Code, expected: list[str]) -> None:
    first, second = sr.group(subject(said), long_axis(), identifier="first"), sr.group(identifier="mother")

    assert ids(sr.document(sr.container(sr.MEASUREMENTS, first, second))) == expected


def test_each_item_of_a_fetus_is_listed() -> None:
    found = received(sr.measured(subject(FETUS), long_axis()))

    skipped = [loss for loss in found.losses if loss.rule == RULE]
    assert [(loss.where, loss.kind) for loss in skipped] == [
        (where, LossKind.SKIPPED) for where in ("1.1.1", "1.1.1.1", "1.1.1.2", "1.1.1.3", "1.1.1.4")
    ]


def test_what_is_said_of_the_whole_document_holds_but_where_a_container_says_otherwise() -> None:
    fetal = sr.group(long_axis(), identifier="fetal")
    mother = sr.group(subject(PATIENT), long_axis(), identifier="mother")
    denied = sr.container(EVALUATIONS, sr.answer(sr.METASTASIS, ABSENT))

    found = received(sr.document(subject(FETUS), sr.container(sr.MEASUREMENTS, fetal, mother), denied))

    assert [lesion.id for lesion in found.report.lesions] == ["mother"]
    assert found.report.negatives == ()
    assert rules(found, "1.3.1") == {RULE}


def test_numbers_of_a_fetus_that_stand_in_no_group_are_listed_too() -> None:
    found = received(sr.document(sr.container(sr.MEASUREMENTS, subject(FETUS), long_axis())))

    assert found.report.lesions == ()
    assert rules(found, "1.1.2") == {RULE}
