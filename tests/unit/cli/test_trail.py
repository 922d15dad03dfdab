"""What is done on the command line stands in the audit trail."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from fhir.resources.R4B.auditevent import AuditEvent

from service.pipeline import Options, Source
from service.publishing import publish
from service.store.reports import Store
from tests.findings import make_body
from tests.unit.cli.conftest import Run
from tests.unit.coding.overlays.lines import line, table


def events() -> list[dict[str, Any]]:
    """The trail, held to be one of FHIR."""
    store = Store(os.environ["LESIONBRIDGE_DATABASE_URL"])
    kept = store.audit.after(0)
    assert store.audit.broken() is None
    store.close()
    return [json.loads(AuditEvent.model_validate_json(one.event).model_dump_json()) for one in kept]


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

    found = events()
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
    amended, withdrawn = events()
    assert (amended["type"]["code"], amended["action"], amended["outcome"]) == ("amend", "U", "0")
    assert amended["outcomeDesc"] == "lesionbridge amend --kind correct: accepted"
    assert (withdrawn["type"]["code"], withdrawn["action"]) == ("deprecate", "U")
    assert [things(one) for one in (amended, withdrawn)] == [
        [("report", ids[0]), ("report", ids[1])],
        [("report", ids[1]), ("report", ids[2])],
    ]
    assert "Doe" not in json.dumps([amended, withdrawn])


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
    assert f"the trail before it ended at 2, hash {last.hash}" in restored["outcomeDesc"]


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
    assert events() == []
