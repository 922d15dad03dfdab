"""The counters of a `serve` go with it, and where it was killed with the next start, which touches no other ones."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from service.commands import counters
from service.commands.counters import counters_folder

SERVICE = """
import os, sys, time
from pathlib import Path
from service.commands.counters import counters_folder
with counters_folder() as folder:
    Path(folder, "counter_1.db").write_bytes(b"counted")
    worker = os.fork() if "worker" in sys.argv else 0
    if worker or "worker" not in sys.argv:
        print(folder, worker, flush=True)
    time.sleep(60)
"""


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The temporary folder of all services here."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    return tmp_path


class Services:
    """Processes that serve until they are killed."""

    def __init__(self) -> None:
        self.running: list[subprocess.Popen[str]] = []

    def start(self, *arguments: str) -> tuple[Path, int]:
        """Its folder, and its worker."""
        made = subprocess.Popen([sys.executable, "-c", SERVICE, *arguments], stdout=subprocess.PIPE, text=True)
        self.running.append(made)
        assert made.stdout is not None
        folder, worker = made.stdout.readline().split()
        return Path(folder), int(worker)

    def kill(self, number: int) -> None:
        self.running[number].kill()
        self.running[number].wait()


@pytest.fixture
def services(temporary: Path) -> Iterator[Services]:
    made = Services()
    yield made
    for number in range(len(made.running)):
        made.kill(number)
    for one in made.running:
        assert one.stdout is not None
        one.stdout.close()


def test_an_end_leaves_nothing(temporary: Path) -> None:
    with counters_folder() as folder:
        assert Path(folder).parent == temporary
    assert list(temporary.iterdir()) == []


def test_the_next_start_removes_what_a_killed_one_left_and_nothing_else(temporary: Path, services: Services) -> None:
    killed, living = services.start()[0], services.start()[0]
    services.kill(0)
    others = temporary / "lesionbridge-of-somebody"
    others.mkdir()
    (temporary / "lesionbridge-file").touch()
    with counters_folder() as folder:
        assert not killed.exists()
        left = {others, temporary / "lesionbridge-file", living, Path(folder)}
        assert set(temporary.iterdir()) == left
        assert (living / "counter_1.db").read_bytes() == b"counted"


def test_a_folder_stays_while_any_process_of_its_service_lives(temporary: Path, services: Services) -> None:
    folder, worker = services.start("worker")
    services.kill(0)
    with counters_folder():
        assert folder.exists()
    os.kill(worker, signal.SIGKILL)
    until = time.monotonic() + 60
    while folder.exists() and time.monotonic() < until:  # the worker is nobody's child here: its end is not told
        with counters_folder():
            time.sleep(0.05)
    assert not folder.exists()


def test_a_folder_of_another_user_or_behind_a_link_is_left_alone(
    temporary: Path, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    killed = services.start()[0]
    services.kill(0)
    moved = killed.rename(temporary / "elsewhere")
    (temporary / "lesionbridge-link").symlink_to(moved)
    with counters_folder():
        assert moved.exists()
    back = moved.rename(killed)
    with monkeypatch.context() as patched:
        patched.setattr(os, "getuid", lambda: -7)
        with counters_folder():
            assert back.exists()
    with counters_folder():
        assert not back.exists()


def test_a_folder_that_was_taken_for_unused_before_it_was_locked_is_made_anew(
    temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make = tempfile.mkdtemp
    made: list[str] = []
    flock = fcntl.flock

    def overtaken(lock: int, how: int) -> None:
        if len(made) == 1 and how == fcntl.LOCK_EX:
            counters._remove_unused(Path(made[0]))
        flock(lock, how)

    def known(prefix: str) -> str:
        made.append(make(prefix=prefix))
        return made[-1]

    monkeypatch.setattr(counters, "mkdtemp", known)
    monkeypatch.setattr("fcntl.flock", overtaken)
    with counters_folder() as folder:
        assert len(made) == 2
        assert folder == made[1]
        assert [path.name for path in temporary.iterdir()] == [Path(folder).name]
