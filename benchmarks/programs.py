"""dcmqi's programs on the same lesions: its JSON of them, and the composite context that it takes from an image.

dcmqi's groups are of segments (TID 1411), so each lesion refers to a segment where ours has an outline.
"""

import json
from pathlib import Path
from typing import Any

from pydicom.dataset import Dataset

from benchmarks import work
from benchmarks.measure import Program
from service.domain.codes import Code, CodedTerm
from service.domain.report import CodedReport, Lesion

_SCHEMA = "https://raw.githubusercontent.com/qiicr/dcmqi/master/doc/schemas/sr-tid1500-schema.json#"


def _code(term: CodedTerm | None) -> dict[str, str]:
    code = term.code if term is not None else None
    if code is None:
        raise ValueError("the benchmark's terms are all coded")
    return _triple(code)


def _triple(code: Code) -> dict[str, str]:
    return {"CodeValue": code.code, "CodingSchemeDesignator": code.system, "CodeMeaning": code.display}


def _group(lesion: Lesion[CodedTerm]) -> dict[str, Any]:
    return {
        "TrackingIdentifier": lesion.id,
        "TrackingUniqueIdentifier": lesion.tracking_uid,
        "ReferencedSegment": 1,
        "SourceSeriesForImageSegmentation": work.SERIES,
        "segmentationSOPInstanceUID": work.image_uid(0),
        "Finding": _code(lesion.finding),
        "FindingSite": _code(lesion.site),
        "measurementItems": [
            {"value": str(item.value), "quantity": _code(item.concept), "units": _code(item.unit)}
            for item in lesion.measurements
        ],
        "qualitativeEvaluations": [
            {"conceptCode": _code(item.name), "conceptValue": _code(item.value)} for item in lesion.evaluations
        ],
    }


def prepare(folder: Path, report: CodedReport, image: Dataset) -> None:
    """Write what ``tid1500writer`` reads."""
    image.file_meta.MediaStorageSOPClassUID = image.SOPClassUID
    image.file_meta.MediaStorageSOPInstanceUID = image.SOPInstanceUID
    image.save_as(folder / "context.dcm", enforce_file_format=True)
    said = {
        "@schema": _SCHEMA,
        "SeriesDescription": "Lesion report",
        "SeriesNumber": "1",
        "InstanceNumber": "1",
        "compositeContext": ["context.dcm"],
        "imageLibrary": [],
        "observerContext": {"ObserverType": "DEVICE", "DeviceObserverName": "MetDetect", "DeviceObserverUID": "1.2.3"},
        "VerificationFlag": "UNVERIFIED",
        "CompletionFlag": "COMPLETE",
        "activitySession": "1",
        "timePoint": "1",
        "procedureReported": _code(report.study.procedures[0]),
        "Measurements": [_group(lesion) for lesion in report.lesions],
    }
    (folder / "dcmqi.json").write_text(json.dumps(said))


def writer(folder: Path, programs: Path) -> Program:
    """``tid1500writer``: makes ``dcmqi.dcm``."""
    said = ("--inputMetadata", str(folder / "dcmqi.json"), "--outputDICOM", str(folder / "dcmqi.dcm"))
    where = ("--inputCompositeContextDirectory", str(folder), "--inputImageLibraryDirectory", str(folder))
    return Program((str(programs / "tid1500writer"), *said, *where))


def reader(folder: Path, programs: Path) -> Program:
    """``tid1500reader`` on our SR: makes ``dcmqi-read.json``."""
    said = ("--inputDICOM", str(folder / "ours.dcm"), "--outputMetadata", str(folder / "dcmqi-read.json"))
    return Program((str(programs / "tid1500reader"), *said))
