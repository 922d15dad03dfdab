"""The WSGI application as it is shipped, called without a server: what stands around a conversion, and its memory.

``python -m benchmarks.inside [--requests N] [--lesions N]`` forks a worker from the loaded application, as gunicorn
does, sends it so many requests, each with other names, numbers and ids, and writes its proportional set size at each
twentieth of the way, one JSON object a line.
"""

import argparse
import io
import json
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import redirect_stderr
from itertools import count, islice
from pathlib import Path
from typing import Any

import orjson
from flask import Flask

from benchmarks import work
from benchmarks.memory import pss_mib
from service.api import convert
from service.app import create_app
from service.commands.serve import settle_memory
from service.config import Settings
from service.doors import Format, Options
from service.pipeline import Outcome, Source

Conversion = Callable[[Source, Sequence[Format], Options], Outcome]
PARTS = 20
STRANGE = 10
NOWHERE = "sqlite:////nonexistent/inside.sqlite3"
"""A conversion needs no database."""


def application() -> Flask:
    """The service with the settings of a fresh installation; the lines of its log are made and thrown away."""
    nowhere = Path(os.devnull).open("w")  # noqa: SIM115 - the log writes to it as long as the process lives
    with redirect_stderr(nowhere):
        return create_app(Settings(database_url=NOWHERE))


def send(app: Flask, body: bytes) -> int:
    """One ``POST /v1/convert`` for both outputs; the bytes of its answer. Raises RuntimeError when it is refused."""
    said: list[str] = []

    def start(status: str, _headers: Any, _error: Any = None) -> Callable[[bytes], object]:
        said.append(status)
        return lambda _: None

    environ = {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": "/v1/convert",
        "QUERY_STRING": "",
        "SCRIPT_NAME": "",
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "8080",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "HTTP_HOST": "127.0.0.1:8080",
        "HTTP_ACCEPT": "multipart/related",
        "CONTENT_TYPE": "application/json",
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }
    answer = app(environ, start)
    try:
        length = sum(map(len, answer))
    finally:
        getattr(answer, "close", lambda: None)()
    if said != ["200 OK"]:
        raise RuntimeError(f"the service refused the work: {said}")
    return length


def around(body: bytes) -> Callable[[], object]:
    """A request whose conversion was made before: what is left is the service around it."""
    app = application()
    made: list[Outcome] = []

    def keep(source: Source, targets: Sequence[Format], options: Options) -> Outcome:
        made.append(real(source, targets, options))
        return made[0]

    real = _swapped(keep)
    send(app, body)
    _swapped(real)

    def request() -> None:
        _swapped(lambda *_: made[0])
        try:
            send(app, body)
        finally:
            _swapped(real)

    return request


def _swapped(run: Conversion) -> Conversion:
    """Make this what the route runs; what it ran before."""
    before: Conversion = vars(convert)["run"]
    vars(convert)["run"] = run
    return before


def documents(lesions: int) -> Iterator[bytes]:
    """Documents of which no two have the same ids, names, words or numbers, so that whatever is remembered shows.

    One in `STRANGE` says a site that nobody knows: what is suggested for it costs as much as a conversion.
    """
    said = json.loads(work.document_bytes(lesions))
    known = said["lesions"][0]["site"]
    for number in count(1):
        said["report"] |= {"id": f"R-{number}", "impression": f"Seen before as number {number}."}
        said["patient"] |= {"id": f"P-{number}", "name": f"Doe{number}^Jane"}
        said["study"] |= {"uid": f"1.2.3.{number}", "accession": f"A{number}"}
        for place, lesion in enumerate(said["lesions"]):
            lesion["text"] = f"Lesion {place} of {number}."
            lesion["measurements"]["volume"] = f"{1 + number % 100_000}.{place} mm3"
        said["lesions"][0]["site"] = known if number % STRANGE else f"place {number}"
        yield orjson.dumps(said)


def worked(lesions: int, requests: int) -> Iterator[tuple[int, float]]:
    """PSS in MiB of a forked worker each time it has done a twentieth of the requests, its parent still there."""
    app = application()
    settle_memory()
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        with os.fdopen(writer, "w") as said:
            for number, body in enumerate(islice(documents(lesions), requests), 1):
                send(app, body)
                if number % max(1, requests // PARTS) == 0:
                    said.write(f"{number} {pss_mib('self')}\n")
                    said.flush()
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as lines:
        for line in lines:
            done, mib = line.split()
            yield int(done), float(mib)
    if os.waitpid(child, 0)[1] != 0:
        raise RuntimeError("the worker failed")


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=10_000)
    parser.add_argument("--lesions", type=int, default=10)
    asked = parser.parse_args()
    began = time.perf_counter()
    for number, mib in worked(asked.lesions, asked.requests):
        said = {"requests": number, "lesions": asked.lesions, "pss_mib": round(mib, 1)}
        said |= {"wall_s": round(time.perf_counter() - began, 1), "load": os.getloadavg()[0]}
        sys.stdout.write(json.dumps(said) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
