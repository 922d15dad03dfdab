"""The places where the fault trials kill a process: a call that was renamed is missed before a walk of an hour."""

import pytest

from benchmarks.faults.boundaries import BOUNDARIES, Boundary


@pytest.mark.parametrize("one", BOUNDARIES, ids=lambda one: one.name)
def test_each_place_where_a_process_is_killed_is_a_call_that_there_is(one: Boundary) -> None:
    owner, name = one.found()
    assert callable(getattr(owner, name))
