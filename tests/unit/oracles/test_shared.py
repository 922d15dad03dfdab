"""The processes that ask SR judges stay, and bring nothing of one question into the next."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.oracles import judges
from tests.oracles.complaint import Complaint, home


@pytest.fixture
def own_processes() -> Iterator[None]:
    """Processes of this test alone, which end when nothing holds them."""
    judges._processes.cache_clear()
    yield
    judges._processes.cache_clear()


def _reader(folder: Path, said: str) -> Path:
    """A folder of judges with a `tid1500reader` that objects with one line."""
    program = folder / "dcmqi" / "bin" / "tid1500reader"
    program.parent.mkdir(parents=True)
    program.write_text(f"#!/bin/sh\necho 'E: {said}'\nexit 0\n")
    program.chmod(0o755)
    return folder


def _told(path: Path) -> list[Complaint]:
    return judges.judge_sr([path], only=["tid1500reader"])


@pytest.mark.usefixtures("own_processes")
def test_judges_are_those_of_the_folder_that_is_named_now(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "any.dcm"
    for name in ("first", "second"):
        monkeypatch.setenv("LESIONBRIDGE_ORACLES", str(_reader(tmp_path / name, name)))
        assert [one.message for one in _told(path)] == [f"E: {name}", "writes no JSON: FileNotFoundError"]


@pytest.mark.usefixtures("own_processes")
def test_what_is_broken_off_is_forgotten(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LESIONBRIDGE_ORACLES", str(_reader(tmp_path / "judges", "asked")))
    before = judges._processes(home())

    def interrupted(_futures: object) -> list[Complaint]:
        raise KeyboardInterrupt

    with monkeypatch.context() as broken:
        broken.setattr(judges, "_collect", interrupted)
        with pytest.raises(KeyboardInterrupt):
            _told(tmp_path / "any.dcm")
    with pytest.raises(RuntimeError, match="shutdown"):
        before.submit(str)
    assert _told(tmp_path / "any.dcm")[0].message == "E: asked"
