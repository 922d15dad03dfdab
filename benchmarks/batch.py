"""`convert` of NDJSON by one process and by two, in turns: ``python -m benchmarks.batch``.

One JSON object a run: lines a second, processor time of all processes, and their memory (PSS) over the run, in tenths
of it. The load of the machine is said, since two processes are quicker only where two processors are free.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.memory import pss_mib
from benchmarks.serving import family, positive, processor_s
from benchmarks.work import document

TURNS = 3
LOOK_S = 0.25


def filled(path: Path, lines: int, lesions: int) -> None:
    """A file of so many reports, each with an id of its own."""
    made = document(lesions)
    with path.open("wb") as file:
        for number in range(lines):
            made["report"]["id"] = f"BENCH-{number}"
            file.write(json.dumps(made).encode() + b"\n")


def run(folder: Path, form: str, jobs: int) -> dict[str, Any]:
    """One conversion of `in.ndjson`."""
    lesionbridge = str(Path(sys.executable).with_name("lesionbridge"))
    out = "out" if form == "sr" else "out.ndjson"
    command = [lesionbridge, "convert", "in.ndjson", "--to", form, "-o", out, "--jobs", str(jobs)]
    began = time.perf_counter()
    process = subprocess.Popen(command, cwd=folder, stderr=subprocess.DEVNULL)
    memory, spent = [], 0.0
    while process.poll() is None:
        try:
            there = family(process.pid)
            memory.append(sum(pss_mib(one) for one in there))
            spent = max(spent, processor_s(there))
        except (OSError, StopIteration):
            pass  # one of them has just ended
        time.sleep(LOOK_S)
    wall = time.perf_counter() - began
    tenths = [round(memory[len(memory) * tenth // 10], 1) for tenth in range(10)] if memory else []
    return {
        "jobs": jobs,
        "exit": process.returncode,
        "wall_s": round(wall, 2),
        "processor_s": round(spent, 2),
        "pss_mib": tenths,
        "most_mib": round(max(memory), 1),
        "load": os.getloadavg()[0],
    }


def main() -> None:
    """Measure in turns."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.batch", description=__doc__)
    parser.add_argument("lines", type=positive, nargs="?", default=2000, help="(default: %(default)s)")
    parser.add_argument("lesions", type=positive, nargs="?", default=10, help="of each line (default: %(default)s)")
    parser.add_argument("to", nargs="?", default="fhir-r4", metavar="FORMAT", help="(default: %(default)s)")
    asked = parser.parse_args()
    lines, lesions, form = asked.lines, asked.lesions, asked.to
    with TemporaryDirectory() as folder:
        filled(Path(folder) / "in.ndjson", lines, lesions)
        for _ in range(TURNS if lines <= 20_000 else 1):
            for jobs in (1, 2):
                done = run(Path(folder), form, jobs)
                rate = round(lines / done["wall_s"], 1)
                sys.stdout.write(
                    json.dumps({"lines": lines, "lesions": lesions, "to": form, "a_second": rate, **done}) + "\n"
                )
                sys.stdout.flush()


if __name__ == "__main__":
    main()
