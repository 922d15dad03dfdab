"""What several reports share is brought by one of them first."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from service.delivery.destination import Answer, Failed, Outcome
from service.delivery.firsts import Firsts

STORED = Answer(Outcome.STORED)
DEVICE = frozenset({"Device?identifier=a"})
TOGETHER_S = 30.0
"""Nothing here takes so long, unless those who should meet do not."""


def test_two_that_bring_the_same_go_one_after_the_other() -> None:
    firsts, inside, most = Firsts(TOGETHER_S), [0], [0]

    def send() -> Answer:
        inside[0] += 1
        most[0] = max(most[0], inside[0])
        threading.Event().wait(0.05)
        inside[0] -= 1
        return Answer(Outcome.UNKNOWN)  # so that it stays unknown whether it is there

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: firsts.run(DEVICE, send), range(4)))
    assert [answer.outcome for answer in answers] == [Outcome.UNKNOWN] * 4
    assert most == [1]


@pytest.mark.parametrize("apart", [True, False], ids=["others", "the same, known to be there"])
def test_others_and_what_is_there_wait_for_nobody(*, apart: bool) -> None:
    firsts, met = Firsts(TOGETHER_S), threading.Barrier(2, timeout=TOGETHER_S)
    if not apart:
        firsts.run(DEVICE, lambda: STORED)

    def send() -> Answer:
        met.wait()  # raises where the other does not come
        return STORED

    brought = [frozenset({f"Device?identifier={one}"}) for one in "ab"] if apart else [DEVICE, DEVICE]
    with ThreadPoolExecutor(2) as pool:
        sent = [pool.submit(firsts.run, one, send) for one in brought]
        assert [one.result() for one in sent] == [STORED, STORED]


def test_nobody_hangs_behind_one_that_hangs() -> None:
    firsts, begun, over = Firsts(0.05), threading.Event(), threading.Event()

    def hang() -> Answer:
        begun.set()
        over.wait(TOGETHER_S)
        return STORED

    with ThreadPoolExecutor(1) as pool:
        hanging = pool.submit(firsts.run, DEVICE, hang)
        begun.wait(TOGETHER_S)
        try:
            assert firsts.run(DEVICE, lambda: STORED) is STORED
            assert not hanging.done()
        finally:
            over.set()


def test_one_that_fails_lets_the_next_go() -> None:
    firsts = Firsts(TOGETHER_S)

    def fail() -> Answer:
        raise Failed(Outcome.UNKNOWN, "no answer")

    with pytest.raises(Failed):
        firsts.run(DEVICE, fail)
    assert firsts.run(DEVICE, lambda: STORED) is STORED
