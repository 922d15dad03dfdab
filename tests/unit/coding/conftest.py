"""Small tables, loaded once for the tests that only read them."""

import pytest

from service.coding import Vocabulary
from tests.unit.coding.small import load


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> Vocabulary:
    """A vocabulary of a few dozen concepts, every kind of row among them."""
    return load(tmp_path_factory.mktemp("tables"))
