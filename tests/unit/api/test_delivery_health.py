"""What is said of the queues: gauges and warnings."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from flask import Flask
from flask.testing import FlaskClient

from service.app import create_app
from service.config import Settings
from service.store.circuits import Heard, Verdict
from service.store.delivery_rows import State
from service.store.queues import Due
from service.store.reports import Store
from service.store.runs import May
from service.store.turns import Told
from tests.runs import hand_out
from tests.unit.api.test_deliveries import DESTINATIONS, answered, app, post, store

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


def test_says_that_what_is_due_is_not_begun(client: FlaskClient, store: Store) -> None:
    [one] = answered(post(client, "?deliver=pacs"))["deliveries"]
    stalled = 'lesionbridge_queue_stalled{destination="pacs"} 1.0'
    said = "deliveries to pacs have been due for 120 seconds and no worker begins them"
    ahead = [timedelta(seconds=100)]
    store._clock = lambda: datetime.now(UTC) + ahead[0]
    assert stalled not in client.get("/metrics").text
    ahead[0] = timedelta(seconds=130)
    assert stalled in client.get("/metrics").text
    assert said in answered(client.get("/health/ready"))["warnings"]
    hand_out(store, Due(one["id"], 1, 0))
    assert stalled not in client.get("/metrics").text
    assert said not in answered(client.get("/health/ready"))["warnings"]


def test_what_was_begun_and_what_is_left_alone_is_no_stall(client: FlaskClient, store: Store) -> None:
    [one] = answered(post(client, "?deliver=pacs"))["deliveries"]
    ahead = [timedelta(seconds=130)]
    store._clock = lambda: datetime.now(UTC) + ahead[0]
    fail(store, one["id"], 1)
    ahead[0] = timedelta(seconds=240)
    assert 'lesionbridge_queue_stalled{destination="pacs"} 0.0' in client.get("/metrics").text
    ahead[0] = timedelta(seconds=260)
    assert 'lesionbridge_queue_stalled{destination="pacs"} 1.0' in client.get("/metrics").text
    run = store.deliveries.get(one["id"]).run
    turn = store.runs.begin(one["id"], run, "worker-0", May(overtake={"sr", "fhir-r4"}))
    assert turn is not None
    busy = Heard(Verdict.BUSY, pause_s=3600.0, why="429")
    told = Told("not-sent", "", "", (), busy, State.QUEUED, again_s=0.0, counts=True)
    store.runs.told(turn, store.now(), "worker-0", told)
    ahead[0] = timedelta(seconds=600)
    assert 'lesionbridge_queue_stalled{destination="pacs"} 0.0' in client.get("/metrics").text


def again(app: Flask, change: Callable[[str], str]) -> FlaskClient:
    """A client of the service after a start with other destinations."""
    told: Settings = app.extensions["lesionbridge"].settings
    file = Path(told.destinations_file)
    file.write_text(change(DESTINATIONS))
    return create_app(told).test_client()


def test_what_waits_for_a_destination_that_was_renamed_is_seen(client: FlaskClient, app: Flask, store: Store) -> None:
    post(client, "?deliver=pacs")
    renamed = again(app, lambda text: text.replace("destinations.pacs", "destinations.archive"))
    store._clock = lambda: datetime.now(UTC) + timedelta(hours=1)
    said = answered(renamed.get("/health/ready"))["warnings"]
    assert "1 deliveries to pacs wait, and there is no such destination any more" in said
    text = renamed.get("/metrics").text
    assert 'lesionbridge_queue_depth{destination="pacs"} 1.0' in text
    assert 'lesionbridge_queue_depth{destination="archive"} 0.0' in text
    renamed.application.extensions["lesionbridge"].store.close()


def test_what_waits_for_a_destination_that_is_set_to_dry_run_is_no_stall(client: FlaskClient, app: Flask) -> None:
    post(client, "?deliver=pacs")
    trial = again(app, lambda text: text.replace('takes = "sr"', 'takes = "sr"\ndry_run = true'))
    here = trial.application.extensions["lesionbridge"]
    here.store._clock = lambda: datetime.now(UTC) + timedelta(seconds=130)
    said = answered(trial.get("/health/ready"))["warnings"]
    assert "1 deliveries to pacs wait: it is set to dry_run, and nothing is sent" in said
    assert [one for one in said if "no worker begins" in one] == []
    assert 'lesionbridge_queue_stalled{destination="pacs"} 0.0' in trial.get("/metrics").text
    here.store.close()


def test_a_service_without_destinations_says_nothing_of_them(client: FlaskClient) -> None:
    assert "warnings" not in answered(client.get("/health/ready"))
