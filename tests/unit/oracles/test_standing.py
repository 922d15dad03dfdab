"""Judges' programs that stay are asked file by file, and what ends in the middle of an answer has accepted nothing."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from tests.oracles import fhir_programs
from tests.oracles.standing import Ended, Standing

ECHO = """
import os, sys
for line in sys.stdin:
    name = line.rstrip()
    print("noise", flush=True)
    if name.endswith("dies"):
        print("first line\\nno room left", file=sys.stderr)
        sys.exit(3)
    print(f"{name} {os.getpid()}", flush=True)
"""
Start = Callable[[str], Standing]


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts a program in Python, which ends with the test."""
    made: list[Standing] = []

    def call(code: str) -> Standing:
        made.append(Standing(sys.executable, "-c", code))
        return made[-1]

    yield call
    for one in made:
        one.end()


def _answers(said: Sequence[str]) -> bool:
    return said[-1] != "noise"


def test_one_program_answers_for_all_files(start: Start) -> None:
    asked = start(ECHO)
    (_, first), (_, second) = (asked.ask(Path(name), _answers) for name in ("a", "b"))
    assert (first.split()[0], second.split()[0]) == ("a", "b")
    assert first.split()[1] == second.split()[1]


def test_what_it_said_and_its_last_error_are_told_when_it_ends(start: Start) -> None:
    asked = start(ECHO)
    with pytest.raises(Ended, match=r"^no room left$") as ended:
        asked.ask(Path("dies"), _answers)
    assert ended.value.said == ["noise"]
    assert asked.ask(Path("a"), _answers)[-1].startswith("a ")


def test_a_program_that_does_not_start_or_is_gone_is_told(start: Start) -> None:
    with pytest.raises(Ended, match="SyntaxError"):
        start("(").ask(Path("a"), _answers)
    asked = start(ECHO)
    pid = int(asked.ask(Path("a"), _answers)[-1].split()[1])
    os.kill(pid, 9)
    with pytest.raises(Ended, match="no reason given"):
        asked.ask(Path("b"), _answers)


def test_files_that_a_judge_did_not_get_to_are_complaints(tmp_path: Path) -> None:
    program = tmp_path / "judge.py"
    program.write_text(
        "import json, sys\n"
        "for line in sys.stdin:\n"
        "    if 'b' in line: sys.exit('it broke')\n"
        "    print(json.dumps({'file': line.rstrip(), 'errors': []}), flush=True)\n"
    )
    found = fhir_programs.told([Path("a"), Path("b"), Path("c")], sys.executable, program)
    silent = ["did not get to this file: it broke"]
    assert found == {Path("a"): [], Path("b"): silent, Path("c"): silent}
