"""This service and the peers behind the same server, in turns: ``python -m benchmarks.served``.

The work is ``POST /v1/convert`` of 10 lesions with both outputs. Ours is ``lesionbridge serve``; the peers are a Flask
application whose SR is highdicom's and whose bundle is that of fhir.resources, behind gunicorn with as many processes
and threads. The peers start from what is read and coded already, which costs them nothing here, and check nothing.

With ``--apart`` each server has one process, which is bound to one processor, and the client the others: what a core
does for itself, as in a container that has one. Otherwise there are two processes, wherever the machine lets them run,
and the client beside them. With ``--connections 1`` the client waits for each answer, as a sender with one interface
does, and then takes nothing of a processor whose core it shares with the server's.

One JSON object a round, then one of all rounds and one of those that nothing disturbed. Processor time is that of all
processes of a server. ``fixed_ms`` is what a fixed piece of Python took just before and just after the round: where it
took much more than at its quickest, something else had the machine.
"""

import argparse
import json
import os
import statistics
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from flask import Flask, Response

from benchmarks import work
from benchmarks.caller import calls
from benchmarks.measure import machine
from benchmarks.ours import convert, report_of
from benchmarks.serving import CONNECTIONS, REQUEST, family, positive, processor_s, spread, started, stopped
from service.compiled import build
from service.store.reports import Store

LESIONS = 10
OF_PEERS = 100
"""As many of ours for one request of the peers."""
QUIET = 1.15
"""How many times its least the fixed work may take around a round that counts as undisturbed."""
WARM, WARM_PEERS = 200, 4
_PLACE = Path(sys.executable)
_THERE = sorted(os.sched_getaffinity(0))
OURS = (str(_PLACE.with_name("lesionbridge")), "serve", "--port", "{port}", "--workers")
PEERS = (
    *(str(_PLACE.with_name("gunicorn")), "--preload", "--threads", "4", "--timeout", "0"),
    *("--bind", "127.0.0.1:{port}", "benchmarks.served:peers", "--workers"),
)
"""Both without how many processes there are, which comes last."""


def __getattr__(name: str) -> object:
    """The peers' application, made when their server asks for it."""
    if name != "peers":
        raise AttributeError(name)
    made = globals()["peers"] = _peers()
    return made


def _peers() -> Flask:
    """Both outputs by the peers, as one body of two parts."""
    from benchmarks import peers

    body = work.document_bytes(LESIONS)
    report, evidence, bundle = report_of(body), peers.images(), peers.as_dict(convert(body)[1])
    app = Flask("peers")

    @app.post("/v1/convert")
    def both() -> Response:
        parts = (peers.write_sr(report, evidence), peers.write_fhir(bundle))
        body = b"".join(b"--part\r\n\r\n" + part + b"\r\n" for part in parts) + b"--part--\r\n"
        return Response(body, content_type="multipart/related; boundary=part")

    @app.get("/health/ready")
    def ready() -> str:
        return "ready"

    return app


@dataclass(frozen=True, slots=True)
class Round:
    """Processor milliseconds of one request of ours and of the peers', and of a fixed piece of work around them."""

    ours_ms: float
    peers_ms: float
    fixed_ms: tuple[float, float]

    @property
    def ratio(self) -> float:
        """How many of ours cost as much as one of the peers'."""
        return self.peers_ms / self.ours_ms


@dataclass(frozen=True, slots=True)
class Harness:
    """How both are called: whether each server has a processor of its own, and over how many connections."""

    apart: bool = False
    connections: int = CONNECTIONS


class Served:
    """A server that answers, with what its requests cost."""

    def __init__(self, stack: ExitStack, command: Sequence[str], warm: int, harness: Harness) -> None:
        """Start it, with a database of its own; it is stopped with the stack."""
        self._connections = harness.connections
        folder = stack.enter_context(TemporaryDirectory())
        prepared = Store(f"sqlite:///{folder}/serving.sqlite3")
        prepared.migrate()
        prepared.close()
        with bound(apart=harness.apart):
            process, self._port, _, _ = started([*command, "1" if harness.apart else "2"], folder)
        stack.callback(stopped, process)
        self._process = process.pid
        self.spend(warm)

    def spend(self, requests: int) -> float:
        """Processor milliseconds of each of so many requests."""
        before = processor_s(family(self._process))
        calls(self._port, REQUEST, [0.0] * requests, self._connections)
        return (processor_s(family(self._process)) - before) * 1000 / requests


@contextmanager
def bound(*, apart: bool) -> Iterator[None]:
    """What is done or started within has the first processor, where it is to be apart; this process then the others.

    Raises RuntimeError where there is but one.
    """
    if apart and len(_THERE) < 2:
        raise RuntimeError("to be apart takes two processors")
    if apart:
        os.sched_setaffinity(0, _THERE[:1])
    try:
        yield
    finally:
        if apart:
            os.sched_setaffinity(0, _THERE[1:])


def fixed_ms() -> float:
    """What a fixed piece of Python takes now: the median of nine."""
    took = []
    for _ in range(9):
        began = time.process_time()
        sum(number * number for number in range(100_000))
        took.append((time.process_time() - began) * 1000)
    return statistics.median(took)


def race(requests: int, rounds: int, harness: Harness) -> list[Round]:
    """Both in turns."""
    made = []
    with ExitStack() as stack:
        stack.callback(os.sched_setaffinity, 0, _THERE)
        ours, peers = Served(stack, OURS, WARM, harness), Served(stack, PEERS, WARM_PEERS, harness)
        for _ in range(rounds):
            with bound(apart=harness.apart):
                before = fixed_ms()
            spent, spent_by_peers = ours.spend(requests), peers.spend(max(1, requests // OF_PEERS))
            with bound(apart=harness.apart):
                after = fixed_ms()
            made.append(Round(spent, spent_by_peers, (before, after)))
            _say({"ours_ms": spent, "peers_ms": spent_by_peers, "ratio": made[-1].ratio, "fixed_ms": made[-1].fixed_ms})
    return made


def _say(line: dict[str, object]) -> None:
    sys.stdout.write(json.dumps(line, default=str) + "\n")
    sys.stdout.flush()


def undisturbed(rounds: Sequence[Round]) -> list[Round]:
    """Those with the machine to themselves, by the fixed work around them."""
    least = min(ms for one in rounds for ms in one.fixed_ms)
    return [one for one in rounds if max(one.fixed_ms) <= least * QUIET]


def summary(name: str, rounds: Sequence[Round]) -> dict[str, object]:
    """Median, least and most of some rounds; of none only that there are none."""
    if not rounds:
        return {"of": name, "rounds": 0}
    return {
        "of": name,
        "rounds": len(rounds),
        "requests_per_processor_second": spread([1000 / one.ours_ms for one in rounds]),
        "peers_per_processor_second": spread([1000 / one.peers_ms for one in rounds]),
        "ratio": spread([one.ratio for one in rounds]),
        "fixed_ms": spread([ms for one in rounds for ms in one.fixed_ms]),
    }


def main() -> None:
    """Race, and say what came of it."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.served", description=__doc__)
    parser.add_argument("--requests", type=positive, default=200, help="of ours in a round (default: %(default)s)")
    parser.add_argument("--rounds", type=positive, default=60, help="(default: %(default)s)")
    parser.add_argument(
        "--apart", action="store_true", help="a server of one process on one processor, the client beside it"
    )
    parser.add_argument(
        "--connections", type=positive, default=CONNECTIONS, help="at once, each kept (default: %(default)s)"
    )
    asked = parser.parse_args()
    harness = Harness(asked.apart, asked.connections)
    made = race(asked.requests, asked.rounds, harness)
    _say(summary("all rounds", made))
    _say(summary("undisturbed rounds", undisturbed(made)))
    _say({"build": build(), **asdict(harness), "requests_a_round": asked.requests, **machine()})


if __name__ == "__main__":
    main()
