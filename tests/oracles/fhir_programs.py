"""FHIR judges: programs that stay (`tests.oracles.standing`), since most are slow to start."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from tests.oracles.complaint import HERE, JAVA_QUICK, home, installed, json_object, node_script, program
from tests.oracles.sr_batches import Found
from tests.oracles.standing import Astray, Ended, standing

Judge = Callable[[Sequence[Path], str], Found]
HAPI_END = "== end"


def told(paths: Sequence[Path], *command: str | Path) -> Found:
    """Errors by file, of a judge that prints {file, errors}; a file that it did not get to is an error."""
    asked, found = standing(*map(str, command)), dict[Path, list[str]]()
    why = ""
    for path in paths:
        if why:
            found[path] = [why]
            continue
        try:
            found[path] = json_object(asked.ask(path, partial(_is_verdict, path))[-1])["errors"]
        except (Astray, Ended) as error:
            why = f"did not get to this file: {error}"
            found[path] = [why]
    return found


def _is_verdict(path: Path, said: Sequence[str]) -> bool:
    """Whether the last line is the judge's on this file; raises Astray for one on another."""
    told = json_object(said[-1])
    if told.keys() != {"file", "errors"}:
        return False
    if told["file"] != str(path):
        raise Astray(f"asked about {path}, it answers about {told['file']}")
    return True


def _is_hapi_end(path: Path, said: Sequence[str]) -> bool:
    """Whether the last line ends HAPI's answer about this file; raises Astray if it never named it."""
    if said[-1] != HAPI_END:
        return False
    if f"== {path}" not in said:
        raise Astray(f"asked about {path}, it answers about another")
    return True


def _node(name: str) -> Judge:
    def judge(paths: Sequence[Path], release: str) -> Found:
        return told(paths, program("node"), node_script("fhir_validators.cjs"), name)

    return judge


def judge_walk(paths: Sequence[Path], release: str) -> Found:
    """Our own walk over HL7's definitions, with their invariants."""
    installed("node", "node_modules", "@medplum", "definitions")
    return told(paths, sys.executable, "-m", "tests.oracles.fhir_walk", release)


def judge_fhir_resources(paths: Sequence[Path], release: str) -> Found:
    """fhir.resources of this project's own environment."""
    return told(paths, sys.executable, HERE / "python" / "ask_fhir_resources.py", release)


def judge_pyfhircheck(paths: Sequence[Path], release: str) -> Found:
    """pyfhircheck over the R4 core package."""
    python, package = installed("fhir_validators", "bin", "python"), installed("definitions", "r4.tgz")
    return told(paths, python, HERE / "python" / "ask_pyfhircheck.py", package)


def judge_fhirkit(paths: Sequence[Path], release: str) -> Found:
    """fhirkit-rs."""
    return told(paths, installed("fhir_validators", "bin", "python"), HERE / "python" / "ask_fhirkit.py")


def judge_fhircraft(paths: Sequence[Path], release: str) -> Found:
    """fhircraft: its imports alone take most of twenty seconds."""
    return told(paths, installed("fhircraft", "bin", "python"), HERE / "python" / "ask_fhircraft.py", release)


def judge_hapi(paths: Sequence[Path], release: str) -> Found:
    """HAPI's instance validator."""
    java = program("java")
    folder = installed("java", "hapi", "FhirCheck.class").parent
    asked = standing(java, *JAVA_QUICK, "-Xmx2g", "-cp", f"{folder}:{home()}/java/hapi/lib/*", "FhirCheck", release)
    found: Found = {}
    for number, path in enumerate(paths):
        try:
            said = asked.ask(path, partial(_is_hapi_end, path))
            found[path] = said[said.index(f"== {path}") + 1 : -1]
        except (Astray, Ended) as error:
            found[path] = [*(error.said if isinstance(error, Ended) else []), f"ends with {error}"]
            silent = f"did not get to this file: {error}"
            return found | {later: [silent] for later in paths[number + 1 :]}
    return found


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
