"""`deliveries`, `replay`, `purge`, `backup`, `restore`, and `worker` without a destination."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from service.cli import main
from service.store.circuits import Heard, Verdict
from service.store.delivery_rows import State
from service.store.reports import Store
from service.store.runs import May
from service.store.turns import Told
from tests.databases import with_tables
from tests.destinations import RecordingDestination
from tests.unit.workflows.peers import accept, peer


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    """A database with two dead letters, one refused to the PACS and one dead to the EHR, and one under way."""
    url = with_tables(f"sqlite:///{tmp_path / 'cli.sqlite3'}")
    monkeypatch.setenv("LESIONBRIDGE_DATABASE_URL", url)
    made = Store(url)
    pacs, ehr = peer(RecordingDestination("pacs")), peer(RecordingDestination("ehr"), takes="fhir-r4")
    version = accept(made, pacs, ehr)
    accept(made, pacs, report__id="R2")
    for one, state in zip(made.deliveries.of(version), (State.REFUSED, State.DEAD), strict=True):
        turn = made.runs.begin(one.id, 1, "worker-0", May(overtake={"sr", "fhir-r4"}))
        assert turn is not None
        told = Told("refused", "422", "no such patient", (), Heard(Verdict.WORKS), state, again_s=None, counts=False)
        made.runs.told(turn, made.now(), "worker-0", told)
    return made


def set_up(takes: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the PACS a folder that takes a format."""
    file = folder / "destinations.toml"
    file.write_text(f'[destinations.pacs]\nkind = "folder"\npath = "{folder}"\ntakes = "{takes}"\n', encoding="utf-8")
    monkeypatch.setenv("LESIONBRIDGE_DESTINATIONS_FILE", str(file))


def run(*arguments: str) -> Result:
    """Run a command."""
    return CliRunner().invoke(main, arguments)


def test_lists_dead_letters_with_each_try(store: Store) -> None:
    done = run("deliveries", "--state", "refused", "--tries")
    assert done.exit_code == 0
    listed, tried = done.stdout.splitlines()
    assert listed.split("\t")[1:4] == ["refused", "pacs", "1"]
    assert tried.strip().split("\t")[1::2] == ["send", "refused", "no such patient"]
    assert run("deliveries").stderr == "3 deliveries\n"


def test_replays_by_condition_and_by_id(store: Store) -> None:
    assert run("replay", "--destination", "pacs").stderr == "1 delivery to be sent again\n"
    [dead] = store.deliveries.list({"state": "dead"}, limit=9)
    assert run("replay", dead.id).exit_code == 0
    assert store.deliveries.list({"state": "dead"}, limit=9) == ()
    refused = run("replay", dead.id)
    assert (refused.exit_code, "only a dead letter" in refused.stderr) == (2, True)


def test_a_replay_may_run_as_a_backfill(store: Store) -> None:
    assert run("replay", "--all", "--backfill").stderr == "2 deliveries to be sent again\n"
    assert {one.priority for one in store.deliveries.list({"destination": "ehr"}, limit=9)} == {10}


def test_those_named_by_id_may_run_as_a_backfill_too(store: Store) -> None:
    [dead] = store.deliveries.list({"state": "dead"}, limit=9)
    assert run("replay", dead.id, "--backfill").exit_code == 0
    assert store.deliveries.get(dead.id).priority == 10


def test_a_dead_letter_is_seen_with_its_tries_and_its_bytes(store: Store, tmp_path: Path) -> None:
    [refused] = store.deliveries.list({"state": "refused"}, limit=9)
    told = json.loads(run("delivery", "show", refused.id).stdout)
    assert (told["state"], told["destination"], told["tries"][0]["reason"]) == ("refused", "pacs", "no such patient")
    file = tmp_path / "sent.dcm"
    assert run("delivery", "show", refused.id, "--content", "-o", str(file)).exit_code == 0
    assert file.read_bytes() == store.output(refused.version, refused.role).content
    assert run("delivery", "show", "nobody").exit_code == 2


def test_what_was_sent_is_compared(store: Store) -> None:
    first, second = store.deliveries.list({"destination": "pacs"}, limit=9)
    differ = run("delivery", "compare", first.id, second.id)
    assert differ.exit_code == 1
    assert json.loads(differ.stdout)["differences"]
    same = run("delivery", "compare", first.id, first.id)
    assert (same.exit_code, json.loads(same.stdout)["same"]) == (0, True)


def test_a_dead_letter_is_written_again_in_another_dialect(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_up("sr", tmp_path, monkeypatch)
    [refused] = store.deliveries.list({"state": "refused"}, limit=9)
    done = run("delivery", "edit", refused.id, "--dialect", "text")
    assert done.exit_code == 0, done.stderr
    made = store.deliveries.get(done.stdout.strip())
    assert (made.parent, made.state, made.destination) == (refused.id, "queued", "pacs")
    assert store.output(made.version, made.role).content != store.output(refused.version, refused.role).content
    again = run("delivery", "edit", made.id)
    assert (again.exit_code, "only a dead letter" in again.stderr) == (2, True)


def test_a_dead_letter_is_written_again_in_another_language(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_up("html", tmp_path, monkeypatch)
    [refused] = store.deliveries.list({"state": "refused"}, limit=9)
    done = run("delivery", "edit", refused.id, "--language", "de")
    assert done.exit_code == 0, done.stderr
    made = store.deliveries.get(done.stdout.strip())
    assert b"Hirnmetastase*" in store.output(made.version, made.role).content
    assert run("delivery", "edit", refused.id, "--language", "tlh").exit_code == 2


@pytest.mark.parametrize("arguments", [(), ("some-id", "--state", "dead")])
def test_a_replay_says_what_it_is_of(arguments: tuple[str, ...]) -> None:
    assert run("replay", *arguments).exit_code == 2


def test_purges_by_days_or_by_the_setting(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    assert run("purge").exit_code == 2
    monkeypatch.setenv("LESIONBRIDGE_KEEP_DAYS", "30")
    assert run("purge", "--dry-run").stderr == "0 reports with 0 versions would be removed\n"
    assert run("purge", "--days", "1").stderr == "0 reports with 0 versions removed\n"


def test_backs_up_and_restores(store: Store, tmp_path: Path) -> None:
    copy = tmp_path / "copy.sqlite3"
    assert run("backup", str(copy)).exit_code == 0
    in_use = run("restore", str(copy), "--replace")
    assert (in_use.exit_code, "in use" in in_use.stderr) == (2, True)
    store.close()
    assert run("restore", str(copy)).exit_code == 2
    assert run("restore", str(copy), "--replace").exit_code == 0
    assert len(store.deliveries.list({}, limit=9)) == 3


def test_a_worker_without_a_destination_works_on_batches_until_stopped(store: Store) -> None:
    worker = subprocess.Popen([sys.executable, "-m", "service.cli", "worker"], stderr=subprocess.PIPE, text=True)
    try:
        assert worker.stderr is not None
        assert worker.stderr.readline() == "delivering (stop with Ctrl-C)\n"
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(timeout=180) == 0
    finally:
        worker.kill()
        worker.communicate()
