"""`give-up`: queued deliveries that an operator gives up on the command line."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from service.store.reports import Store
from tests.destinations import RecordingDestination
from tests.unit.cli.conftest import Run
from tests.unit.workflows.peers import accept, peer

WHY = ("--reason", "the archive was replaced")


@pytest.fixture
def store(run: Run, tmp_path: Path) -> Store:
    """A database with two deliveries queued for the PACS and one for the EHR."""
    assert run("migrate").exit_code == 0
    made = Store(os.environ["LESIONBRIDGE_DATABASE_URL"])
    pacs, ehr = peer(RecordingDestination("pacs")), peer(RecordingDestination("ehr"), takes="fhir-r4")
    accept(made, pacs, ehr)
    accept(made, pacs, report__id="R2")
    return made


def states(store: Store, destination: str) -> list[str]:
    """Of all its deliveries, the oldest first."""
    return [str(one.state) for one in reversed(store.deliveries.list({"destination": destination}, limit=9))]


def event(store: Store) -> tuple[str, list[tuple[str, str]]]:
    """What the newest of the trail says, and what it is about."""
    last = store.audit.last()
    assert last is not None
    said = json.loads(last.event)
    return said["outcomeDesc"], [(one["name"], one["what"]["identifier"]["value"]) for one in said["entity"][1:]]


def test_gives_up_by_id_and_sends_again(run: Run, store: Store) -> None:
    [ehr] = store.deliveries.list({"destination": "ehr"}, limit=9)
    done = run("give-up", ehr.id, *WHY)
    assert (done.exit_code, done.stderr) == (0, "1 delivery given up\n")
    assert event(store) == ("lesionbridge give-up: 1: accepted", [("delivery", ehr.id)])
    assert "given up by an operator: the archive was replaced" in run("deliveries", "--state", "dead").stdout
    twice = run("give-up", ehr.id, *WHY)
    assert (twice.exit_code, "sent again" in twice.stderr) == (2, True)
    assert run("replay", ehr.id).exit_code == 0
    assert (states(store, "ehr"), states(store, "pacs")) == (["queued"], ["queued", "queued"])


def test_gives_up_all_that_waits_for_a_destination(run: Run, store: Store) -> None:
    assert run("give-up", "--destination", "pacs", *WHY).stderr == "2 deliveries given up\n"
    assert event(store) == ("lesionbridge give-up: 2: accepted", [("destination", "pacs")])
    assert (states(store, "ehr"), states(store, "pacs")) == (["queued"], ["dead", "dead"])
    assert run("give-up", "--destination", "Doe", *WHY).stderr == "0 deliveries given up\n"
    assert event(store) == ("lesionbridge give-up: 0: accepted", [])


def test_one_that_broke_off_names_what_is_given_up(run: Run, store: Store) -> None:
    first, *_ = store.deliveries.list({"destination": "pacs"}, limit=9)
    assert run("give-up", first.id, "nobody", *WHY).exit_code == 2
    assert event(store) == ("lesionbridge give-up (1 of 2): stored", [("delivery", first.id)])
    assert states(store, "pacs") == ["queued", "dead"]


@pytest.mark.parametrize(
    "arguments",
    [
        WHY,
        ("--destination", "pacs"),
        ("an-id", "--destination", "pacs", *WHY),
        ("--destination", "pacs", "--reason", " "),
    ],
)
def test_says_what_it_is_of_and_why(run: Run, store: Store, arguments: tuple[str, ...]) -> None:
    assert run("give-up", *arguments).exit_code == 2
    assert states(store, "pacs") == ["queued", "queued"]
