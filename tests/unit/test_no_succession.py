"""An SR that names one of another sender, patient, study or kind, or an unknown one, is a report of its own."""

from __future__ import annotations

from typing import Any

import pytest

from service.doors import Format, Options
from service.pipeline import Source
from service.store.reports import Store
from service.versions import anew
from tests.unit.successors import FIRST, SECOND, THIRD, document, flags, kept, refused, said, statuses, take


def test_an_sr_of_another_sender_is_neither_taken_over_nor_taken_twice(store: Store) -> None:
    first = kept(store, document(FIRST), default_sender="north")
    second = kept(store, document(SECOND, FIRST), default_sender="south")
    assert (second.sender, second.report_id, second.version) == ("south", SECOND, 1)
    assert flags(second) == {"predecessor-unknown": FIRST}
    assert len(store.versions(first.id)) == 1
    assert refused(store, document(FIRST), default_sender="south") == "sr-instance"


def test_a_predecessor_that_nobody_has_seen_is_said_and_the_report_is_one_of_its_own(store: Store) -> None:
    second = kept(store, document(SECOND, FIRST))
    assert (second.report_id, second.version) == (SECOND, 1)
    assert flags(second) == {"predecessor-unknown": FIRST}
    assert "follows" not in said(second)


def test_more_predecessors_than_a_statement_may_name_are_looked_for(store: Store) -> None:
    take(store, document(FIRST))
    names = [f"1.2.3.{number}" for number in range(1500)]
    assert flags(kept(store, document(SECOND, *names))).keys() == {"predecessor-unknown"}


@pytest.mark.parametrize(
    ("header", "rule"),
    [
        ({"PatientID": "P2"}, "predecessor-patient"),
        ({"IssuerOfPatientID": "SOUTH"}, "predecessor-patient"),
        ({"StudyInstanceUID": "1.2.826.0.1.3680043.10.1561.4"}, "predecessor-unknown"),
        ({"root": ("11528-7", "LN", "Radiology Report")}, "predecessor-kind"),
    ],
)
def test_another_patient_study_or_kind_of_document_is_never_joined(
    store: Store, header: dict[str, Any], rule: str
) -> None:
    first = kept(store, document(FIRST, IssuerOfPatientID="NORTH"))
    second = kept(store, document(SECOND, FIRST, **{"IssuerOfPatientID": "NORTH", **header}))
    assert (second.report_id, second.version) == (SECOND, 1)
    assert flags(second) == {rule: FIRST}
    assert len(store.versions(first.id)) == 1
    assert "entered-in-error" not in statuses(store, second, "Observation").values()
    again = kept(store, document(SECOND, FIRST, **{"IssuerOfPatientID": "NORTH", **header}))
    assert again.id == second.id
    if rule != "predecessor-unknown":
        anew_too = anew(Source(b""), store, again, Format.FHIR_R5, Options()).content
        assert b"relatesTo" not in store.output(second.id, "fhir").content + anew_too


def test_srs_of_two_reports_have_no_common_successor(store: Store) -> None:
    take(store, document(FIRST))
    take(store, document(SECOND))
    third = kept(store, document(THIRD, FIRST, SECOND))
    assert (third.report_id, third.version) == (THIRD, 1)
    assert flags(third).keys() == {"predecessor-several"}


def test_an_sr_that_names_itself_replaces_nothing(store: Store) -> None:
    first = kept(store, document(FIRST, FIRST))
    assert (first.report_id, first.version) == (FIRST, 1)
    assert "sr-predecessor" in {one.get("rule") for one in said(first)["losses"]}
    assert b"relatesTo" not in store.output(first.id, "fhir").content
    assert take(store, document(FIRST, FIRST)).id == first.id
