"""docs/delivery.md against the code: its example can be used, and every setting and outcome is in it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from service.delivery.destination import Outcome
from service.delivery.settings import KINDS
from service.delivery.settings_file import load
from service.delivery.statuses import HTTP
from service.delivery.table import members

GUIDE = (Path(__file__).parents[3] / "docs" / "delivery.md").read_text(encoding="utf-8")
WORDS = set(re.findall(r"[a-z][a-z_0-9]*", " ".join(re.findall(r"`([^`\n]+)`", GUIDE))))


def names(kind: Any) -> Iterator[str]:
    """Every setting of a dataclass, those of its tables included."""
    for member in members(kind):
        yield member.name
        if member.is_table:
            for shape in member.shapes:
                yield from names(shape)


def test_the_example_can_be_used_and_has_every_kind(tmp_path: Path) -> None:
    (example,) = re.findall(r"```toml\n(.*?)```", GUIDE, re.DOTALL)
    file = tmp_path / "destinations.toml"
    file.write_text(example, encoding="utf-8")
    assert {one.KIND for one in load(str(file), {}).values()} == set(KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_every_setting_is_described(kind: str) -> None:
    assert kind in WORDS
    assert set(names(KINDS[kind])) - {"name"} - WORDS == set()


@pytest.mark.parametrize("kind", KINDS)
def test_every_way_to_verify_and_every_format_is_described(kind: str) -> None:
    assert all(f"`{way}`" in GUIDE for way in (*KINDS[kind].VERIFY, *KINDS[kind].TAKES))


@pytest.mark.parametrize("outcome", Outcome)
def test_every_outcome_is_described(outcome: Outcome) -> None:
    assert f"| `{outcome}` |" in GUIDE


def test_every_http_status_of_the_table_is_described() -> None:
    rows = re.findall(r"^\| ([^|]*\d{3}[^|]*) \| `?", GUIDE, re.MULTILINE)
    said = " ".join(rows)
    assert [
        status for status in HTTP if str(status) not in said and not (400 <= status < 500 and "other 4xx" in said)
    ] == []
