"""``python -m benchmarks.batch [LINES [LESIONS [FORMAT]]]``: `convert` of NDJSON by one process and by two, in turns.

One JSON object a run: lines a second, processor time of all processes, and their memory (PSS) over the run, in tenths
of it. The load of the machine is said, since two processes are quicker only where two processors are free.
"""

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.memory import pss_mib
from benchmarks.serving import family, processor_s
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
    lines, lesions = (int(one) for one in (*sys.argv[1:3], *("2000", "10")[len(sys.argv[1:3]) :]))
    form = sys.argv[3] if len(sys.argv) > 3 else "fhir-r4"
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
