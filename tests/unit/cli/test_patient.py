"""`lesionbridge patient merge`: as over REST, with a dry run before."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from service.app import create_app
from service.config import load
from service.store.reports import Store
from tests.findings import make_body
from tests.unit.cli.conftest import Run


@pytest.fixture
def store(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    """A database with a report of each of two ids, the first one sent to an archive."""
    assert run("migrate").exit_code == 0
    file = tmp_path / "destinations.toml"
    file.write_text(f'[destinations.pacs]\nkind = "folder"\npath = "{tmp_path}"\ntakes = "sr"\n', encoding="utf-8")
    monkeypatch.setenv("LESIONBRIDGE_DESTINATIONS_FILE", str(file))
    client = create_app(load(os.environ)).test_client()
    for report, patient in (("R1", "OLD"), ("R2", "NEW")):
        body = make_body(report__id=report, patient__id=patient, patient__issuer="REGION", study__accession=report)
        head = {"Content-Type": "application/json"}
        assert client.post("/v1/reports?deliver=pacs", data=body, headers=head).status_code == 201
    return Store(os.environ["LESIONBRIDGE_DATABASE_URL"])


def of(store: Store, patient: str) -> set[str]:
    """The reports that are found under an id."""
    return {one.report_id for one in store.search({"patient_id": patient}, limit=9)}


def test_says_first_and_merges_then(run: Run, store: Store) -> None:
    asked = ("patient", "merge", "OLD", "NEW", "--issuer", "REGION")
    told = run(*asked, "--dry-run")
    assert told.exit_code == 0
    assert "nothing is changed" in told.stderr
    resend, delivery = (line.split("\t") for line in told.stdout.splitlines())
    assert (resend[0], resend[2:]) == ("resend", ["local", "R1", "1", "final"])
    assert (delivery[0], delivery[2], delivery[3:]) == ("delivery", resend[1], ["pacs", "queued"])
    assert of(store, "NEW") == {"R2"}

    done = run(*asked)
    assert (done.exit_code, done.stdout) == (0, told.stdout)
    assert of(store, "NEW") == {"R1", "R2"}
    store.close()


def test_says_why_not(run: Run, store: Store) -> None:
    done = run("patient", "merge", "OLD", "OLD")
    assert (done.exit_code, "[merge]" in done.stderr) == (2, True)
    store.close()


def test_says_that_nobody_is_known_by_the_id_and_who_issued_one_like_it(run: Run, store: Store) -> None:
    done = run("patient", "merge", "OLD", "NEW")
    assert (done.exit_code, done.stdout) == (0, "")
    assert "[merge-issuer]" in done.stderr
    assert "candidates: REGION" in done.stderr
    store.close()
