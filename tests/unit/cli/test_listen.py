"""`lesionbridge listen`: all that the file names, ended by a signal in good order."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import requests
from hl7.client import MLLPClient

from service.store.reports import Store
from tests.oracles.servers import free_port
from tests.unit.cli.conftest import Run
from tests.unit.receiving.test_hl7 import FOREIGN


def test_without_a_listener_there_is_nothing_to_do(run: Run) -> None:
    done = run("listen")
    assert (done.exit_code, "there is nothing to listen to" in done.stderr) == (2, True)
    assert "no table [listen.hl7]" in run("listen", "hl7").stderr


def test_a_port_that_is_taken_is_named(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        file = tmp_path / "receiving.toml"
        file.write_text(f"[listen.hl7]\nport = {taken.getsockname()[1]}\n", encoding="utf-8")
        monkeypatch.setenv("LESIONBRIDGE_RECEIVING_FILE", str(file))
        assert run("migrate").exit_code == 0
        done = run("listen")
    assert (done.exit_code, "[listen.hl7]:" in done.stderr) == (2, True)


def test_listens_accepts_and_ends(run: Run, tmp_path: Path) -> None:
    assert run("migrate").exit_code == 0
    file = tmp_path / "receiving.toml"
    file.write_text(f'[listen.hl7]\nport = 0\n[listen.dicom]\nport = 0\n[listen.folder]\npath = "{tmp_path / "in"}"\n')
    environ = {**os.environ, "LESIONBRIDGE_RECEIVING_FILE": str(file)}
    counters = free_port()
    command = [sys.executable, "-m", "service.cli", "listen", "--metrics-port", str(counters)]
    process = subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stderr is not None
        said = ""
        while "listening" not in said and process.poll() is None:
            said += process.stderr.readline()
        found = re.search(r"hl7: 127\.0\.0\.1:(\d+)", said)
        assert found is not None, said
        with MLLPClient("127.0.0.1", int(found[1])) as client:
            assert b"MSA|AA|M1" in client.send_message(FOREIGN)
        told = requests.get(f"http://127.0.0.1:{counters}/metrics", timeout=60).text
        assert 'lesionbridge_received_total{outcome="accepted",way="hl7"} 1.0' in told
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=180) == 0
    finally:
        process.kill()
        process.communicate()
    store = Store(os.environ["LESIONBRIDGE_DATABASE_URL"])
    assert len(store.search({"report_id": "F1"}, limit=9)) == 1
    store.close()
