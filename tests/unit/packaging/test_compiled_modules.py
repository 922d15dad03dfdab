"""The list of what is compiled: every module is there, and the usual wheel is of Python alone."""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[3]


def _said(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What setup.py holds, and what it told setuptools."""
    told: dict[str, Any] = {}
    monkeypatch.delenv("LESIONBRIDGE_COMPILE", raising=False)
    monkeypatch.setattr("setuptools.setup", lambda **given: told.update(given))
    return runpy.run_path(str(ROOT / "setup.py")) | told


def test_every_compiled_module_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    rooms = _said(monkeypatch)["ROOMS"]
    paths = [ROOT / "service" / room / f"{name}.py" for room, names in rooms.items() for name in names]
    assert [path for path in paths if not path.is_file()] == []
    assert len(set(paths)) == len(paths)


def test_nothing_is_compiled_unasked(monkeypatch: pytest.MonkeyPatch) -> None:
    assert _said(monkeypatch)["ext_modules"] == []
