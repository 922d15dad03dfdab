"""What several reports share is brought by one process at a time."""

import threading
from collections.abc import Iterable

import pytest

from service.delivery.destination import Answer, Failed, Outcome
from service.delivery.fhir import FhirDestination
from service.delivery.firsts import Firsts
from service.delivery.opening import open_destination
from service.delivery.policy import Timeouts
from service.delivery.settings import Fhir
from tests.unit.delivery.test_firsts import DEVICE, STORED, TOGETHER_S

SERVER = "http://ehr"


class Shared:
    """Names that are held by another process for so many looks."""

    def __init__(self, looks: int = 0) -> None:
        self.looks = looks
        self.held: list[str] = []
        self.said: list[str] = []

    def take(self, names: Iterable[str]) -> bool:
        """Not before the other one is done."""
        if self.looks:
            self.looks -= 1
            return False
        self.held.extend(names)
        self.said.append("held")
        return True

    def give_back(self, names: Iterable[str]) -> None:
        """They are free."""
        for one in names:
            if one in self.held:
                self.held.remove(one)
        self.said.append("free")


def test_it_is_sent_when_the_other_process_is_done_and_let_go_after_the_answer() -> None:
    shared = Shared(looks=2)

    def send() -> Answer:
        assert shared.held == ["http://ehr Device?identifier=a"]
        shared.said.append("sent")
        return STORED

    assert Firsts(TOGETHER_S, shared, SERVER).run(DEVICE, send) is STORED
    assert shared.said == ["held", "sent", "free"]
    assert not shared.held


def test_what_is_known_to_be_there_asks_nobody() -> None:
    shared = Shared()
    firsts = Firsts(TOGETHER_S, shared, SERVER)
    firsts.run(DEVICE, lambda: STORED)
    firsts.run(DEVICE, lambda: STORED if not shared.held else Answer(Outcome.UNKNOWN))
    assert not shared.held


def test_nobody_hangs_behind_a_process_that_hangs() -> None:
    shared = Shared(looks=1_000_000)
    assert Firsts(0.05, shared, SERVER).run(DEVICE, lambda: STORED) is STORED


def test_one_that_fails_lets_other_processes_go() -> None:
    shared = Shared()

    def fail() -> Answer:
        raise Failed(Outcome.UNKNOWN, "no answer")

    with pytest.raises(Failed):
        Firsts(TOGETHER_S, shared, SERVER).run(DEVICE, fail)
    assert not shared.held


def test_two_in_one_process_hold_a_name_once() -> None:
    shared, begun, over = Shared(), threading.Event(), threading.Event()
    firsts = Firsts(0.05, shared, SERVER)

    def hang() -> Answer:
        begun.set()
        over.wait(TOGETHER_S)
        return STORED

    hanging = threading.Thread(target=firsts.run, args=(DEVICE, hang))
    hanging.start()
    begun.wait(TOGETHER_S)
    firsts.run(DEVICE, lambda: Answer(Outcome.UNKNOWN))
    assert shared.held == ["http://ehr Device?identifier=a"]  # that of the one that hangs
    over.set()
    hanging.join()
    assert not shared.held


def test_a_fhir_server_is_opened_with_what_processes_share() -> None:
    shared = Shared()
    made = open_destination(Fhir(name="ehr", url=SERVER), shared)
    assert isinstance(made, FhirDestination)
    assert made._firsts.run(DEVICE, lambda: STORED) is STORED
    assert shared.said == ["held", "free"]


def test_who_waits_for_a_slow_server_waits_as_long_as_an_attempt_may_take() -> None:
    shared = Shared(looks=1_000_000)
    made = open_destination(Fhir(name="ehr", url=SERVER, timeouts=Timeouts(total_s=0.3)), shared)
    assert isinstance(made, FhirDestination)
    assert made._firsts.run(DEVICE, lambda: STORED) is STORED
    assert 1_000_000 - shared.looks <= 10  # twenty a second
