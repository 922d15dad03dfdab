"""Ask every third-party judge about files: `judge_sr` for DICOM SR, `judge_fhir` for FHIR JSON.

No complaint: all accept them.

python -m tests.oracles.judges sr [--images FOLDER] [--skip NAME,...] [--strict] SR.dcm ...
python -m tests.oracles.judges fhir [--release R5] [--skip NAME,...] BUNDLE.json ...
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import sys
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor, as_completed
from functools import cache, partial
from pathlib import Path

from tests.oracles import fhir_programs, sr_batches, sr_house, sr_programs, sr_read
from tests.oracles.allowed import is_allowed
from tests.oracles.complaint import Complaint, NotInstalled, home

CORES = 2
Found = sr_batches.Found
Ask = Callable[[Sequence[Path]], Found]

SR_FILE_JUDGES: dict[str, Callable[[Path], list[str]]] = {
    "pydicom": sr_read.judge_values,
    "highdicom": sr_read.judge_highdicom,
    "codes": sr_read.judge_codes,
    "house": sr_house.judge_house,
    "dciodvfy": sr_programs.judge_dciodvfy,
    "dcsrdump": sr_programs.judge_dcsrdump,
    "dsrdump": sr_programs.judge_dsrdump,
    "dsr2html": sr_programs.judge_dsr2html,
    "dsr2xml": sr_programs.judge_dsr2xml,
    "tid1500reader": sr_programs.judge_tid1500reader,
}
SR_IMAGE_JUDGES: dict[str, Callable[[Path, Path | None], list[str]]] = {
    "refs": sr_house.judge_references,
    "dcentvfy": sr_programs.judge_dcentvfy,
}
SR_ORACLES = (*SR_FILE_JUDGES, *SR_IMAGE_JUDGES, "pixelmed", "ucum", "ohif")
FHIR_ORACLES = {release: tuple(judges) for release, judges in fhir_programs.JUDGES.items()}
# Those that need nothing but this project's own environment.
IN_PROCESS = ("pydicom", "highdicom", "house", "refs", "fhir.resources")


def _each(judge: Callable[[Path], list[str]], paths: Sequence[Path]) -> Found:
    return {path: judge(path) for path in paths}


def _with_images(judge: Callable[[Path, Path | None], list[str]], images: Path | None, paths: Sequence[Path]) -> Found:
    return {path: judge(path, images) for path in paths}


def _ask(oracle: str, judge: Ask, paths: Sequence[Path], strict: bool = False) -> list[Complaint]:
    try:
        found = judge(paths)
    except NotInstalled as error:
        return [Complaint(str(path), oracle, str(error), missing=True) for path in paths]
    except Exception as error:  # noqa: BLE001  # a judge that breaks has not accepted the file
        return [Complaint(str(path), oracle, f"the judge broke: {type(error).__name__}: {error}") for path in paths]
    return [
        Complaint(str(path), oracle, line)
        for path, lines in found.items()
        for line in lines
        if not is_allowed(oracle, line, strict=strict)
    ]


def _collect(futures: Iterable[Future[list[Complaint]]]) -> list[Complaint]:
    complaints = [complaint for future in as_completed(list(futures)) for complaint in future.result()]
    return sorted(complaints, key=lambda complaint: (complaint.file, complaint.oracle))


def _absolute(paths: Iterable[Path | str]) -> list[Path]:
    return [Path(path).resolve() for path in paths]


def _check_names(names: Iterable[str], known: Sequence[str]) -> None:
    unknown = sorted(set(names) - set(known))
    if unknown:
        raise ValueError(f"no such judge: {', '.join(unknown)}; there are {', '.join(known)}")


def judge_sr(
    paths: Iterable[Path | str],
    *,
    images: Path | str | None = None,
    skip: Sequence[str] = (),
    only: Sequence[str] = (),
    strict: bool = False,
) -> list[Complaint]:
    """Complaints of the SR judges; `images` is the folder of the images that the SRs refer to.

    OHIF hydrates only SRs of the dialect `ohif`: name it in `skip` for others. ``strict``: without the rare allowances.
    """
    files = _absolute(paths)
    folder = Path(images).resolve() if images else None
    _check_names([*skip, *only], SR_ORACLES)
    batches: dict[str, Ask] = {
        "pixelmed": sr_batches.judge_pixelmed,
        "ohif": partial(sr_batches.judge_ohif, images=folder),
        "ucum": sr_batches.judge_ucum,
    }
    quick: dict[str, Ask] = {name: partial(_each, judge) for name, judge in SR_FILE_JUDGES.items()}
    quick |= {name: partial(_with_images, judge, folder) for name, judge in SR_IMAGE_JUDGES.items()}
    wanted = [name for name in SR_ORACLES if name not in skip and (not only or name in only)]
    pool = _processes(home())
    try:
        futures = []
        # The slow judges start first.
        for name, judge in (batches | quick).items():
            if name in wanted and files:
                futures += [pool.submit(_ask, name, judge, part, strict) for part in _shares(files, name)]
        return _collect(futures)
    except BaseException:
        _processes.cache_clear()
        pool.shutdown(wait=False, cancel_futures=True)
        raise


@cache
def _processes(_home: Path) -> ProcessPoolExecutor:
    """Processes, not threads: pydicom's settings are one for all threads. They stay: their imports take seconds.

    One pool for each folder of judges, which processes know from the environment that they began with; another after
    anything that broke off a question, an interrupt too.
    """
    return ProcessPoolExecutor(CORES, mp_context=multiprocessing.get_context("spawn"))


def _shares(files: list[Path], name: str) -> list[list[Path]]:
    """Files as tasks: PixelMed's time goes by the file, so it is asked by both cores when there are many."""
    cuts = CORES if (name == "pixelmed" and len(files) > 8) or (name in SR_FILE_JUDGES and len(files) > 1) else 1
    return [files[start::cuts] for start in range(cuts)]


def judge_fhir(
    paths: Iterable[Path | str],
    *,
    release: str = "R4",
    skip: Sequence[str] = (),
    only: Sequence[str] = (),
) -> list[Complaint]:
    """Complaints of the FHIR judges about resources or bundles in JSON, release R4 or R5."""
    files = _absolute(paths)
    judges = fhir_programs.JUDGES[release]
    _check_names([*skip, *only], sorted({name for names in FHIR_ORACLES.values() for name in names}))
    with ThreadPoolExecutor(CORES) as pool:
        return _collect(
            pool.submit(_ask, name, partial(_released, judge, release), files)
            for name, judge in judges.items()
            if files and name not in skip and (not only or name in only)
        )


def _released(judge: fhir_programs.Judge, release: str, paths: Sequence[Path]) -> Found:
    return judge(paths, release)


def main() -> int:
    """Ask by hand: prints each complaint, exits 1 if there is one, 3 if a judge is missing."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kind", choices=["sr", "fhir"])
    parser.add_argument("--images")
    parser.add_argument("--release", default="R4", choices=["R4", "R5"])
    parser.add_argument("--skip", default="")
    parser.add_argument("--only", default="")
    parser.add_argument("--strict", action="store_true", help="SR: without the rare allowances, as for the examples")
    parser.add_argument("file", nargs="+")
    asked = parser.parse_args()
    skip, only = (tuple(filter(None, text.split(","))) for text in (asked.skip, asked.only))
    if asked.kind == "sr":
        complaints = judge_sr(asked.file, images=asked.images, skip=skip, only=only, strict=asked.strict)
    else:
        complaints = judge_fhir(asked.file, release=asked.release, skip=skip, only=only)
    for complaint in complaints:
        sys.stdout.write(f"{complaint}{os.linesep}")
    if any(not complaint.missing for complaint in complaints):
        return 1
    return 3 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
