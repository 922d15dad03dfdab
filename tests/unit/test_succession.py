"""An SR that names the one before it is the next version of that report, and of no other one."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import orjson
import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence as Items

from service.amendments import Kind, amended, cancelled
from service.domain.errors import Conflict, KeyReused
from service.doors import Format, Options
from service.formats.sr.document import MANUFACTURER, MODEL_NAME
from service.pipeline import Source, read
from service.publishing import Receipt, publish
from service.store.patients import KeptId
from service.store.reports import Store
from service.store.versions import Stored
from service.versions import anew, as_it_came
from tests import sr_files as sr
from tests.findings import make_body

FIRST, SECOND, THIRD = (f"{sr.STUDY}.2.{number}" for number in (1, 2, 3))
LESIONS = {
    name: sr.group(
        sr.num(sr.LONG_AXIS, size, sr.MM), sr.uid(sr.TRACKING_UID, f"{sr.STUDY}.9.{name[1]}"), identifier=name
    )
    for name, size in (("L1", "14.20"), ("L2", "9"))
}


def predecessors(*uids: str, study: str = sr.STUDY) -> Items:
    """A Predecessor Documents Sequence that names these documents of a study."""
    return Items([sr.evidence(uids, sr.ENHANCED)]) if study == sr.STUDY else Items([_elsewhere(uids, study)])


def _elsewhere(uids: tuple[str, ...], study: str) -> Dataset:
    made = sr.evidence(uids, sr.ENHANCED)
    made.StudyInstanceUID = study
    return made


def document(uid: str, *before: str, lesions: Sequence[str] = ("L1", "L2"), **header: Any) -> bytes:
    """An SR of another maker that names those before it."""
    if before:
        header.setdefault("PredecessorDocumentsSequence", predecessors(*before))
    found = sr.container(sr.MEASUREMENTS, *(LESIONS[name] for name in lesions))
    return sr.document(found, **{"SOPInstanceUID": uid, **header})


def take(store: Store, body: bytes, **more: Any) -> Receipt:
    """Publish an SR."""
    return publish(Source(body, Format.SR, **more), Options(), store)


def kept(store: Store, body: bytes, **more: Any) -> Stored:
    """The version that it is kept as."""
    return store.get(str(take(store, body, **more).id))


def said(stored: Stored) -> dict[str, Any]:
    """Its receipt."""
    receipt: dict[str, Any] = orjson.loads(stored.receipt)
    return receipt


def flags(stored: Stored) -> dict[str, str]:
    """The document of each rule by which a predecessor is none."""
    return {
        one["rule"]: one["what"] for one in said(stored)["losses"] if one.get("rule", "").startswith("predecessor-")
    }


def statuses(store: Store, stored: Stored, kind: str) -> dict[str, str]:
    """The status of each resource of a type in the kept bundle, by its first identifier."""
    bundle = orjson.loads(store.output(stored.id, "fhir").content)
    found = [entry["resource"] for entry in bundle["entry"]]
    return {one["identifier"][0]["value"]: one["status"] for one in found if one["resourceType"] == kind}


def refused(store: Store, body: bytes, **more: Any) -> str:
    """The rule by which an SR is refused."""
    with pytest.raises(Conflict) as error:
        take(store, body, **more)
    return error.value.problems[0].rule


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


def of_findings(store: Store, *, lesion: str = "") -> tuple[Stored, bytes]:
    """A report of findings, and an SR of another maker that names ours of it, with a lesion of this tracking UID."""
    first = store.get(str(publish(Source(make_body()), Options(), store).id))
    named = sr.evidence((first.sr.sop_instance,), first.sr.sop_class)
    named.StudyInstanceUID = first.sr.study
    there = read(Source(store.output(first.id, "sr").content, Format.SR)).report.lesions[0]
    tracking = lesion or str(there.tracking_uid)
    group = sr.group(sr.num(sr.LONG_AXIS, "9", sr.MM), sr.uid(sr.TRACKING_UID, tracking), identifier=there.id)
    found = sr.container(sr.MEASUREMENTS, group)
    header = {"StudyInstanceUID": first.sr.study, "PatientID": "PID-11235"}
    body = sr.document(
        found,
        SOPInstanceUID=SECOND,
        PredecessorDocumentsSequence=Items([named]),
        root=("126001", "DCM", "Oncology Measurement Report"),
        **header,
    )
    return first, body


def test_the_sr_that_we_wrote_of_findings_is_followed_by_one_that_was_made_of_it(store: Store) -> None:
    _, body = of_findings(store)
    second = kept(store, body)
    assert (second.report_id, second.version) == ("MR-2026-000481", 2)
    assert "entered-in-error" in statuses(store, second, "Observation").values()


def test_another_makers_sr_of_other_lesions_goes_on_from_ours_and_replaces_nothing(store: Store) -> None:
    first, body = of_findings(store, lesion=f"{sr.STUDY}.9.7")
    second = kept(store, body)
    assert (second.report_id, second.version) == (SECOND, 1)
    assert flags(second) == {"predecessor-maker": first.sr.sop_instance}
    assert b"relatesTo" not in store.output(second.id, "fhir").content
    assert take(store, body).id == second.id


def test_the_sr_that_we_wrote_comes_back_as_the_version_that_it_is(store: Store) -> None:
    first = publish(Source(make_body()), Options(), store)
    emitted = store.output(str(first.id), "sr").content
    back = take(store, emitted)
    assert (back.id, back.content, back.created) == (first.id, first.content, False)
    changed = emitted.replace(b"Three new brain metastases.", b"Seven new brain metastases.")
    assert refused(store, changed) == "version"


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


def test_srs_of_two_reports_have_no_common_successor(store: Store) -> None:
    take(store, document(FIRST))
    take(store, document(SECOND))
    third = kept(store, document(THIRD, FIRST, SECOND))
    assert (third.report_id, third.version) == (THIRD, 1)
    assert flags(third).keys() == {"predecessor-several"}


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


def test_a_key_of_another_request_is_refused_for_one_of_ours_that_comes_back(store: Store) -> None:
    first = publish(Source(make_body()), Options(), store)
    emitted = store.output(str(first.id), "sr").content
    publish(Source(document(FIRST), Format.SR), Options(), store, key="k1")
    with pytest.raises(KeyReused):
        publish(Source(emitted, Format.SR), Options(), store, key="k1")
    for _ in range(2):
        assert publish(Source(emitted, Format.SR), Options(), store, key="k2").id == first.id
    with pytest.raises(KeyReused):
        publish(Source(document(THIRD), Format.SR), Options(), store, key="k2")


def test_more_predecessors_than_a_statement_may_name_are_looked_for(store: Store) -> None:
    take(store, document(FIRST))
    names = [f"1.2.3.{number}" for number in range(1500)]
    assert flags(kept(store, document(SECOND, *names))).keys() == {"predecessor-unknown"}


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


def test_an_sr_that_names_itself_replaces_nothing(store: Store) -> None:
    first = kept(store, document(FIRST, FIRST))
    assert (first.report_id, first.version) == (FIRST, 1)
    assert "sr-predecessor" in {one.get("rule") for one in said(first)["losses"]}
    assert b"relatesTo" not in store.output(first.id, "fhir").content
    assert take(store, document(FIRST, FIRST)).id == first.id


PRELIMINARY = {"CompletionFlag": "PARTIAL", "PreliminaryFlag": "PRELIMINARY"}
VERIFIED = {"VerificationFlag": "VERIFIED", "PreliminaryFlag": "FINAL"}


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


def test_findings_that_name_the_sr_of_another_report_leave_that_as_it_is_and_say_so(store: Store) -> None:
    first = store.get(str(publish(Source(make_body()), Options(), store).id))
    at = {"sop": first.sr.sop_instance, "series": first.sr.series, "sopClass": first.sr.sop_class}
    other = publish(Source(make_body(report__id="other", report__predecessor=at)), Options(), store)
    found = store.get(str(other.id))
    assert (found.report_id, found.version) == ("other", 1)
    assert flags(found) == {"predecessor-report": first.sr.sop_instance}
    same = publish(Source(make_body(report__version=2, report__predecessor=at)), Options(), store)
    assert flags(store.get(str(same.id))) == {}
