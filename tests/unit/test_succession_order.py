"""SRs follow one after the other: what is late, comes at the same time or follows a withdrawal is refused."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from service.amendments import Kind, amended, cancelled
from service.domain.errors import Conflict
from service.doors import Format, Options
from service.pipeline import Source
from service.publishing import publish
from service.store.reports import Store
from tests import sr_files as sr
from tests.unit.successors import FIRST, SECOND, THIRD, document, kept, refused, said, statuses, take

PRELIMINARY = {"CompletionFlag": "PARTIAL", "PreliminaryFlag": "PRELIMINARY"}
VERIFIED = {"VerificationFlag": "VERIFIED", "PreliminaryFlag": "FINAL"}


def test_a_predecessor_that_is_not_the_newest_is_refused(store: Store) -> None:
    take(store, document(FIRST))
    take(store, document(SECOND, FIRST))
    assert refused(store, document(THIRD, FIRST)) == "newest-version"
    third = kept(store, document(THIRD, SECOND, FIRST))
    assert third.version == 3
    assert "sr-predecessor" not in {one.get("rule") for one in said(third)["losses"] if one["what"] == SECOND}


def test_a_predecessor_whose_successor_was_withdrawn_is_kept(store: Store) -> None:
    second = kept(store, document(SECOND, FIRST))
    publish(cancelled(Source(b""), second, store), Options(), store)
    assert kept(store, document(FIRST)).report_id == FIRST


def test_what_comes_after_the_sr_that_replaces_it_is_refused(store: Store) -> None:
    second = kept(store, document(SECOND, "1.2.3.9", FIRST))
    assert refused(store, document(FIRST)) == "superseded"
    assert kept(store, document(FIRST), default_sender="south").version == 1
    assert kept(store, document(THIRD, SECOND)).report_id == second.report_id


@pytest.mark.parametrize(
    "header",
    [
        {"PatientID": "P2"},
        {"root": ("112000", "DCM", "Chest CAD Report")},
        {"Manufacturer": "Another", "lesions": ["L2"]},
    ],
)
def test_what_an_sr_goes_on_from_without_replacing_it_may_come_later(store: Store, header: dict[str, Any]) -> None:
    take(store, document(SECOND, FIRST, lesions=["L1"]))
    assert kept(store, document(FIRST, **header)).report_id == FIRST


def test_two_that_name_each_other_are_one(store: Store) -> None:
    first = kept(store, document(FIRST, SECOND))
    assert refused(store, document(SECOND, FIRST)) == "superseded"
    assert take(store, document(FIRST, SECOND)).id == first.id


def test_of_two_successors_at_the_same_time_one_is_kept(store: Store) -> None:
    first = kept(store, document(FIRST))

    def sent(body: bytes) -> str:
        try:
            return "" if take(store, body).id else "none"
        except Conflict as error:
            return error.problems[0].rule

    with ThreadPoolExecutor(2) as both:
        found = sorted(both.map(sent, [document(SECOND, FIRST), document(THIRD, FIRST, lesions=["L1"])]))
    assert found[0] == ""
    assert found[1] in ("newest-version", "version")
    assert [one.version for one in store.versions(first.id)] == [1, 2]


def test_preliminary_becomes_final_and_never_preliminary_again(store: Store) -> None:
    first = kept(store, document(FIRST, **PRELIMINARY))
    second = kept(store, document(SECOND, FIRST, lesions=["L1"], **VERIFIED))
    assert [(one.version, one.status) for one in store.versions(first.id)] == [(1, "preliminary"), (2, "final")]
    assert "cancelled" in statuses(store, second, "Observation").values()  # what never was final
    assert refused(store, document(THIRD, SECOND, **PRELIMINARY)) == "status-order"


def test_what_is_withdrawn_is_not_gone_on_with_and_what_was_amended_is(store: Store) -> None:
    first = kept(store, document(FIRST))
    came = Source(document(THIRD, lesions=["L1"]), Format.SR)
    second = store.get(str(publish(amended(came, first, Kind.CORRECT, store), Options(), store).id))
    assert refused(store, document(SECOND, FIRST)) == "newest-version"
    third = kept(store, document(SECOND, second.sr.sop_instance))
    assert (third.version, third.status) == (3, "final")
    publish(cancelled(Source(b""), third, store), Options(), store)
    newest = store.versions(first.id)[-1]
    assert refused(store, document(f"{sr.STUDY}.2.4", newest.sr.sop_instance)) == "withdrawn"
