"""The server as it is shipped, or another before the same application: ``python -m benchmarks.serving [COMMAND ...]``.

COMMAND starts a server on 127.0.0.1 and the port that ``{port}`` in it stands for, with two workers; the application
is ``benchmarks.serving:app``. Without one it is ``lesionbridge serve``. The work is ``POST /v1/convert`` with both
outputs of 10 lesions. One JSON object is written. Processor time is that of all processes of the server; wall times
are those of this machine with whatever else it does, so the load is said. ``REQUESTS`` says how many.
"""

import http.client
import json
import os
import random
import signal
import socket
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.work import document_bytes
from service.store.reports import Store

BODY = document_bytes(10)
HEADERS = {"Content-Type": "application/json", "Accept": "multipart/related"}
CONNECTIONS = 4
WARM = 200
TICKS = os.sysconf("SC_CLK_TCK")
SHARE = 0.7
"""Of what it can do, in the test of latencies."""


def __getattr__(name: str) -> object:
    """The application for another server, settled as `lesionbridge serve` settles it."""
    if name != "app":
        raise AttributeError(name)
    import service.store.reports  # noqa: F401 - as `serve` does before it forks
    from service.app import create_app
    from service.commands.serve import settle_memory
    from service.config import load

    made = create_app(load(os.environ))
    settle_memory()
    globals()["app"] = made
    return made


def family(process: int) -> list[int]:
    """A process and all that it began."""
    found = [process]
    for task in Path(f"/proc/{process}/task").iterdir():
        for child in (task / "children").read_text().split():
            found += family(int(child))
    return found


def processor_s(processes: Sequence[int]) -> float:
    """Their processor time, user and system."""
    total = 0
    for one in processes:
        fields = Path(f"/proc/{one}/stat").read_text().rpartition(")")[2].split()
        total += int(fields[11]) + int(fields[12])
    return total / TICKS


def pss_mib(process: int) -> float:
    """The proportional set size of one process."""
    lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024


class Caller:
    """Calls over one connection that is kept."""

    def __init__(self, port: int) -> None:
        """Connect when first needed."""
        self._port = port
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)

    def close(self) -> None:
        """Give the connection up."""
        self._connection.close()

    def __call__(self, method: str = "POST", path: str = "/v1/convert") -> int:
        """One request; its status. A connection that the server has closed is opened anew."""
        for _ in range(2):
            try:
                self._connection.request(method, path, BODY if method == "POST" else None, HEADERS)
                answer = self._connection.getresponse()
                answer.read()
            except (http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError):
                self._connection.close()
                continue
            return answer.status
        return 0


def closed_loop(port: int, requests: int) -> float:
    """So many requests over a few connections, each after the other; the wall time."""

    def some(count: int) -> None:
        call = Caller(port)
        for _ in range(count):
            if call() != 200:
                raise RuntimeError("the server refused the work")
        call.close()

    return _together(CONNECTIONS, lambda: some(requests // CONNECTIONS))


def open_loop(port: int, rate: float, requests: int) -> list[float]:
    """Latencies in ms of requests that come by chance at a rate; waiting for a free connection counts."""
    chance, at = random.Random(7), 0.0
    arrivals = []
    for _ in range(requests):
        at += chance.expovariate(rate)
        arrivals.append(at)
    took: list[float] = []
    turns, lock, began = iter(arrivals), threading.Lock(), time.perf_counter() + 0.05

    def some() -> None:
        call = Caller(port)
        while True:
            with lock:
                due = next(turns, None)
            if due is None:
                call.close()
                return
            time.sleep(max(0.0, began + due - time.perf_counter()))
            call()
            took.append((time.perf_counter() - began - due) * 1000)

    _together(16, some)
    return sorted(took)


def _together(count: int, work: Callable[[], None]) -> float:
    began = time.perf_counter()
    threads = [threading.Thread(target=work) for _ in range(count)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    return time.perf_counter() - began


def started(command: Sequence[str], folder: str) -> tuple[subprocess.Popen[bytes], int, float, float]:
    """A server that is ready: its process, its port, wall and processor seconds from exec to ready."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = os.environ | {"LESIONBRIDGE_DATABASE_URL": f"sqlite:///{folder}/serving.sqlite3"}
    began = time.perf_counter()
    words = [word.replace("{port}", str(port)) for word in command]
    process = subprocess.Popen(words, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while True:
        call = Caller(port)
        try:
            if call("GET", "/health/ready") == 200:
                break
        except OSError:
            pass
        finally:
            call.close()
        if process.poll() is not None or time.perf_counter() - began > 60:
            stopped(process)
            raise RuntimeError("the server does not start")
        time.sleep(0.005)
    wall = time.perf_counter() - began
    return process, port, wall, processor_s(family(process.pid))


def stopped(process: subprocess.Popen[bytes]) -> None:
    """End it, and all that it began."""
    there = family(process.pid)
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(30)
    except subprocess.TimeoutExpired:
        for one in there:
            with suppress(ProcessLookupError):
                os.kill(one, signal.SIGKILL)
        process.wait()


def measured(command: Sequence[str], requests: int, starts: int = 5) -> dict[str, object]:
    """All that is said of a server."""
    with TemporaryDirectory() as folder:
        prepared = Store(f"sqlite:///{folder}/serving.sqlite3")
        prepared.migrate()
        prepared.close()
        ready = []
        for _ in range(starts):
            process, _, wall, processor = started(command, folder)
            ready.append((wall, processor))
            stopped(process)
        process, port, _, _ = started(command, folder)
        try:
            closed_loop(port, WARM)
            before = [round(pss_mib(one), 1) for one in family(process.pid)]
            rounds = []
            for _ in range(5):
                began = processor_s(family(process.pid))
                wall = closed_loop(port, requests // 5)
                rounds.append(((processor_s(family(process.pid)) - began) / (requests // 5), wall))
            rate = SHARE * (requests // 5) / statistics.median(wall for _, wall in rounds)
            took = open_loop(port, rate, min(requests, 3000))
            after = [round(pss_mib(one), 1) for one in family(process.pid)]
        finally:
            stopped(process)
    spent = [seconds * 1000 for seconds, _ in rounds]
    return {
        "command": list(command),
        "requests": requests,
        "processor_ms": _spread(spent),
        "requests_per_processor_second": _spread([1000 / ms for ms in spent]),
        "requests_per_second": _spread([requests // 5 / wall for _, wall in rounds]),
        "rate_of_latencies": round(rate, 1),
        "p50_ms": round(took[len(took) // 2], 2),
        "p99_ms": round(took[len(took) * 99 // 100], 2),
        "pss_mib_before": before,
        "pss_mib_after": after,
        "ready_wall_s": _spread([wall for wall, _ in ready]),
        "ready_processor_s": _spread([processor for _, processor in ready]),
        "load": os.getloadavg(),
    }


def _spread(values: Sequence[float]) -> list[float]:
    """Median, least, most."""
    return [round(one, 3) for one in (statistics.median(values), min(values), max(values))]


def main() -> None:
    """Measure the server that the arguments name."""
    shipped = [str(Path(sys.executable).with_name("lesionbridge")), "serve", "--port", "{port}", "--workers", "2"]
    requests = int(os.environ.get("REQUESTS", "2000"))
    sys.stdout.write(json.dumps(measured(sys.argv[1:] or shipped, requests)) + "\n")


if __name__ == "__main__":
    main()
