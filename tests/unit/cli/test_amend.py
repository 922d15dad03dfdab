"""`lesionbridge amend` and `cancel`."""

import json
from pathlib import Path

from service.config import Settings
from service.pipeline import Options, Source
from service.publishing import publish
from service.store.reports import Store
from tests.findings import make_body
from tests.unit.cli.conftest import Run

NAME = "MR-2026-000481"


def _stored(tmp_path: Path) -> None:
    store = Store(f"sqlite:///{tmp_path / 'cli.sqlite3'}")
    store.migrate()
    publish(Source(make_body(), default_sender=Settings().default_sender), Options(), store)
    store.close()


def test_amends_and_cancels_by_the_senders_id(run: Run, tmp_path: Path) -> None:
    _stored(tmp_path)
    done = run("amend", NAME, "-", "--kind", "addend", input=make_body(report__issued="2026-03-03T08:00:00Z"))
    assert done.exit_code == 0
    receipt = json.loads(done.stdout_bytes)["report"]
    assert (receipt["version"], receipt["status"]) == (2, "appended")
    receipt = json.loads(run("cancel", NAME, "--issued", "2026-03-04T08:00:00Z").stdout_bytes)["report"]
    assert (receipt["version"], receipt["status"]) == (3, "entered-in-error")


def test_refusals_are_said_with_exit_2(run: Run, tmp_path: Path) -> None:
    _stored(tmp_path)
    done = run("amend", NAME, "-", "--kind", "correct", input=make_body(patient__id="PID-2"))
    assert done.exit_code == 2
    assert "amend-patient" in done.stderr
    assert run("cancel", NAME, "--issued", "2026-03-04").exit_code == 2
    assert run("cancel", NAME, "--deliver", "nowhere").exit_code == 2
    assert run("amend", NAME, tmp_path / "none.json", "--kind", "correct").exit_code == 2


def test_a_dry_run_keeps_nothing(run: Run, tmp_path: Path) -> None:
    _stored(tmp_path)
    assert json.loads(run("cancel", NAME, "--dry-run").stdout_bytes)["dryRun"]
    assert json.loads(run("report", NAME).stdout_bytes)["report"]["version"] == 1


def test_rejects_the_srs_before_for_a_reason(run: Run, tmp_path: Path) -> None:
    _stored(tmp_path)
    done = run("amend", NAME, "-", "--kind", "amend", "--reject", "quality", input=make_body())
    assert "rejection" in json.loads(done.stdout_bytes)["links"]
    assert b"113001" in run("report", NAME, "--get", "rejection").stdout_bytes
    assert run("cancel", NAME, "--reject").exit_code == 0
    assert b"113037" in run("report", NAME, "--get", "rejection").stdout_bytes
    assert run("cancel", NAME, "--reject", "because").exit_code == 2


def test_page_and_narrative_come_in_the_language_that_is_asked_for(run: Run, tmp_path: Path) -> None:
    _stored(tmp_path)
    assert run("amend", NAME, "-", "--kind", "amend", "--language", "de", input=make_body()).exit_code == 0
    assert "Hirnmetastase*" in run("report", NAME, "--get", "html").stdout
    assert run("cancel", NAME, "--language", "pl").exit_code == 0
    assert '<html lang="pl"' in run("report", NAME, "--get", "html").stdout
    for one in ("amend", "cancel"):
        refused = run(one, NAME, "--language", "tlh")
        assert (refused.exit_code, "'tlh' is not one of" in refused.stderr) == (2, True)
