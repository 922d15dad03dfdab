"""Counters of several processes: each writes files of its own, and those of processes that ended are folded into one.

prometheus_client keeps the files of every process that ever counted, so that no sum goes down, and reads all of them
for each answer. Here the files of one that ended are added to one file of each kind and removed. Sums are exact, and
rounded once when they are shown: the same numbers in another order give the same sum. A sum of seconds that went down
by its last digit would be a restart to Prometheus, and all of it counted a second time.

Of a kind the folder holds: ``counter_17.db``, written by process 17 in the library's format; ``counter.ended``, what
ended; and for a moment ``counter.ended+17``, the same with what process 17 has counted. From the instant that it has
this name the two others are void, so that who is killed in between has doubled nothing and lost nothing.
"""

import fcntl
import json
import math
import struct
import time
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final, cast

import orjson
import structlog
from prometheus_client import multiprocess
from prometheus_client.metrics_core import Metric
from prometheus_client.mmap_dict import MmapedDict
from prometheus_client.registry import Collector

Exact = dict[str, list[float]]
"""By the library's key, a JSON text of metric, sample, labels and help: numbers whose exact sum is meant."""
_KINDS: Final = ("counter", "histogram", "summary")
"""What is summed up; gauges are the library's own."""
_TRIES: Final = 20
_PAUSE_S: Final = 0.01
_MOST: Final = 1e300
"""No count is larger; and as many as there may be of them can be added up."""

_log = structlog.get_logger()


class Tallies(Collector):
    """The counters of all processes that have written, or write, in a folder."""

    def __init__(self, folder: Path) -> None:
        """Take the folder, which is there."""
        self._folder = folder

    def collect(self) -> Iterator[Metric]:
        """All of them, summed up at one moment: no process is folded meanwhile."""
        gauges = [str(path) for path in self._folder.glob("gauge_*.db")]
        yield from multiprocess.MultiProcessCollector.merge(gauges)  # type: ignore[no-untyped-call]  # the library leaves it untyped
        with self._locked(fcntl.LOCK_SH):
            found = {kind: self._of_kind(kind) for kind in _KINDS}
        for kind, exact in found.items():
            yield from _metrics(kind, exact)

    def fold(self, living: Collection[int]) -> bool:
        """Add what processes have counted that are not among the living, and remove their files.

        For the one that starts those processes: an id may only be given again after this. False where somebody read
        for so long that it is left for the next time. Raises OSError where nothing can be written.
        """
        for kind in _KINDS:
            begun = [path.name.rpartition("+")[2] for path in self._folder.glob(f"{kind}.ended+*")]
            ended = [path.stem.partition("_")[2] for path in self._folder.glob(f"{kind}_*.db")]
            if not all(self._settle(kind, process) for process in begun):
                return False
            if not all(
                self._add(kind, process) for process in ended if int(process) not in {*living, *map(int, begun)}
            ):
                return False
        return True

    def _add(self, kind: str, process: str) -> bool:
        """Fold one file; False where it is being read. A damaged one is left as it is; beside a damaged sum each is."""
        made = self._folder / f"{kind}.new"
        try:
            exact = _exact([_read_ended(self._folder / f"{kind}.ended"), _read(self._folder / f"{kind}_{process}.db")])
        except _Damaged:
            _log.warning("counters not folded", kind=kind, process=process)
            return True
        made.write_bytes(orjson.dumps(exact))
        return self._settle(kind, process, made)

    def _settle(self, kind: str, process: str, made: Path | None = None) -> bool:
        """Let hold what was made, or left half done, and remove what it holds already; False while that is read."""
        ended = self._folder / f"{kind}.ended"
        with self._locked(fcntl.LOCK_EX, tries=_TRIES) as is_mine:
            if is_mine:
                if made is not None:
                    made.replace(f"{ended}+{process}")
                (self._folder / f"{kind}_{process}.db").unlink(missing_ok=True)
                Path(f"{ended}+{process}").replace(ended)
        return is_mine

    def _of_kind(self, kind: str) -> Exact:
        ended, void = self._folder / f"{kind}.ended", ""
        for path in self._folder.glob(f"{kind}.ended+*"):
            ended, void = path, f"{kind}_{path.name.rpartition('+')[2]}.db"
        files = [path for path in self._folder.glob(f"{kind}_*.db") if path.name != void]
        return _exact([_known(_read_ended, ended), *[_known(_read, file) for file in files]])

    @contextmanager
    def _locked(self, how: int, tries: int = 0) -> Iterator[bool]:
        """Have the folder's lock, waiting for it, or with ``tries`` for a while only; whether it is had."""
        with (self._folder / "lock").open("ab") as file:
            if not tries:
                fcntl.flock(file, how)
                yield True
                return
            for _ in range(tries):
                with suppress(BlockingIOError):
                    fcntl.flock(file, how | fcntl.LOCK_NB)
                    break
                time.sleep(_PAUSE_S)
            else:
                yield False
                return
            yield True


class _Damaged(Exception):
    """What a file says can't be told, or is no count."""


def _known(read: Callable[[Path], Exact], path: Path) -> Exact:
    """What a file says; nothing, and a line of the log, where it is damaged: all others are shown."""
    try:
        return read(path)
    except _Damaged:
        _log.warning("counters damaged", file=path.name)
        return {}


def _read(path: Path) -> Exact:
    """What one process has counted; nothing of one that has only just made its file."""
    if not path.stat().st_size:
        return {}
    try:
        rows = MmapedDict.read_all_values_from_file(str(path))  # type: ignore[no-untyped-call]  # the library leaves it untyped
        return _checked({key: [value] for key, value, _, _ in rows})
    except (RuntimeError, ValueError, struct.error) as error:
        raise _Damaged from error


def _read_ended(path: Path) -> Exact:
    if not path.exists():
        return {}
    try:
        return _checked(json.loads(path.read_bytes()))
    except ValueError as error:
        raise _Damaged from error


def _checked(found: Any) -> Exact:
    """Hold that there are keys of the library and numbers that can be added; raises _Damaged."""
    for key, values in found.items() if isinstance(found, dict) else [("", [])]:
        try:
            name, sample, labels, told = json.loads(key)
        except (TypeError, ValueError) as error:
            raise _Damaged from error
        are_words = all(isinstance(one, str) for one in (name, sample, told)) and isinstance(labels, dict)
        if not are_words or not all(isinstance(one, float) and abs(one) < _MOST for one in values):
            raise _Damaged
    return cast("Exact", found)


def _exact(all_of_them: Iterable[Exact]) -> Exact:
    """Their sum, no digit of it lost: a rounded number, then what that lacks."""
    terms: Exact = defaultdict(list)
    for one in all_of_them:
        for key, values in one.items():
            terms[key] += values
    return {key: list(_partials(values)) for key, values in terms.items()}


def _partials(values: list[float]) -> Iterator[float]:
    total = math.fsum(values)
    yield total
    left = [*values, -total]
    while rest := math.fsum(left):
        yield rest
        left.append(-rest)


def _metrics(kind: str, exact: Exact) -> Iterable[Metric]:
    """As they are shown: buckets of a histogram hold what is in the smaller ones, too, as Prometheus wants it."""
    made: dict[str, Metric] = {}
    buckets: dict[tuple[str, tuple[tuple[str, str], ...]], dict[str, float]] = defaultdict(dict)
    for key, values in exact.items():
        name, sample, labels, told = json.loads(key)
        metric = made.setdefault(name, Metric(name, told, kind))
        limit = labels.pop("le", None) if kind == "histogram" else None
        if limit is None:
            metric.add_sample(sample, labels, values[0])
        else:
            buckets[name, tuple(sorted(labels.items()))][limit] = values[0]
    for (name, labels), by_limit in buckets.items():
        count = 0.0
        for limit in sorted(by_limit, key=float):
            count += by_limit[limit]
            made[name].add_sample(f"{name}_bucket", {**dict(labels), "le": limit}, count)
        made[name].add_sample(f"{name}_count", dict(labels), count)
    return made.values()
