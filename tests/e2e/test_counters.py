"""What several workers of one service count, while some of them are killed."""

import re
import signal
import subprocess
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path
from threading import Event

import pytest
import requests

from tests.e2e.test_service import Service, serving
from tests.findings import make_body

FINDINGS = {"Content-Type": "application/json"}
ROUTE = "/v1/convert"
ASKED, CALLERS = 60, 6
KILLED = 3
PATIENCE_S = 120.0


def counted(service: Service) -> dict[str, float]:
    """What `/metrics` says of the route."""
    text = service.get("/metrics").text
    wanted = {
        "answered": rf'lesionbridge_requests_total\{{method="POST",route="{ROUTE}",status="200"\}} (\S+)',
        "timed": rf'lesionbridge_request_seconds_count\{{route="{ROUTE}"\}} (\S+)',
        "seconds": rf'lesionbridge_request_seconds_sum\{{route="{ROUTE}"\}} (\S+)',
        "read": r'lesionbridge_stage_seconds_bucket\{le="\+Inf",stage="read"\} (\S+)',
    }
    found = {name: re.search(pattern, text) for name, pattern in wanted.items()}
    return {name: float(match[1]) if match else 0.0 for name, match in found.items()}


def ask(service: Service, times: int) -> None:
    """So many conversions, over many connections at the same time."""

    def some(count: int) -> None:
        for _ in range(count):
            # Each on a connection of its own: one that is kept stays with its worker.
            answer = requests.post(f"{service.address}{ROUTE}", data=make_body(), headers=FINDINGS, timeout=60)
            assert answer.status_code == 200

    with ThreadPoolExecutor(CALLERS) as callers:
        list(callers.map(some, [times // CALLERS] * CALLERS))


def workers(service: Service) -> list[int]:
    """The processes of a service, the oldest first."""
    asked = ["ps", "--ppid", str(service.process.pid), "-o", "pid="]
    return sorted(int(one) for one in subprocess.run(asked, capture_output=True, text=True, check=False).stdout.split())


def replaced(service: Service, before: Iterable[int]) -> bool:
    """Whether two workers run and answer, other ones than before."""
    return len(workers(service)) == 2 and set(workers(service)) != set(before)


def test_nothing_that_was_counted_is_lost_with_its_worker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "of-the-service").mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "of-the-service"))
    with serving(tmp_path, workers="2", deliver_inside="false") as service:
        seen: list[dict[str, float]] = []
        over = Event()

        def scrape() -> None:
            while not over.is_set():
                # A worker that is killed takes the answer with it that it was writing.
                try:
                    seen.append(counted(service))
                except requests.RequestException:
                    continue

        with ThreadPoolExecutor(1) as beside:
            scraping = beside.submit(scrape)
            try:
                for turn in range(1, KILLED + 1):
                    ask(service, ASKED)
                    found = counted(service)
                    assert (found["answered"], found["timed"], found["read"]) == (turn * ASKED,) * 3
                    there = workers(service)
                    subprocess.run(["kill", f"-{signal.SIGKILL.value}", str(there[0])], check=True)
                    end = time.monotonic() + PATIENCE_S
                    while not replaced(service, there):
                        assert time.monotonic() < end, "no other worker came"
                        time.sleep(0.05)
                    assert counted(service) == found
            finally:
                over.set()
            scraping.result()
        assert all(one[name] <= two[name] for one, two in pairwise(seen) for name in two)
        files = [path.name for path in tmp_path.glob("of-the-service/lesionbridge-*/*")]
        # What ends in "new" was begun by one that was killed: the next one that folds writes it anew.
        there_still = {name for name in files if "_" not in name and not name.endswith(".new")}
        assert there_still == {"counter.ended", "histogram.ended", "lock", "serving"}
        processes = {int(name.partition("_")[2].removesuffix(".db")) for name in files if "_" in name}
        assert processes <= {service.process.pid, *workers(service)}
