"""``python -m benchmarks.releases``: releases of true size made up, imported, and asked; one JSON object a line.

An import runs in a process of its own, so that its peak of memory is its own. Questions are timed one by one: the
processor's time and, with ``wall``, the clock's, which a busy neighbour lengthens.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from itertools import islice
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import TypeVar

import orjson

from benchmarks import generated_rf2, generated_tables
from benchmarks.memory import child_pss_mib
from service.coding import vocabulary
from service.coding.releases.importing import Asked, import_release
from service.coding.releases.shelf import ReleaseShelf
from service.coding.releases.shelves import open_shelf
from service.coding.releases.site import SiteReleases
from service.coding.search import Asked as Sought
from service.coding.search import Search
from service.coding.server import Terminology
from service.coding.server.expanding import Wish
from service.coding.server.released import Sources
from service.domain.limits import Limits
from service.formats.fhir.terminology.answers import expanded

SCT = "SCT"
_MIB = 1 << 20
T = TypeVar("T")


def main() -> None:
    """Generate, import, ask."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.releases", description=__doc__)
    shape = generated_rf2.Shape()
    parser.add_argument("--concepts", type=int, default=shape.concepts)
    parser.add_argument("--descriptions", type=int, default=shape.descriptions)
    parser.add_argument("--relationships", type=int, default=shape.relationships)
    parser.add_argument("--questions", type=int, default=3_000)
    parser.add_argument("--folder", type=Path, help="Kept, with the generated files; a temporary one when absent.")
    parser.add_argument("--database", default="", help="The URL of a PostgreSQL to import into, in place of files.")
    parser.add_argument("--import-one", nargs=2, type=Path, metavar=("FOLDER", "FILE"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.import_one:
        folder, file = options.import_one
        emit(imported(folder, file, options.database))
        return
    emit({"machine": platform.processor() or platform.machine(), "cores": os.cpu_count(), "load": os.getloadavg()[0]})
    with TemporaryDirectory() as temporary:
        folder = options.folder or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        for file in generate(folder, options):
            one = ["--import-one", str(folder / "site"), str(file), f"--database={options.database}"]
            again = [sys.executable, "-m", "benchmarks.releases", *one]
            print(subprocess.run(again, check=True, capture_output=True, text=True).stdout, end="", flush=True)
        ask(open_shelf(folder / "site", options.database), options.questions)


def emit(line: dict[str, object]) -> None:
    """One line of output."""
    print(json.dumps(line), flush=True)


def generate(folder: Path, options: argparse.Namespace) -> list[Path]:
    """The files of each release, unless they are there."""
    rf2, radlex = folder / "SnomedCT_GeneratedRF2.zip", folder / "RadLex.owl"
    loinc, icd = folder / "Loinc.csv", folder / "icd10cm_order_2026.txt"
    if not rf2.exists():
        shape = generated_rf2.Shape(options.concepts, options.descriptions, options.relationships)
        generated_rf2.write(rf2, shape)
    for path, write in (
        (radlex, generated_tables.radlex),
        (loinc, generated_tables.loinc),
        (icd, generated_tables.icd10cm),
    ):
        if not path.exists():
            write(path)
    return [rf2, radlex, loinc, icd]


def imported(folder: Path, file: Path, database_url: str) -> dict[str, object]:
    """Import one file in this process: seconds and the peak of memory."""
    began, worked = time.perf_counter(), time.process_time()
    placed = import_release(open_shelf(folder, database_url), Asked([file], now="2026-01-01"), Limits(), vocabulary())
    return {
        "import": placed.name,
        "concepts": placed.systems[0][2],
        "seconds": round(time.perf_counter() - began, 1),
        "processor_seconds": round(time.process_time() - worked, 1),
        "peak_mib": peak_mib(),
        "store_mib": placed.bytes // _MIB,
    }


def peak_mib() -> int:
    """The most memory this process has held (Linux); getrusage would count what it was started from, too."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:")) // 1024


def ask(shelf: ReleaseShelf, questions: int) -> None:
    """Time look-ups, subsumption and searches, then weigh a worker that has answered them."""
    known = vocabulary()
    releases = SiteReleases(shelf, known.designations.words)
    search = Search(known, releases)
    store = releases.store(SCT)
    assert store is not None
    random = Random(1)
    codes = [row[0] for row in store.rows("select code from concept where active = 1")]
    names = [row[0] for row in store.rows("select display from label where n % 97 = 0")]
    pairs = [(random.choice(codes), random.choice(codes)) for _ in range(questions)]
    asked = [Sought(typed(random.choice(names), random), limit=20) for _ in range(questions // 3)]
    search.find(asked[0])
    emit(timed("lookup", lambda one: releases.lookup(SCT, one[0]), pairs))
    emit(timed("designations", lambda one: releases.designations(SCT, one[0]), pairs))
    emit(timed("subsumes", lambda one: releases.subsumes(SCT, *one), pairs))
    emit(timed("ancestors", lambda one: releases.ancestors(SCT, one[0]), pairs))
    expand(releases, codes)
    emit(timed("search", search.find, asked))
    fresh = Search(known, SiteReleases(shelf, known.designations.words))
    before = child_pss_mib(lambda: None, 1)
    after = child_pss_mib(lambda: [fresh.find(one) for one in asked], 1)
    emit({"memory": "one more worker, after all searches", "gained_pss_mib": round(after - before, 1)})


def expand(releases: SiteReleases, codes: Sequence[str]) -> None:
    """Time expansions of some 1,000 codes below a concept, each of another one, as FHIR."""
    here = Terminology(Sources({}, releases), (), ())
    fitting = (one for one in codes if 700 <= releases.page_below(SCT, one, 0, 0)[0] <= 1_300)
    wide = list(islice(fitting, 60))
    sizes = []

    def whole(code: str, wish: Wish) -> None:
        composition = here.value_set(f"http://snomed.info/sct?fhir_vs=isa/{code}")
        made = here.expand(composition, wish)
        orjson.dumps(expanded(composition, made, wish, "2026-01-01T00:00:00Z"))
        sizes.append(made.total)

    emit({**timed("expand", lambda code: whole(code, Wish()), wide[::2]), "codes": sum(sizes) // len(sizes)})
    german = Wish(active_only=True, language="de", designations=True)
    emit(timed("expand, active, all designations", lambda code: whole(code, german), wide[1::2]))


def typed(name: str, random: Random) -> str:
    """One to three words of a name in any order, half of them unfinished, one in ten with a typing error."""
    words = name.split()
    random.shuffle(words)
    some = words[: random.randrange(1, 4)]
    words = [word if random.random() < 0.5 else word[: random.randrange(2, 7)] for word in some]
    if random.random() < 0.1 and len(words[0]) > 4:
        words[0] = words[0][:2] + words[0][3:]
    return " ".join(words)


def timed(name: str, work: Callable[[T], object], questions: Sequence[T]) -> dict[str, object]:
    """The percentiles of a question, in milliseconds."""
    processor, wall = [], []
    for one in questions:
        began, worked = time.perf_counter(), time.thread_time()
        work(one)
        processor.append((time.thread_time() - worked) * 1e3)
        wall.append((time.perf_counter() - began) * 1e3)
    processor.sort()
    wall.sort()
    return {
        "question": name,
        **{f"p{part}_ms": round(processor[len(processor) * part // 100], 3) for part in (50, 95, 99)},
        "wall_p50_ms": round(wall[len(wall) // 2], 3),
        "wall_p95_ms": round(wall[len(wall) * 95 // 100], 3),
        "questions": len(questions),
        "load": round(os.getloadavg()[0], 1),
    }


if __name__ == "__main__":
    main()
