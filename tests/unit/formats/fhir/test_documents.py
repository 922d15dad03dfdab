"""DiagnosticReport, DocumentReference and Composition."""

from dataclasses import replace

from service.domain.report import Status
from tests.fhir_bundles import only, resources, sr_of, target, written
from tests.report_set import REPORTS
from tests.reports import make_coded_report


def test_a_report_is_radiology_by_both_tables() -> None:
    categories = [
        (coding["system"], coding["code"])
        for category in only(written(make_coded_report()), "DiagnosticReport")["category"]
        for coding in category["coding"]
    ]

    assert categories == [
        ("http://loinc.org", "LP29684-5"),
        ("http://terminology.hl7.org/CodeSystem/v2-0074", "RAD"),
    ]


def test_a_report_has_its_id_for_all_versions_and_one_for_this_version() -> None:
    entry = next(
        entry
        for entry in written(make_coded_report(version=2))["entry"]
        if entry["resource"]["resourceType"] == "DiagnosticReport"
    )

    lasting, version, _ = entry["resource"]["identifier"]
    assert (lasting["value"], version["value"]) == ("MR-2026-000481", "MR-2026-000481/2")
    assert lasting["assigner"] == {"display": "local"}


def test_no_id_of_the_sender_stands_in_the_url_of_a_request() -> None:
    report = REPORTS["rich"]()
    report = replace(report, patient=replace(report.patient, issuer=None))

    urls = [entry["request"]["url"] for entry in written(report)["entry"]]

    for secret in ("PID-11235", "MR-2026-000481", "A481", "A300", "Doe", "Yamada", "R77"):
        assert not any(secret in url for url in urls)


def test_the_sr_is_found_by_study_series_instance_and_class() -> None:
    report = make_coded_report()
    bundle = written(report)
    sr = sr_of(report)

    document = only(bundle, "DocumentReference")
    diagnostic, study, series = document["context"]["related"]

    assert document["masterIdentifier"] == {"system": "urn:dicom:uid", "value": f"urn:oid:{sr.sop_instance}"}
    assert document["identifier"] == [document["masterIdentifier"]]
    assert document["content"][0]["attachment"]["contentType"] == "application/dicom"
    assert document["content"][0]["format"]["code"] == f"urn:oid:{sr.sop_class}"
    assert target(bundle, diagnostic)["resourceType"] == "DiagnosticReport"
    assert target(bundle, study)["identifier"][0]["value"] == f"urn:oid:{sr.study}"
    assert series["identifier"]["value"] == f"urn:oid:{sr.series}"


def test_the_sr_says_which_one_it_replaces() -> None:
    (relation,) = only(written(REPORTS["rich"]()), "DocumentReference")["relatesTo"]

    assert relation["code"] == "replaces"
    assert relation["target"]["identifier"]["value"] == "urn:oid:1.2.3.99.1"


def test_who_verified_stands_in_the_document() -> None:
    bundle = written(REPORTS["rich"](), "document")

    (attester,) = only(bundle, "Composition")["attester"]

    assert attester["time"] == "2026-03-02T10:40:12.5+01:00"
    assert target(bundle, attester["party"])["name"][0]["family"] == "Yamada"
    assert only(bundle, "DocumentReference")["authenticator"] == attester["party"]


def test_a_document_has_findings_impression_and_the_report() -> None:
    bundle = written(REPORTS["rich"](), "document")

    findings, impression, report = only(bundle, "Composition")["section"]

    assert findings["entry"] == only(bundle, "DiagnosticReport")["result"]
    assert "Seven enhancing lesions." in findings["text"]["div"]
    assert "Three new brain metastases." in impression["text"]["div"]
    assert [target(bundle, item)["resourceType"] for item in report["entry"]] == [
        "DiagnosticReport",
        "DocumentReference",
    ]
    codes = [coding["code"] for section in (findings, impression, report) for coding in section["code"]["coding"]]
    assert {"59776-5", "19005-8", "18748-4"} <= set(codes)


def test_markup_in_a_text_is_inert_in_a_section() -> None:
    hostile = '<script>alert(1)</script> & "quoted" <img src=x onerror=y>\x0b'
    bundle = written(make_coded_report(findings=hostile, impression=hostile, lesions=()), "document")

    for section in only(bundle, "Composition")["section"][:2]:
        assert "<script" not in section["text"]["div"]
        assert "<img" not in section["text"]["div"]
        assert "&lt;script&gt;" in section["text"]["div"]


def test_a_report_without_findings_and_impression_has_one_section() -> None:
    bundle = written(make_coded_report(lesions=(), impression=None), "document")

    (section,) = only(bundle, "Composition")["section"]

    assert len(section["entry"]) == 2


def test_a_withdrawn_report_is_withdrawn_everywhere() -> None:
    bundle = written(make_coded_report(status=Status.ENTERED_IN_ERROR), "document")

    said = {
        kind: {resource["status"] for resource in resources(bundle, kind)}
        for kind in ("DiagnosticReport", "Observation", "DocumentReference", "Composition")
    }

    assert all(statuses == {"entered-in-error"} for statuses in said.values())
