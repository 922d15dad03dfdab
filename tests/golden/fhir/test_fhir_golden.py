"""Bundles as text that a person can review: a change of what is emitted shows as a change of these files.

Written anew, for review: ``python -m tests.golden.fhir.test_fhir_golden``.
"""

import json
import re
from pathlib import Path

import pytest

from service.formats.fhir.r4 import R4
from service.formats.fhir.r5 import R5
from service.formats.fhir.release import Release
from service.formats.fhir.write import write
from tests.fhir_bundles import sr_of
from tests.report_set import REPORTS

HERE = Path(__file__).parent
GOLDENS = (
    ("minimal", "transaction", R4),
    ("default", "collection", R4),
    ("rich", "document", R4),
    ("segment", "transaction", R4),
    ("rich", "document", R5),
    ("ohif", "transaction", R5),
    ("segment", "transaction", R5),
)


def _as_text(content: bytes) -> str:
    """The JSON indented, each number with the digits it has."""
    told_apart = json.loads(content, parse_float=lambda digits: f"\ue000{digits}\ue001")
    return re.sub('"\ue000(.*?)\ue001"', r"\1", json.dumps(told_apart, ensure_ascii=False, indent=1)) + "\n"


def _file(name: str, kind: str, release: Release) -> Path:
    return HERE / f"{name}.{kind}{'' if release is R4 else '.r5'}.json"


def _bundle(name: str, kind: str, release: Release) -> str:
    report = REPORTS[name]()
    return _as_text(write(report, sr_of(report), bundle=kind, release=release).content)


@pytest.mark.parametrize(("name", "kind", "release"), GOLDENS)
def test_a_bundle_is_what_was_reviewed(name: str, kind: str, release: Release) -> None:
    assert _bundle(name, kind, release) == _file(name, kind, release).read_text(encoding="utf-8")


def test_no_golden_is_left_of_a_report_that_is_gone() -> None:
    assert {file.name for file in HERE.glob("*.json")} == {_file(*golden).name for golden in GOLDENS}


if __name__ == "__main__":
    for golden in GOLDENS:
        _file(*golden).write_text(_bundle(*golden), encoding="utf-8")
