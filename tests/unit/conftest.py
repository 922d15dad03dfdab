"""A generated release, and a site that has it in use."""

from pathlib import Path

import pytest

from benchmarks import generated_rf2
from service.coding.releases.shelf import Shelf
from tests.releases import SHAPE, Generated, Site


@pytest.fixture(scope="session")
def rf2(tmp_path_factory: pytest.TempPathFactory) -> Generated:
    """A SNOMED CT package of 600 concepts."""
    path = tmp_path_factory.mktemp("rf2") / "SnomedCT_GeneratedRF2_20260701.zip"
    return Generated(path, generated_rf2.write(path, SHAPE))


@pytest.fixture
def site(tmp_path: Path) -> Site:
    """An empty folder."""
    return Site(Shelf(tmp_path / "terminology"))


@pytest.fixture(scope="session")
def loaded(rf2: Generated, tmp_path_factory: pytest.TempPathFactory) -> Site:
    """A folder with the package in use; nobody writes to it."""
    made = Site(Shelf(tmp_path_factory.mktemp("loaded")))
    made.load(rf2.path)
    return made
