"""What follows an SR that we wrote of findings, that SR where it comes back, and findings that name one."""

from __future__ import annotations

import pytest
from pydicom.sequence import Sequence as Items

from service.domain.errors import KeyReused
from service.doors import Format, Options
from service.pipeline import Source, read
from service.publishing import publish
from service.store.reports import Store
from service.store.versions import Stored
from tests import sr_files as sr
from tests.findings import make_body
from tests.unit.successors import FIRST, SECOND, THIRD, document, flags, kept, refused, statuses, take


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


def test_findings_that_name_the_sr_of_another_report_leave_that_as_it_is_and_say_so(store: Store) -> None:
    first = store.get(str(publish(Source(make_body()), Options(), store).id))
    at = {"sop": first.sr.sop_instance, "series": first.sr.series, "sopClass": first.sr.sop_class}
    other = publish(Source(make_body(report__id="other", report__predecessor=at)), Options(), store)
    found = store.get(str(other.id))
    assert (found.report_id, found.version) == ("other", 1)
    assert flags(found) == {"predecessor-report": first.sr.sop_instance}
    same = publish(Source(make_body(report__version=2, report__predecessor=at)), Options(), store)
    assert flags(store.get(str(same.id))) == {}
