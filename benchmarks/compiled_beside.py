"""The compiled build in a process of its own: ``python -m benchmarks.compiled_beside LESIONS``; see `Beside`.

`start` begins it from the folder where ``make compiled`` unpacks it, where its sources are those of this folder.
"""

import argparse
import hashlib
import json
import os
import sys
from pathlib import Path

from benchmarks import ours, work
from benchmarks.measure import Beside
from service.commands.serve import settle_memory
from service.compiled import build

_ROOT = Path(__file__).parents[1]
TREE = _ROOT / "build" / "compiled"
"""Where ``make compiled`` unpacks its wheel."""
NAME = "compiled"
WORKS = (ours.WHOLE, "read findings", "code", "write SR", "read SR", "write FHIR", "read FHIR")


def named(name: str) -> str:
    """How a work of ours is called when the compiled build does it."""
    return f"{name}, {NAME}"


def is_current() -> bool:
    """Whether it is there, and made of the sources that stand here."""
    sources = [path.relative_to(_ROOT) for path in (_ROOT / "service").rglob("*.py")]
    return all((TREE / path).exists() and (TREE / path).read_bytes() == (_ROOT / path).read_bytes() for path in sources)


def start(lesions: int) -> Beside:
    """The process; its works are those of `WORKS`."""
    where = os.pathsep.join((str(TREE), str(_ROOT)))
    command = [sys.executable, "-m", "benchmarks.compiled_beside", str(lesions)]
    return Beside(command, _ROOT, PYTHONSAFEPATH="1", PYTHONPATH=where)


def digest(outputs: tuple[bytes, bytes]) -> str:
    """What tells one pair of outputs from another."""
    return hashlib.sha256(b"".join(outputs)).hexdigest()


def main() -> None:
    """Say who it is and what it makes of the work, then work as asked."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.compiled_beside", description=__doc__)
    parser.add_argument("lesions", type=int, help="of the work")
    body = work.document_bytes(parser.parse_args().lesions)
    works = ours.contestants(body)
    for name in WORKS:
        works[name].seconds(1)
    settle_memory()
    print(json.dumps({"build": build(), "made": digest(ours.convert(body))}), flush=True)
    for line in sys.stdin:
        asked = json.loads(line)
        repeats = asked["repeats"]
        print(json.dumps({"seconds": works[asked["work"]].seconds(repeats) * repeats}), flush=True)


if __name__ == "__main__":
    main()
