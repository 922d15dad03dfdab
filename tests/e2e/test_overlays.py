"""An overlay is taken up by every process of a database, without a restart."""

from pathlib import Path

import pytest
import requests

from tests.conftest import Missing
from tests.databases import postgres, postgres_programs
from tests.e2e.test_service import Service, serving
from tests.findings import make_body
from tests.unit.coding.overlays.lines import line, table

WORD = "Stirnlappen"
CSV = {"Content-Type": "text/csv"}


def upload(service: Service, concept: str) -> None:
    """A new version of the overlay of `local`."""
    content = table(line(field="site", term=WORD, concept=concept))
    answer = requests.put(f"{service.address}/v1/overlays/local", data=content, headers=CSV, timeout=30)
    assert answer.status_code == 201, answer.text


def coded(service: Service, name: str) -> str | None:
    """What the word is in a new report."""
    answer = service.post("/v1/reports", make_body(report__id=name, lesions__0__site=WORD))
    assert answer.status_code == 201, answer.text
    found = [one["concept"] for one in answer.json()["coded"] if one["pointer"] == "/lesions/0/site"]
    return found[0] if found else None


def follow(first: Service, second: Service) -> None:
    """Each upload holds for the next report of every worker of both services."""
    assert [coded(first, f"before-{number}") for number in range(4)] == [None] * 4
    for turn, concept in enumerate(("frontal-lobe", "parietal-lobe", "frontal-lobe")):
        upload(first if turn % 2 else second, concept)
        for service in (first, second):
            found = {coded(service, f"{turn}-{service.address}-{number}") for number in range(8)}
            assert found == {concept}


def test_every_worker_takes_up_an_upload_at_once(tmp_path: Path) -> None:
    with serving(tmp_path, workers="3") as first, serving(tmp_path) as second:
        follow(first, second)


def test_every_worker_takes_up_an_upload_at_once_on_postgresql(tmp_path: Path, missing: Missing) -> None:
    if postgres_programs() is None:
        missing.skip("postgresql", "its server programs (initdb, pg_ctl) are not installed")
    with (
        postgres() as url,
        serving(tmp_path, database_url=url, workers="2") as first,
        serving(tmp_path, database_url=url, workers="2") as second,
    ):
        follow(first, second)


def test_does_not_start_with_a_mounted_defect(tmp_path: Path) -> None:
    folder = tmp_path / "overlays"
    folder.mkdir()
    (folder / "local.csv").write_bytes(table(line(field="site", term=WORD, concept="nowhere")))
    with pytest.raises(AssertionError, match=r"local\.csv:2"), serving(tmp_path, overlays_folder=str(folder)):
        pass
