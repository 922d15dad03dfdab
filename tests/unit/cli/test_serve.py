"""`lesionbridge serve` where it can't listen: said in a sentence, before anything is made."""

from __future__ import annotations

import socket
import time
from pathlib import Path

import pytest
from gunicorn.config import Config  # type: ignore[import-untyped]  # gunicorn ships no types
from gunicorn.http.parser import RequestParser  # type: ignore[import-untyped]

from service.commands import serve
from service.config import Settings
from tests.unit.cli.conftest import Run


def test_a_port_in_use_is_said_and_nothing_is_made(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serve, "_TRIES", 1)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = run("serve", "--host", "127.0.0.1", "--port", str(port))
    assert (done.exit_code, done.stdout) == (2, "")
    [line] = done.stderr.splitlines()
    assert line.startswith(f"setting host (--host), setting port (--port): 127.0.0.1:{port} can't be listened to")
    assert "(Address already in use): end the program that has it, or take another one" in line
    assert "--port" in line
    assert not (tmp_path / "cli.sqlite3").exists()


def test_an_address_of_another_machine_is_said(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LESIONBRIDGE_ACCESS", "required")
    done = run("serve", "--host", "192.0.2.1", "--port", "0")  # RFC 5737: nobody's
    assert done.exit_code == 2
    assert "192.0.2.1:0 can't be listened to" in done.stderr
    assert "--host" in done.stderr


def test_a_port_that_gets_free_meanwhile_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    taken = socket.create_server(("127.0.0.1", 0))
    waited: list[float] = []

    def wait(seconds: float) -> None:
        waited.append(seconds)
        taken.close()

    monkeypatch.setattr(time, "sleep", wait)
    serve._look_for_room("127.0.0.1", taken.getsockname()[1], {})
    assert waited == [1]


def test_nobody_says_where_the_path_of_a_request_begins() -> None:
    here = Config()
    for name, value in serve._gunicorn_settings(Settings()).items():
        here.set(name, value)
    said = b"GET /v1/terms HTTP/1.1\r\nHost: x\r\nSCRIPT_NAME: /v1\r\nPATH_INFO: /metrics\r\n\r\n"
    request = next(RequestParser(here, [said], ("127.0.0.1", 1)))
    assert request.headers == [("HOST", "x")]
