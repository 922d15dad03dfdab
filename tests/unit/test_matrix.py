"""Every format that is read goes into every format that is written, and what that costs is what the pages say."""

from pathlib import Path
from typing import Any

import pytest

from service.api.deployment import Deployment
from service.api.negotiation import OFFERS
from service.app import create_app
from service.config import Settings
from service.doors import media_type
from service.pipeline import READERS, WRITERS, Format
from tests.matrix import BEGIN, PAGES, document, pair, replaced
from tests.unit.cli.conftest import Run, run

__all__ = ["run"]


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_the_page_says_what_is_carried_now(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.count(BEGIN) == 1
    assert replaced(text, PAGES[path]()) == text, "run `make matrix`"


def test_what_is_lost_is_seen() -> None:
    lost = pair(Format.FINDINGS, Format.FHIR_R4).lost
    assert lost["lesions.images.regions.points"] == 13
    assert "observers.person.role" in pair(Format.FINDINGS, Format.HL7V2).lost
    assert not pair(Format.FINDINGS, Format.FINDINGS).lost


@pytest.fixture
def client(tmp_path: Path) -> Any:
    """A service with the mapping files of the documents."""
    folder = tmp_path / "mappings"
    folder.mkdir()
    for form in READERS:
        (folder / f"{form}.toml").write_text(document(form).mapping, encoding="utf-8")
    made = create_app(
        Settings(database_url=f"sqlite:///{tmp_path / 'x.sqlite3'}", mappings_folder=str(folder), log_level="error")
    )
    assert isinstance(made.extensions["lesionbridge"], Deployment)
    return made.test_client()


@pytest.mark.parametrize("go", WRITERS)
@pytest.mark.parametrize("come", READERS)
def test_the_service_converts_every_pair(client: Any, come: Format, go: Format) -> None:
    source = document(come)
    accept = next(
        f"{offer.media_type}; fhirVersion={offer.versions[0]}" if offer.versions else offer.media_type
        for offer in OFFERS
        if offer.targets == (go,)
    )
    headers = {"Content-Type": media_type(come, source.body), "Accept": accept}
    mapping = f"?mapping={come}" if source.mapping else ""
    answer = client.post(f"/v1/convert{mapping}", data=source.body, headers=headers)
    assert answer.status_code == 200, answer.text
    assert answer.content_type.partition(";")[0] == accept.partition(";")[0]


@pytest.mark.parametrize("come", READERS)
def test_the_command_converts_every_pair_and_checks_every_format(run: Run, tmp_path: Path, come: Format) -> None:
    source = document(come)
    (tmp_path / "in").write_bytes(source.body)
    (tmp_path / "mapping.toml").write_text(source.mapping, encoding="utf-8")
    mapping = ["--mapping", "mapping.toml"] if source.mapping else []
    for go in WRITERS:
        done = run("convert", "in", "--from", come, *mapping, "--to", go, "-o", "out")
        assert done.exit_code == 0, done.stderr
        assert (tmp_path / "out").stat().st_size
    done = run("check", "in", "--from", come, *mapping)
    assert done.exit_code == 0, done.stderr
    assert "sr-and-fhir-say-the-same" in done.stdout
