"""No stage of a conversion becomes dearer unnoticed: counted in calls and instructions, never in seconds."""

import json
import subprocess
import sys
from functools import cache

import pytest

from benchmarks.cost import LESIONS, PYTHON, TABLE, Cost, expected

DEARER, CHEAPER = 1.05, 0.90
"""How far a stage may be from what ``benchmarks/cost.csv`` says of it; out of it, ``python -m benchmarks.cost``."""
STAGES = ("read", "code", "write-sr", "read-sr", "write-fhir", "check", "http")


@cache
def found() -> dict[tuple[str, int], Cost]:
    """The counts in a process of its own, whose caches hold nothing of other tests."""
    again = [sys.executable, "-m", "benchmarks.cost", "--print"]
    answer = subprocess.run(again, check=True, capture_output=True, text=True, cwd=TABLE.parents[1])
    return {(name, lesions): Cost(*said) for name, lesions, *said in json.loads(answer.stdout)}


@pytest.mark.parametrize("lesions", LESIONS)
@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_costs_what_is_written_down(stage: str, lesions: int) -> None:
    known = expected()
    if not known:
        pytest.skip(f"benchmarks/cost.csv has no counts for Python {PYTHON}")
    for now, then in zip(found()[stage, lesions], known[stage, lesions], strict=True):
        assert CHEAPER * then <= now <= DEARER * then, f"{now} where {TABLE.name} says {then}"


@pytest.mark.parametrize("stage", STAGES)
def test_five_times_the_lesions_cost_at_most_five_times_as_much(stage: str) -> None:
    few, many = (found()[stage, lesions].instructions for lesions in LESIONS)
    assert many <= few * LESIONS[1] / LESIONS[0]
