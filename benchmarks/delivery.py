"""``python -m benchmarks.delivery``: accepting and delivering on PostgreSQL, measured with real processes over HTTP.

One JSON object a line: reports accepted durably in a second with two destinations, what is delivered meanwhile, memory
of the service, one worker against two on a full queue, and how long a restart takes with many queued.
"""

import argparse
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import orjson
import requests
from sqlalchemy import create_engine, text

import service
from benchmarks import work
from benchmarks.faults.peer import Receiver, receiver
from benchmarks.limited import share_of_a_core
from service.compiled import build
from service.domain.uids import derive_uid
from service.store.reports import Store
from tests.databases import postgres

ROOT = Path(__file__).parents[1]
SERVICE = Path(service.__file__).parents[1]
"""Where the service comes from here, and so in each process that is measured: of the sources, or a compiled build."""
DESTINATIONS = """
[destinations.pacs]
kind = "folder"
path = "{folder}"
takes = "sr"
concurrency = {concurrency}

[destinations.ehr]
kind = "webhook"
url = "{hook}"
takes = "fhir-r4"
concurrency = {concurrency}
"""

_DRAIN_S = 60.0


class Bench:
    """A PostgreSQL, two destinations, and processes of the service."""

    def __init__(self, folder: Path, url: str, hook: Receiver, concurrency: int) -> None:
        """Make the destinations."""
        self.folder, self.url, self.hook = folder, url, hook
        (folder / "inbox").mkdir()
        self.file = folder / "destinations.toml"
        said = DESTINATIONS.format(folder=folder / "inbox", hook=hook.url, concurrency=concurrency)
        self.file.write_text(said)
        self.store = Store(url)
        self.store.migrate()

    def start(self, *arguments: str, inside: bool = True) -> "subprocess.Popen[str]":
        """A process of the command line."""
        environment = {name: said for name, said in os.environ.items() if not name.startswith("LESIONBRIDGE_")}
        environment |= {
            "LESIONBRIDGE_DATABASE_URL": self.url,
            "LESIONBRIDGE_DESTINATIONS_FILE": str(self.file),
            "LESIONBRIDGE_LOG_LEVEL": "error",
            "LESIONBRIDGE_DELIVER_INSIDE": str(inside).lower(),
            "PYTHONPATH": f"{SERVICE}{os.pathsep}{ROOT}",
        }
        command = [sys.executable, "-m", "service.cli", *arguments]
        return subprocess.Popen(command, env=environment, cwd=self.folder, stdout=subprocess.PIPE, text=True)

    @contextmanager
    def serving(self, workers: int, *, inside: bool) -> Iterator[tuple["subprocess.Popen[str]", str]]:
        """The service, and where it listens."""
        process = self.start("serve", "--port", "0", "--workers", str(workers), inside=inside)
        try:
            lines = iter(process.stdout or ())
            yield process, next(found[0] for line in lines if (found := re.search(r"http://\S+", line)))
        finally:
            stop(process)

    def open(self) -> int:
        """Deliveries that are under way."""
        return sum(number for number, _ in self.store.deliveries.queues().values())


def stop(process: "subprocess.Popen[str]") -> None:
    """End a process in good order."""
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=90)


def body(name: str, lesions: int) -> bytes:
    """A report of its own: its patient and study, too, since what shares an accession number waits for each other."""
    said = work.document(lesions)
    said["report"]["id"] = said["patient"]["id"] = said["study"]["accession"] = name
    said["study"]["uid"] = derive_uid("benchmark", "study", name)
    return orjson.dumps(said)


def pss_mib(parent: int) -> float:
    """Memory of a process and its children, shared pages counted once."""
    children = subprocess.run(["pgrep", "-P", str(parent)], capture_output=True, text=True, check=False).stdout.split()
    total = 0
    for pid in (str(parent), *children):
        found = re.search(r"^Pss:\s+(\d+)", Path(f"/proc/{pid}/smaps_rollup").read_text(), re.MULTILINE)
        total += int(found[1]) if found else 0
    return round(total / 1024, 1)


def cpu_s(parent: int) -> float:
    """Seconds of processor time of a process with its children, those that ended included."""
    pids = subprocess.run(["pgrep", "-P", str(parent)], capture_output=True, text=True, check=False).stdout.split()
    total = 0
    for pid in (str(parent), *pids):
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        total += sum(int(one) for one in fields[11:15])
    return total / os.sysconf("SC_CLK_TCK")


def accept(
    bench: Bench, seconds: float, clients: int, lesions: int, workers: int, *, rate: float
) -> Iterator[dict[str, object]]:
    """Post at a rate (0: as fast as is answered) for some seconds; deliveries go on meanwhile, and to their end."""
    answered: list[float] = []
    failed: list[float] = []
    with bench.serving(workers, inside=True) as (process, address):
        end = time.monotonic() + seconds
        postmaster = int((Path(bench.url.rpartition("host=")[2]) / "data" / "postmaster.pid").read_text().split()[0])
        spent = (cpu_s(process.pid), cpu_s(postmaster))

        def post(client: int) -> None:
            session, number = requests.Session(), 0
            while time.monotonic() < end:
                if rate:
                    time.sleep(max(0.0, end - seconds + (number * clients + client) / rate - time.monotonic()))
                number += 1
                began = time.monotonic()
                answer = session.post(
                    f"{address}/v1/reports?deliver=pacs,ehr",
                    data=body(f"{client}-{number}", lesions),
                    headers={"Content-Type": "application/json"},
                    timeout=60,
                )
                (answered if answer.status_code == 201 else failed).append(time.monotonic() - began)

        threads = [threading.Thread(target=post, args=(client,)) for client in range(clients)]
        for thread in threads:
            thread.start()
        memory, queued = [], []
        while any(thread.is_alive() for thread in threads):
            time.sleep(min(5.0, seconds / 10))
            memory.append(pss_mib(process.pid))
            queued.append(bench.open())
        answered.sort()
        yield {
            "measured": "accepted durably over REST with two destinations, delivered meanwhile",
            "build": build(),
            "seconds": seconds,
            "clients": clients,
            "rate_asked": rate,
            "processes": workers,
            "lesions": lesions,
            "reports_per_s": round(len(answered) / seconds, 1),
            "failed": len(failed),
            "p50_ms": round(1000 * answered[len(answered) // 2]),
            "p99_ms": round(1000 * answered[int(len(answered) * 0.99)]),
            "waiting_in_each_tenth": queued[:: max(1, len(queued) // 10)],
            "waiting_at_the_end": queued[-1],
            "pss_mib_in_each_tenth": memory[:: max(1, len(memory) // 10)],
            "load": os.getloadavg(),
        }
        drained = time.monotonic()
        while bench.open():
            time.sleep(0.2)
        drain_s = time.monotonic() - drained
        used = (cpu_s(process.pid) - spent[0], cpu_s(postmaster) - spent[1])
    yield {
        "measured": "the deliveries of these reports",
        "drained_s": round(drain_s, 1),
        "delivered_per_s": round(2 * len(answered) / (seconds + drain_s), 1),
        "cpu_ms_a_report_service_and_postgresql": [round(1000 * one / len(answered), 1) for one in used],
        "load": os.getloadavg(),
    }


VERSION = (
    "status, issued, received, study_uid, accession, patient_id, patient_issuer, digest, sr_class, sr_series, receipt"
)
DELIVERY = (
    "number, destination, format, role, identifiers, sr, parent, state, open, attempts, counted, run, fed, priority, "
    "created, changed, next_at, settled, status, reason, request, trace"
)
COPIES = """
INSERT INTO reports (sender, report_id) SELECT sender, report_id || n FROM reports, generate_series(1, {copies}) n;
INSERT INTO versions (id, report, version, sr_instance, {version})
SELECT md5(r.report_id)::uuid::text, r.id, 1, '2.25.' || r.id, {of_version} FROM reports r, versions v
WHERE r.id <> v.report;
INSERT INTO outputs (version, role, media_type, sha256, content)
SELECT v.id, o.role, o.media_type, o.sha256, o.content FROM versions v, outputs o
WHERE v.id <> o.version AND o.role IN ('sr', 'fhir') AND v.report <= 20000;
INSERT INTO deliveries (id, version, report, {delivery})
SELECT md5(v.id || d.destination)::uuid::text, v.id, v.report, {of_delivery} FROM versions v, deliveries d
WHERE v.id <> d.version;
ANALYZE"""
"""How the rows of one report become those of many; no more outputs are copied than are sent while it is measured."""


def fill(bench: Bench, reports: int) -> None:
    """Queue that many reports for both destinations: one is accepted, the others are copies of its rows."""
    with bench.serving(1, inside=False) as (_, address):
        headers = {"Content-Type": "application/json"}
        url = f"{address}/v1/reports?deliver=pacs,ehr"
        assert requests.post(url, data=body("first", 1), headers=headers, timeout=60).status_code == 201
    engine = create_engine(bench.url.replace("postgresql://", "postgresql+psycopg://"))
    names = {
        "copies": reports - 1,
        "version": VERSION,
        "of_version": ", ".join(f"v.{name}" for name in VERSION.split(", ")),
        "delivery": DELIVERY,
        "of_delivery": ", ".join(f"d.{name}" for name in DELIVERY.split(", ")),
    }
    with engine.begin() as connection:
        for statement in COPIES.format(**names).split(";"):
            connection.execute(text(statement))
    engine.dispose()


def drain(bench: Bench, workers: int, seconds: float, share: float) -> dict[str, object]:
    """So many worker processes on a full queue, for some seconds; each may take a share of a core, 0 is no limit."""
    with ExitStack() as held:
        running = [bench.start("worker") for _ in range(workers)]
        for process in running:
            if share:
                held.enter_context(share_of_a_core(share, process.pid))
            held.callback(stop, process)
        before = bench.open()
        while bench.open() >= before - 50 * workers:  # all have started
            if any(process.poll() is not None for process in running):
                raise RuntimeError("a worker ended by itself")
            time.sleep(0.2)
        begun, at, spent = bench.open(), time.monotonic(), sum(cpu_s(one.pid) for one in running)
        time.sleep(seconds)
        done, took = begun - bench.open(), time.monotonic() - at
        spent = sum(cpu_s(one.pid) for one in running) - spent
    return {
        "measured": "drained",
        "worker_processes": workers,
        "share_of_a_core_each": share or None,
        "deliveries_per_s": round(done / took, 1),
        "cpu_ms_a_delivery_workers": round(1000 * spent / done, 1),
    }


def restart(bench: Bench) -> dict[str, object]:
    """From the start of `serve` to the first answer, and to the first delivery, with many queued."""
    queued = bench.open()
    began = time.monotonic()
    with bench.serving(1, inside=True) as (_, address):
        while requests.get(f"{address}/health/ready", timeout=30).status_code != 200:
            time.sleep(0.05)
        ready = time.monotonic() - began
        while bench.open() == queued:
            time.sleep(0.05)
        delivered = time.monotonic() - began
    return {
        "measured": "restart",
        "queued": queued,
        "ready_s": round(ready, 1),
        "first_delivery_s": round(delivered, 1),
    }


def main() -> None:
    """Measure what is asked for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.delivery", description=__doc__)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--clients", type=int, default=4)
    parser.add_argument("--rate", type=float, default=0, help="reports a second; 0: as many as are answered")
    parser.add_argument("--lesions", type=int, default=3)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--concurrency", type=int, default=8)
    parser.add_argument("--share", type=float, default=0, help="of a core that each worker of a full queue may take")
    parser.add_argument("--queued", type=int, default=50_000, help="reports, each with two deliveries; 0: none")
    options = parser.parse_args()
    with TemporaryDirectory(prefix="lb-bench-") as name, receiver() as hook, postgres(fsync=True) as url:
        bench = Bench(Path(name), url, hook, options.concurrency)
        asked = (options.seconds, options.clients, options.lesions, options.processes)
        for line in accept(bench, *asked, rate=options.rate):
            print(json.dumps(line), flush=True)
    if not options.queued:
        return
    with TemporaryDirectory(prefix="lb-bench-") as name, receiver() as hook, postgres(fsync=True) as url:
        bench = Bench(Path(name), url, hook, options.concurrency)
        fill(bench, options.queued)
        print(json.dumps(restart(bench)), flush=True)
        for workers in (1, 2):
            line = drain(bench, workers, min(options.seconds, _DRAIN_S), options.share)
            print(json.dumps(line), flush=True)


if __name__ == "__main__":
    main()
