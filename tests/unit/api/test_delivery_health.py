"""What is said of the queues: gauges and warnings."""

from datetime import UTC, datetime, timedelta

from flask.testing import FlaskClient

from service.store.circuits import Heard, Verdict
from service.store.deliveries import State
from service.store.reports import Store
from service.store.runs import May, Told
from tests.unit.api.test_deliveries import answered, app, post, store

__all__ = ["app", "store"]


def fail(store: Store, delivery: str, times: int) -> None:
    """Let a destination be away."""
    for _ in range(times):
        run = store.deliveries.get(delivery).run
        turn = store.runs.begin(delivery, run, "worker-0", May(overtake={"sr", "fhir-r4"}))
        assert turn is not None
        away = Heard(Verdict.AWAY, why="connection refused")
        told = Told("not-sent", "", "", (), away, State.QUEUED, again_s=0.0, counts=True)
        store.runs.told(turn, store.now(), "worker-0", told)


def test_says_how_full_the_queues_are(client: FlaskClient) -> None:
    post(client, "?deliver=pacs,ehr,trial")
    text = client.get("/metrics").text
    assert 'lesionbridge_queue_depth{destination="pacs"} 1.0' in text
    assert 'lesionbridge_queue_depth{destination="trial"} 0.0' in text
    assert 'lesionbridge_deliveries{destination="ehr",state="queued"} 1.0' in text
    assert 'lesionbridge_circuit_open{destination="pacs"} 0.0' in text


def test_is_ready_although_a_destination_is_away_and_says_so(client: FlaskClient, store: Store) -> None:
    [one] = answered(post(client, "?deliver=pacs"))["deliveries"]
    fail(store, one["id"], 5)
    ready = client.get("/health/ready")
    assert (ready.status_code, answered(ready)["status"]) == (200, "ok")
    said = " | ".join(answered(ready)["warnings"])
    assert "destination pacs is left alone since" in said
    assert "connection refused" in said
    assert "there is no worker" in said
    assert 'lesionbridge_circuit_open{destination="pacs"} 1.0' in client.get("/metrics").text


def test_says_how_old_what_waits_is(client: FlaskClient, store: Store) -> None:
    post(client, "?deliver=pacs")
    store._clock = lambda: datetime.now(UTC) + timedelta(hours=1)
    said = answered(client.get("/health/ready"))["warnings"]
    assert "1 deliveries to pacs wait, the oldest for 60 minutes" in said
    assert 'lesionbridge_queue_oldest_seconds{destination="pacs"} 36' in client.get("/metrics").text


def test_a_service_without_destinations_says_nothing_of_them(client: FlaskClient) -> None:
    assert "warnings" not in answered(client.get("/health/ready"))
