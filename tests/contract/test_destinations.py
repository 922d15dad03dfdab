"""What every destination promises, held by each with a real peer on loopback, and by the fake."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from service.delivery.destination import Outcome
from service.delivery.opening import OPENERS
from tests.conftest import Missing
from tests.contract.benches import BENCHES, Bench
from tests.oracles.complaint import NotInstalled

pytestmark = pytest.mark.timeout(300)


@pytest.fixture(params=BENCHES)
def bench(request: pytest.FixtureRequest, tmp_path: Path, missing: Missing) -> Iterator[Bench]:
    """Each destination in turn."""
    opened = BENCHES[request.param](tmp_path)
    try:
        made = opened.__enter__()
    except NotInstalled as error:
        missing.skip(request.param, str(error))
        raise
    try:
        yield made
    finally:
        opened.__exit__(None, None, None)


def test_every_kind_of_destination_is_held_to_the_contract() -> None:
    assert {name.partition("-")[0] for name in BENCHES} == {*OPENERS, "recording"}


def test_what_was_sent_is_verified(bench: Bench) -> None:
    outgoing = bench.make(1)
    sent = bench.destination.send(outgoing)
    assert sent.outcome.is_kept, sent
    verified = bench.destination.verify(outgoing)
    assert verified.outcome is (Outcome.VERIFIED if bench.proves else Outcome.STORED), verified
    assert bench.count() == 1


def test_sending_again_changes_nothing(bench: Bench) -> None:
    outgoing = bench.make(2)
    answers = [bench.destination.send(outgoing) for _ in range(3)]
    assert [answer.outcome.is_kept for answer in answers] == [True] * 3, answers
    assert bench.count() == 1


def test_what_was_never_sent_is_never_verified(bench: Bench) -> None:
    bench.destination.send(bench.make(3))
    answer = bench.destination.verify(bench.make(4))
    assert answer.outcome is not Outcome.VERIFIED, answer
    assert not answer.outcome.is_final, answer


def test_other_content_under_the_same_identity_is_found_out(bench: Bench) -> None:
    outgoing = bench.make(5)
    assert bench.destination.send(outgoing).outcome.is_kept
    other = bench.alter(outgoing)
    sent = bench.destination.send(other)
    found = [sent.outcome] if not sent.outcome.is_kept else [bench.destination.verify(other).outcome]
    if bench.tells_apart:
        assert found == [Outcome.MISMATCH], sent
    else:
        assert found != [Outcome.MISMATCH], sent


def test_a_peer_that_went_away_is_tried_again(bench: Bench) -> None:
    outgoing = bench.make(6)
    bench.leave()
    sent = bench.destination.send(outgoing)
    assert sent.outcome is Outcome.NOT_SENT, sent
    verified = bench.destination.verify(outgoing)
    assert not verified.outcome.is_final, verified
    assert verified.outcome is not Outcome.VERIFIED
    echoes = bench.destination.probe()
    assert not all(echo.passed for echo in echoes)
    assert all(echo.said for echo in echoes)


def test_a_peer_that_is_there_passes_the_probe_which_leaves_nothing(bench: Bench) -> None:
    echoes = bench.destination.probe()
    assert echoes
    assert [echo.said for echo in echoes if not echo.passed] == []
    assert bench.count() == 0


def test_several_threads_may_send_at_once(bench: Bench) -> None:
    outgoing = [bench.make(number) for number in range(10, 16)]
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(bench.destination.send, [*outgoing, *outgoing]))
    assert all(answer.outcome.is_kept for answer in answers), answers
    assert bench.count() == len(outgoing)
