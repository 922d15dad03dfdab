"""Faults with real processes: nothing is lost, nothing is doubled. `python -m benchmarks.faults` walks them all."""

from collections.abc import Iterator

import pytest

from benchmarks.faults import trials
from benchmarks.faults.boundaries import BOUNDARIES
from tests.conftest import Missing
from tests.databases import postgres, postgres_programs


@pytest.fixture(scope="module")
def server() -> Iterator[str | None]:
    """A PostgreSQL, or None where it is not installed."""
    if postgres_programs() is None:
        yield None
        return
    with postgres() as url:
        yield url


@pytest.fixture
def url(server: str | None, missing: Missing) -> str:
    """Its URL."""
    if server is None:
        missing.skip("postgresql", "its server programs (initdb, pg_ctl) are not installed")
        raise AssertionError
    return server


@pytest.mark.slow
@pytest.mark.parametrize("number", range(len(BOUNDARIES)), ids=[f"{one.role}: {one.name}" for one in BOUNDARIES])
def test_survives_kill_9(number: int) -> None:
    assert trials.killed(number, "").holds


@pytest.mark.slow
@pytest.mark.parametrize(
    "name",
    [
        "in the transaction that keeps it, all rows written",
        "after it is handed out, before it is started",
        "in the transaction that begins it",
        "after the receiver has it, before its answer is known",
        "where an answer is recorded, all rows written",
    ],
)
def test_survives_kill_9_on_postgresql(url: str, name: str) -> None:
    [number] = [at for at, one in enumerate(BOUNDARIES) if one.name == name]
    assert trials.killed(number, url).holds


@pytest.mark.slow
def test_survives_a_peer_that_fails_in_every_way() -> None:
    assert trials.peer_fails("").holds


@pytest.mark.slow
def test_an_instance_that_failed_within_a_200_is_repeated_or_a_dead_letter() -> None:
    count = trials.instance_fails("")
    assert (count.holds, count.dead) == (True, 1)


@pytest.mark.slow
def test_an_upgrade_takes_over_what_a_killed_worker_of_the_version_before_had_begun() -> None:
    count = trials.upgraded("")
    assert (count.holds, count.again) == (True, 0)


@pytest.mark.slow
def test_an_upgrade_leaves_a_living_worker_of_the_version_before_its_own(url: str) -> None:
    count = trials.upgraded_in_flight(url)
    assert (count.holds, count.again) == (True, 0)


@pytest.mark.slow
def test_survives_a_clock_that_goes_back() -> None:
    assert trials.clock_back("").holds


@pytest.mark.slow
def test_survives_a_full_disk() -> None:
    assert trials.disk_full().holds


@pytest.mark.slow
def test_two_workers_send_each_delivery_once(url: str) -> None:
    count = trials.two_workers(url, 10)
    assert (count.holds, count.again) == (True, 0)


@pytest.mark.slow
def test_another_worker_takes_over_what_a_killed_one_had_begun(url: str) -> None:
    assert trials.worker_lost(url).holds


@pytest.mark.slow
def test_survives_a_restart_of_postgresql(url: str) -> None:
    assert trials.restarted(url).holds


@pytest.mark.slow
def test_what_is_queued_in_an_outage_is_drained_after_it(url: str) -> None:
    count, _ = trials.outage(url, 50)
    assert (count.holds, count.dead) == (True, 0)
