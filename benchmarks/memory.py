"""What one more preloaded worker costs: the proportional set size of a forked child after it has worked."""

import os
from collections.abc import Callable, Mapping
from pathlib import Path

_PEERS = ("highdicom", "fhir.resources", "numpy")


def pss_mib(process: int | str) -> float:
    """The proportional set size of a process (Linux)."""
    lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024


def child_pss_mib(work: Callable[[], object], conversions: int) -> float:
    """Fork, do the work that many times in the child, and return its PSS in MiB (Linux).

    The parent stays alive beside it, as gunicorn's master does with ``preload``: shared pages count by half.
    """
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        for _ in range(conversions):
            work()
        os.write(writer, str(pss_mib("self")).encode())
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as pipe:
        mib = float(pipe.read())
    os.waitpid(child, 0)
    return mib


def loaded_peers(modules: Mapping[str, object]) -> list[str]:
    """Which of the peers' packages are imported: none may be, to serve findings."""
    return [name for name in _PEERS if name in modules]
