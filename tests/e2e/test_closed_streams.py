"""`lesionbridge serve` whose standard streams are closed or full: it serves all the same, and ends in good order."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import requests

from tests.oracles.servers import free_port

PATIENCE_S = 120.0


@pytest.mark.parametrize("streams", [">&-", ">/dev/full 2>/dev/full", "<&- >&- 2>&-"])
def test_serves_whatever_its_streams_are(tmp_path: Path, streams: str) -> None:
    port = free_port()
    command = [sys.executable, "-m", "service.cli", "serve", "--port", str(port)]
    environ = os.environ | {"LESIONBRIDGE_DATABASE_URL": f"sqlite:///{tmp_path / 'x.sqlite3'}"}
    service = subprocess.Popen(["sh", "-c", f'exec "$@" {streams}', "sh", *command], env=environ, cwd=tmp_path)
    try:
        assert answers(f"http://127.0.0.1:{port}/health/ready")
        assert service.poll() is None
        service.send_signal(signal.SIGTERM)
        assert service.wait(PATIENCE_S) == 0
    finally:
        service.kill()
        service.wait()


def answers(address: str) -> bool:
    """Whether a service is ready in time."""
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until:
        try:
            return requests.get(address, timeout=PATIENCE_S).status_code == 200
        except requests.ConnectionError:
            time.sleep(0.2)
    return False
