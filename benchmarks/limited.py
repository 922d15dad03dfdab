"""Processes that may take no more than a share of a core, as a container with a CPU limit may not."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

CPU = Path("/sys/fs/cgroup/cpu")
"""The controller of processor time, version 1 of Linux's control groups; version 2 has all controllers one level up."""
PERIOD_US = 100_000


@contextmanager
def share_of_a_core(share: float, process: int) -> Iterator[None]:
    """Hold a process and all it begins to a share until the block ends; raises OSError where that can't be done."""
    group = (CPU if CPU.is_dir() else CPU.parent) / f"lesionbridge-{process}"
    group.mkdir()
    try:
        quota = int(share * PERIOD_US)
        if CPU.is_dir():
            (group / "cpu.cfs_period_us").write_text(str(PERIOD_US))
            (group / "cpu.cfs_quota_us").write_text(str(quota))
        else:
            (group / "cpu.max").write_text(f"{quota} {PERIOD_US}")
        (group / "cgroup.procs").write_text(str(process))
        yield
    finally:
        # A group is empty once its processes have ended.
        while (group / "cgroup.procs").read_text().strip():
            os.sched_yield()
        group.rmdir()
