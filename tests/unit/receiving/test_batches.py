"""A line of a batch is kept as a report that comes alone: as its site sends it, and by the rules."""

from __future__ import annotations

from threading import Event

import orjson

from service.api.deployment import Deployment
from service.app import create_app
from service.commands.worker import made
from service.workflows.batching import Clerk
from tests.findings import make_body
from tests.unit.receiving.conftest import RECEIVING, Deploy, destinations

ISSUED = RECEIVING.replace('zone = "Europe/Berlin"', 'zone = "Europe/Berlin"\npatient_issuer = "1.2.3.4.5"')


def batched(here: Deployment, *lines: bytes, query: str = "") -> None:
    """Send a batch, and do what a worker of this deployment does with it."""
    client = create_app(here.settings).test_client()
    head = {"Content-Type": "application/x-ndjson"}
    assert client.post(f"/v1/batches{query}", data=b"\n".join(lines), headers=head).status_code == 202
    clerk = Clerk(here.store, here.destinations, made(here.settings)._opened, Event())
    while claimed := here.store.batches.claim(1):
        clerk.publish(claimed[0])


def line(**changes: object) -> bytes:
    """A report of the site north, whose patient's id says no issuer."""
    return make_body(report__sender="north", patient__issuer=None, **changes).replace(b"\n", b"")


def test_a_line_gets_the_issuer_of_its_site_and_goes_where_the_rule_says(deploy: Deploy) -> None:
    here = deploy(receiving=ISSUED)
    batched(here, line())

    [kept] = here.store.search({"sender": "north"}, limit=9)
    receipt = orjson.loads(kept.receipt)
    assert receipt["route"] == "all else"
    assert "site-issuer" in kept.receipt.decode()
    assert destinations(here) == {"pacs", "ehr"}
    assert {one.priority for one in here.store.deliveries.list({}, limit=9)} == {10}


def test_a_line_is_the_report_that_comes_alone(deploy: Deploy) -> None:
    here = deploy(receiving=ISSUED)
    alone = create_app(here.settings).test_client()
    head = {"Content-Type": "application/json"}
    assert alone.post("/v1/reports", data=line(), headers=head).status_code == 201
    batched(here, line())
    [outcome] = here.store.batches.outcomes(_only(here), limit=9)
    assert (outcome.outcome, len(here.store.search({"sender": "north"}, limit=9))) == ("known", 1)


def test_a_batch_that_says_where_is_not_routed(deploy: Deploy) -> None:
    here = deploy(receiving=ISSUED)
    batched(here, line(), query="?deliver=engine")
    assert destinations(here) == {"engine"}


def _only(here: Deployment) -> str:
    from sqlalchemy import text

    with here.store._engine.connect() as connection:
        return str(connection.execute(text("SELECT id FROM batches")).scalar_one())
