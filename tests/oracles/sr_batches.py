"""SR judges that are slow to start and so take many files a run: PixelMed (Java), UCUM and OHIF's adapters (Node)."""

from __future__ import annotations

import copy
import json
import re
import tempfile
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from pydicom import config

from tests.oracles.complaint import JAVA_QUICK, NotInstalled, installed, json_object, node_script, program, run
from tests.oracles.sr_read import PIXELMED_JAR, concept, read, walk

# JDK 17 bounds XPath expressions far below what PixelMed's compiled templates need (JAXP0801003).
JAVA_LIMITS = ("-Djdk.xml.xpathExprGrpLimit=0", "-Djdk.xml.xpathExprOpLimit=0", "-Djdk.xml.xpathTotalOpLimit=0")
REGIONS = ("111030", "121214", "121191", "121231")
Found = dict[Path, list[str]]


def _parts(path: Path) -> Iterator[Any]:
    """The report with its TID 1501 groups alone, and one copy for each ROI group.

    PixelMed picks TID 1410 or 1501 by counting over all groups of a report, and so is wrong about one that mixes them.
    """
    report = read(path)
    measured = next((item for item in report.get("ContentSequence") or [] if concept(item) == "126010"), None)
    if measured is None:
        yield report
        return
    children = list(measured.get("ContentSequence") or [])
    groups = [number for number, item in enumerate(children) if concept(item) == "125007"]
    regions = [
        number
        for number in groups
        if any(concept(item) in REGIONS for item in children[number].get("ContentSequence") or [])
    ]
    plain = [number for number in groups if number not in regions]
    for turn, kept in enumerate(([plain] if plain or not regions else []) + [[number] for number in regions]):
        part = copy.deepcopy(report)
        container = next(item for item in part.ContentSequence if concept(item) == "126010")
        container.ContentSequence = [
            item
            for number, item in enumerate(container.get("ContentSequence") or [])
            if number not in groups or number in kept
        ]
        if turn:
            part.ContentSequence = [item for item in part.ContentSequence if concept(item) != "111028"]
        yield part


def _write(part: Any, target: Path) -> None:
    before = config.settings.writing_validation_mode
    config.settings.writing_validation_mode = config.IGNORE
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            part.save_as(target)
    finally:
        config.settings.writing_validation_mode = before


def judge_pixelmed(paths: Sequence[Path]) -> Found:
    """PixelMed's DicomSRValidator: relationships by IOD, the TID 1500 family, code meanings."""
    java = program("java")
    if not PIXELMED_JAR.exists():
        raise NotInstalled("libpixelmed-java is not installed")
    classes = installed("java", "pixelmed")
    found: Found = {path: [] for path in paths}
    with tempfile.TemporaryDirectory() as folder:
        owner = {}
        for number, path in enumerate(paths):
            for turn, part in enumerate(_parts(path)):
                target = Path(folder) / f"{number}-{turn}.dcm"
                _write(part, target)
                owner[str(target)] = path
        answer = run(
            java, *JAVA_QUICK, *JAVA_LIMITS, "-cp", f"{classes}:{PIXELMED_JAR}", "PixelMedCheck", *owner, timeout_s=1800
        )
    sections = re.split(r"^== (.*)\n", answer.out, flags=re.MULTILINE)
    spoken = dict(zip(sections[1::2], sections[2::2], strict=True))
    for part_name, path in owner.items():
        text = spoken.get(part_name)
        if text is None:
            found[path].append(f"did not get to this file: {answer.err.strip()[-200:]}")
            continue
        found[path] += re.findall(
            r"^(?:Error|Warning).*|^.*(?:illegal relationship|Exception|unrecognized).*", text, re.MULTILINE
        )
        if "Found Root Template TID_1500" not in text:
            found[path].append("TID 1500 is not recognised as the root template")
    return {path: list(dict.fromkeys(lines)) for path, lines in found.items()}


def _units(path: Path) -> Iterator[tuple[str, str, str]]:
    for place, item in walk(read(path)):
        for value in (item.get("MeasuredValueSequence") or []) if item.get("ValueType") == "NUM" else []:
            unit = (value.get("MeasurementUnitsCodeSequence") or [{}])[0]
            yield (
                place,
                str(unit.get("CodingSchemeDesignator", "")),
                str(unit.get("CodeValue") or unit.get("LongCodeValue") or ""),
            )


def judge_ucum(paths: Sequence[Path]) -> Found:
    """NLM's ucum-lhc: every unit is UCUM and valid."""
    node, script = program("node"), node_script("ucum_codes.cjs")
    found: Found = {path: [] for path in paths}
    users: dict[str, list[tuple[Path, str]]] = {}
    for path in paths:
        for place, scheme, code in _units(path):
            if scheme != "UCUM":
                found[path].append(f"{place}: unit {code!r} of {scheme or 'no scheme'}, not UCUM")
            else:
                users.setdefault(code, []).append((path, place))
    answer = run(node, script, json.dumps(sorted(users)))
    if answer.status:
        raise RuntimeError(f"ucum-lhc did not run: {answer.err.strip()[-300:]}")
    for code, why in json.loads(answer.out).items():
        for path, place in users[code]:
            found[path].append(f"{place}: unit {code!r}: {why}")
    return found


def judge_ohif(paths: Sequence[Path], images: Path | None) -> Found:
    """OHIF / Cornerstone3D: the real adapter makes an annotation of each measurement group."""
    told = hydrated(paths, images)
    return {path: told[path]["errors"] for path in paths}


def hydrated(paths: Sequence[Path], images: Path | None = None) -> dict[Path, dict[str, Any]]:
    """What the adapter makes of each file: its ``errors``, and the ``points`` of each group's annotations."""
    options = ["--images", str(images)] if images else []
    answer = run(program("node"), node_script("hydrate.mjs"), *options, *paths)
    spoken = [json_object(line) for line in answer.out.splitlines()]
    told = {entry["file"]: entry for entry in spoken if {"file", "errors"} <= entry.keys()}
    missed = {"errors": [f"did not get to this file: {answer.err.strip()[-200:]}"], "points": []}
    return {path: told.get(str(path), missed) for path in paths}
