"""docs/findings-json.md explains every member, and its examples are right."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from service.coding import vocabulary
from service.coding.resolve import resolve
from service.domain.codes import Term
from service.domain.limits import Limits
from service.domain.report import LesionReport
from service.formats.findings.read import read
from service.formats.findings.schema import json_schema
from tests.documents import EXAMPLE, make_lesion_document

_GUIDE = (Path(__file__).parents[4] / "docs" / "findings-json.md").read_text(encoding="utf-8")
_PLACES = {"report": "report", "patient": "patient", "study": "study", "observer, or observers": "observer"}


def read_text(document: Any) -> LesionReport:
    return read(json.dumps(document).encode(), default_sender="local", limits=Limits())


def _rows(heading: str) -> list[tuple[str, str]]:
    section = _GUIDE.partition(f"### {heading}\n")[2].partition("\n###")[0]
    return re.findall(r"^\| (`\w+`[^|]*)\|.*\| `(.+)` \|$", section, re.MULTILINE)


def _members(schema: Any) -> set[str]:
    found = set(schema.get("properties", {}))
    for item in [*schema.get("properties", {}).values(), *schema.get("anyOf", ())]:
        found |= _members(item)
    for inner in (schema.get("items"), schema.get("additionalProperties")):
        found |= _members(inner) if isinstance(inner, dict) else set()
    return found


def test_every_member_is_explained() -> None:
    explained = set(re.findall(r"`(\w+)`", _GUIDE)) | set(re.findall(r'"(\w+)":', _GUIDE))
    assert _members(json_schema()) - explained - {"middle", "prefix", "suffix", "phonetic"} == set()


def test_the_first_example_is_the_one_the_tests_read() -> None:
    assert json.loads(_GUIDE.partition("```json\n")[2].partition("```")[0]) == EXAMPLE


def test_the_examples_of_report_patient_study_and_observer_are_right() -> None:
    seen = 0
    for heading, place in _PLACES.items():
        for name, example in _rows(heading):
            document = make_lesion_document()
            member = name.split("`")[1]
            document.setdefault(place, {})[member] = json.loads(example)
            read_text(document)
            seen += 1
    assert seen == 32


def test_the_examples_of_a_lesion_are_right() -> None:
    rows = _rows("lesions")
    for name, example in rows:
        read_text(make_lesion_document(**{name.split("`")[1]: json.loads(example)}))
    assert len(rows) == 17


def test_the_examples_of_a_measurement_are_right() -> None:
    measurement = {name.split("`")[1]: json.loads(example) for name, example in _rows("measurements")}
    image = {"sopClass": "1.2.840.10008.5.1.4.1.1.4", "sop": measurement["image"], "series": "1.2.3.4"}
    read_text(make_lesion_document(measurements=[measurement], images=[image]))
    assert set(measurement) == {"concept", "value", "unit", "method", "derivation", "range", "image"}


def test_the_examples_of_an_image_are_right() -> None:
    rows = {name.split("`")[1]: json.loads(example) for name, example in _rows("images")}
    image = {"sopClass": "1.2.840.10008.5.1.4.1.1.4", "sop": "1.2.3.4.5", "series": "1.2.3.4"}
    read_text(make_lesion_document(images=[image | rows | image]))
    assert set(rows) == {"sopClass", "study", "frame", "line", "bidirectional", "polygon", "point"}


def test_the_examples_between_the_tables_are_right() -> None:
    second = _GUIDE.split("```json\n")[2].partition("```")[0]
    descriptors = re.findall(r"`(\{\"T1\".*?\})`", _GUIDE)[0]
    listed = re.findall(r"`(\[\{\"field\".*?\])`", _GUIDE)[0]
    said = {"measurements": json.loads(second), "descriptors": json.loads(descriptors)}
    (lesion,) = read_text(make_lesion_document(**said)).lesions
    assert [one.concept.text for one in lesion.measurements] == list(said["measurements"])
    assert {one.name.text for one in lesion.evaluations} == set(said["descriptors"])
    said = {"descriptors": json.loads(listed)}
    (lesion,) = read_text(make_lesion_document(**said)).lesions
    codes = [one.name.code.code for one in lesion.evaluations if one.name.code is not None]
    assert codes == [one["field"]["code"] for one in said["descriptors"]]


_TERMS = ("finding", "category", "site", "laterality", "topography", "certainty", "change", "method", "derivation")
_LISTS = {"conclusion": "conclusion", "differential": "differential", "negatives": "negative", "technique": "technique"}


@pytest.mark.parametrize("member", [*_TERMS, *_LISTS])
def test_the_words_of_the_examples_are_known(member: str) -> None:
    rows = re.findall(rf"^\| `{member}`[^|]*\|.*\| `(.+)` \|$", _GUIDE, re.MULTILINE)
    row = vocabulary().field(_LISTS.get(member, member))
    assert row is not None
    assert rows
    for example in rows:
        said = json.loads(example)
        for word in said if isinstance(said, list) else [said]:
            made = resolve(vocabulary(), Term(word), row).term
            assert made is not None, word
            assert made.concept is not None, word
