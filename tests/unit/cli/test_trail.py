"""What is done on the command line stands in the audit trail."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

import pytest
from fhir.resources.R4B.auditevent import AuditEvent

import service.commands
from service.commands.serve import _migrate
from service.config import load
from service.domain.errors import NotFound, Problem, Unavailable
from service.pipeline import Options, Source
from service.publishing import publish
from service.store.database import HEAD
from service.store.reports import Store
from service.store.retention import BATCH, Purged
from tests.findings import make_body
from tests.releases import Generated
from tests.unit.cli.conftest import Run
from tests.unit.coding.overlays.lines import line, table

COMMANDS = Path(service.commands.__file__).parent


def events(after: int = 1) -> list[dict[str, Any]]:
    """The trail, held to be one of FHIR; the first event is that the tables were made."""
    store = Store(os.environ["LESIONBRIDGE_DATABASE_URL"])
    kept = store.audit.after(after)
    assert store.audit.broken() is None
    store.close()
    return [json.loads(AuditEvent.model_validate_json(one.event).model_dump_json()) for one in kept]


def told(event: dict[str, Any]) -> tuple[str, str, str, str]:
    """Type, action, outcome and what it says."""
    return event["type"]["code"], event["action"], event["outcome"], event["outcomeDesc"]


def test_what_changes_something_has_an_event_and_what_only_asks_has_none(run: Run) -> None:
    assert run("migrate").exit_code == 0
    shown = run("key", "create", "north", "--scope", "convert").stdout.strip()
    asked: list[tuple[str, ...]] = [
        ("key", "list"),
        ("patient", "merge", "OLD", "NEW", "--dry-run"),
        ("patient", "merge", "OLD", "NEW"),
        ("replay", "--all"),
        ("purge", "--days", "9", "--dry-run"),
        ("purge", "--days", "9"),
        ("key", "revoke", "north"),
        ("deliveries",),
    ]
    for one in asked:
        assert run(*one).exit_code == 0, one
    assert run("key", "revoke", "north").exit_code == 2

    *found, refused = events()
    assert told(refused) == ("110113", "U", "4", "lesionbridge key revoke: key-name")
    assert [(one["type"]["code"], one["action"]) for one in found] == [
        ("110113", "U"),
        ("merge", "U"),
        ("transmit", "E"),
        ("destroy", "D"),
        ("110113", "U"),
    ]
    said = json.dumps(found)
    assert {one["agent"][0]["name"].endswith("(command line)") for one in found} == {True}
    assert all(secret not in said for secret in (shown, "OLD", "NEW"))


def things(event: dict[str, Any]) -> list[tuple[str, str]]:
    """What an event is about, without the request."""
    return [(one["name"], one["what"]["identifier"]["value"]) for one in event["entity"] if one["name"] != "request"]


def test_an_amendment_and_a_withdrawal_name_both_versions_and_a_dry_run_is_none(run: Run, tmp_path: Path) -> None:
    assert run("migrate").exit_code == 0
    store = Store(os.environ["LESIONBRIDGE_DATABASE_URL"])
    first = str(publish(Source(make_body()), Options(), store).id)
    file = tmp_path / "next.json"
    file.write_bytes(make_body(report__issued="2026-03-03T08:00:00+01:00"))
    for more in (("--dry-run",), ()):
        assert run("amend", first, file, "--kind", "correct", *more).exit_code == 0
    assert run("cancel", "MR-2026-000481").exit_code == 0
    assert run("amend", first, file, "--kind", "addend").exit_code == 2

    ids = [one.id for one in store.versions(first)]
    store.close()
    amended, withdrawn, refused = events()
    assert told(refused) == ("amend", "U", "4", "lesionbridge amend --kind addend: newest-version")
    assert things(refused) == [("report", ids[0])]
    assert (amended["type"]["code"], amended["action"], amended["outcome"]) == ("amend", "U", "0")
    assert amended["outcomeDesc"] == "lesionbridge amend --kind correct: accepted"
    assert (withdrawn["type"]["code"], withdrawn["action"]) == ("deprecate", "U")
    assert [things(one) for one in (amended, withdrawn)] == [
        [("report", ids[0]), ("report", ids[1])],
        [("report", ids[1]), ("report", ids[2])],
    ]
    assert "Doe" not in json.dumps([amended, withdrawn, refused])


def test_overlays_and_decisions_are_named_by_version_and_not_by_words(run: Run, tmp_path: Path) -> None:
    assert run("migrate").exit_code == 0
    store = Store(os.environ["LESIONBRIDGE_DATABASE_URL"])
    publish(Source(make_body(lesions__0__site="our own lobe")), Options(), store)
    (term,), _ = store.unmapped.list({}, limit=1)
    store.close()
    file = tmp_path / "local.csv"
    file.write_bytes(table(line(field="site", term="our other lobe", concept="frontal-lobe")))
    assert run("overlay", "load", file).exit_code == 0
    assert run("unmapped", "resolve", "--id", term.id, "--as", "frontal-lobe", "--author", "Dr. A").exit_code == 0

    loaded, decided = events()
    assert {(one["type"]["code"], one["action"]) for one in (loaded, decided)} == {("originate", "C")}
    assert things(loaded) == [("overlay", "local/1")]
    assert things(decided) == [("term", str(term.id)), ("overlay", "local/2")]
    assert "lobe" not in json.dumps([loaded, decided])


def test_a_copy_and_its_return_stand_in_the_trail_and_what_the_return_cut_off_is_told(run: Run, tmp_path: Path) -> None:
    assert run("migrate").exit_code == 0
    for name in ("first", "second"):
        assert run("backup", tmp_path / f"{name}.sqlite3").exit_code == 0
    store = Store(os.environ["LESIONBRIDGE_DATABASE_URL"])
    last = store.audit.last()
    store.close()
    assert [(one["type"]["code"], one["action"]) for one in events()] == [("archive", "C")] * 2
    assert run("restore", tmp_path / "second.sqlite3", "--replace").exit_code == 0

    copied, restored = events()
    assert (copied["type"]["code"], restored["type"]["code"], restored["action"]) == ("archive", "restore", "C")
    assert last is not None
    assert f"the trail before it ended at 3, hash {last.hash}" in restored["outcomeDesc"]


def test_agents_and_entities_have_the_types_of_balp(run: Run) -> None:
    assert run("migrate").exit_code == 0
    store = Store(os.environ["LESIONBRIDGE_DATABASE_URL"])
    first = str(publish(Source(make_body()), Options(), store).id)
    store.close()
    assert run("cancel", first).exit_code == 0
    [event] = events()
    [agent] = event["agent"]
    assert agent["who"]["identifier"]["value"] == agent["name"]
    assert "network" not in agent
    request, *reports = event["entity"]
    assert request["type"]["code"] == "XrequestId"
    assert {(one["type"]["code"], one["role"]["code"]) for one in reports} == {("2", "4")}


def test_without_a_trail_nothing_is_written(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LESIONBRIDGE_AUDIT", "false")
    assert run("migrate").exit_code == 0
    assert run("key", "create", "north", "--scope", "convert").exit_code == 0
    assert run("key", "revoke", "south").exit_code == 2
    assert events(after=0) == []


def test_tables_that_were_made_or_brought_to_another_step_stand_in_the_trail(run: Run) -> None:
    assert run("migrate").exit_code == 0
    assert run("migrate").exit_code == 0
    assert run("migrate", "--to", "0005").exit_code == 0
    assert run("migrate").exit_code == 0
    assert run("migrate", "--to", "nowhere").exit_code == 2

    assert [told(one) for one in events(after=0)] == [
        ("transform", "U", "0", f"lesionbridge migrate (no tables to {HEAD}): accepted"),
        ("transform", "U", "0", f"lesionbridge migrate ({HEAD} to 0005): accepted"),
        ("transform", "U", "0", f"lesionbridge migrate (0005 to {HEAD}): accepted"),
        ("transform", "U", "4", "lesionbridge migrate: migration"),
    ]


def test_what_serve_migrates_at_its_start_stands_in_the_trail(run: Run) -> None:
    _migrate(load(os.environ), "serve")
    _migrate(load(os.environ), "serve")
    assert [one["outcomeDesc"] for one in events(after=0)] == [f"lesionbridge serve (no tables to {HEAD}): accepted"]


def test_the_trail_survives_tables_that_know_of_none(run: Run) -> None:
    assert run("migrate").exit_code == 0
    assert run("migrate", "--to", "0001").exit_code == 0
    assert run("migrate").exit_code == 0

    assert [one["outcomeDesc"] for one in events(after=0)] == [
        f"lesionbridge migrate (no tables to {HEAD}): accepted",
        f"lesionbridge migrate ({HEAD} to 0001): accepted",
        f"lesionbridge migrate (0001 to {HEAD}): accepted",
    ]
    assert run("audit", "verify").exit_code == 0


def test_tables_that_never_had_a_trail_say_that_nothing_is_written_down(run: Run) -> None:
    made = run("migrate", "--to", "0003")
    assert (made.exit_code, "not in the audit trail, which can't be written" in made.stderr) == (0, True)


def test_releases_that_are_loaded_and_removed_are_named_by_slot_and_version(
    run: Run, tmp_path: Path, rf2: Generated, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LESIONBRIDGE_TERMINOLOGY_FOLDER", str(tmp_path / "terminology"))
    assert run("migrate").exit_code == 0
    (tmp_path / "Jane Doe.csv").write_bytes(b"nonsense")
    assert run("terminology", "import", rf2.path).exit_code == 0
    assert run("terminology", "import", tmp_path / "Jane Doe.csv").exit_code == 2
    assert run("terminology", "import", rf2.path, "--name", "../up").exit_code == 2
    assert run("terminology", "remove", "sct").exit_code == 0
    assert run("terminology", "remove", "Jane Doe").exit_code == 2

    found = events()
    assert [told(one) for one in found] == [
        ("110107", "C", "0", "lesionbridge terminology import: accepted"),
        ("110107", "C", "4", "lesionbridge terminology import: release-layout"),
        ("110107", "C", "4", "lesionbridge terminology import: input"),
        ("destroy", "D", "0", "lesionbridge terminology remove: accepted"),
        ("destroy", "D", "4", "lesionbridge terminology remove: not-found"),
    ]
    assert things(found[0]) == [("release", "sct"), ("release", "SCT 20260701")]
    assert things(found[3]) == [("release", "sct")]
    assert "Doe" not in json.dumps(found)


REFUSED: dict[str, tuple[tuple[str, ...], tuple[str, str, str, str]]] = {
    "amend": (
        ("amend", "DOE-1", "none.json", "--kind", "correct"),
        ("amend", "U", "4", "amend --kind correct: stored"),
    ),
    "cancel": (("cancel", "DOE-1"), ("deprecate", "U", "4", "cancel: stored")),
    "batch send": (("batch", "send", "doe.txt", "--deliver", "DOE"), ("receive", "C", "4", "batch send: destination")),
    "batch cancel": (("batch", "cancel", "DOE-1"), ("receive", "U", "4", "batch cancel: input")),
    "replay": (("replay", "DOE-1"), ("transmit", "E", "4", "replay: stored")),
    "give-up": (("give-up", "DOE-1", "--reason", "DOE"), ("transmit", "U", "4", "give-up: stored")),
    "delivery edit": (("delivery", "edit", "DOE-1"), ("transmit", "E", "4", "delivery edit: stored")),
    "patient merge": (("patient", "merge", "DOE-1", "DOE-1"), ("merge", "U", "4", "patient merge: merge")),
    "overlay load": (("overlay", "load", "doe.txt"), ("originate", "C", "4", "overlay load: input")),
    "unmapped resolve": (
        ("unmapped", "resolve", "doe.txt", "--author", "Doe"),
        ("originate", "C", "4", "unmapped resolve: csv"),
    ),
    "backup": (("backup", "doe.txt"), ("archive", "C", "4", "backup: backup")),
    "restore": (("restore", "doe.txt"), ("restore", "C", "4", "restore: backup")),
    "key create": (("key", "create", "doe\n", "--scope", "convert"), ("110113", "U", "4", "key create: input")),
    "key revoke": (("key", "revoke", "doe"), ("110113", "U", "4", "key revoke: key-name")),
    "terminology import": (
        ("terminology", "import", "doe.txt"),
        ("110107", "C", "4", "terminology import: release-layout"),
    ),
    "terminology remove": (("terminology", "remove", "doe"), ("destroy", "D", "4", "terminology remove: not-found")),
    "migrate": (("migrate", "--to", "doe"), ("transform", "U", "4", "migrate: migration")),
}
"""A refusal of each command that is written down when it succeeds, and its event."""


@pytest.mark.parametrize("name", REFUSED)
def test_what_was_refused_stands_there_with_its_rule_and_without_what_was_typed(run: Run, name: str) -> None:
    command, (kind, action, outcome, said) = REFUSED[name]
    Path("doe.txt").write_bytes(b"Doe^Jane")
    assert run("migrate").exit_code == 0
    assert run(*command).exit_code == 2
    [event] = events()
    assert told(event) == (kind, action, outcome, f"lesionbridge {said}")
    assert things(event) == []
    assert "doe" not in json.dumps(event).lower()


def test_every_command_that_is_written_down_has_a_refusal_here() -> None:
    said = [line for file in COMMANDS.glob("*.py") for line in file.read_text(encoding="utf-8").splitlines()]
    acts = {found[1] for line in said for found in re.finditer(r'Act\(Arrival\.\w+, f?"([a-z -]+?)(?: --|")', line)}
    assert acts | {"migrate"} == REFUSED.keys() | {"purge"}  # nothing refuses a purge but the database


def test_a_dry_run_and_a_command_line_that_can_not_be_read_are_no_acts(run: Run) -> None:
    assert run("migrate").exit_code == 0
    for one in (
        ("cancel", "none", "--dry-run"),
        ("cancel", "none", "--issued", "noon"),
        ("replay",),
        ("amend", "none"),
    ):
        assert run(*one).exit_code == 2, one
    assert events() == []


def test_a_refusal_makes_no_database_and_says_that_there_is_no_trail(run: Run, tmp_path: Path) -> None:
    (tmp_path / "doe.txt").write_bytes(b"Doe^Jane")
    refused = run("restore", tmp_path / "doe.txt")
    assert refused.exit_code == 2
    assert "not in the audit trail: there is no database yet" in refused.stderr
    assert not (tmp_path / "cli.sqlite3").exists()


def test_what_was_broken_off_with_ctrl_c_stands_there(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def breaks_off(*_: object) -> None:
        raise KeyboardInterrupt

    assert run("migrate").exit_code == 0
    monkeypatch.setattr("service.store.access.KeyStore.revoke", breaks_off)
    assert run("key", "revoke", "north").exit_code == 1
    [event] = events()
    assert told(event) == ("110113", "U", "4", "lesionbridge key revoke: interrupted")


def test_a_purge_that_broke_off_says_how_much_is_gone(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []

    def purged(_: object, days: int, *, dead_letters: bool, most: int) -> Purged:
        asked.append(most)
        assert (days, dead_letters) == (9, False)
        if len(asked) > 2:
            raise KeyboardInterrupt
        return Purged(most, most + 1)

    assert run("migrate").exit_code == 0
    monkeypatch.setattr("service.store.retention.Retention.purge", purged)
    assert run("purge", "--days", "9").exit_code == 1
    [event] = events()
    assert told(event) == ("destroy", "D", "4", "lesionbridge purge --days 9 (200 reports): interrupted")
    assert asked == [BATCH] * 3


def test_a_replay_that_broke_off_names_what_is_sent_again(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def put_back(_: object, id: str, *, priority: int | None) -> None:  # noqa: A002 - the store's own word
        assert priority is None
        if id == "C":
            raise NotFound(Problem("", "stored", "no such delivery"))

    assert run("migrate").exit_code == 0
    monkeypatch.setattr("service.store.deliveries.DeliveryStore.retry", put_back)
    assert run("replay", "A", "B", "C", "D").exit_code == 2
    [event] = events()
    assert told(event) == ("transmit", "E", "4", "lesionbridge replay (2 of 4): stored")
    assert things(event) == [("delivery", "A"), ("delivery", "B")]


def test_a_fault_of_ours_has_another_outcome_than_a_refusal(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object) -> None:
        raise Unavailable(Problem("", "database", "away"))

    assert run("migrate").exit_code == 0
    monkeypatch.setattr("service.store.access.KeyStore.revoke", fails)
    assert run("key", "revoke", "north").exit_code == 2
    [event] = events()
    assert told(event) == ("110113", "U", "8", "lesionbridge key revoke: database")
