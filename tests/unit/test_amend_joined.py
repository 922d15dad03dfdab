"""A version that came as an SR and was joined by its predecessor is amended and withdrawn as any other version."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import orjson
import pytest
from pydicom import dcmread

from service.amendments import Kind, amended, cancelled
from service.coding.resolve import NO_MODALITY
from service.domain.errors import UnknownTerm
from service.doors import Format, Options
from service.pipeline import Source, convert
from service.publishing import publish
from service.store.reports import Store
from service.store.versions import Stored
from service.versions import as_it_came, came_as_sr
from tests.unit.successors import FIRST, SECOND, document, kept, said


@pytest.fixture
def joined(store: Store) -> Stored:
    """The second of two SRs, as the second version of the report of the first."""
    kept(store, document(FIRST))
    made = kept(store, document(SECOND, FIRST, lesions=["L1"]))
    assert (made.report_id, made.version, came_as_sr(made)) == (FIRST, 2, True)
    return made


def findings(store: Store, stored: Stored) -> dict[str, Any]:
    """The findings JSON of a version."""
    found: dict[str, Any] = orjson.loads(store.output(stored.id, "findings").content)
    return found


def assert_goes_on_with(store: Store, third: Stored, status: str) -> None:
    """That it is the third version of the report, of our own making, after the SR of the second."""
    assert (third.report_id, third.version, third.status) == (FIRST, 3, status)
    assert "follows" not in said(third)
    assert not came_as_sr(third)
    [study] = dcmread(BytesIO(store.output(third.id, "sr").content)).PredecessorDocumentsSequence
    [named] = study.ReferencedSeriesSequence[0].ReferencedSOPSequence
    assert named.ReferencedSOPInstanceUID == SECOND
    again = as_it_came(Source(b""), store, third)
    assert (again.format, orjson.loads(again.body)) == (Format.FINDINGS, findings(store, third))


@pytest.mark.parametrize("form", [Format.FINDINGS, Format.FHIR_R4, Format.FHIR_R5, Format.HL7V2])
def test_it_is_amended_by_a_document_that_says_the_id_of_the_report(store: Store, joined: Stored, form: Format) -> None:
    made = findings(store, joined)
    made["study"]["modality"] = "MR"
    content = convert(Source(orjson.dumps(made)), (form,), Options()).outputs[form].content
    came = Source(content, form)
    receipt = publish(amended(came, joined, Kind.CORRECT, store), Options(), store)
    third = store.get(str(receipt.id))
    assert_goes_on_with(store, third, "corrected")
    assert [one["id"] for one in findings(store, third)["lesions"]] == ["L1"]
    fourth = publish(amended(came, third, Kind.AMEND, store), Options(), store)
    assert store.get(str(fourth.id)).version == 4


def test_it_is_withdrawn_as_what_it_said(store: Store, joined: Stored) -> None:
    receipt = publish(cancelled(Source(b""), joined, store), Options(), store)
    third = store.get(str(receipt.id))
    assert_goes_on_with(store, third, "entered-in-error")
    assert findings(store, third)["lesions"] == findings(store, joined)["lesions"]


def test_the_findings_of_an_sr_without_a_modality_are_taken_as_they_are_and_it_stays_missing(
    store: Store, joined: Stored
) -> None:
    content = store.output(joined.id, "findings").content
    assert orjson.loads(content)["study"]["modality"] == NO_MODALITY
    receipt = publish(amended(Source(content, Format.FINDINGS), joined, Kind.CORRECT, store), Options(), store)
    third = store.get(str(receipt.id))
    assert findings(store, third)["study"]["modality"] == NO_MODALITY
    assert [one["where"] for one in said(third)["losses"] if one["what"] == NO_MODALITY] == ["/study/modality"]


def test_any_other_modality_that_is_not_known_is_refused_still(store: Store, joined: Stored) -> None:
    made = findings(store, joined)
    made["study"]["modality"] = "modality unknown"
    with pytest.raises(UnknownTerm):
        publish(amended(Source(orjson.dumps(made)), joined, Kind.CORRECT, store), Options(), store)
