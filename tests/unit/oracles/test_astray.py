"""A verdict is about the file that was asked, whatever else is printed and however the question before it ended."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from tests.oracles import complaint, fhir_programs, sr_batches
from tests.oracles.standing import Astray, Standing, standing

HEAD = """
import json, sys, time
def tell(file, *errors):
    print(json.dumps({"file": file, "errors": errors}), flush=True)
for line in sys.stdin:
    name = line.rstrip()
"""
JUDGE = """
    print("{noise", flush=True)
    print("{}", flush=True)
    tell(name, *(["wrong"] if "bad" in name else []))
"""
TWICE = """
    tell(name)
    tell(name)
"""
HAPI = """
    print("== another\\n== end" if "bad" in name else f"== {name}\\nwrong\\n== end", flush=True)
"""
GOOD, BAD = Path("good"), Path("bad")


@pytest.fixture
def judge() -> Iterator[Standing]:
    made = Standing(sys.executable, "-c", HEAD + JUDGE)
    yield made
    made.end()


def _told(paths: Sequence[Path], code: str) -> dict[Path, list[str]]:
    command = (sys.executable, "-c", HEAD + code)
    try:
        return fhir_programs.told(paths, *command)
    finally:
        standing(*command).end()


def test_lines_that_are_no_verdict_are_chatter() -> None:
    assert _told([GOOD, BAD, GOOD.with_suffix(".again")], JUDGE) == {
        GOOD: [],
        BAD: ["wrong"],
        GOOD.with_suffix(".again"): [],
    }


def test_a_verdict_on_another_file_accepts_nothing() -> None:
    astray = ["did not get to this file: asked about bad, it answers about good"]
    assert _told([GOOD, BAD, Path("later")], TWICE) == {GOOD: [], BAD: astray, Path("later"): astray}


@pytest.mark.parametrize("why", [KeyboardInterrupt, RuntimeError, Astray])
def test_a_question_that_is_broken_off_leaves_no_answer_to_the_next(judge: Standing, why: type[BaseException]) -> None:
    def broken_off(said: Sequence[str]) -> bool:
        raise why

    with pytest.raises(why):
        judge.ask(GOOD, broken_off)
    assert judge.ask(BAD, lambda said: "file" in said[-1])[-1] == '{"file": "bad", "errors": ["wrong"]}'


def test_hapi_is_believed_about_the_file_that_it_names(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    asked = Standing(sys.executable, "-c", HEAD + HAPI)
    monkeypatch.setattr(fhir_programs, "standing", lambda *_command: asked)
    monkeypatch.setattr(fhir_programs, "installed", lambda *_parts: tmp_path / "FhirCheck.class")
    monkeypatch.setattr(fhir_programs, "program", str)
    try:
        found = fhir_programs.judge_hapi([GOOD, BAD, Path("later")], "R4")
    finally:
        asked.end()
    astray = "asked about bad, it answers about another"
    assert found == {
        GOOD: ["wrong"],
        BAD: [f"ends with {astray}"],
        Path("later"): [f"did not get to this file: {astray}"],
    }


def test_what_ohifs_adapter_prints_itself_is_chatter(monkeypatch: pytest.MonkeyPatch) -> None:
    out = '{noise\n{"level": 1}\n{"file": "bad", "errors": ["wrong"], "points": []}\n'
    monkeypatch.setattr(sr_batches, "program", str)
    monkeypatch.setattr(sr_batches, "node_script", str)
    monkeypatch.setattr(sr_batches, "run", lambda *_command: complaint.Answer(0, out, "it broke"))
    assert sr_batches.judge_ohif([BAD, GOOD], None) == {BAD: ["wrong"], GOOD: ["did not get to this file: it broke"]}
