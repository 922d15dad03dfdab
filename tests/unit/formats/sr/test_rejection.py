"""A rejection note says in DICOM which documents are not to be used any more, and why."""

from dataclasses import replace
from io import BytesIO

import pytest
from pydicom import Dataset, dcmread

from service.amendments import REASONS
from service.domain.emitted import SrReference
from service.domain.errors import Invalid
from service.formats.sr.rejection import SOP_CLASS, rejection
from service.formats.sr.write import write
from tests.reports import make_coded_report

TITLES = {"patient-safety": "113037", "quality": "113001", "worklist": "113038", "retention": "113039"}
"""Code values of CID 7010 in DICOM PS3.16."""


def _rejected() -> tuple[SrReference, ...]:
    report = make_coded_report()
    return tuple(write(report, dialect=name).reference for name in ("strict", "text"))


def _note(reason: str) -> Dataset:
    return dcmread(BytesIO(rejection(make_coded_report(), REASONS[reason], _rejected()).content))


@pytest.mark.parametrize("reason", list(REASONS))
def test_the_title_is_the_reason_and_every_document_is_named_twice(reason: str) -> None:
    note = _note(reason)
    assert note.SOPClassUID == note.file_meta.MediaStorageSOPClassUID == SOP_CLASS
    assert (note.Modality, note.ContentTemplateSequence[0].TemplateIdentifier) == ("KO", "2010")
    title = note.ConceptNameCodeSequence[0]
    assert (title.CodeValue, title.CodingSchemeDesignator) == (TITLES[reason], "DCM")
    expected = {(one.sop_class, one.sop_instance) for one in _rejected()}
    items = [item for item in note.ContentSequence if item.ValueType == "COMPOSITE"]
    said = [item.ReferencedSOPSequence[0] for item in items]
    assert {(one.ReferencedSOPClassUID, one.ReferencedSOPInstanceUID) for one in said} == expected
    [study] = note.CurrentRequestedProcedureEvidenceSequence
    named = [one for series in study.ReferencedSeriesSequence for one in series.ReferencedSOPSequence]
    assert {(one.ReferencedSOPClassUID, one.ReferencedSOPInstanceUID) for one in named} == expected
    assert {series.SeriesInstanceUID for series in study.ReferencedSeriesSequence} == {
        one.series for one in _rejected()
    }


def test_a_document_of_another_study_is_evidence_too() -> None:
    here, there = _rejected()
    rejected = (here, replace(there, study="1.2.3.99"))
    note = dcmread(BytesIO(rejection(make_coded_report(), REASONS["worklist"], rejected).content))
    named = {
        study.StudyInstanceUID: study.ReferencedSeriesSequence[0].ReferencedSOPSequence[0].ReferencedSOPInstanceUID
        for study in note.CurrentRequestedProcedureEvidenceSequence
    }
    assert named == {here.study: here.sop_instance, "1.2.3.99": there.sop_instance}


def test_a_rejection_for_quality_says_which() -> None:
    [modifier] = [item for item in _note("quality").ContentSequence if item.ValueType == "CODE"]
    assert modifier.RelationshipType == "HAS CONCEPT MOD"
    assert modifier.ConceptNameCodeSequence[0].CodeValue == "113011"
    assert modifier.ConceptCodeSequence[0].CodeValue == "111220"
    for other in set(REASONS) - {"quality"}:
        assert {item.ValueType for item in _note(other).ContentSequence} == {"COMPOSITE"}


def test_the_note_is_of_the_patient_and_study_of_the_report() -> None:
    note, sr = _note("worklist"), dcmread(BytesIO(write(make_coded_report()).content))
    for keyword in ("PatientID", "PatientName", "PatientBirthDate", "StudyInstanceUID", "StudyDate", "AccessionNumber"):
        assert note[keyword].value == sr[keyword].value
    assert note.SeriesInstanceUID != sr.SeriesInstanceUID


def test_the_same_note_has_the_same_bytes_and_another_one_another_uid() -> None:
    first, again, other = (
        rejection(make_coded_report(), REASONS[reason], _rejected()) for reason in ("quality", "quality", "worklist")
    )
    fewer = rejection(make_coded_report(), REASONS["quality"], _rejected()[:1])
    assert first.content == again.content
    assert len({one.reference.sop_instance for one in (first, other, fewer)}) == 3


def test_what_is_no_uid_is_refused() -> None:
    with pytest.raises(Invalid) as raised:
        rejection(make_coded_report(), REASONS["quality"], [SrReference("1.2", "x", "1.2.3", "1.2.4")])
    assert raised.value.problems[0].rule == "sr-value"
