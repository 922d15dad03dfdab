"""The race behind one server: what counts as undisturbed, what is said of the rounds, and that both sides answer."""

from contextlib import ExitStack

import pytest

from benchmarks.served import OURS, PEERS, Round, Served, summary, undisturbed

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
        assert Served(stack, command, 2).spend(20) > 0
