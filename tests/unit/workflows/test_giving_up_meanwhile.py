"""A whole destination is given up again and again while a worker delivers to it and others send again.

What was given up before it was begun is sent by nobody, what was begun is not given up: so each delivery is sent once
in the end, and the trail of it all holds.
"""

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
from click.testing import CliRunner

from service.app import create_app
from service.cli import main
from service.config import Settings
from service.delivery.destination import Answer, Outgoing
from service.store.delivery_rows import State
from service.store.reports import Store
from tests.destinations import RecordingDestination
from tests.unit.workflows.peers import accept, peer, until, working

REPORTS, TIMES, TOGETHER_S = 30, 8, 120.0
GIVES_UP = ("give-up", {"destination": "pacs", "reason": "the archive was replaced"})
SENDS_AGAIN = ("retry", {"destination": "pacs"})
SENDING_S = 0.05
OPERATORS = (GIVES_UP, SENDS_AGAIN, GIVES_UP, SENDS_AGAIN)


class Slow(RecordingDestination):
    """Takes its time: so others come while something is being sent. Until it is let go on it answers nobody."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.begun, self.goes_on = threading.Event(), threading.Event()

    def send(self, outgoing: Outgoing) -> Answer:
        """Remember it after a while."""
        self.begun.set()
        self.goes_on.wait(TOGETHER_S)
        threading.Event().wait(SENDING_S)
        return super().send(outgoing)


def test_each_is_sent_once_and_the_trail_holds(
    store: Store, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    pacs = Slow("pacs")
    versions = [accept(store, peer(pacs), report__id=f"R{number}") for number in range(REPORTS)]
    app = create_app(Settings(database_url=database_url, log_level="error"))
    together = threading.Barrier(len(OPERATORS))

    def operate(what: tuple[str, dict[str, str]]) -> int:
        client, number = app.test_client(), 0
        for _ in range(TIMES):
            together.wait(TOGETHER_S)
            answer = client.post(f"/v1/deliveries/{what[0]}", json=what[1])
            assert answer.status_code in (200, 202), answer.text
            number += answer.get_json().get("givenUp", 0)
            if what is GIVES_UP:
                pacs.goes_on.set()
        return number

    with working(database_url, peer(pacs)), ThreadPoolExecutor(len(OPERATORS)) as pool:
        assert pacs.begun.wait(TOGETHER_S)
        given_up = sum(pool.map(operate, OPERATORS))
        assert app.test_client().post("/v1/deliveries/retry", json=SENDS_AGAIN[1]).status_code == 202
        assert until(lambda: not store.deliveries.queues())
    deliveries = [one for version in versions for one in store.deliveries.of(version)]
    assert {one.state for one in deliveries} == {State.VERIFIED}
    assert Counter(one.delivery for one in pacs.sent) == {one.id: 1 for one in deliveries}
    assert given_up, "nothing waited when it was to be given up: this shows nothing"
    assert len(list(store.audit.all())) == len(OPERATORS) * TIMES + 1
    monkeypatch.setenv("LESIONBRIDGE_DATABASE_URL", database_url)
    verified = CliRunner().invoke(main, ["audit", "verify"])
    assert (verified.exit_code, "the chain holds" in verified.stderr) == (0, True)
