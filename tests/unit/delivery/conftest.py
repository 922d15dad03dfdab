"""The peer that every test of a destination may have: one that answers as it is told to."""

from collections.abc import Iterator

import pytest

from tests.faults import FaultyServer, faulty


@pytest.fixture
def server() -> Iterator[FaultyServer]:
    """A server that answers as it is told to, and keeps what it was asked."""
    with faulty() as one:
        yield one
