"""Every rule that the reader lists a loss by is explained in the documentation."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[4]
SOURCES = sorted((ROOT / "service" / "formats" / "sr").glob("read*.py"))


def test_every_rule_of_the_reader_is_documented() -> None:
    said = {rule for path in SOURCES for rule in re.findall(r'"(sr-[a-z-]+)"', path.read_text(encoding="utf-8"))}
    text = (ROOT / "docs" / "reading-sr.md").read_text(encoding="utf-8")
    told = set(re.findall(r"`(sr-[a-z-]+)`", text))
    assert len(said) > 40
    assert said - {"sr-structure"} == told  # that one is a group of concepts
