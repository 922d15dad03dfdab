"""The judges can say no: each objects to a file that is wrong in its field. One that accepts all proves nothing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from pydicom import config
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ComprehensiveSRStorage, ExplicitVRLittleEndian, MRImageStorage

from tests.conftest import AskFhir, AskSr, Missing
from tests.oracles.allowed import ALLOWED
from tests.oracles.judges import FHIR_ORACLES, SR_ORACLES


def _code(value: str, scheme: str, meaning: str) -> list[Dataset]:
    code = Dataset()
    code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = value, scheme, meaning
    return [code]


def _item(value_type: str, name: list[Dataset], relationship: str = "CONTAINS", **members: Any) -> Dataset:
    item = Dataset()
    item.RelationshipType, item.ValueType, item.ConceptNameCodeSequence = relationship, value_type, name
    for keyword, value in members.items():
        setattr(item, keyword, value)
    return item


def _save(dataset: Dataset, path: Path) -> Path:
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.save_as(path, enforce_file_format=True)
    return path


@pytest.fixture
def wrong_sr(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An SR with something for each judge to object to, and in `images` an image of another patient."""
    monkeypatch.setattr(config.settings, "writing_validation_mode", config.IGNORE)
    reference = Dataset()
    reference.ReferencedSOPClassUID, reference.ReferencedSOPInstanceUID = MRImageStorage, "1.2.3.9"
    value = Dataset()
    value.NumericValue = "12.00000000000000000001"
    value.MeasurementUnitsCodeSequence = _code("millimetr", "UCUM", "millimetr")
    group = _item("CONTAINER", _code("125007", "DCM", "Some Group"), ContinuityOfContent="SEPARATE")
    group.ContentSequence = [
        _item("NUM", _code("103339001", "SCT", "Long Axis"), "HAS PROPERTIES", MeasuredValueSequence=[value]),
        _item("IMAGE", _code("121112", "DCM", "Source of Measurement"), ReferencedSOPSequence=[reference]),
        _item("WRONG", _code("121071", "DCM", "Finding")),
    ]
    measured = _item("CONTAINER", _code("126010", "DCM", "Imaging Measurements"), ContinuityOfContent="SEPARATE")
    measured.ContentSequence = [group]
    report = Dataset()
    report.SOPClassUID, report.SOPInstanceUID, report.Modality = ComprehensiveSRStorage, "1.2.3.1", "SR"
    report.StudyInstanceUID, report.SeriesInstanceUID = "1.2.3.2", "1.2.3.3"
    report.PatientName, report.PatientID = "One^Patient", "1"
    report.add_new("ContentDate", "LO", "2026-03-01")
    report.ValueType, report.ConceptNameCodeSequence = "CONTAINER", _code("126000", "DCM", "Imaging Measurement Report")
    report.ContentSequence = [measured]
    image = Dataset()
    image.SOPClassUID, image.SOPInstanceUID, image.Modality = MRImageStorage, "1.2.3.8", "MR"
    image.StudyInstanceUID, image.SeriesInstanceUID = "1.2.3.2", "1.2.3.4"
    image.PatientName, image.PatientID = "Another^Patient", "1"
    (tmp_path / "images").mkdir()
    _save(image, tmp_path / "images" / "image.dcm")
    return _save(report, tmp_path / "wrong.dcm")


@pytest.mark.oracle(*SR_ORACLES)
def test_every_sr_judge_objects_to_a_wrong_sr(wrong_sr: Path, sr_complaints: AskSr, missing: Missing) -> None:
    complaints = sr_complaints([wrong_sr], images=wrong_sr.parent / "images")

    assert set(SR_ORACLES) - {complaint.oracle for complaint in complaints} - missing.names == set()


@pytest.mark.oracle(*FHIR_ORACLES["R4"])
@pytest.mark.parametrize("release", list(FHIR_ORACLES))
def test_every_fhir_judge_objects_to_a_wrong_bundle(
    release: str, tmp_path: Path, fhir_complaints: AskFhir, missing: Missing
) -> None:
    length = {"value": "12", "unit": "mm", "system": "http://unitsofmeasure.org", "code": "millimetr"}
    observation = {"resourceType": "Observation", "status": ["final"], "severity": "high", "valueQuantity": length}
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": observation}]}
    path = tmp_path / "wrong.json"
    path.write_text(json.dumps(bundle), encoding="utf-8")

    complaints = fhir_complaints([path], release=release)

    assert set(FHIR_ORACLES[release]) - {complaint.oracle for complaint in complaints} - missing.names == set()


def test_every_allowance_gives_its_reason() -> None:
    assert all(len(row.reason) > 20 for row in ALLOWED)
