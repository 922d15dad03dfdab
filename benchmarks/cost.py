"""What a stage costs in function calls and bytecode instructions: the same on every machine, however busy it is.

``python -m benchmarks.cost`` writes ``cost.csv`` anew. A test holds the stages to it: a change that makes one dearer by
more than a twentieth has to say so in that file, and one that makes it cheaper lowers the bar.
"""

import argparse
import csv
import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from types import FrameType
from typing import Any, NamedTuple

from benchmarks import inside, work
from service.check.compare import compare
from service.coding import vocabulary
from service.coding.coder import code_report
from service.domain.limits import Limits
from service.domain.received import Intake
from service.formats.fhir.write import write as write_fhir
from service.formats.findings.read import read
from service.formats.sr.read import read as read_sr
from service.formats.sr.write import write as write_sr

TABLE = Path(__file__).with_name("cost.csv")
COLUMNS = ("python", "stage", "lesions", "calls", "instructions")
LESIONS = (10, 50)
PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"
"""Another minor version compiles to other instructions, and calls other functions for a comprehension."""


class Cost(NamedTuple):
    """Functions of Python called, and instructions of their bytecode."""

    calls: int
    instructions: int


def cost(stage: Callable[[], object]) -> Cost:
    """What a stage costs once its caches are warm."""
    stage()
    calls = instructions = 0

    def trace(frame: FrameType, event: str, _: Any) -> Any:
        nonlocal calls, instructions
        frame.f_trace_opcodes, frame.f_trace_lines = True, False
        calls += event == "call"
        instructions += event == "opcode"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        stage()
    finally:
        sys.settrace(before)
    return Cost(calls, instructions)


def stages(lesions: int) -> Mapping[str, Callable[[], object]]:
    """The stages of a conversion of the benchmark's report, each by itself."""
    body, limits = work.document_bytes(lesions), Limits()
    said = read(body, default_sender="local", limits=limits)
    report = code_report(said, vocabulary())
    document = write_sr(report)
    reference, intake = document.reference, Intake()
    bundle = write_fhir(report, reference).content
    return {
        "read": lambda: read(body, default_sender="local", limits=limits),
        "code": lambda: code_report(said, vocabulary()),
        "write-sr": lambda: write_sr(report),
        "read-sr": lambda: read_sr(document.content, intake),
        "write-fhir": lambda: write_fhir(report, reference),
        "check": lambda: compare(report, document.content, bundle, document.losses),
        "http": inside.around(body),
    }


def counted() -> dict[tuple[str, int], Cost]:
    """The cost of each stage, for each number of lesions."""
    return {(name, lesions): cost(stage) for lesions in LESIONS for name, stage in stages(lesions).items()}


def expected() -> dict[tuple[str, int], Cost]:
    """The costs that were written down for this version of Python; none for another."""
    with TABLE.open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["python"] == PYTHON]
    return {(row["stage"], int(row["lesions"])): Cost(int(row["calls"]), int(row["instructions"])) for row in rows}


def main() -> None:
    """Write the table for this version of Python, what stands there for others stays; or show the counts."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.cost", description=__doc__)
    parser.add_argument("--print", action="store_true", help="show the counts, and write nothing")
    if parser.parse_args().print:
        print(json.dumps([[name, lesions, *said] for (name, lesions), said in counted().items()]))
        return
    kept = []
    if TABLE.exists():
        with TABLE.open(newline="") as file:
            kept = [row for row in csv.reader(file) if row[0] not in (PYTHON, COLUMNS[0])]
    rows = [[PYTHON, name, lesions, *said] for (name, lesions), said in counted().items()]
    with TABLE.open("w", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([COLUMNS, *kept, *rows])


if __name__ == "__main__":
    main()
