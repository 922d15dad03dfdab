"""What every destination promises, held by each with a real peer on loopback, and by the fake."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from itertools import count
from pathlib import Path

import pytest

from service.delivery.destination import Outcome, Outgoing
from service.delivery.opening import OPENERS
from tests.conftest import Missing
from tests.contract.benches import BENCHES, Bench
from tests.oracles.complaint import NotInstalled

pytestmark = pytest.mark.timeout(300)
_numbers = count(1)


@pytest.fixture(scope="module", params=BENCHES)
def opened(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench | NotInstalled]:
    """Each destination in turn, with a peer for all its tests."""
    with ExitStack() as stack:
        try:
            yield stack.enter_context(BENCHES[request.param](tmp_path_factory.mktemp("bench")))
        except NotInstalled as error:
            yield error


@pytest.fixture
def bench(opened: Bench | NotInstalled, missing: Missing) -> Bench:
    """The destination, or a note that its peer is not installed."""
    if isinstance(opened, NotInstalled):
        missing.skip("peer of a destination", str(opened))
        raise AssertionError
    return opened


@pytest.fixture
def new(bench: Bench) -> Callable[[], Outgoing]:
    """Makes what no test has sent before."""
    return lambda: bench.make(next(_numbers))


def test_every_kind_of_destination_is_held_to_the_contract() -> None:
    assert {name.partition("-")[0] for name in BENCHES} == {*OPENERS, "recording"}


def test_what_was_sent_is_verified(bench: Bench, new: Callable[[], Outgoing]) -> None:
    outgoing, before = new(), bench.count()
    sent = bench.destination.send(outgoing)
    assert sent.outcome.is_kept, sent
    verified = sent if sent.outcome is Outcome.VERIFIED else bench.destination.verify(outgoing)
    assert verified.outcome is (Outcome.VERIFIED if bench.proves else Outcome.STORED), verified
    assert bench.count() - before == 1


def test_sending_again_changes_nothing(bench: Bench, new: Callable[[], Outgoing]) -> None:
    outgoing, before = new(), bench.count()
    answers = [bench.destination.send(outgoing) for _ in range(3)]
    assert [answer.outcome.is_kept for answer in answers] == [True] * 3, answers
    assert bench.count() - before == 1


def test_an_answer_that_was_lost_costs_nothing_and_doubles_nothing(bench: Bench, new: Callable[[], Outgoing]) -> None:
    if bench.lose is None:
        pytest.skip("nothing can be lost on the way to it")
    outgoing, before = new(), bench.count()
    bench.destination.send(new())  # a connection may stand already: the answer is lost all the same
    bench.lose()
    lost = bench.destination.send(outgoing)
    assert lost.outcome is Outcome.UNKNOWN, lost
    sent = bench.destination.send(outgoing)
    assert sent.outcome.is_kept, sent
    verified = sent if sent.outcome is Outcome.VERIFIED else bench.destination.verify(outgoing)
    assert verified.outcome is (Outcome.VERIFIED if bench.proves else Outcome.STORED), verified
    assert bench.count() - before == 2


def test_what_was_never_sent_is_never_verified(bench: Bench, new: Callable[[], Outgoing]) -> None:
    bench.destination.send(new())
    answer = bench.destination.verify(new())
    assert answer.outcome is not Outcome.VERIFIED, answer
    assert not answer.outcome.is_final, answer


def test_other_content_under_the_same_identity_is_found_out(bench: Bench, new: Callable[[], Outgoing]) -> None:
    outgoing = new()
    assert bench.destination.send(outgoing).outcome.is_kept
    other = bench.alter(outgoing)
    sent = bench.destination.send(other)
    found = bench.destination.verify(other) if sent.outcome.is_kept else sent
    assert (found.outcome is Outcome.MISMATCH) is bench.tells_apart, (sent, found)


def test_a_peer_that_is_there_passes_the_probe_which_leaves_nothing(bench: Bench) -> None:
    before = bench.count()
    echoes = bench.destination.probe()
    assert echoes
    assert [echo.said for echo in echoes if echo.passed is False] == []
    assert bench.count() == before


def test_several_threads_may_send_at_once(bench: Bench, new: Callable[[], Outgoing]) -> None:
    outgoing, before = [new() for _ in range(6)], bench.count()
    sent = [*outgoing, *outgoing]
    with ThreadPoolExecutor(bench.at_once) as pool:
        answers = list(pool.map(bench.destination.send, sent))
    # A peer may close a connection that stood idle on a busy machine: such an answer is lost, and asked for again.
    lost = [one for one, answer in zip(sent, answers, strict=True) if answer.outcome is Outcome.UNKNOWN]
    answers = [answer for answer in answers if answer.outcome is not Outcome.UNKNOWN] + [
        bench.destination.send(one) for one in lost
    ]
    assert [answer for answer in answers if not answer.outcome.is_kept] == []
    assert len(lost) < len(outgoing)
    assert bench.count() - before == len(outgoing)


@pytest.mark.parametrize("name", BENCHES)
def test_a_peer_that_went_away_is_tried_again(name: str, tmp_path: Path, missing: Missing) -> None:
    with ExitStack() as stack:
        try:
            bench = stack.enter_context(BENCHES[name](tmp_path))
        except NotInstalled as error:
            missing.skip("peer of a destination", str(error))
        outgoing = bench.make(next(_numbers))
        bench.leave()
        sent = bench.destination.send(outgoing)
        assert sent.outcome is Outcome.NOT_SENT, sent
        verified = bench.destination.verify(outgoing)
        assert not verified.outcome.is_final, verified
        assert verified.outcome is not Outcome.VERIFIED
        echoes = bench.destination.probe()
        assert not all(echo.passed for echo in echoes)
        assert all(echo.said for echo in echoes)
