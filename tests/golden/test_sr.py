"""Our SRs as text that a person can review, read by pydicom: header, content tree, losses.

LESIONBRIDGE_WRITE_GOLDENS=1 writes them anew; look at the difference before it is committed.
"""

import os
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pydicom
import pytest
from pydicom.dataset import Dataset

from service.domain.errors import Invalid
from service.formats.sr.dialects import DIALECTS
from service.formats.sr.write import write
from tests.report_set import REPORTS

FOLDER = Path(__file__).parent / "sr"
CONTENT = ("ValueType", "ConceptNameCodeSequence", "ContinuityOfContent", "ContentTemplateSequence", "ContentSequence")


def _code(entry: Dataset) -> str:
    value = entry.get("CodeValue") or entry.get("LongCodeValue") or entry.get("URNCodeValue")
    made = f'({value},{entry.CodingSchemeDesignator},"{entry.CodeMeaning}")'
    return made + "".join(f" = {_code(other)}" for other in entry.get("EquivalentCodeSequence", ()))


def _value(item: Dataset) -> str:
    kind = item.ValueType
    if kind == "CONTAINER":
        template = item.get("ContentTemplateSequence")
        return f"TID {template[0].TemplateIdentifier}" if template else ""
    if kind == "CODE":
        return _code(item.ConceptCodeSequence[0])
    if kind == "NUM":
        measured = item.MeasuredValueSequence[0]
        exact = f" exactly {measured.FloatingPointValue!r}" if "FloatingPointValue" in measured else ""
        return f"{measured.NumericValue.original_string}{exact} {_code(measured.MeasurementUnitsCodeSequence[0])}"
    if kind in ("IMAGE", "COMPOSITE"):
        one = item.ReferencedSOPSequence[0]
        parts = [one.get("ReferencedFrameNumber"), one.get("ReferencedSegmentNumber")]
        return " ".join(str(part) for part in (one.ReferencedSOPInstanceUID, *parts) if part is not None)
    if kind in ("SCOORD", "SCOORD3D"):
        numbers = " ".join(f"{number:g}" for number in item.GraphicData)
        return " ".join(filter(None, (item.GraphicType, numbers, item.get("ReferencedFrameOfReferenceUID"))))
    keyword = {"TEXT": "TextValue", "UIDREF": "UID", "PNAME": "PersonName", "DATE": "Date", "TIME": "Time"}[kind]
    return repr(str(item[keyword].value))


def _tree(item: Dataset, depth: int = 0) -> Iterator[str]:
    name = _code(item.ConceptNameCodeSequence[0]) if "ConceptNameCodeSequence" in item else "-"
    words = [item.get("RelationshipType", "root"), item.ValueType, name, _value(item)]
    yield f"{'  ' * depth}{' '.join(filter(None, words))}"
    for child in item.get("ContentSequence", ()):
        yield from _tree(child, depth + 1)


def _elements(dataset: Any, depth: int = 0) -> Iterator[str]:
    for element in dataset:
        if depth == 0 and element.keyword in CONTENT:
            continue
        label = f"{'  ' * depth}{element.tag} {element.VR} {element.keyword}"
        if element.VR != "SQ":
            yield f"{label}: {element.value}"
            continue
        yield f"{label}: {len(element.value)}"
        for number, item in enumerate(element.value, 1):
            yield f"{'  ' * (depth + 1)}item {number}"
            yield from _elements(item, depth + 2)


def _review(name: str, dialect: str) -> str:
    document = write(REPORTS[name](), dialect=dialect)
    dataset = pydicom.dcmread(BytesIO(document.content))
    losses = [f"{loss.kind} {loss.where} {loss.what}: {loss.why} [{loss.rule}]" for loss in document.losses]
    parts = (["# header", *_elements(dataset)], ["# content", *_tree(dataset)], ["# losses", *losses])
    return "\n\n".join("\n".join(part) for part in parts) + "\n"


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("name", REPORTS)
def test_the_document_is_the_one_that_was_reviewed(name: str, dialect: str) -> None:
    path = FOLDER / f"{name}.{dialect}.txt"
    try:
        said = _review(name, dialect)
    except Invalid as refused:
        said = f"refused: {refused}\n"
    if os.environ.get("LESIONBRIDGE_WRITE_GOLDENS") == "1":
        path.write_text(said, encoding="utf-8")
    assert said == path.read_text(encoding="utf-8")
