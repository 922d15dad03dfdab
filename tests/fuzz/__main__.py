"""Fuzz one reader: `PYTHONPATH=<folder of atheris> python -m tests.fuzz FORMAT [--runs N] [--seconds N]`.

Prints, as its last line, how many inputs were tried. Exit 0: nothing was found.
"""

import argparse
import sys
import tempfile
from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages

import atheris

with atheris.instrument_imports(include=["service"]):
    import service.formats
    from service.coding import vocabulary
    from service.coding.coder import code_report
    from service.domain.errors import Refused
    from service.domain.limits import Limits
    from service.domain.received import Intake
    from service.doors import READERS, Format

    for found in walk_packages(service.formats.__path__, "service.formats."):
        # A door imports its reader when the first document comes: by then nothing is instrumented any more.
        import_module(found.name)

from tests.fuzz.seeds import seeds
from tests.unit.formats.table.test_rows import MAPPING

LIMITS = Limits(body_bytes=65_536, values=20_000)
TRIED = [0]


def main() -> None:
    """Run the fuzzer; libFuzzer ends the process."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("format", choices=[str(form) for form in READERS])
    options.add_argument("--runs", type=int, default=20_000)
    options.add_argument("--seconds", type=int, default=600)
    options.add_argument("--corpus", type=Path)
    said = options.parse_args()
    form = Format(said.format)
    read = READERS[form]
    intake = Intake(limits=LIMITS, mapping=MAPPING if form is Format.CSV else "")
    tables = vocabulary()

    def one(content: bytes) -> None:
        TRIED[0] += 1
        try:
            code_report(read(content, intake).report, tables)
        except Refused:
            return

    corpus = said.corpus or Path(tempfile.mkdtemp())
    corpus.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(seeds(form)):
        (corpus / f"seed-{number}").write_bytes(seed)
    bounds = [f"-runs={said.runs}", f"-max_total_time={said.seconds}", "-rss_limit_mb=2048"]
    bounds += ["-timeout=20", "-report_slow_units=20"]  # by the clock, and nothing less: the machine may be busy
    quiet = ["-max_len=65536", "-verbosity=0", "-print_final_stats=1", f"-artifact_prefix={corpus}/found-"]
    atheris.Setup([sys.argv[0], *bounds, *quiet, str(corpus)], one)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
