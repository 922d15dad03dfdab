"""The bundle as a whole: its kinds, its bytes, what refers to what."""

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from uuid import UUID

import pytest

from service.check.compare import compare
from service.domain.errors import NotAcceptable
from service.domain.report import CodedReport, Status
from service.formats.fhir.r4 import R4
from service.formats.fhir.r5 import R5
from service.formats.fhir.release import Release
from service.formats.fhir.write import BUNDLES, write
from service.formats.fhir.xml import as_xml
from tests.fhir_bundles import only, resources, sr_of, target, walk, written
from tests.report_set import REPORTS, status_report
from tests.report_terms import LONG_AXIS, MM
from tests.reports import make_coded_report, make_lesion, number

EVERY = pytest.mark.parametrize("make", REPORTS.values(), ids=REPORTS)
EVERY_KIND = pytest.mark.parametrize("kind", BUNDLES)


@EVERY
@EVERY_KIND
def test_the_same_report_gives_the_same_bytes(make: Callable[[], CodedReport], kind: str) -> None:
    first, second = (write(report, sr_of(report), bundle=kind) for report in (make(), make()))

    assert first == second
    assert first.media_type == R4.media_type


def test_refuses_a_kind_of_bundle_it_does_not_know() -> None:
    report = make_coded_report()

    with pytest.raises(NotAcceptable, match="transaction, collection, document, single"):
        write(report, sr_of(report), bundle="message")
    with pytest.raises(NotAcceptable):
        write(report, sr_of(report), bundle="")


@EVERY
@EVERY_KIND
def test_every_reference_leads_to_an_entry(make: Callable[[], CodedReport], kind: str) -> None:
    bundle = written(make(), kind)

    known = {entry["fullUrl"] for entry in bundle["entry"]}
    references = {value for name, value in walk(bundle) if name == "reference"}

    assert references <= known


@EVERY
def test_every_entry_is_referred_to_or_is_what_the_bundle_is_about(make: Callable[[], CodedReport]) -> None:
    bundle = written(make(), "document")

    references = {value for name, value in walk(bundle) if name == "reference"}
    alone = {entry["resource"]["resourceType"] for entry in bundle["entry"] if entry["fullUrl"] not in references}

    assert alone <= {"Composition", "Provenance"}


@EVERY
@EVERY_KIND
def test_full_urls_are_random_looking_uuids_and_each_stands_once(make: Callable[[], CodedReport], kind: str) -> None:
    urls = [entry["fullUrl"] for entry in written(make(), kind)["entry"]]

    assert max(Counter(urls).values()) == 1
    for url in urls:
        uuid = UUID(url.removeprefix("urn:uuid:"))
        assert (str(uuid), uuid.version, uuid.variant) == (url.removeprefix("urn:uuid:"), 5, "specified in RFC 4122")


@EVERY
def test_a_transaction_says_how_each_entry_is_stored_and_no_two_alike(make: Callable[[], CodedReport]) -> None:
    requests = [entry["request"] for entry in written(make())["entry"]]

    places = Counter((request["url"], request.get("ifNoneExist")) for request in requests)

    assert max(places.values()) == 1
    for request in requests:
        conditional = "ifNoneExist" in request if request["method"] == "POST" else request["url"].count("identifier=")
        by_id = request["method"] == "PUT" and "/" in request["url"] and "?" not in request["url"]
        assert conditional or by_id


@pytest.mark.parametrize("kind", ["collection", "document"])
def test_other_bundles_have_no_requests_and_the_time_of_the_report(kind: str) -> None:
    bundle = written(make_coded_report(), kind)

    assert all(entry.keys() == {"fullUrl", "resource"} for entry in bundle["entry"])
    assert bundle["timestamp"] == "2026-03-02T10:41:00+01:00"


@EVERY
@pytest.mark.parametrize("release", [R4, R5], ids=["R4", "R5"])
def test_single_requests_are_those_of_the_transaction_and_refer_back_only(
    make: Callable[[], CodedReport], release: Release
) -> None:
    report = make()
    emitted = write(report, sr_of(report), bundle="single", release=release)
    requests = json.loads(emitted.content, parse_float=Decimal)
    transaction = written(report, "transaction", release)

    entries = [
        {
            "fullUrl": one["fullUrl"],
            "resource": one["resource"],
            "request": {name: one[name] for name in ("method", "url", "ifNoneExist") if name in one},
        }
        for one in requests
    ]
    assert entries == transaction["entry"]
    assert emitted.media_type == release.media_type.replace("fhir+json", "vnd.lesionbridge.requests+json")
    sent: set[str] = set()
    for one in requests:
        references = {value for name, value in walk(one["resource"]) if name == "reference" and isinstance(value, str)}
        assert references <= sent, one["url"]
        sent.add(one["fullUrl"])


def test_single_requests_are_checked_as_a_bundle_is() -> None:
    report = make_coded_report()
    content = write(report, sr_of(report), bundle="single").content

    assert compare(report, None, content) == ()
    assert compare(replace(report, impression="Nothing."), None, content) != ()


def test_a_list_of_requests_is_not_written_as_xml() -> None:
    report = make_coded_report()

    with pytest.raises(NotAcceptable, match="XML is for bundles"):
        as_xml(write(report, sr_of(report), bundle="single"), "R4")


def test_a_document_begins_with_its_composition_and_names_the_version() -> None:
    bundle = written(make_coded_report(version=3), "document")

    assert bundle["entry"][0]["resource"]["resourceType"] == "Composition"
    assert bundle["identifier"]["system"].startswith("urn:oid:2.25.")
    assert bundle["identifier"]["value"] == "MR-2026-000481/3"


@EVERY
def test_no_resource_contains_another_and_nothing_is_empty(make: Callable[[], CodedReport]) -> None:
    for name, value in walk(written(make())):
        assert name != "contained"
        assert value not in ("", [], {}, None), name


@pytest.mark.parametrize(
    "value", ["12.50", "14.2", "0", "-3.0", "0.000", "1450.123456789012345", "1E+3", "1.20E-7", "100000000000000000000"]
)
def test_a_number_keeps_the_digits_of_the_sender(value: str) -> None:
    report = make_coded_report(lesions=(make_lesion(measurements=(number(LONG_AXIS, value, MM),), evaluations=()),))

    content = write(report, sr_of(report)).content

    assert f'"valueQuantity":{{"value":{value},"unit":"mm"'.encode() in content


@pytest.mark.parametrize("value", ["NaN", "Infinity", "-Infinity", "sNaN"])
def test_refuses_a_number_that_is_none(value: str) -> None:
    report = make_coded_report(lesions=(make_lesion(measurements=(number(LONG_AXIS, value, MM),)),))

    with pytest.raises(ValueError, match="finite"):
        write(report, sr_of(report))


def test_decimals_are_numbers_in_the_json() -> None:
    quantities = [value for name, value in walk(written(REPORTS["rich"]())) if name in ("valueQuantity", "low", "high")]

    assert {type(quantity["value"]) for quantity in quantities} <= {Decimal, int}
    assert Decimal("14.20") in {quantity["value"] for quantity in quantities}


# In the words of HL7's diagnostic-report-status, observation-status, composition-status, document-reference-status.
STATUSES = {
    Status.PRELIMINARY: ("preliminary", "preliminary", "preliminary", "current"),
    Status.FINAL: ("final", "final", "final", "current"),
    Status.AMENDED: ("amended", "amended", "amended", "current"),
    Status.CORRECTED: ("corrected", "corrected", "amended", "current"),
    Status.APPENDED: ("appended", "amended", "amended", "current"),
    Status.CANCELLED: ("cancelled", "cancelled", "entered-in-error", "current"),
    Status.ENTERED_IN_ERROR: ("entered-in-error", "entered-in-error", "entered-in-error", "entered-in-error"),
}


@pytest.mark.parametrize("status", Status)
def test_each_status_is_said_in_the_words_of_each_resource(status: Status) -> None:
    bundle = written(status_report(status), "document")

    document = only(bundle, "DocumentReference")
    assert only(bundle, "DiagnosticReport")["status"] == STATUSES[status][0]
    assert {observation["status"] for observation in resources(bundle, "Observation")} == {STATUSES[status][1]}
    assert only(bundle, "Composition")["status"] == document["docStatus"] == STATUSES[status][2]
    assert document["status"] == STATUSES[status][3]


def test_a_later_version_updates_what_the_first_one_made() -> None:
    first, second = make_coded_report(), make_coded_report(version=2, status=Status.CORRECTED, impression="Mended.")

    before, after = ({entry["request"]["url"] for entry in written(report)["entry"]} for report in (first, second))

    new = {url.split("?")[0].split("/")[0] for url in after - before}
    assert new == {"DocumentReference", "Provenance"}  # each SR instance has its own, and each act of making


def test_another_measurement_leaves_the_identity_of_the_others() -> None:
    lesion = make_lesion()
    more = replace(
        lesion, measurements=(number(LONG_AXIS, "9.9", MM), *lesion.measurements[1:], lesion.measurements[0])
    )

    before, after = (
        {entry["request"]["url"] for entry in written(make_coded_report(lesions=(one,)))["entry"]}
        for one in (lesion, more)
    )

    assert before < after
    assert len(after) == len(before) + 1


def test_another_sender_with_the_same_ids_meets_none_of_the_first_ones_resources() -> None:
    mine, others = (
        {
            (entry["resource"]["resourceType"], entry["request"]["url"], entry["request"].get("ifNoneExist"))
            for entry in written(report)["entry"]
        }
        for report in (make_coded_report(), make_coded_report(sender="other"))
    )

    # What has an identifier from elsewhere (issuer, DICOM UID) is the same thing, whoever speaks of it; the SR's UID is
    # one of these: the test gives the writer the same one for both.
    assert {kind for kind, *_ in mine & others} == {"Patient", "ServiceRequest", "ImagingStudy", "DocumentReference"}


def test_the_narrative_is_the_report_as_xhtml() -> None:
    text = only(written(make_coded_report()), "DiagnosticReport")["text"]

    assert text["status"] == "generated"
    assert text["div"].startswith('<div xmlns="http://www.w3.org/1999/xhtml"')


def test_what_was_compared_with_supports_the_report_and_is_not_what_was_performed() -> None:
    bundle = written(REPORTS["rich"]())
    report = only(bundle, "DiagnosticReport")

    supporting = [target(bundle, item["valueReference"]) for item in report["extension"]]

    assert {item["url"] for item in report["extension"]} == {
        "http://hl7.org/fhir/StructureDefinition/workflow-supportingInfo"
    }
    assert [study["identifier"][0]["value"] for study in supporting] == [
        "urn:oid:1.2.826.0.1.3680043.10.1561.9",
        "urn:oid:1.2.826.0.1.3680043.10.1561.8",
    ]
    (performed,) = report["imagingStudy"]
    assert target(bundle, performed)["identifier"][0]["value"] == "urn:oid:1.2.826.0.1.3680043.10.1561.1"
