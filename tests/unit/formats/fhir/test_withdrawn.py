"""What only the version before said is withdrawn, and its SR superseded, in every mode that makes requests."""

import json
from dataclasses import replace

import pytest

from service.domain.emitted import Emitted
from service.domain.received import Intake
from service.domain.report import Status
from service.formats.fhir.r4 import R4
from service.formats.fhir.r5 import R5
from service.formats.fhir.read import read
from service.formats.fhir.release import Release
from service.formats.fhir.write import BUNDLES, write
from service.formats.findings.write import write as findings
from tests.amended import WAYS, entries, following, history, written_after
from tests.fhir_bundles import Json, sr_of
from tests.reports import make_coded_report, make_lesion

BEFORE = make_coded_report(lesions=(make_lesion("L1"), make_lesion("L2", tracking_uid="1.2.3.77")))
NOW = replace(BEFORE, version=2, lesions=BEFORE.lesions[:1])


@pytest.mark.parametrize(("profile", "release"), WAYS)
def test_observations_are_withdrawn_in_every_mode(profile: str | None, release: Release) -> None:
    earlier = written_after(BEFORE, [], release, profile)
    made = written_after(NOW, [earlier], release, profile)
    found = {entry["fullUrl"]: entry for entry in entries(made)}
    observations = [one for one in found.values() if one["resource"]["resourceType"] == "Observation"]
    withdrawn = [one for one in observations if one["resource"]["status"] == "entered-in-error"]
    gone = {one["fullUrl"] for one in entries(earlier) if one["resource"]["resourceType"] == "Observation"} - {
        url for url, one in found.items() if one not in withdrawn
    }
    assert {one["fullUrl"] for one in withdrawn} == gone != set()
    for one in withdrawn:
        assert one["request"]["method"] == "PUT"
        assert "meta" not in one["resource"]
        assert found[one["resource"]["subject"]["reference"]]["resource"]["resourceType"] == "Patient"


def test_what_makes_no_requests_withdraws_nothing() -> None:
    sr = sr_of(BEFORE)
    earlier = write(BEFORE, sr)
    for bundle in set(BUNDLES) - {"transaction"}:
        assert write(NOW, sr, bundle=bundle, earlier=[earlier]) == write(NOW, sr, bundle=bundle)


def test_single_requests_withdraw_last() -> None:
    earlier = write(BEFORE, sr_of(BEFORE), bundle="single")
    made = json.loads(write(NOW, sr_of(NOW), bundle="single", earlier=[earlier]).content)
    states = [one["resource"].get("status") for one in made]
    first = states.index("entered-in-error")
    assert set(states[first:]) == {"entered-in-error", "superseded"}


def _documents(emitted: Emitted) -> dict[str, Json]:
    """The DocumentReferences by the SOP instance that they are of, with their requests."""
    found = [one for one in entries(emitted) if one["resource"]["resourceType"] == "DocumentReference"]
    return {one["resource"]["identifier"][0]["value"].removeprefix("urn:oid:"): one for one in found}


@pytest.mark.parametrize(("profile", "release"), WAYS)
@pytest.mark.parametrize(
    ("status", "wanted"),
    [
        (Status.CORRECTED, "superseded"),
        (Status.APPENDED, "superseded"),
        (Status.ENTERED_IN_ERROR, "entered-in-error"),
        (Status.CANCELLED, "entered-in-error"),
    ],
)
def test_the_documents_before_are_superseded_or_in_error(
    status: Status, wanted: str, profile: str | None, release: Release
) -> None:
    second = following(BEFORE, Status.CORRECTED)
    third = following(second, status)
    one, two, made = history([BEFORE, second, third], release, profile)
    uids = [sr_of(version).sop_instance for version in (BEFORE, second, third)]
    found = _documents(made)
    assert list(found) == [uids[2], uids[1], uids[0]]
    assert [found[uid]["resource"]["status"] for uid in uids[:2]] == [wanted] * 2
    first = _documents(one)[uids[0]]
    (report,) = (entry["fullUrl"] for entry in entries(one) if entry["resource"]["resourceType"] == "DiagnosticReport")
    for uid, was in zip(uids[:2], (first, _documents(two)[uids[1]]), strict=True):
        now, before = found[uid]["resource"], was["resource"]
        assert found[uid]["request"] == was["request"]
        for member in ("masterIdentifier", "identifier", "type", "category", "date", "content", "relatesTo"):
            assert now.get(member) == before.get(member), member
        assert "series" in json.dumps(now.get("context", now.get("event")))
        assert report not in json.dumps(now)
    if wanted == "superseded":
        assert found[uids[0]]["resource"]["docStatus"] == first["resource"]["docStatus"]


@pytest.mark.parametrize(("was", "now"), [(R4, R5), (R5, R4)], ids=["R4-R5", "R5-R4"])
def test_a_document_before_is_said_in_the_words_of_the_release(was: Release, now: Release) -> None:
    second = following(BEFORE, Status.CORRECTED)
    uid = sr_of(BEFORE).sop_instance
    there, here = written_after(BEFORE, [], was), written_after(BEFORE, [], now)
    assert _documents(written_after(second, [there], now))[uid] == _documents(written_after(second, [here], now))[uid]
    assert written_after(NOW, [there, here], now) == written_after(NOW, [here], now)


def test_the_same_sr_is_not_superseded_by_itself() -> None:
    sr = sr_of(BEFORE)
    made = write(replace(BEFORE, version=2), sr, earlier=[write(BEFORE, sr)])
    assert [one["resource"]["status"] for one in _documents(made).values()] == ["current"]


def test_what_was_entered_in_error_stays_so() -> None:
    gone = following(BEFORE, Status.ENTERED_IN_ERROR)
    made = history([BEFORE, gone, following(gone, Status.FINAL)])[-1]
    states = [one["resource"]["status"] for one in _documents(made).values()]
    assert states == ["current", "entered-in-error", "entered-in-error"]


@pytest.mark.parametrize("status", [Status.CORRECTED, Status.ENTERED_IN_ERROR])
@pytest.mark.parametrize("release", [R4, R5], ids=lambda release: release.name)
def test_a_reader_takes_none_of_it_for_the_report(status: Status, release: Release) -> None:
    second = following(BEFORE, Status.CORRECTED, lesions=BEFORE.lesions[:1])
    third = following(second, status)
    *_, made = history([BEFORE, second, third], release)
    alone = written_after(third, [], release)
    received, wanted = (read(one.content, Intake("somebody"), release.name) for one in (made, alone))
    assert findings(received.report) == findings(wanted.report)
    withdrawn = len(list(entries(made))) - len(list(entries(alone)))
    more = [loss for loss in received.losses if loss not in wanted.losses]
    assert len({loss.where for loss in more}) >= withdrawn > 2


def test_with_the_report_imr_withdraws_the_reports_before() -> None:
    second = following(BEFORE, Status.CORRECTED)
    *_, corrected, made = history([BEFORE, second, following(second, Status.ENTERED_IN_ERROR)], R4, "imr")
    kinds = [entry["resource"]["resourceType"] for entry in entries(corrected)]
    assert kinds.count("DiagnosticReport") == 1
    new, *older = (one for one in entries(made) if one["resource"]["resourceType"] == "DiagnosticReport")
    assert len(older) == 2
    assert {one["resource"]["status"] for one in (new, *older)} == {"entered-in-error"}
    assert all(one["request"]["method"] == "PUT" and "text" not in one["resource"] for one in older)
    assert len({one["request"]["url"] for one in older}) == 2
