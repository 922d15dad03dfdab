"""Judges' programs that stay: started once by a process of the tests, asked by it a file at a time.

Most of them need longer to start than to rule on a file. A program reads paths, a line each, and answers each with
lines, of which the last can be told (`Standing.ask`). It ends when its input does, so also when the tests are killed,
and with a question that comes to no answer: what it still says about that is never read as the answer to the next.
"""

from __future__ import annotations

import atexit
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path
from threading import Lock, Timer
from typing import IO

TIMEOUT_S = 1800
"""For one file, on a machine that does other work too."""
END_S = 20


class Ended(Exception):
    """The program ended before its answer did; `said` are the lines until then, the message is its last error."""

    def __init__(self, why: str, said: list[str]) -> None:
        super().__init__(why)
        self.said = said


class Astray(Exception):
    """The program answers a question that it was not asked; to be raised by what tells its last line."""


class Standing:
    """One program, started when it is first asked and again when it has ended; safe between threads."""

    def __init__(self, *command: str) -> None:
        self._command = command
        self._lock = Lock()
        self._errors: IO[bytes] | None = None
        self._process: subprocess.Popen[str] | None = None

    def ask(self, path: Path, is_last: Callable[[Sequence[str]], bool]) -> list[str]:
        """The lines of its answer to a file, of which `is_last` knows the last; raises Ended, and what that does."""
        with self._lock:
            process = self._running()
            assert process.stdin is not None
            assert process.stdout is not None
            said: list[str] = []
            watch = Timer(TIMEOUT_S, process.kill)
            watch.start()
            try:
                process.stdin.write(f"{path}\n")
                process.stdin.flush()
                for line in process.stdout:
                    said.append(line.rstrip("\n"))
                    if is_last(said):
                        return said
            except BrokenPipeError:
                pass  # it ended since it was asked last: what it said then is all there is
            except BaseException:
                process.kill()
                self._last_error()
                raise
            finally:
                watch.cancel()
            raise Ended(self._last_error(), said)

    def _running(self) -> subprocess.Popen[str]:
        if self._process is None:
            self._errors = tempfile.TemporaryFile()  # noqa: SIM115  # closed with the process
            self._process = subprocess.Popen(
                self._command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._errors,
                text=True,
                encoding="utf-8",
                errors="replace",
            )
        return self._process

    def _last_error(self) -> str:
        """The last line that the program wrote as an error; it is ended, and started anew when it is asked again."""
        assert self._process is not None
        assert self._errors is not None
        self._close()
        self._errors.seek(0)
        lines = self._errors.read().decode("utf-8", "replace").split("\n")
        self._errors.close()
        self._process = self._errors = None
        return next((line.strip() for line in reversed(lines) if line.strip()), "no reason given")

    def _close(self) -> None:
        process = self._process
        assert process is not None
        assert process.stdin is not None
        with suppress(BrokenPipeError):
            process.stdin.close()
        try:
            process.wait(timeout=END_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def end(self) -> None:
        """End the program, if it runs."""
        with self._lock:
            if self._process is not None:
                self._last_error()


@cache
def standing(*command: str) -> Standing:
    """The program of a command, one for each process of the tests; it ends with that."""
    made = Standing(*command)
    atexit.register(made.end)
    return made
