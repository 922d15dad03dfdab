"""The race behind one server: what counts as undisturbed, what is said of the rounds, and that both sides answer."""

import os
from contextlib import ExitStack

import pytest

from benchmarks.caller import Took
from benchmarks.served import OURS, PEERS, Harness, Round, Served, bound, summary, undisturbed
from benchmarks.serving import by_chance, evenly, latencies

CALM = Round(2.0, 250.0, (5.0, 5.5))
DISTURBED = Round(4.0, 400.0, (5.2, 9.0))


def test_a_round_is_undisturbed_where_the_fixed_work_was_quick_before_and_after() -> None:
    assert undisturbed([DISTURBED, CALM]) == [CALM]


def test_rounds_are_told_by_median_least_and_most() -> None:
    assert summary("all rounds", [CALM, DISTURBED]) == {
        "of": "all rounds",
        "rounds": 2,
        "requests_per_processor_second": [375.0, 250.0, 500.0],
        "peers_per_processor_second": [3.25, 2.5, 4.0],
        "ratio": [112.5, 100.0, 125.0],
        "fixed_ms": [5.35, 5.0, 9.0],
    }


def test_no_rounds_have_no_median() -> None:
    assert summary("undisturbed rounds", []) == {"of": "undisturbed rounds", "rounds": 0}


@pytest.mark.parametrize("command", [OURS, PEERS], ids=["ours", "peers"])
def test_a_server_answers_and_its_processor_time_is_counted(command: tuple[str, ...]) -> None:
    with ExitStack() as stack:
        assert Served(stack, command, 2, Harness(connections=1)).spend(20) > 0


def test_a_server_that_is_apart_has_a_processor_of_its_own() -> None:
    there = os.sched_getaffinity(0)
    if len(there) < 2:
        pytest.skip("one processor only")
    try:
        with bound(apart=True):
            within = os.sched_getaffinity(0)
        after = os.sched_getaffinity(0)
    finally:
        os.sched_setaffinity(0, there)
    assert len(within) == 1
    assert after == there - within


def test_what_is_not_apart_runs_wherever_it_may() -> None:
    there = os.sched_getaffinity(0)
    with bound(apart=False):
        assert os.sched_getaffinity(0) == there


def test_arrivals_by_chance_and_in_equal_steps_have_the_same_rate() -> None:
    assert evenly(200.0, 4) == [0.0, 0.005, 0.01, 0.015]
    chance = by_chance(200.0, 4000)
    assert chance == sorted(chance)
    assert 4000 / chance[-1] == pytest.approx(200.0, rel=0.05)


def test_latencies_are_told_with_the_lateness_of_the_client() -> None:
    took = Took(1.0, [float(ms) for ms in range(1, 101)], [0.1] * 100)
    assert latencies(took) == {
        "p50_ms": 51.0,
        "p90_ms": 91.0,
        "p99_ms": 100.0,
        "p99_over_p50": 1.96,
        "client_late_p99_ms": 0.1,
    }
