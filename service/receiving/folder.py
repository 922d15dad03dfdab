"""A watched folder: each file is taken once it is whole, and ends in ``done`` or, with its reasons, in ``failed``.

A file is picked up by moving it to ``working``: of several listeners one gets it. One that can't be taken yet waits
there: back in the folder it might replace one that its sender has put there meanwhile, or be replaced. What a process
that was killed left is taken again by the next, which changes nothing: the same report has the same receipt. A
file in the middle of which processes end again and again is refused.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final
from uuid import uuid4

import orjson
import structlog

from service.access.events import Arrival
from service.delivery.plain import NotPlain, plain
from service.domain.errors import LesionBridgeError, Problem, TooLarge, Unavailable, Unreadable, frames
from service.domain.received import Received
from service.doors import Format, detect, reports
from service.receiving.begun import Begun
from service.receiving.places import is_placeholder, moved, moved_with
from service.receiving.reception import Peer, Reception
from service.receiving.settings import FolderListener

TABLES: Final = frozenset({".csv", ".tsv", ".ndjson", ".jsonl"})
"""Files that hold several reports, by the end of their names."""
ABANDONED_S: Final = 300.0
"""After so long without a change a file in ``working`` is one that nobody works at."""
_BEATS: Final = 5
"""So often within that time who works at a file says so."""
_ATTEMPTS: Final = 3
"""After so many failures that nobody foresaw, or so many ends of a process, a file is refused."""
_ENDED: Final = f"a process of the service ended {_ATTEMPTS} times in the middle of it, as for want of memory"
_FOLDERS: Final = ("working", "done", "failed")
_log = structlog.get_logger()
_State = tuple[int, int]
"""Bytes, and when they last changed."""


class FolderWatch:
    """Looks into the folder again and again until it is stopped. Raises OSError where the folders can't be made."""

    def __init__(self, reception: Reception, settings: FolderListener) -> None:
        """Make the folders; nothing is taken yet."""
        self._reception, self._settings = reception, settings
        self._root = Path(settings.path)
        self._site = reception.here.receiving.sites.get(settings.site)
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="folder", daemon=True)
        self._over = threading.Event()
        self._beats = threading.Thread(target=self._beat, name="folder-beats", daemon=True)
        self._seen: dict[str, tuple[_State, float]] = {}
        self._waiting: dict[Path, tuple[_State, float]] = {}
        self._failures: dict[tuple[str, int], int] = {}
        for name in _FOLDERS:
            (self._root / name).mkdir(parents=True, exist_ok=True)
        self._begun = Begun(self._root / ".begun")

    def start(self) -> None:
        """Look in a thread, and say in another one that it is at a file."""
        self._thread.start()
        self._beats.start()

    def stop(self, grace_s: float = 30.0) -> None:
        """End after the file under way; one that outlasts that, or whose process is killed meanwhile, ended none."""
        self._ending.set()
        self._begun.leave()
        self._thread.join(grace_s)

    def look(self) -> int:
        """Take all files that are whole now; how many were taken."""
        taken = 0
        for file in dict.fromkeys((*self._abandoned(), *self._waited(), *self._picked())):
            if self._ending.is_set():
                break
            try:
                taken += self._take(file)
            except Exception as error:  # noqa: BLE001 - whatever is wrong with one, the others are taken
                _say(error)
                taken += self._given_up(file, error)
        return taken

    def _given_up(self, file: Path, error: Exception) -> bool:
        """Refuse a file that failed too often; a full disk or a database that is away is no fault of a file."""
        if isinstance(error, OSError | MemoryError | LesionBridgeError):
            return False
        try:
            this = file.name, file.lstat().st_ino
        except OSError:
            return False
        count = self._failures[this] = self._failures.get(this, 0) + 1
        if count < _ATTEMPTS:
            return False
        try:
            return self._refuse(file, f"the service failed {count} times; its log has it")
        except Exception as again:  # noqa: BLE001 - it is tried with the next failure
            _say(again)
            return False

    def _refuse(self, file: Path, why: str) -> bool:
        """Put a file aside that the service could not take: it may be the service's fault."""
        failure = LesionBridgeError(Problem("", "internal", why))
        self._reception.note(Peer(str(uuid4()), "folder", site=self._site), Arrival.DOCUMENT, failure)
        moved_with(file, self._root / "failed" / file.name, _reasons([failure]))
        _log.info("file", accepted=False, rule="internal")
        return True

    def _run(self) -> None:
        while not self._ending.is_set():
            try:
                self.look()
            except Exception as error:  # noqa: BLE001 - the thread would be gone for good
                _say(error)
            self._ending.wait(self._settings.poll_s)
        self._over.set()

    def _beat(self) -> None:
        while not self._over.wait(ABANDONED_S / _BEATS):
            self._begun.beat()

    def _picked(self) -> Sequence[Path]:
        """Files that did not change for a while, moved to where nobody else takes them."""
        now, here, picked = time.monotonic(), dict[str, tuple[_State, float]](), []
        for entry in sorted(os.scandir(self._root), key=lambda one: one.name):
            try:
                place = self._pick(entry, now, here)
            except FileNotFoundError:  # another listener was first
                continue
            except Exception as error:  # noqa: BLE001 - those that are moved already would be left lying
                _say(error)
                continue
            if place is not None:
                picked.append(place)
        self._seen = here
        return picked

    def _pick(self, entry: os.DirEntry[str], now: float, here: dict[str, tuple[_State, float]]) -> Path | None:
        """Where a file is now that did not change for a while; else None, and ``here`` has since when."""
        if entry.name.startswith(".") or not entry.is_file(follow_symlinks=False):
            return None
        state, since = _state(entry.stat(follow_symlinks=False)), now
        if entry.name in self._seen and self._seen[entry.name][0] == state:
            since = self._seen[entry.name][1]
        here[entry.name] = (state, since)
        if now - since < self._settings.settle_s:
            return None
        place = moved(Path(entry.path), self._root / "working" / entry.name)
        del here[entry.name]
        _touch(place)
        return place

    def _abandoned(self) -> Sequence[Path]:
        """What a process that is gone left in ``working``; what failed and is not there any more is forgotten."""
        now, found, there = time.time(), [], set[tuple[str, int]]()
        for entry in sorted(os.scandir(self._root / "working"), key=lambda one: one.name):
            there.add((entry.name, entry.inode()))
            alive = max(_touched(entry), self._begun.alive(entry.inode()))
            if not entry.is_file(follow_symlinks=False) or now - alive <= ABANDONED_S:
                continue
            if is_placeholder(entry.stat(follow_symlinks=False)):
                Path(entry.path).unlink(missing_ok=True)
            else:
                found.append(Path(entry.path))
        self._failures = {this: count for this, count in self._failures.items() if this in there}
        self._begun.forget({inode for _, inode in there}, now - ABANDONED_S)
        return found

    def _wait(self, file: Path) -> None:
        """Take a file again, once it has not changed for a while."""
        self._waiting[file] = _state(file.lstat()), time.monotonic()

    def _waited(self) -> Sequence[Path]:
        """What was to wait, has and did not change."""
        due, now = [], time.monotonic()
        for file, (state, since) in tuple(self._waiting.items()):
            try:
                found = _state(file.lstat())
            except FileNotFoundError:  # another listener took it up as abandoned
                del self._waiting[file]
                continue
            if found != state:
                self._waiting[file] = found, now
            elif now - since >= self._settings.settle_s:
                del self._waiting[file]
                due.append(file)
        return due

    def _take(self, file: Path) -> bool:
        """Publish one file and move it; False where that has to be tried again."""
        try:
            _touch(file)
            with self._begun.at(file) as ended:
                return self._settle(file) if ended < _ATTEMPTS else self._refuse(file, _ENDED)
        except FileNotFoundError:  # another listener took it up as abandoned
            return False

    def _settle(self, file: Path) -> bool:
        """Publish one file and move it; raises FileNotFoundError where another listener has."""
        size = file.lstat().st_size
        failures = self._publish(file)
        # Who still writes it has another size by now: what came since was not read.
        if any(error.retryable for error in failures) or file.lstat().st_size != size:
            self._wait(file)
            return False
        if not failures:
            moved(file, self._root / "done" / file.name)
        else:
            moved_with(file, self._root / "failed" / file.name, _reasons(failures))
        _log.info("file", accepted=not failures, rule=failures[0].problems[0].rule if failures else "")
        return True

    def _publish(self, file: Path) -> list[LesionBridgeError]:
        """Keep the reports of a file, each with its event in the audit trail; why some are not."""
        peer = Peer(str(uuid4()), "folder", site=self._site)
        failures: list[LesionBridgeError] = []
        for outcome in self._outcomes(file, peer):
            failed: Exception | None = outcome if isinstance(outcome, LesionBridgeError) else None
            # What is tried again in a moment has its event once it has come to an end.
            if not isinstance(outcome, LesionBridgeError):
                failed = self._reception.note(peer, Arrival.DOCUMENT, None, outcome)
            elif not outcome.retryable:
                failed = self._reception.note(peer, Arrival.DOCUMENT, outcome)
            if isinstance(failed, LesionBridgeError):
                failures.append(failed)
        return failures

    def _outcomes(self, file: Path, peer: Peer) -> Iterator[str | LesionBridgeError]:
        """Our id of each report of a file, or why it was not kept."""
        limit = self._reception.here.settings.limits.body_bytes
        try:
            with open(file, "rb", opener=plain) as opened:
                content = opened.read(limit + 1)
            if len(content) > limit:
                raise TooLarge(Problem("", "limit", f"the file is larger than {limit} bytes"))
            if file.suffix.lower() not in TABLES:
                yield str(self._reception.take(content, detect(content), peer.site, peer.request).id)
                return
            for found in reports(content, self._reception.source(content, Format.CSV, peer.site).intake):
                yield found if isinstance(found, LesionBridgeError) else self._one_of(content, found, peer)
        except LesionBridgeError as error:
            yield error
        except FileNotFoundError:
            raise
        except NotPlain:
            yield Unreadable(Problem("", "file", "this is no plain file"))
        except PermissionError as error:
            yield Unreadable(Problem("", "file", f"the file can't be read ({error.strerror})"))
        except OSError as error:
            yield Unavailable(Problem("", "file", f"the file can't be read ({error.strerror})"))

    def _one_of(self, content: bytes, found: Received, peer: Peer) -> str | LesionBridgeError:
        try:
            return str(self._reception.take_one_of(content, found, peer.site, peer.request).id)
        except LesionBridgeError as error:
            return error


def _say(error: Exception) -> None:
    """Its class and the lines it came from: its text may hold a name, or what stands in the file."""
    _log.error("folder can't be read", error=type(error).__name__, at=frames(error))


def _state(found: os.stat_result) -> _State:
    return found.st_size, found.st_mtime_ns


def _touch(file: Path) -> None:
    """Say that somebody works at it. A file of another user can't be touched; that it was moved is known as well."""
    with suppress(PermissionError):
        os.utime(file, follow_symlinks=False)


def _touched(entry: os.DirEntry[str]) -> float:
    """When somebody began to work at it: it was touched, or moved, which a file keeps as its change of state."""
    at = entry.stat(follow_symlinks=False)
    return max(at.st_mtime, at.st_ctime)


def _reasons(failures: Sequence[LesionBridgeError]) -> bytes:
    rows = [
        {"title": error.title, "pointer": one.pointer, "rule": one.rule, "detail": one.detail}
        for error in failures
        for one in error.problems
    ]
    return orjson.dumps({"verdict": "refused", "errors": rows}, option=orjson.OPT_INDENT_2)
