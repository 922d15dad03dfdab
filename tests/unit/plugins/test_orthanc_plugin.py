"""The Orthanc plugin: what its README says of its settings is so, and it needs nothing beyond the standard library."""

from __future__ import annotations

import ast
import json
import re
import runpy
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

FOLDER = Path(__file__).parents[3] / "plugins" / "orthanc"
TREE = ast.parse((FOLDER / "lesionbridge.py").read_text(encoding="utf-8"), feature_version=(3, 9))


def test_it_imports_the_standard_library_and_orthanc_only() -> None:
    names = {alias.name for node in ast.walk(TREE) if isinstance(node, ast.Import) for alias in node.names}
    names |= {node.module or "" for node in ast.walk(TREE) if isinstance(node, ast.ImportFrom)}
    assert {name.partition(".")[0] for name in names} - sys.stdlib_module_names == {"orthanc"}


def test_every_setting_is_in_its_readme() -> None:
    value = next(
        node.value
        for node in TREE.body
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.target.id == "DEFAULTS"
    )
    assert isinstance(value, ast.Dict)
    names = {str(ast.literal_eval(key)) for key in value.keys if key is not None}
    readme = (FOLDER / "README.md").read_text(encoding="utf-8")
    table = re.findall(r"^\| (`\w+`(?:, `\w+`)*) \|", readme, re.MULTILINE)
    assert {name for row in table for name in re.findall(r"`(\w+)`", row)} == names


class Orthanc:
    """As much of Orthanc as the follower needs; its first answers are faults."""

    class OrthancException(Exception):
        """What Orthanc raises."""

    def __init__(self, faults: int = 0, **settings: Any) -> None:
        self.faults = faults
        self.settings = {"LongestPauseS": 0.01, **settings}
        self.properties: dict[int, str] = {4212: "0"}
        self.said: list[str] = []

    def module(self) -> SimpleNamespace:
        """What the plugin imports."""
        return SimpleNamespace(
            OrthancException=self.OrthancException,
            GetConfiguration=lambda: json.dumps({"LesionBridge": self.settings}),
            RestApiGet=self.get,
            GetGlobalProperty=self.properties.get,
            SetGlobalProperty=self.properties.__setitem__,
            LogError=self.said.append,
            RegisterOnChangeCallback=lambda *_: None,
            RegisterRestCallback=lambda *_: None,
        )

    def get(self, place: str) -> bytes:
        """The log of changes, with one in it that matters to nobody."""
        if self.faults:
            self.faults -= 1
            raise self.OrthancException("the database is locked: Doe^Jane")
        since = int(place.partition("since=")[2].partition("&")[0] or 7)
        told = [{"Seq": 7, "ChangeType": "NewPatient", "Date": "20261128T101112", "ID": "P"}] if since < 7 else []
        return json.dumps({"Changes": told, "Last": 7}).encode()


def test_what_goes_wrong_in_orthancs_database_ends_the_follower_neither_at_its_start_nor_later(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    orthanc = Orthanc(faults=2)
    monkeypatch.setitem(sys.modules, "orthanc", orthanc.module())
    follower = runpy.run_path(str(FOLDER / "lesionbridge.py"))["FOLLOWER"]
    follower.start()
    until(lambda: orthanc.properties[4212] == "7")
    assert orthanc.said == ["LesionBridge: Orthanc's changes can't be followed: OrthancException"] * 2
    orthanc.said.clear()
    orthanc.faults, orthanc.properties[4212] = 2, "0"
    follower.done = 0
    follower.wake.set()
    until(lambda: orthanc.properties[4212] == "7")
    assert orthanc.said == ["LesionBridge: Orthanc's changes can't be followed: OrthancException"] * 2
    assert follower.problem == ""
    follower.stop()
    follower.join(5)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Nope", 1),
        ("Url", "ftp://lesionbridge"),
        ("Url", None),
        ("TokenFile", 5),
        ("CaFile", "/nowhere.pem"),
        ("Deliver", "pacs"),
        ("Manufacturers", [1]),
        ("TimeoutS", "60"),
        ("FirstPauseS", 0),
        ("LongestPauseS", True),
        ("Attempts", -1),
        ("Attempts", 2.5),
        ("History", "no"),
    ],
)
def test_a_setting_that_is_none_stops_orthanc_with_its_name(
    monkeypatch: pytest.MonkeyPatch, name: str, value: Any
) -> None:
    settings = {"Url": "https://lesionbridge", name: value}
    monkeypatch.setitem(sys.modules, "orthanc", Orthanc(**settings).module())
    with pytest.raises(ValueError, match=rf"LesionBridge(: |\.){name}\b"):
        runpy.run_path(str(FOLDER / "lesionbridge.py"))


def until(found: Callable[[], bool]) -> None:
    """Wait for something to be so."""
    end = time.monotonic() + 10
    while not found():
        assert time.monotonic() < end, "it did not come in time"
        time.sleep(0.01)
