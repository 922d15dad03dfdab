"""A deployment with destinations, sites and rules, and documents to send to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from service.api.deployment import Deployment
from service.config import Settings
from service.pipeline import Format, Options, Source, convert
from tests.databases import with_tables
from tests.findings import make_body

DESTINATIONS = """
[destinations.pacs]
kind = "folder"
path = "/nonexistent"
takes = "sr"

[destinations.ehr]
kind = "folder"
path = "/nonexistent"
takes = "fhir-r4"

[destinations.engine]
kind = "mllp"
host = "127.0.0.1"
port = 6661
"""
RECEIVING = """
[sites.north]
ae_titles = ["NORTHAI"]
facilities = ["NORTH"]
zone = "Europe/Berlin"

[[routes]]
name = "what the PACS sends is not sent back"
source = ["stow", "dicom"]
deliver = ["ehr", "engine"]

[[routes]]
name = "all else"
deliver = ["pacs", "ehr"]
"""
Deploy = Callable[..., Deployment]


@pytest.fixture
def deploy(tmp_path: Path) -> Iterator[Deploy]:
    """Makes a deployment with an empty database; `more` is added to the file of what is received."""
    made: list[Deployment] = []

    def call(more: str = "", receiving: str = RECEIVING, **settings: object) -> Deployment:
        files = {"destinations": DESTINATIONS, "receiving": receiving + more}
        for name, text in files.items():
            (tmp_path / f"{name}.toml").write_text(text, encoding="utf-8")
        chosen = Settings(
            database_url=with_tables(f"sqlite:///{tmp_path / 'in.sqlite3'}"),
            destinations_file=str(tmp_path / "destinations.toml"),
            receiving_file=str(tmp_path / "receiving.toml"),
            log_level="error",
            **settings,  # type: ignore[arg-type]  # a test names real settings
        )
        made.append(Deployment(chosen))
        return made[-1]

    yield call
    for one in made:
        one.store.close()


@pytest.fixture
def here(deploy: Deploy) -> Deployment:
    """A deployment as it is set up by default."""
    return deploy()


def written(form: Format, **changes: object) -> bytes:
    """The example report in a format."""
    return convert(Source(make_body(**changes)), (form,), Options()).outputs[form].content


def destinations(here: Deployment) -> set[str]:
    """Where anything is delivered."""
    return {one.destination for one in here.store.deliveries.list({}, limit=500)}


def kept(here: Deployment, **condition: str) -> int:
    """How many reports are kept of a study."""
    return len(here.store.search(condition or {"status": "final"}, limit=500))
