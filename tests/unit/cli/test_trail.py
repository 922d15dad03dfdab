"""What is done on the command line stands in the audit trail."""

from __future__ import annotations

import json
import os
from typing import Any

import pytest
from fhir.resources.R4B.auditevent import AuditEvent

from service.store.reports import Store
from tests.unit.cli.conftest import Run


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


def test_without_a_trail_nothing_is_written(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LESIONBRIDGE_AUDIT", "false")
    assert run("migrate").exit_code == 0
    assert run("key", "create", "north", "--scope", "convert").exit_code == 0
    assert events() == []
