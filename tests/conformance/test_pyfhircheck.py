"""pyfhircheck, asked with expressions evaluated our way, which saves its copies, complains as it does by itself."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.oracles.complaint import HERE

GOLDEN = Path(__file__).parents[1] / "golden" / "fhir"
BOTH_WAYS = """
import sys
sys.path.insert(0, sys.argv[1])
import ask_pyfhircheck
from pyfhircheck.core import engine, fhirpath

def both_ways(files):
    assert engine.evaluate is not fhirpath.evaluate
    yield from files
    engine.evaluate = fhirpath.evaluate
    yield from files

ask_pyfhircheck.main(sys.argv[2], both_ways(sys.argv[3:]))
"""
"""The package of definitions takes seconds to load, and is loaded once."""
RULES = frozenset({"bdl-3", "bdl-7", "dom-2", "dom-3", "obs-3", "obs-6", "pat-1"})
"""What the faulty bundle breaks: of a bundle, of a resource, of an element, of a choice."""


def _faulty() -> dict[str, Any]:
    bundle: dict[str, Any] = json.loads((GOLDEN / "default.collection.json").read_bytes())
    entries = bundle["entry"]
    by_kind = {entry["resource"]["resourceType"]: entry["resource"] for entry in entries}
    observation, patient, device = (by_kind[kind] for kind in ("Observation", "Patient", "Device"))
    observation["dataAbsentReason"] = {"text": "unknown"}
    observation["subject"] = {"reference": "#nowhere"}
    observation["referenceRange"] = [{"appliesTo": []}]
    patient["contact"] = [{"gender": "male"}]
    inner = {"resourceType": "Patient", "id": "inner"}
    device["contained"] = [{"resourceType": "Patient", "id": "outer", "contained": [inner]}]
    entries[2]["fullUrl"] = entries[0]["fullUrl"]
    entries[2]["request"] = {"method": "POST", "url": "ServiceRequest"}
    return bundle


@pytest.mark.oracle("pyfhircheck")
def test_pyfhircheck_complains_the_same_of_our_evaluation(tmp_path: Path, oracle: Callable[[str], Path]) -> None:
    python, package = oracle("fhir_validators/bin/python"), oracle("definitions/r4.tgz")
    bundle = _faulty()
    faulty, alone = tmp_path / "faulty.json", tmp_path / "alone.json"
    faulty.write_text(json.dumps(bundle))
    alone.write_text(json.dumps(next(e["resource"] for e in bundle["entry"] if "dataAbsentReason" in e["resource"])))
    files = [GOLDEN / "default.collection.json", faulty, alone, GOLDEN / "minimal.transaction.json"]

    command = [str(part) for part in (python, "-c", BOTH_WAYS, HERE / "python", package, *files)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=True)

    told = [json.loads(line) for line in done.stdout.splitlines()]
    ours, its_own = told[: len(files)], told[len(files) :]
    assert [one["file"] for one in its_own] == [str(file) for file in files]
    assert ours == its_own
    assert {rule for rule in RULES if any(rule in error for error in its_own[1]["errors"])} == RULES
    assert any("obs-6" in error for error in its_own[2]["errors"])
