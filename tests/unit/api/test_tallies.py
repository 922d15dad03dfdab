"""Counters of processes that come and go: no sum loses, doubles or goes down, and few files are left."""

import math
import os
import random
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.metrics_core import Metric
from prometheus_client.mmap_dict import MmapedDict, mmap_key

from service.api.tallies import Tallies

COUNTS = """
import random, sys
from prometheus_client import Counter, Histogram

counter = Counter("done", "Done.", ("kind",))
seconds = Histogram("took", "Took.", ("kind",), buckets=(0.1, 0.5))
chance = random.Random(int(sys.argv[1]))
for number in range(int(sys.argv[2])):
    counter.labels("a").inc()
    seconds.labels("b").observe(chance.random())
print("counted", flush=True)
sys.stdin.readline()
"""
"""Counts so and so often, then waits to be killed."""
FOLDS = """
import os, pathlib, signal, sys
from service.api.tallies import Tallies

left = int(sys.argv[2])

def stepping(function):
    def step(*given, **named):
        global left
        left -= 1
        if left < 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return function(*given, **named)
    return step

for name in ("write_bytes", "replace", "unlink"):
    setattr(pathlib.Path, name, stepping(getattr(pathlib.Path, name)))
Tallies(pathlib.Path(sys.argv[1])).fold(())
"""
"""Folds, and is killed (kill -9) before so and so many steps on files."""


@contextmanager
def counting(folder: Path, seed: int, times: int) -> Iterator["subprocess.Popen[str]"]:
    """A process that has counted; killed with -9 at the end of the block."""
    environment = os.environ | {"PROMETHEUS_MULTIPROC_DIR": str(folder)}
    command = [sys.executable, "-c", COUNTS, str(seed), str(times)]
    with subprocess.Popen(
        command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "counted\n"
        try:
            yield process
        finally:
            process.send_signal(signal.SIGKILL)


def ended(folder: Path, seed: int, times: int) -> int:
    """The id of a process that has counted and is gone."""
    with counting(folder, seed, times) as process:
        return process.pid


def samples(folder: Path) -> dict[tuple[str, str], float]:
    """What a scrape shows, by sample and bucket."""
    metrics: list[Metric] = list(Tallies(folder).collect())
    return {(at.name, at.labels.get("le", "")): at.value for metric in metrics for at in metric.samples}


def expected(of: dict[int, int]) -> dict[tuple[str, str], Any]:
    """The same from the seeds and times alone."""
    drawn = [chance.random() for seed, times in of.items() for chance in (random.Random(seed),) for _ in range(times)]
    return {
        ("done_total", ""): len(drawn),
        ("took_sum", ""): pytest.approx(math.fsum(drawn)),
        ("took_count", ""): len(drawn),
        ("took_bucket", "0.1"): sum(1 for one in drawn if one <= 0.1),
        ("took_bucket", "0.5"): sum(1 for one in drawn if one <= 0.5),
        ("took_bucket", "+Inf"): len(drawn),
    }


def test_what_ended_is_folded_into_one_file_of_each_kind_and_nothing_changes(tmp_path: Path) -> None:
    of = {1: 30, 2: 20, 3: 7, 4: 1}
    for seed, times in list(of.items())[:3]:
        ended(tmp_path, seed, times)
    with counting(tmp_path, 4, 1) as living:
        before = samples(tmp_path)
        assert before == expected(of)
        assert Tallies(tmp_path).fold({living.pid})
        assert samples(tmp_path) == before
        mine = {f"counter_{living.pid}.db", f"histogram_{living.pid}.db"}
        assert {path.name for path in tmp_path.iterdir()} == {"lock", "counter.ended", "histogram.ended", *mine}
    assert Tallies(tmp_path).fold(())
    assert samples(tmp_path) == before
    assert {path.name for path in tmp_path.iterdir()} == {"lock", "counter.ended", "histogram.ended"}


def test_it_reads_as_the_library_writes_it(tmp_path: Path) -> None:
    ended(tmp_path, 1, 4)
    Tallies(tmp_path).fold(())
    registry = CollectorRegistry()
    registry.register(Tallies(tmp_path))
    shown = generate_latest(registry).decode()
    assert '# TYPE done_total counter\ndone_total{kind="a"} 4.0\n' in shown
    assert 'took_bucket{kind="b",le="+Inf"} 4.0\ntook_count{kind="b"} 4.0\n' in shown


def test_no_sum_of_seconds_goes_down_by_its_last_digit(tmp_path: Path) -> None:
    """Added up one after the other, these give 1 in one order and more in another: Prometheus would see a restart."""
    tiny = 2.0**-53
    for process, seconds in enumerate((tiny, 1.0, tiny), 1):
        file = MmapedDict(str(tmp_path / f"histogram_{process}.db"))  # type: ignore[no-untyped-call]  # the library leaves it untyped
        file.write_value(mmap_key("took", "took_sum", [], [], "Took."), seconds, 0.0)  # type: ignore[no-untyped-call]  # as above
        file.close()  # type: ignore[no-untyped-call]  # as above
    for living in ((1, 2, 3), (1, 3), (1,), ()):
        Tallies(tmp_path).fold(living)
        assert samples(tmp_path) == {("took_sum", ""): 1 + 2 * tiny}


@pytest.mark.parametrize("step", range(7))
def test_who_is_killed_while_it_folds_loses_and_doubles_nothing(tmp_path: Path, step: int) -> None:
    of = {1: 30, 2: 20, 3: 7}
    first = ended(tmp_path, 1, 30)
    Tallies(tmp_path).fold(())
    assert first
    for seed in (2, 3):
        ended(tmp_path, seed, of[seed])
    command = [sys.executable, "-c", FOLDS, str(tmp_path), str(step)]
    done = subprocess.run(command, timeout=180, check=False)
    assert done.returncode == -signal.SIGKILL
    before = samples(tmp_path)
    assert before == expected(of)
    assert Tallies(tmp_path).fold(())
    assert samples(tmp_path) == before
    assert {path.name for path in tmp_path.iterdir()} <= {"lock", "counter.ended", "histogram.ended", "histogram.new"}


def test_who_reads_beside_it_sees_every_count_once(tmp_path: Path) -> None:
    script = (
        "import pathlib, sys\n"
        "from service.api.tallies import Tallies\n"
        "tallies, seen = Tallies(pathlib.Path(sys.argv[1])), 0\n"
        "print('begins', flush=True)\n"
        "while not pathlib.Path(sys.argv[1], 'end').exists():\n"
        "    found = {s.name: s.value for m in tallies.collect() for s in m.samples if 'bucket' not in s.name}\n"
        "    assert found == {'done_total': 40.0, 'took_count': 40.0, 'took_sum': found['took_sum']}, found\n"
        "    seen += 1\n"
        "print(seen)\n"
    )
    processes = [ended(tmp_path, seed, 5) for seed in range(8)]
    with subprocess.Popen([sys.executable, "-c", script, str(tmp_path)], stdout=subprocess.PIPE, text=True) as reader:
        assert reader.stdout is not None
        assert reader.stdout.readline() == "begins\n"
        while processes:
            processes.pop()
            while not Tallies(tmp_path).fold(processes):
                """Where it is read without a pause, what is left is left for the next time."""
        (tmp_path / "end").touch()
        assert int(reader.stdout.read()) > 0
    assert reader.returncode == 0


def test_while_somebody_reads_it_is_left_for_the_next_time(tmp_path: Path) -> None:
    ended(tmp_path, 1, 3)
    tallies = Tallies(tmp_path)
    with tallies._locked(1):
        assert not tallies.fold(())
        assert samples(tmp_path) == expected({1: 3})
    assert tallies.fold(())
    assert samples(tmp_path) == expected({1: 3})


def test_a_process_that_has_only_just_made_its_file_has_counted_nothing(tmp_path: Path) -> None:
    ended(tmp_path, 1, 3)
    (tmp_path / "counter_1.db").touch()
    assert samples(tmp_path) == expected({1: 3})


def _written(path: Path, counted: dict[str, float]) -> None:
    file = MmapedDict(str(path))  # type: ignore[no-untyped-call]  # the library leaves it untyped
    for key, value in counted.items():
        file.write_value(key, value, 0.0)  # type: ignore[no-untyped-call]  # as above
    file.close()  # type: ignore[no-untyped-call]  # as above


KEY = mmap_key("done", "done_total", [], [], "Done.")


@pytest.mark.parametrize("content", [b"\xff\xff\xff\x7f" + bytes(40), b"\x00\x10", bytes([64]) + bytes(60)])
def test_a_damaged_file_ends_nothing_and_all_others_are_shown_and_folded(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "counter_17.db").write_bytes(content)
    _written(tmp_path / "counter_18.db", {KEY: 2.0})
    assert samples(tmp_path) == {("done_total", ""): 2.0}
    assert Tallies(tmp_path).fold(())
    assert samples(tmp_path) == {("done_total", ""): 2.0}
    assert {path.name for path in tmp_path.iterdir()} == {"lock", "counter_17.db", "counter.ended"}


@pytest.mark.parametrize(
    "counted", [{KEY: math.inf}, {KEY: math.nan}, {KEY: 1.7e308}, {"no key": 1.0}, {"[1,2,3,4]": 1.0}]
)
def test_what_is_no_count_is_neither_shown_nor_folded(tmp_path: Path, counted: dict[str, float]) -> None:
    _written(tmp_path / "counter_17.db", counted)
    assert Tallies(tmp_path).fold(())
    assert samples(tmp_path) == {}
    assert (tmp_path / "counter_17.db").exists()


@pytest.mark.parametrize("content", [b'{"[', b"[]", b'{"a":[1]}', b'{"[\\"a\\",\\"a\\",{},\\"a\\"]":[null]}'])
def test_a_damaged_sum_keeps_what_ends_later_in_its_own_file(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "counter.ended").write_bytes(content)
    _written(tmp_path / "counter_18.db", {KEY: 2.0})
    assert Tallies(tmp_path).fold(())
    assert samples(tmp_path) == {("done_total", ""): 2.0}
    assert (tmp_path / "counter.ended").read_bytes() == content
