"""FHIR judges: each takes many files in one run, since most are slow to start."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from tests.oracles.complaint import HERE, Answer, home, installed, node_script, program, run
from tests.oracles.sr_batches import Found, json_lines

Judge = Callable[[Sequence[Path], str], Found]
TIMEOUT_S = 1800


def _told(paths: Sequence[Path], answer: Answer) -> Found:
    """Errors by file, of a judge that prints {file, errors}; a file that it did not get to is an error."""
    told = {entry["file"]: entry["errors"] for entry in json_lines(answer.out)}
    why = (answer.err.strip().splitlines() or ["no reason given"])[-1]
    return {path: told.get(str(path), [f"did not get to this file: {why}"]) for path in paths}


def _node(name: str) -> Judge:
    def judge(paths: Sequence[Path], release: str) -> Found:
        command = (program("node"), node_script("fhir_validators.cjs"), name)
        return _told(paths, run(*command, *paths, timeout_s=TIMEOUT_S))

    return judge


def judge_walk(paths: Sequence[Path], release: str) -> Found:
    """Our own walk over HL7's definitions, with their invariants."""
    installed("node", "node_modules", "@medplum", "definitions")
    return _told(paths, run(sys.executable, "-m", "tests.oracles.fhir_walk", release, *paths, timeout_s=TIMEOUT_S))


def judge_fhir_resources(paths: Sequence[Path], release: str) -> Found:
    """fhir.resources of this project's own environment."""
    script = HERE / "python" / "ask_fhir_resources.py"
    return _told(paths, run(sys.executable, script, release, *paths, timeout_s=TIMEOUT_S))


def judge_pyfhircheck(paths: Sequence[Path], release: str) -> Found:
    """pyfhircheck over the R4 core package."""
    python, package = installed("fhir_validators", "bin", "python"), installed("definitions", "r4.tgz")
    return _told(paths, run(python, HERE / "python" / "ask_pyfhircheck.py", package, *paths, timeout_s=TIMEOUT_S))


def judge_fhirkit(paths: Sequence[Path], release: str) -> Found:
    """fhirkit-rs."""
    python = installed("fhir_validators", "bin", "python")
    return _told(paths, run(python, HERE / "python" / "ask_fhirkit.py", *paths, timeout_s=TIMEOUT_S))


def judge_fhircraft(paths: Sequence[Path], release: str) -> Found:
    """fhircraft: its imports alone take most of twenty seconds."""
    python = installed("fhircraft", "bin", "python")
    return _told(paths, run(python, HERE / "python" / "ask_fhircraft.py", release, *paths, timeout_s=TIMEOUT_S))


def judge_hapi(paths: Sequence[Path], release: str) -> Found:
    """HAPI's instance validator."""
    java = program("java")
    folder = installed("java", "hapi", "FhirCheck.class").parent
    answer = run(
        java, "-Xmx2g", "-cp", f"{folder}:{home()}/java/hapi/lib/*", "FhirCheck", release, *paths, timeout_s=TIMEOUT_S
    )
    sections = re.split(r"^== (.*)\n", answer.out, flags=re.MULTILINE)
    spoken = dict(zip(sections[1::2], sections[2::2], strict=True))
    if answer.status and spoken:
        # It ended on the last file that it named.
        *_, last = spoken
        spoken[last] += f"ends with {answer.err.strip()[-200:]}\n"
    silent = f"did not get to this file: {answer.err.strip()[-200:]}"
    return {path: spoken[str(path)].splitlines() if str(path) in spoken else [silent] for path in paths}


JUDGES: dict[str, dict[str, Judge]] = {
    "R4": {
        "hapi": judge_hapi,
        "fhircraft": judge_fhircraft,
        "walk": judge_walk,
        "pyfhircheck": judge_pyfhircheck,
        "fhirkit-rs": judge_fhirkit,
        "fhir.resources": judge_fhir_resources,
        "npm-fhir": _node("npm-fhir"),
        "medplum": _node("medplum"),
        "solara-zod": _node("solara-zod"),
        "ucum-fhir": _node("ucum-fhir"),
    },
    "R5": {
        "hapi": judge_hapi,
        "fhircraft": judge_fhircraft,
        "walk": judge_walk,
        "fhir.resources": judge_fhir_resources,
        "ucum-fhir": _node("ucum-fhir"),
    },
}
