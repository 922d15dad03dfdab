"""The service as it runs: a process, a socket, a database that outlives it."""

import gzip
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests

from tests.findings import make_body

FINDINGS = {"Content-Type": "application/vnd.lesionbridge.findings+json"}
LIMIT = 1_000_000
STOP_S = 90.0
"""What a service may take to stop, on a busy machine: requests 30 s, deliveries 25 s (docs/operations.md)."""
ROOT = Path(__file__).parents[2]


class Service:
    """One process of `lesionbridge serve` and its address."""

    def __init__(self, process: "subprocess.Popen[str]", address: str) -> None:
        """Keep both."""
        self.process, self.address = process, address

    def post(self, route: str, body: object, **headers: str) -> requests.Response:
        """POST findings."""
        named = {**FINDINGS, **{name.replace("_", "-"): value for name, value in headers.items()}}
        return requests.post(f"{self.address}{route}", data=body, headers=named, timeout=60)  # type: ignore[arg-type]  # bytes or a generator

    def get(self, route: str) -> requests.Response:
        """GET."""
        return requests.get(f"{self.address}{route}", timeout=60)

    def raw(self, request: bytes) -> bytes:
        """Send bytes as they are, then nothing more; all that comes back."""
        host, port = self.address.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port)), timeout=60) as connection:
            connection.sendall(request)
            connection.shutdown(socket.SHUT_WR)
            return b"".join(iter(lambda: connection.recv(65_536), b""))


@contextmanager
def serving(folder: Path, program: Sequence[str] = ("-m", "service.cli"), **settings: str) -> Iterator[Service]:
    """A service on a free port; ends with the block unless it ended before."""
    environment = {name: text for name, text in os.environ.items() if not name.startswith("LESIONBRIDGE_")}
    environment |= {
        "LESIONBRIDGE_DATABASE_URL": f"sqlite:///{folder / 'e2e.sqlite3'}",
        "LESIONBRIDGE_LIMIT_BODY_BYTES": str(LIMIT),
    }
    environment |= {f"LESIONBRIDGE_{name.upper()}": text for name, text in settings.items()}
    command = [sys.executable, *program, "serve", "--port", "0"]
    with (folder / "log").open("a") as log:
        process = subprocess.Popen(
            command, env=environment, cwd=ROOT, stdout=subprocess.PIPE, stderr=log, text=True, start_new_session=True
        )
    try:
        lines = iter(process.stdout or ())
        found = next((match for line in lines if (match := re.search(r"https?://\S+", line))), None)
        assert found is not None, (folder / "log").read_text()
        yield Service(process, found[0])
    finally:
        if process.poll() is None:
            process.terminate()
            process.wait(timeout=STOP_S)


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """One service for the tests that do not harm it."""
    with serving(tmp_path_factory.mktemp("service")) as running:
        yield running


def test_publishes_and_gives_back(service: Service) -> None:
    created = service.post("/v1/reports?check=full", make_body())
    assert created.status_code == 201
    for role, begins in (("fhir", b"{"), ("html", b"<!DOCTYPE html>"), ("findings", b"{")):
        assert service.get(created.json()["links"][role]).content.startswith(begins)
    assert service.get(created.json()["links"]["sr"]).content[128:132] == b"DICM"


def test_is_ready(service: Service) -> None:
    assert service.get("/health/ready").json() == {"status": "ok", "faults": []}


@pytest.mark.parametrize("chunked", [False, True])
def test_takes_a_body_of_the_limit_and_none_larger(service: Service, *, chunked: bool) -> None:
    for size, status in ((LIMIT, 400), (LIMIT + 1, 413), (50 * LIMIT, 413)):
        body = b" " * size
        pieces = (body[at : at + 65_536] for at in range(0, size, 65_536))
        answer = service.post("/v1/convert", pieces if chunked else body)
        assert (answer.status_code, answer.json()["status"]) == (status, status)


def test_an_answer_to_what_is_too_large_says_that_the_connection_closes(service: Service) -> None:
    answer = service.post("/v1/convert", b" " * (LIMIT + 1))
    assert (answer.status_code, answer.headers["Connection"]) == (413, "close")
    assert service.get("/health/live").headers["Connection"] == "keep-alive"


def test_a_chunked_report_is_read_whole(service: Service) -> None:
    body = make_body()
    answer = service.post("/v1/convert", (body[at : at + 100] for at in range(0, len(body), 100)))
    assert answer.content == service.post("/v1/convert", body).content


def test_a_gzip_bomb_is_refused(service: Service) -> None:
    answer = service.post("/v1/convert", gzip.compress(bytes(100 * LIMIT)), Content_Encoding="gzip")
    assert answer.status_code == 413


def test_a_body_that_ends_early_is_refused(service: Service) -> None:
    head = b"POST /v1/convert HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 99999\r\n\r\n"
    answer = service.raw(head + make_body())
    assert answer.startswith(b"HTTP/1.1 400")
    assert b'"rule":"content-length"' in answer


def test_two_requests_behind_a_refused_one_are_not_mixed_up(service: Service) -> None:
    refused = b"POST /v1/convert HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\nContent-Length: 60\r\n\r\n"
    smuggled = b"GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n".ljust(60)
    asked = b"GET /nowhere HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    answers = re.findall(rb"HTTP/1.1 (\d+)", service.raw(refused + smuggled + asked))
    assert answers == [b"415", b"404"]


def test_what_was_acknowledged_is_there_after_a_crash(tmp_path: Path) -> None:
    with serving(tmp_path) as first:
        created = first.post("/v1/reports", make_body(), Idempotency_Key="k-1")
        os.killpg(first.process.pid, signal.SIGKILL)
        first.process.wait()
    with serving(tmp_path) as second:
        assert second.get(created.headers["Location"]).content == created.content
        again = second.post("/v1/reports", make_body(), Idempotency_Key="k-1")
        assert (again.status_code, again.content) == (201, created.content)


def test_a_batch_larger_than_a_document_may_be_is_done_over_a_crash(tmp_path: Path) -> None:
    reports = [make_body(report__id=f"r{number}").replace(b"\n", b"") + b"\n" for number in range(60)]
    blank = b" " * (LIMIT // 20) + b"\n"
    with serving(tmp_path) as service:
        chunked = (line + blank for line in reports)
        answer = service.post("/v1/batches", chunked, Content_Type="application/x-ndjson")
        assert answer.status_code == 202
        place = answer.headers["Location"]
        assert _until(lambda: service.get(place).json()["done"] > 0)
        os.killpg(service.process.pid, signal.SIGKILL)
        service.process.wait(STOP_S)
    with serving(tmp_path) as service:
        assert _until(lambda: service.get(place).json()["state"] == "done")
        told = service.get(f"{place}?limit=100").json()
        assert [one["line"] for one in told["lines"]] == list(range(1, 121, 2))
        assert told["refused"] == 0
        assert len({one["report"] for one in told["lines"]}) == 60


def _until(true: Callable[[], bool], seconds: float = 120.0) -> bool:
    end = time.monotonic() + seconds
    while not true():
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True


def test_several_workers_count_together(tmp_path: Path) -> None:
    with serving(tmp_path, workers="2") as running:
        for _ in range(12):
            running.get("/health/live")
        text = running.get("/metrics").text
        found = re.search(r'lesionbridge_requests_total\{[^}]*"/health/live"[^}]*\} (\S+)', text)
        assert found is not None
        assert float(found[1]) == 12


def test_stops_in_order_when_told(tmp_path: Path) -> None:
    with serving(tmp_path) as running:
        running.process.terminate()
        assert running.process.wait(timeout=STOP_S) == 0


LATE = """
import time
from pathlib import Path
from gunicorn.arbiter import Arbiter
from gunicorn.workers.gthread import ThreadWorker
from service.cli import main

told, ended = Path({told!r}), Path({ended!r})
kill, init_signals, run = Arbiter.kill_workers, ThreadWorker.init_signals, ThreadWorker.run

def tell(self, number):
    kill(self, number)
    told.touch()

def late(self):
    while not told.exists():
        time.sleep(0.01)
    init_signals(self)

def until_told(self):
    run(self)
    ended.touch()

Arbiter.kill_workers, ThreadWorker.init_signals, ThreadWorker.run = tell, late, until_told
main()
"""
"""The service with workers that are told to stop before they have handlers of their own."""


def test_a_worker_that_is_told_to_stop_while_it_starts_stops(tmp_path: Path) -> None:
    told, ended = tmp_path / "told", tmp_path / "ended"
    program = ("-c", LATE.format(told=str(told), ended=str(ended)))
    with serving(tmp_path, program) as running:
        running.process.terminate()
        assert running.process.wait(timeout=STOP_S) == 0
    assert ended.exists()


def test_says_why_it_does_not_start(tmp_path: Path) -> None:
    environment = {**os.environ, "LESIONBRIDGE_DATABASE_URL": "mysql://x/y"}
    command = [sys.executable, "-m", "service.cli", "serve"]
    done = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, timeout=180, check=False)
    assert done.returncode == 2
    assert "database_url" in done.stderr


def demo(folder: Path) -> "subprocess.CompletedProcess[str]":
    """The demo on the reports of a folder."""
    shutil.copy(ROOT / "examples" / "run_demo.py", folder / "examples" / "run_demo.py")
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "examples/run_demo.py"]
    return subprocess.run(
        command, env=environment, cwd=folder, capture_output=True, text=True, timeout=300, check=False
    )


def test_the_demo_sends_every_example(tmp_path: Path) -> None:
    (tmp_path / "examples").mkdir()
    names = [path.stem for path in (ROOT / "examples").glob("*.json")]
    for name in names:
        shutil.copy(ROOT / "examples" / f"{name}.json", tmp_path / "examples")
    done = demo(tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    for name in names:
        assert re.search(rf"^{name}: \d+ lesions?, \d+ codes .*sr-and-fhir-say-the-same", done.stdout, re.MULTILINE)
        for suffix in ("fhir.json", "dcm", "html"):
            assert (tmp_path / "out" / f"{name}.{suffix}").stat().st_size


def test_the_demo_fails_when_a_report_does(tmp_path: Path) -> None:
    (tmp_path / "examples").mkdir()
    (tmp_path / "examples" / "good.json").write_bytes(make_body())
    (tmp_path / "examples" / "bad.json").write_bytes(make_body(report__status="done"))
    done = demo(tmp_path)
    assert done.returncode == 1
    assert "/report/status" in done.stdout
    assert "1 of 2 reports went through" in done.stdout
