"""Pauses, rates and windows."""

from datetime import UTC, datetime, time

import pytest

from service.delivery.policy import Rate, RetryPolicy, Timeouts, Window


def test_pauses_grow_up_to_the_longest() -> None:
    policy = RetryPolicy(first_s=2, factor=2, most_s=10, jitter=0)
    assert [policy.pause_s(attempt, 0.5) for attempt in (1, 2, 3, 4, 10_000)] == [2, 4, 8, 10, 10]


def test_luck_shortens_a_pause_by_no_more_than_the_jitter() -> None:
    policy = RetryPolicy(first_s=10, jitter=0.2)
    assert (policy.pause_s(1, 0.0), policy.pause_s(1, 1.0)) == (10, 8)


def test_a_peer_that_asks_for_a_pause_gets_it() -> None:
    policy = RetryPolicy(first_s=2, most_s=10)
    assert policy.pause_s(1, 0.0, asked_s=60) == 60
    assert policy.pause_s(1, 0.0, asked_s=1) == 2


@pytest.mark.parametrize(
    ("opens", "closes", "hour", "is_open"),
    [(8, 18, 12, True), (8, 18, 18, False), (20, 6, 23, True), (20, 6, 3, True), (20, 6, 12, False)],
)
def test_a_window_may_go_over_midnight(opens: int, closes: int, hour: int, is_open: bool) -> None:
    window = Window(time(opens), time(closes), "UTC")
    assert window.is_open(datetime(2026, 3, 2, hour, tzinfo=UTC)) is is_open


def test_a_window_is_in_the_time_of_its_zone() -> None:
    window = Window(time(20), time(6), "America/New_York")
    assert window.is_open(datetime(2026, 3, 2, 2, tzinfo=UTC))  # 21:00 there
    assert not window.is_open(datetime(2026, 3, 2, 21, tzinfo=UTC))  # 16:00 there


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: Timeouts(connect_s=0),
        lambda: RetryPolicy(attempts=0),
        lambda: RetryPolicy(first_s=10, most_s=5),
        lambda: RetryPolicy(factor=0.5),
        lambda: RetryPolicy(jitter=1.5),
        lambda: Rate(deliveries=-1),
        lambda: Rate(per_s=0),
        lambda: Rate(1, float("nan")),
        lambda: Timeouts(read_s=float("inf")),
        lambda: RetryPolicy(first_s=float("nan")),
        lambda: Window(time(1), time(2), "Nowhere/Town"),
        lambda: Window(time(20), time(20)),
        lambda: Window(time.fromisoformat("20:00+01:00"), time(6)),
    ],
)
def test_refuses_what_is_no_policy(wrong: object) -> None:
    assert callable(wrong)
    with pytest.raises(ValueError, match=r"\w"):
        wrong()
