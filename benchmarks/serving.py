"""The server as it is shipped, or another before the same application: ``python -m benchmarks.serving [COMMAND]``.

COMMAND starts a server on 127.0.0.1 and the port that ``{port}`` in it stands for, with two workers; the application
is ``benchmarks.serving:app``. Without one it is ``lesionbridge serve``. The work is ``POST /v1/convert`` with both
outputs of 10 lesions. One JSON object is written. Processor time is that of all processes of the server; wall times
are those of this machine with whatever else it does, so the load is said.
"""

import argparse
import json
import os
import random
import signal
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from itertools import accumulate
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.caller import Took, calls, request_bytes
from benchmarks.memory import pss_mib
from benchmarks.work import document_bytes
from service.store.reports import Store

HEADERS = (("Content-Type", "application/json"), ("Accept", "multipart/related"))
REQUEST = request_bytes("POST", "/v1/convert", HEADERS, document_bytes(10))
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


def is_ready(port: int) -> bool:
    """Whether the server says so."""
    try:
        calls(port, request_bytes("GET", "/health/ready"), [0.0], 1)
    except (OSError, RuntimeError):
        return False
    return True


def closed_loop(port: int, requests: int) -> float:
    """So many requests over a few connections, each after the other; the wall time."""
    return calls(port, REQUEST, [0.0] * requests, CONNECTIONS).wall_s


def open_loop(port: int, arrivals: Sequence[float]) -> Took:
    """Requests at their moments; waiting for a free connection counts."""
    return calls(port, REQUEST, arrivals, 16)


def by_chance(rate: float, requests: int) -> list[float]:
    """Moments of requests, in seconds, of senders that know nothing of each other: some come together."""
    chance = random.Random(7)
    return list(accumulate(chance.expovariate(rate) for _ in range(requests)))


def evenly(rate: float, requests: int) -> list[float]:
    """Moments of requests that come in equal steps, as load generators with a constant rate send them."""
    return [one / rate for one in range(requests)]


ARRIVALS = (("by_chance", by_chance), ("evenly", evenly))


def started(command: Sequence[str], folder: str) -> tuple[subprocess.Popen[bytes], int, float, float]:
    """A server that is ready: its process, its port, wall and processor seconds from exec to ready."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = os.environ | {"LESIONBRIDGE_DATABASE_URL": f"sqlite:///{folder}/serving.sqlite3"}
    began = time.perf_counter()
    words = [word.replace("{port}", str(port)) for word in command]
    process = subprocess.Popen(words, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while not is_ready(port):
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
            took = {name: open_loop(port, moments(rate, min(requests, 3000))) for name, moments in ARRIVALS}
            after = [round(pss_mib(one), 1) for one in family(process.pid)]
        finally:
            stopped(process)
    spent = [seconds * 1000 for seconds, _ in rounds]
    return {
        "command": list(command),
        "settings": {name: said for name, said in os.environ.items() if name.startswith("LESIONBRIDGE_")},
        "requests": requests,
        "processor_ms": spread(spent),
        "requests_per_processor_second": spread([1000 / ms for ms in spent]),
        "requests_per_second": spread([requests // 5 / wall for _, wall in rounds]),
        "rate_of_latencies": round(rate, 1),
        **{name: latencies(one) for name, one in took.items()},
        "pss_mib_before": before,
        "pss_mib_after": after,
        "ready_wall_s": spread([wall for wall, _ in ready]),
        "ready_processor_s": spread([processor for _, processor in ready]),
        "load": os.getloadavg(),
    }


def latencies(took: Took) -> dict[str, float]:
    """What half, nine of ten and all but one of a hundred took at most, and how late the client itself was."""
    return {
        **{f"p{share}_ms": round(_at(took.ms, share), 2) for share in (50, 90, 99)},
        "p99_over_p50": round(_at(took.ms, 99) / _at(took.ms, 50), 2),
        "client_late_p99_ms": round(_at(took.late_ms, 99), 2),
    }


def _at(sorted_ms: Sequence[float], share: int) -> float:
    """The value that so many of a hundred do not pass."""
    return sorted_ms[min(len(sorted_ms) - 1, len(sorted_ms) * share // 100)]


def spread(values: Sequence[float]) -> list[float]:
    """Median, least, most."""
    return [round(one, 3) for one in (statistics.median(values), min(values), max(values))]


def main() -> None:
    """Measure the server that the arguments name."""
    shipped = [str(Path(sys.executable).with_name("lesionbridge")), "serve", "--port", "{port}", "--workers", "2"]
    parser = argparse.ArgumentParser(prog="python -m benchmarks.serving", description=__doc__)
    parser.add_argument("--requests", type=positive, default=2000, help="in all (default: %(default)s)")
    parser.add_argument(
        "command",
        nargs=argparse.REMAINDER,
        metavar="COMMAND",
        help="with its own arguments; the last, so put options first",
    )
    asked = parser.parse_args()
    sys.stdout.write(json.dumps(measured(asked.command or shipped, asked.requests)) + "\n")


def positive(said: str) -> int:
    """A number from 1, for the arguments of a benchmark; raises ValueError."""
    number = int(said)
    if number < 1:
        raise ValueError(said)
    return number


if __name__ == "__main__":
    main()
