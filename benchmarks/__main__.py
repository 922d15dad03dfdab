"""``python -m benchmarks``: this project and its peers on the same work in one run; one JSON object a line.

Both builds of this project take part where ``make compiled`` has made the other one of the same sources. Peers that
``make oracles`` did not install are left out, and said to be.
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks import measure, ours, work
from benchmarks.compiled_beside import named
from benchmarks.memory import child_pss_mib, loaded_peers
from benchmarks.ours import WHOLE, convert

LESIONS = (1, 10, 50, 500)

RATIOS = (
    ("SR by highdicom and FHIR by fhir.resources", WHOLE),
    ("write SR: highdicom", "write SR"),
    ("write SR: pydicom by hand", "write SR"),
    ("write SR: dcmjs", "write SR"),
    ("write SR: dcmqi tid1500writer", "write SR"),
    ("read SR: highdicom", "read SR"),
    ("read SR: pydicom, every element", "read SR"),
    ("read SR: dcmjs", "read SR"),
    ("read SR: Cornerstone adapters", "read SR"),
    ("read SR: dcmqi tid1500reader", "read SR"),
    ("write FHIR: fhir.resources", "write FHIR"),
    ("read FHIR: fhir.resources", "read FHIR"),
    ("read FHIR: fhirkit-rs", "read FHIR"),
    ("write FHIR: fhirkit-rs", "write FHIR"),
)
FEW = 60
"""Lesions above which the slow peers are timed in fewer rounds."""


def main() -> None:
    """Memory first, in a process that has not imported the peers; then the race."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--lesions", type=int, nargs="+", default=list(LESIONS))
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--memory", action="store_true", help="only the memory of one more preloaded worker")
    parser.add_argument("--growth", type=int, nargs="*", help="only ourselves, for so many lesions")
    options = parser.parse_args()
    if options.memory:
        emit(memory(10))
        return
    if options.growth is not None:
        for lesions in options.growth or (10, 100, 1000, 5000):
            growth(lesions)
        return
    for more in (["--memory"], ["--growth"]):
        again = [sys.executable, "-m", "benchmarks", *more]
        print(subprocess.run(again, check=True, capture_output=True, text=True).stdout, end="", flush=True)
    for lesions in options.lesions:
        race(lesions, options.rounds if lesions < FEW else max(3, options.rounds // 5))


def emit(line: Mapping[str, object]) -> None:
    """One line of output."""
    print(json.dumps(line), flush=True)


def memory(lesions: int) -> dict[str, object]:
    """PSS of a forked worker after a thousand conversions, everything preloaded."""
    from service.app import create_app

    create_app()
    body = work.document_bytes(lesions)
    convert(body)
    pss = child_pss_mib(lambda: convert(body), 1000)
    return {
        "memory": "one more preloaded worker",
        "pss_mib": round(pss, 1),
        "peers_imported": loaded_peers(sys.modules),
    }


def growth(lesions: int) -> None:
    """Our conversion of so many lesions, to be seen to grow with their number and no faster."""
    body = work.document_bytes(lesions)
    (timing,) = measure.interleaved({WHOLE: measure.Here(lambda: convert(body))}, 5).values()
    emit({"growth": lesions, "median_ms": round(timing.median * 1e3, 3), "bytes": sum(map(len, convert(body)))})


def race(lesions: int, rounds: int) -> None:
    """Time ourselves and the peers on the same lesions, once their content is found to be the same."""
    from benchmarks.field import Field  # the peers: not for the processes above

    with TemporaryDirectory() as folder:
        field = Field(Path(folder), lesions)
        missing = field.missing()
        try:
            field.assert_same()
            timings = measure.interleaved({**ours.contestants(field.body), **field.contestants()}, rounds)
        finally:
            field.close()
    about = {"lesions": lesions, **measure.machine(), **field.versions}
    if missing:
        emit({"left_out": missing, "lesions": lesions, "why": "not installed: make oracles"})
    for timing in timings.values():
        emit({**timing.line(), **about})
    for slow, quick in RATIOS:
        for done_by in (quick, named(quick)):
            if slow in timings and done_by in timings:
                emit({**measure.ratio(timings[slow], timings[done_by]), "lesions": lesions})


if __name__ == "__main__":
    main()
