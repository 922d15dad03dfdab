"""SR judges that are programs: dicom3tools, DCMTK and dcmqi, a file at a time."""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Callable
from pathlib import Path

from tests.oracles.complaint import Answer, installed, program, run
from tests.oracles.sr_read import concept, read, walk

Judge = Callable[[Path], list[str]]


def _lines(text: str, pattern: str) -> list[str]:
    return [line for line in text.splitlines() if re.search(pattern, line)]


def _exit(answer: Answer) -> list[str]:
    return [f"exit {answer.status}"] if answer.status else []


def judge_dciodvfy(path: Path) -> list[str]:
    """dicom3tools: the IOD, its modules and attributes."""
    answer = run(program("dciodvfy"), path)
    # It repeats values as they are, so one of several lines would be cut off before what is wrong with it.
    text = re.sub(r"\[1\] = <.*?> - ", lambda told: " ".join(told[0].splitlines()), answer.text, flags=re.DOTALL)
    # Its exit status is 1 for any error it printed; only a crash says more.
    return _lines(text, r"Error|Warning|failed") + (_exit(answer) if answer.status < 0 else [])


def judge_dcentvfy(path: Path, images: Path | None) -> list[str]:
    """dicom3tools: patient and study are the same in the SR and its images; says nothing without images."""
    tool = program("dcentvfy")
    if not images:
        return []
    files = sorted(file for file in images.rglob("*") if file.is_file())
    return _lines(run(tool, path, *files).text, r"Error|Warning")


def judge_dcsrdump(path: Path) -> list[str]:
    """dicom3tools: dumps every content item."""
    answer = run(program("dcsrdump"), path)
    complaints = [
        line
        for line in _lines(answer.text, r"(?i)^(error|warning)|warning -|error -|illegal|missing")
        if not line.lstrip().startswith(">")
    ]
    written = 1 + sum(1 for _ in walk(read(path)))
    dumped = len(_lines(answer.text, r"^\s*>*(: |HAS |CONTAINS|INFERRED|SELECTED)"))
    missed = [] if dumped == written else [f"dumps {dumped} of {written} content items"]
    return complaints + _exit(answer) + missed


def judge_dsrdump(path: Path) -> list[str]:
    """DCMTK: reads the tree by the rules of its IOD."""
    answer = run(program("dsrdump"), "+Pc", "+Pu", "+Pl", path)
    return _lines(answer.err, r"^[EWF]:") + _exit(answer)


def judge_dsr2html(path: Path) -> list[str]:
    """DCMTK: renders the document."""
    with tempfile.TemporaryDirectory() as folder:
        page = Path(folder) / "page.html"
        answer = run(program("dsr2html"), path, page)
        empty = [] if page.exists() and page.stat().st_size else ["writes no page"]
    return _lines(answer.err, r"^[EWF]:") + _exit(answer) + empty


def _tree(path: Path) -> list[tuple[object, ...]]:
    return [(item.get("ValueType"), concept(item), item.get("RelationshipType")) for _, item in walk(read(path))]


def judge_dsr2xml(path: Path) -> list[str]:
    """DCMTK: SR to XML and back keeps the tree."""
    with tempfile.TemporaryDirectory() as folder:
        xml, back = Path(folder) / "there.xml", Path(folder) / "back.dcm"
        for command in ((program("dsr2xml"), path, xml), (program("xml2dsr"), xml, back)):
            answer = run(*command)
            if answer.status:
                return _lines(answer.err, r"^[EWF]:") + _exit(answer)
        complaints = _lines(answer.err, r"^[EWF]:")
        if _tree(path) != _tree(back):
            complaints.append("the tree differs after the round trip through XML")
    return complaints


def judge_tid1500reader(path: Path) -> list[str]:
    """dcmqi: reads every measurement group and every measurement of it."""
    tool = installed("dcmqi", "bin", "tid1500reader")
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "read.json"
        answer = run(tool, "--inputDICOM", path, "--outputMetadata", target)
        complaints = _lines(answer.out + answer.err, r"^(?:[EWF]:|(?i:warning|error))") + _exit(answer)
        try:
            groups = json.loads(target.read_text(encoding="utf-8")).get("Measurements") or []
        except (OSError, ValueError) as error:
            return [*complaints, f"writes no JSON: {type(error).__name__}"]
    written = [item for _, item in walk(read(path)) if concept(item) == "125007"]
    if len(groups) != len(written):
        return [*complaints, f"reads {len(groups)} of {len(written)} measurement groups"]
    for number, (group, item) in enumerate(zip(groups, written, strict=True), 1):
        numbers = sum(child.ValueType == "NUM" for child in item.get("ContentSequence", []))
        found = len(group.get("measurementItems") or [])
        if found != numbers:
            complaints.append(f"group {number}: reads {found} of {numbers} measurements")
        if not group.get("TrackingUniqueIdentifier"):
            complaints.append(f"group {number}: no TrackingUniqueIdentifier")
    return complaints
