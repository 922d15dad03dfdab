"""One truth: SR and bundle say what the report says, and a difference is found wherever it is."""

import json
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from service.check.compare import compare
from service.domain.codes import CodedTerm
from service.domain.geometry import Graphic, LesionImage
from service.domain.report import CodedReport, CountKind, Issuer, Observer, ReferenceRange, Sex, Status
from service.domain.times import DateTime
from service.formats.fhir import write as fhir
from service.formats.fhir.r4 import R4
from service.formats.fhir.r5 import R5
from service.formats.fhir.release import Release
from service.formats.sr import write as sr
from tests.amended import following, history
from tests.fhir_bundles import sr_of
from tests.other_readers import of_fhir, of_lesion, of_sr
from tests.report_set import REPORTS, rich_report
from tests.report_terms import AREA, MM2
from tests.reports import TRIANGLE, image, make_coded_report, make_lesion, number, region

Change = Callable[[CodedReport], CodedReport]


@pytest.mark.parametrize("name", REPORTS)
def test_says_the_same_in_both_formats(name: str) -> None:
    report = REPORTS[name]()
    document = sr.write(report)
    bundle = fhir.write(report, document.reference)
    assert compare(report, document.content, bundle.content, document.losses) == ()
    newer = fhir.write(report, document.reference, release=R5)
    assert compare(report, None, newer.content) == ()


def _first(**changes: Any) -> Change:
    """A report whose first lesion is changed."""
    return lambda report: replace(report, lesions=(replace(report.lesions[0], **changes), *report.lesions[1:]))


def _measured(**changes: Any) -> Change:
    """A report whose first measurement of the first lesion is changed."""

    def change(report: CodedReport) -> CodedReport:
        first, *others = report.lesions[0].measurements
        return _first(measurements=(replace(first, **changes), *others))(report)

    return change


def _answered(report: CodedReport) -> CodedReport:
    first, *others = report.lesions[0].evaluations
    return _first(evaluations=(replace(first, value=OTHER), *others))(report)


def _swapped(report: CodedReport) -> CodedReport:
    """The sides of the first two lesions change places."""
    one, two, *others = report.lesions
    sides = (replace(one, laterality=two.laterality), replace(two, laterality=one.laterality))
    return replace(report, lesions=(*sides, *others))


OTHER = CodedTerm("something else")


def _verified_later(report: CodedReport) -> tuple[Observer[CodedTerm], ...]:
    when = DateTime("2026-03-09T10:41:00+01:00")
    return tuple(
        replace(one, person=replace(one.person, verified_at=when)) if one.person and one.person.verified_at else one
        for one in report.observers
    )


CHANGES: dict[str, tuple[str, Change]] = {
    "another patient": ("patient/id", lambda r: replace(r, patient=replace(r.patient, id="OTHER"))),
    "another issuer of the patient's id": (
        "patient/issuer",
        lambda r: replace(r, patient=replace(r.patient, issuer=Issuer("OTHER", "urn:oid:1.2.3", "1.2.3"))),
    ),
    "no issuer": ("patient/issuer", lambda r: replace(r, patient=replace(r.patient, issuer=None))),
    "withdrawn": ("status", lambda r: replace(r, status=Status.ENTERED_IN_ERROR)),
    "no predecessor": ("predecessor", lambda r: replace(r, predecessor=None)),
    "another modality": ("study/modality", lambda r: replace(r, study=replace(r.study, modality=OTHER))),
    "verified at another time": ("verified/at", lambda r: replace(r, observers=_verified_later(r))),
    "no other ids": ("patient/otherId", lambda r: replace(r, patient=replace(r.patient, other_ids=()))),
    "another sex": ("patient/sex", lambda r: replace(r, patient=replace(r.patient, sex=Sex.OTHER))),
    "another birth date": (
        "patient/birthDate",
        lambda r: replace(r, patient=replace(r.patient, birth_date=DateTime("1960-01-01"))),
    ),
    "no name": ("patient/name", lambda r: replace(r, patient=replace(r.patient, name=None))),
    "another study": ("study/uid", lambda r: replace(r, study=replace(r.study, uid="1.2.3"))),
    "another accession": ("study/accession", lambda r: replace(r, study=replace(r.study, accession="A1"))),
    "another procedure": ("study/procedure", lambda r: replace(r, study=replace(r.study, procedures=(OTHER,)))),
    "no technique": ("technique", lambda r: replace(r, study=replace(r.study, technique=()))),
    "issued later": ("issued", lambda r: replace(r, issued=DateTime("2026-03-03T10:41:00+01:00"))),
    "one observer": ("observer/person", lambda r: replace(r, observers=r.observers[:1])),
    "another impression": ("impression", lambda r: replace(r, impression="Nothing.")),
    "no findings": ("findings", lambda r: replace(r, findings=None)),
    "one conclusion": ("conclusion", lambda r: replace(r, conclusions=r.conclusions[:1])),
    "differential in another order": ("differential/1", lambda r: replace(r, differential=r.differential[::-1])),
    "no negatives": ("statement", lambda r: replace(r, negatives=())),
    "no evaluations": ("statement", lambda r: replace(r, evaluations=())),
    "a lesion less": ("lesion/", lambda r: replace(r, lesions=r.lesions[1:])),
    "another lesion id": ("/id", _first(id="LX")),
    "another tracking UID": ("lesion/", _first(tracking_uid="1.2.3.4.5")),
    "another finding": ("/finding", _first(finding=OTHER)),
    "another category": ("/category", _first(category=OTHER)),
    "another site": ("/site", _first(site=OTHER)),
    "sides swapped": ("/laterality", _swapped),
    "no side": ("/laterality", _first(laterality=None)),
    "no topography": ("/topography", _first(topography=None)),
    "no certainty": ("/certainty", _first(certainty=None)),
    "no change": ("/change", _first(change=None)),
    "another count": ("/count", _first(count=CountKind.INNUMERABLE)),
    "no time point": ("/timePoint/label", _first(time_point=None)),
    "another text": ("/text", _first(text="Shrank.")),
    "no measurements": ("/measurement", _first(measurements=())),
    "no evaluation of the lesion": ("/evaluation", _first(evaluations=())),
    "another answer": ("/evaluation", _answered),
    "another image": ("/image", _first(images=())),
    "fewer digits": ("/measurement", _measured(value=Decimal("14.2"))),
    "another value": ("/measurement", _measured(value=Decimal("41.20"))),
    "another unit": ("/measurement", lambda r: _measured(unit=r.lesions[0].measurements[2].unit)(r)),
    "another method": ("/measurement", _measured(method=OTHER)),
    "no derivation": ("/measurement", _measured(derivation=None)),
    "another range": ("/measurement", _measured(range=ReferenceRange(high=Decimal(5)))),
}


@pytest.mark.parametrize("name", CHANGES)
def test_names_the_place_of_a_difference(name: str) -> None:
    place, change = CHANGES[name]
    report = rich_report()
    changed = change(report)
    document = sr.write(changed)
    bundles = [fhir.write(changed, document.reference, release=release).content for release in (R4, R5)]
    for output, found in (
        ("sr", compare(report, document.content, None, ())),
        *(("fhir", compare(report, None, bundle, ())) for bundle in bundles),
    ):
        assert any(place in one.place for one in found), output
        assert {one.output for one in found} == {output}


def test_another_number_of_lesions_is_another_number_in_the_sr_and_another_count_in_the_bundle() -> None:
    report = rich_report()
    changed = _first(count=2)(report)
    document = sr.write(changed)
    bundle = fhir.write(changed, document.reference)
    numbers = compare(report, document.content, None, ())
    counts = compare(report, None, bundle.content, ())
    assert {one.place.rpartition("/")[2] for one in numbers} == {"measurement"}
    assert {one.place.rpartition("/")[2] for one in counts} == {"count"}


def test_sees_a_bundle_whose_structure_has_the_other_side() -> None:
    report = rich_report()
    document = sr.write(report)
    content = fhir.write(report, document.reference).content
    left = b'"locationQualifier":[{"coding":[{"system":"http://snomed.info/sct","code":"7771000"'
    assert left in content
    found = compare(report, None, content.replace(left, left.replace(b"7771000", b"24028007")), ())
    assert {one.place.rpartition("/")[2] for one in found} == {"laterality", "display"}


def test_sees_an_outline_that_shows_the_other_of_two_areas() -> None:
    values = (("122.5", 3), ("140.0", 4))
    areas = tuple(number(AREA, value, MM2, image=image(one).sop_instance) for value, one in values)
    drawn = tuple(LesionImage(image(one), (region(Graphic.POLYGON, *TRIANGLE, shows=AREA),)) for _, one in values)
    report = make_coded_report(lesions=(make_lesion(images=drawn, measurements=areas),))
    turned = tuple(replace(area, image=other.image) for area, other in zip(areas, reversed(areas), strict=True))
    other = replace(report, lesions=(replace(report.lesions[0], measurements=turned),))
    document = sr.write(report)
    assert compare(report, document.content, None, document.losses) == ()
    places = {one.place for one in compare(other, document.content, None, document.losses)}
    assert f"lesion/{report.lesions[0].tracking_uid}/region" in places


def test_sees_a_shape_that_moved() -> None:
    report = REPORTS["regions"]()
    lesion, shown = next((one, image) for one in report.lesions for image in one.images if image.regions)
    moved = replace(shown.regions[0], points=tuple((x + 1, y) for x, y in shown.regions[0].points))
    images = tuple(
        LesionImage(image.image, (moved, *image.regions[1:])) if image is shown else image for image in lesion.images
    )
    changed = replace(
        report, lesions=tuple(replace(one, images=images) if one is lesion else one for one in report.lesions)
    )
    document = sr.write(changed)
    bundle = fhir.write(changed, document.reference, release=R5)
    for found in (compare(report, document.content, None, ()), compare(report, None, bundle.content, ())):
        assert {one.place.rpartition("/")[2] for one in found} >= {"region"}
        assert {one.place.rpartition("/")[2] for one in found} <= {"region", "region shows"}


@pytest.mark.parametrize(
    ("name", "says", "says_then", "place"),
    [
        ("regions", b'"coordinate":[102.5,', b'"coordinate":[102.50001,', "region"),
        ("regions", b'"regionType":"point"', b'"regionType":"polyline"', "region"),
        ("regions", b'"subset":["2"]', b'"subset":["3"]', "image"),
        ("regions3d", b'"regionType":"ellipsoid"', b'"regionType":"multipoint"', "region"),
        ("regions3d", b'"frameOfReferenceUid":"', b'"frameOfReferenceUid":"1.', "region"),
        ("segment", b'"subset":["1"]', b'"subset":["2"]', "segment"),
        ("rich", b'"laterality":{"coding":[{"system":"http://snomed.info/sct","code":"7771000"', b"", "site"),
    ],
)
def test_sees_what_an_r5_bundle_says_otherwise(name: str, says: bytes, says_then: bytes, place: str) -> None:
    report = REPORTS[name]()
    content = fhir.write(report, sr.write(report).reference, release=R5).content
    assert says in content

    found = compare(report, None, content.replace(says, says_then or says.replace(b"7771000", b"24028007")), ())

    assert place in {one.place.rpartition("/")[2] for one in found}


def test_sees_a_selection_that_is_gone_from_a_lesion() -> None:
    report = REPORTS["segment"]()
    bundle = json.loads(fhir.write(report, sr.write(report).reference, release=R5).content)
    for entry in bundle["entry"]:
        if entry["resource"]["resourceType"] == "Observation" and "hasMember" in entry["resource"]:
            entry["resource"]["derivedFrom"] = entry["resource"]["derivedFrom"][:1]

    found = compare(report, None, json.dumps(bundle).encode(), ())

    assert {one.place.rpartition("/")[2] for one in found} >= {"segment", "image"}


def test_does_not_miss_what_is_lost_by_name() -> None:
    report = REPORTS["regions3d"]()
    document = sr.write(report)
    assert document.losses
    assert compare(report, document.content, None, document.losses) == ()
    assert compare(report, document.content, None, ()) != ()


@pytest.mark.parametrize("name", REPORTS)
def test_other_readers_find_the_same_in_both(name: str) -> None:
    report = REPORTS[name]()
    document = sr.write(report)
    bundle = fhir.write(report, document.reference)
    in_sr, in_fhir = of_sr(document.content), of_fhir(bundle.content)
    wanted = {said for lesion in report.lesions for said in of_lesion(lesion)}
    assert wanted <= in_sr
    assert wanted <= in_fhir
    assert {said.tracking_uid for said in in_sr | in_fhir} <= {str(lesion.tracking_uid) for lesion in report.lesions}


@pytest.mark.parametrize("release", [R4, R5], ids=lambda release: release.name)
def test_the_documents_before_are_none_of_this_report_and_say_so(release: Release) -> None:
    report = make_coded_report()
    second = following(report, Status.CORRECTED)
    *_, made = history([report, second], release)

    def found(old: str, new: str) -> set[str]:
        text = made.content.decode()
        assert old in text
        return {one.place for one in compare(second, None, text.replace(old, new).encode())}

    assert compare(second, None, made.content) == ()
    assert found('"status":"superseded"', '"status":"current"') == {"status"}
    uids = [f"urn:oid:{sr_of(one).sop_instance}" for one in (report, second)]
    assert "document" in found(*uids)
