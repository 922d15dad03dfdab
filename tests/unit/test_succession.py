"""An SR that names the one before it is the next version of that report."""

from __future__ import annotations

import orjson
from pydicom.sequence import Sequence as Items

from service.doors import Format, Options
from service.formats.sr.document import MANUFACTURER, MODEL_NAME
from service.pipeline import Source
from service.publishing import publish
from service.store.patients import KeptId
from service.store.reports import Store
from service.versions import anew, as_it_came
from tests.unit.successors import (
    FIRST,
    SECOND,
    THIRD,
    document,
    flags,
    kept,
    predecessors,
    refused,
    said,
    statuses,
    take,
)


def test_what_the_corrected_sr_has_no_more_is_withdrawn_and_what_it_has_is_the_same(store: Store) -> None:
    first = kept(store, document(FIRST))
    second = kept(store, document(SECOND, FIRST, lesions=["L1"]))
    assert (second.report_id, second.version) == (first.report_id, 2)
    before, now = statuses(store, first, "Observation"), statuses(store, second, "Observation")
    assert set(before) <= set(now)
    wrong = {name for name, status in now.items() if status == "entered-in-error"}
    assert wrong
    assert {now[name] for name in set(before) - wrong} == {"final"}
    assert statuses(store, second, "DiagnosticReport").keys() == statuses(store, first, "DiagnosticReport").keys()
    assert statuses(store, second, "DocumentReference") == {
        f"urn:oid:{SECOND}": "current",
        f"urn:oid:{FIRST}": "superseded",
    }
    assert b'"replaces"' in store.output(second.id, "fhir").content


def test_the_receipt_says_which_version_it_follows(store: Store) -> None:
    first, second = kept(store, document(FIRST)), kept(store, document(SECOND, FIRST))
    assert said(second)["follows"] == {
        "id": first.id,
        "version": 1,
        "sr": FIRST,
        "href": f"/v1/reports/{first.id}",
    }
    assert "follows" not in said(first)
    assert flags(second) == {}
    assert store.output(second.id, "sr").content == document(SECOND, FIRST)


def test_a_dry_run_says_the_same_and_keeps_nothing(store: Store) -> None:
    first = kept(store, document(FIRST))
    seen = publish(Source(document(SECOND, FIRST), Format.SR), Options(), store, dry_run=True)
    foreseen = orjson.loads(seen.content)
    assert foreseen["follows"]["id"] == first.id
    assert foreseen["report"]["version"] == 2
    assert len(store.versions(first.id)) == 1


def test_each_of_a_chain_again_is_the_version_it_was(store: Store) -> None:
    chain = [document(FIRST), document(SECOND, FIRST), document(THIRD, FIRST, SECOND, lesions=["L2"])]
    ids = [take(store, one).id for one in chain]
    assert [one.version for one in store.versions(str(ids[0]))] == [1, 2, 3]
    again = [take(store, one) for one in chain]
    assert [one.id for one in again] == ids
    assert not any(one.created for one in again)


def test_other_content_under_the_uid_of_a_successor_is_refused(store: Store) -> None:
    take(store, document(FIRST))
    take(store, document(SECOND, FIRST))
    assert refused(store, document(SECOND, FIRST, lesions=["L1"])) == "version"


def test_an_issuer_that_is_not_said_contradicts_none(store: Store) -> None:
    take(store, document(FIRST, IssuerOfPatientID="NORTH"))
    assert kept(store, document(SECOND, FIRST)).version == 2


def test_a_merged_patient_is_one(store: Store) -> None:
    take(store, document(FIRST))
    store.patients.merge(KeptId("P2"), KeptId("P1"))
    assert kept(store, document(SECOND, FIRST, PatientID="P2")).version == 2
    assert kept(store, document(THIRD, SECOND, PatientID="P1")).version == 3


def test_of_several_predecessors_duplicates_elsewhere_do_not_count(store: Store) -> None:
    take(store, document(FIRST))
    both = Items([*predecessors(FIRST), *predecessors("1.2.3.77", study="1.2.3.7")])
    second = kept(store, document(SECOND, PredecessorDocumentsSequence=both))
    assert (second.report_id, second.version) == (FIRST, 2)
    assert flags(second) == {"predecessor-unknown": "1.2.3.77"}
    assert said(second)["follows"]["sr"] == FIRST
    bundle = orjson.loads(store.output(second.id, "fhir").content)
    related = [one for entry in bundle["entry"] for one in entry["resource"].get("relatesTo", ())]
    assert [one["target"]["identifier"]["value"] for one in related] == [f"urn:oid:{FIRST}"]
    assert take(store, document(SECOND, PredecessorDocumentsSequence=both)).id == second.id


def test_our_own_sr_keeps_its_number_where_versions_between_never_came(store: Store) -> None:
    own = {"Manufacturer": MANUFACTURER, "ManufacturerModelName": MODEL_NAME}
    take(store, document(FIRST, InstanceNumber=1, **own))
    assert kept(store, document(SECOND, FIRST, InstanceNumber=4, **own)).version == 4
    assert kept(store, document(THIRD, SECOND, InstanceNumber=2, **own)).version == 5


def test_it_is_read_again_and_written_anew_as_the_version_that_it_is(store: Store) -> None:
    take(store, document(FIRST))
    second = kept(store, document(SECOND, FIRST, lesions=["L1"]))
    again = as_it_came(Source(b""), store, second)
    assert (again.format, again.body) == (Format.SR, document(SECOND, FIRST, lesions=["L1"]))
    assert again.received is not None
    assert (again.received.report.id, again.received.report.version) == (FIRST, 2)
    content = anew(Source(b""), store, second, Format.FHIR_R5, Options()).content
    assert b"entered-in-error" in content
    assert f"{FIRST}/2".encode() in content


def test_one_without_a_uid_of_its_own_follows_too_and_once(store: Store) -> None:
    take(store, document(FIRST))
    nameless = document(SECOND, FIRST, SOPInstanceUID=None)
    second = kept(store, nameless)
    assert (second.report_id, second.version) == (FIRST, 2)
    assert take(store, nameless).id == second.id
    again = as_it_came(Source(b""), store, second)
    assert again.received is not None
    assert (again.body, again.received.report.id) == (nameless, FIRST)
