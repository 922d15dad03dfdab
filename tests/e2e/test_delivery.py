"""Delivery as it runs: inside `serve`, by `lesionbridge worker`, and drained when it is told to stop."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import requests

from benchmarks.faults.peer import Receiver, receiver
from service.store.reports import Store
from tests.e2e.test_service import ROOT, serving
from tests.findings import make_body


def destinations(folder: Path, hook: str) -> Path:
    """A file with a folder and a webhook."""
    (folder / "inbox").mkdir()
    file = folder / "destinations.toml"
    file.write_text(
        f'[destinations.pacs]\nkind = "folder"\npath = "{folder / "inbox"}"\ntakes = "sr"\n'
        f'[destinations.hook]\nkind = "webhook"\nurl = "{hook}"\ntakes = "fhir-r4"\n'
    )
    return file


def until(true: Callable[[], object], seconds: float = 120) -> bool:
    """Wait for something; whether it came."""
    end = time.monotonic() + seconds
    while not true() and time.monotonic() < end:
        time.sleep(0.05)
    return bool(true())


@contextmanager
def delivering(folder: Path, file: Path) -> Iterator["subprocess.Popen[str]"]:
    """A process of `lesionbridge worker`."""
    environment = {name: text for name, text in os.environ.items() if not name.startswith("LESIONBRIDGE_")}
    environment |= {
        "LESIONBRIDGE_DATABASE_URL": f"sqlite:///{folder / 'e2e.sqlite3'}",
        "LESIONBRIDGE_DESTINATIONS_FILE": str(file),
    }
    command = [sys.executable, "-m", "service.cli", "worker"]
    with (folder / "worker.log").open("a") as log:
        process = subprocess.Popen(command, env=environment, cwd=ROOT, stderr=log, text=True)
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()


def test_serve_delivers_inside(tmp_path: Path) -> None:
    with receiver() as peer:
        file = destinations(tmp_path, peer.url)
        with serving(tmp_path, destinations_file=str(file)) as service:
            # The worker inside begins beside requests, and may take longer for that than a request may wait.
            first = service.post("/v1/reports?deliver=pacs,hook", make_body()).json()["id"]
            deliveries = f"/v1/reports/{first}/deliveries"
            assert until(lambda: all(one["settled"] for one in service.get(deliveries).json()["deliveries"]))
            again = make_body(report__id="another")
            answer = service.post("/v1/reports?deliver=pacs,hook", again, Prefer="wait=30")
            assert answer.headers["Lesionbridge-Deliveries"] == "pacs=verified, hook=stored"
            counted = 'lesionbridge_delivery_attempts_total{destination="pacs",outcome="verified",step="verify"} 2.0'
            assert until(lambda: counted in service.get("/metrics").text)
            assert "warnings" not in service.get("/health/ready").json()
        assert len(peer.held) == 2


def slow(peer: Receiver, number: int = 4) -> None:
    """Let the receiver take half a second each."""
    peer.ways = ["slow"] * number


def test_serve_finishes_what_is_under_way_when_it_is_stopped(tmp_path: Path) -> None:
    with receiver() as peer:
        file = destinations(tmp_path, peer.url)
        slow(peer)
        with serving(tmp_path, destinations_file=str(file)) as service:
            version = service.post("/v1/reports?deliver=hook", make_body()).json()["id"]
            assert until(lambda: peer.requests)
            service.process.send_signal(signal.SIGTERM)
            assert service.process.wait(180) == 0
        store = Store(f"sqlite:///{tmp_path / 'e2e.sqlite3'}")
        [one] = store.deliveries.of(version)
        [first, *_] = store.deliveries.attempts([one.id])[one.id]
        assert (first.outcome, sum(peer.requests.values())) == ("stored", 1)


def test_a_worker_of_its_own_delivers_what_serve_accepts(tmp_path: Path) -> None:
    with receiver() as peer:
        file = destinations(tmp_path, peer.url)
        with serving(tmp_path, destinations_file=str(file), deliver_inside="false") as service:
            version = service.post("/v1/reports?deliver=pacs", make_body()).json()["id"]
            states = f"{service.address}/v1/reports/{version}/deliveries"
            assert requests.get(states, timeout=60).json()["deliveries"][0]["state"] == "queued"
            assert service.get("/health/ready").json()["warnings"] == ["deliveries wait and there is no worker"]
            with delivering(tmp_path, file) as worker:
                assert until(lambda: requests.get(states, timeout=60).json()["deliveries"][0]["state"] == "verified"), (
                    tmp_path / "worker.log"
                ).read_text()
                worker.send_signal(signal.SIGTERM)
                assert worker.wait(180) == 0
        assert Store(f"sqlite:///{tmp_path / 'e2e.sqlite3'}").workers.present() == {}
