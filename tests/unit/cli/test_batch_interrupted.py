"""`lesionbridge batch follow` that is ended by Ctrl-C: the batch goes on, and how to wait for it again is said."""

import os
import pty
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from service.store.batches import BatchStore
from tests.unit.cli.test_batch import batches, made

__all__ = ["batches"]


@pytest.mark.parametrize("terminal", [True, False])
def test_ctrl_c_ends_the_waiting_only_and_says_how_to_go_on(
    batches: BatchStore, tmp_path: Path, *, terminal: bool
) -> None:
    name = made(batches)
    environment = os.environ | {"LESIONBRIDGE_DATABASE_URL": f"sqlite:///{tmp_path / 'cli.sqlite3'}", "TERM": "xterm"}
    command = [sys.executable, "-m", "service.cli", "batch", "follow", name]
    ours, theirs = pty.openpty() if terminal else os.pipe()
    with subprocess.Popen(command, env=environment, stderr=theirs, stdout=subprocess.PIPE) as process:
        os.close(theirs)
        watch = threading.Timer(180, process.kill)
        watch.start()
        seen = os.read(ours, 4096)
        process.send_signal(signal.SIGINT)
        while said := _read(ours):
            seen += said
        code = process.wait(180)
        watch.cancel()
        assert process.stdout is not None
        assert process.stdout.read() == b""
    os.close(ours)
    assert (code, b"Traceback" in seen) == (130, False)
    assert f"`lesionbridge batch follow {name}` waits again" in seen.decode()
    assert batches.get(name).state == "running"


def _read(end: int) -> bytes:
    """What comes next; nothing once the other end is closed, which a terminal says with an error."""
    try:
        return os.read(end, 4096)
    except OSError:
        return b""
