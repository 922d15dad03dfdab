"""Slots of workers, and who is silent."""

from service.store.workers import Watch

THERE = {1: ("token", "heartbeat", "revision")}
SILENT = ((1, "token", "heartbeat"),)


class Clock:
    """A clock that goes when it is told to."""

    now = 0.0

    def __call__(self) -> float:
        """The seconds."""
        return self.now


def test_a_worker_is_silent_when_its_heartbeat_stays_the_same_for_long_enough() -> None:
    clock = Clock()
    watch = Watch(25, clock)
    assert watch.silent(THERE) == ()
    clock.now = 24
    assert watch.silent(THERE) == ()
    clock.now = 25
    assert watch.silent(THERE) == SILENT


def test_the_time_in_which_nobody_could_be_heard_does_not_count() -> None:
    clock = Clock()
    watch = Watch(25, clock)
    watch.silent(THERE)
    clock.now = 60
    watch.restart()
    assert watch.silent(THERE) == ()
    clock.now = 85
    assert watch.silent(THERE) == SILENT
