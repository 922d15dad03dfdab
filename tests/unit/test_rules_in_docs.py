"""Every rule by which something is refused, flagged or listed is explained on the page of its subject."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ROOMS = [
    ("conformance-hl7v2.md", "v2", "service/formats/hl7v2"),
    ("tables.md", "table|dcmqi|aim", "service/formats/table"),
    ("overlays.md", "overlay", "service/coding/overlays"),
]
NO_RULES = {"table-study", "aim-study"}
"""What UIDs are derived from."""


@pytest.mark.parametrize(("page", "begin", "room"), ROOMS, ids=lambda text: text)
def test_every_rule_is_explained(page: str, begin: str, room: str) -> None:
    sources = "".join(file.read_text(encoding="utf-8") for file in sorted((ROOT / room).glob("*.py")))
    rules = set(re.findall(rf'"((?:{begin})-[a-z-]+)"', sources)) - NO_RULES
    guide = (ROOT / "docs" / page).read_text(encoding="utf-8")
    assert len(rules) > 7
    assert sorted(rule for rule in rules if f"`{rule}`" not in guide) == []


@pytest.mark.parametrize(("page", "begin"), [room[:2] for room in ROOMS])
def test_every_rule_that_is_explained_exists(page: str, begin: str) -> None:
    sources = "".join(file.read_text(encoding="utf-8") for file in sorted((ROOT / "service").rglob("*.py")))
    told = set(re.findall(rf"`((?:{begin})-[a-z-]+)`", (ROOT / "docs" / page).read_text(encoding="utf-8")))
    assert sorted(rule for rule in told if f'"{rule}"' not in sources) == []


def test_every_rule_of_the_sr_writer_is_explained() -> None:
    files = (file for file in (ROOT / "service/formats/sr").glob("*.py") if not file.name.startswith("read"))
    sources = "".join(file.read_text(encoding="utf-8") for file in files)
    rules = set(re.findall(r'"(sr-[a-z-]+)"', sources)) - {"sr-instance", "sr-series", "sr-structure"}
    guide = (ROOT / "docs" / "conformance-sr.md").read_text(encoding="utf-8")
    assert len(rules) > 15
    assert sorted(rule for rule in rules if f"`{rule}`" not in guide) == []


PLACE_OF_RULE = {"refuse": 2, "flag": 3, "Verdict": 1}
"""Which argument of a call is the rule: of `Notes`, and of a verdict on a term."""


def _said(source: str) -> Iterator[str]:
    """The rules that calls of a module give by name."""
    for call in ast.walk(ast.parse(source)):
        if isinstance(call, ast.Call):
            name = getattr(call.func, "attr", getattr(call.func, "id", ""))
            place = PLACE_OF_RULE.get(name, len(call.args))
            if place < len(call.args) and isinstance(rule := call.args[place], ast.Constant):
                yield str(rule.value)


def test_every_rule_of_the_vocabulary_is_explained() -> None:
    files = sorted((ROOT / "service/coding").glob("*.py"))
    rules = {rule for file in files for rule in _said(file.read_text(encoding="utf-8"))}
    guide = (ROOT / "docs" / "findings-json.md").read_text(encoding="utf-8")
    assert {"laterality-midline", "unit-kind", "negative-denied", "says-nothing"} <= rules
    assert len(rules) > 30
    assert sorted(rule for rule in rules if f"`{rule}`" not in guide) == []
