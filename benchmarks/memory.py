"""What one more preloaded worker costs: the proportional set size of a forked child after it has worked."""

import os
from collections.abc import Callable, Mapping
from pathlib import Path

_PEERS = ("highdicom", "fhir.resources", "numpy")


def child_pss_mib(work: Callable[[], object], conversions: int) -> float:
    """Fork, do the work that many times in the child, and return its PSS in MiB (Linux).

    The parent stays alive beside it, as gunicorn's master does with ``preload``: shared pages count by half.
    """
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        for _ in range(conversions):
            work()
        lines = Path("/proc/self/smaps_rollup").read_text().splitlines()
        kib = next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
        os.write(writer, str(kib).encode())
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as pipe:
        kib = int(pipe.read())
    os.waitpid(child, 0)
    return kib / 1024


def loaded_peers(modules: Mapping[str, object]) -> list[str]:
    """Which of the peers' packages are imported: none may be, to serve findings."""
    return [name for name in _PEERS if name in modules]
