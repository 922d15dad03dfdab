"""Every rule by which a reader of HL7 v2, tables and overlays refuses or lists something is explained on its page."""

from __future__ import annotations

import re
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
