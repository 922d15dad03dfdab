"""The modes as a whole: what they change, what they claim, and what they refuse."""

import json
import re
from base64 import b64decode
from collections.abc import Callable
from dataclasses import replace
from hashlib import sha1

import pytest
from fhir.resources.bundle import Bundle as R5Bundle
from fhir.resources.R4B.bundle import Bundle as R4Bundle

from service.check.compare import compare
from service.domain.errors import NotAcceptable
from service.domain.report import CodedReport
from service.formats.fhir.profiles.modes import MODES
from service.formats.fhir.r4 import R4
from service.formats.fhir.r5 import R5
from service.formats.fhir.write import KINDS, write
from service.formats.html.write import page
from tests.fhir_bundles import Json, only, resources, sr_of, target, walk
from tests.fhir_profiles import PROFILED, RELEASES, claimed, judged, modes, proven_report, shaped
from tests.report_set import REPORTS
from tests.report_terms import LONG_AXIS, MM
from tests.reports import make_coded_report, make_lesion, number

MCODE = "http://hl7.org/fhir/us/mcode/StructureDefinition"
IMR = "https://profiles.ihe.net/RAD/IMR"
EVERY = pytest.mark.parametrize("make", PROFILED.values(), ids=PROFILED)


@EVERY
@pytest.mark.parametrize(("mode", "release", "kind"), modes())
def test_says_what_the_report_says_and_gives_the_same_bytes(
    make: Callable[[], CodedReport], mode: str, release: str, kind: str
) -> None:
    report = make()
    made = write(report, sr_of(report), bundle=kind, release=RELEASES[release], profile=mode)

    assert compare(report, None, made.content) == ()
    assert write(make(), sr_of(report), bundle=kind, release=RELEASES[release], profile=mode) == made


@EVERY
@pytest.mark.parametrize("mode", MODES)
def test_claims_are_those_that_are_judged_anew(make: Callable[[], CodedReport], mode: str) -> None:
    report = make()
    bundle, said = shaped(report, mode)
    before = claimed(bundle)

    after, again = judged(bundle, report, mode)

    assert after == before
    assert set(again) <= set(said)


@EVERY
@pytest.mark.parametrize(("mode", "release", "kind"), modes())
def test_fhir_resources_reads_what_a_mode_makes(
    make: Callable[[], CodedReport], mode: str, release: str, kind: str
) -> None:
    report = make()
    made = json.loads(write(report, sr_of(report), bundle=kind, release=RELEASES[release], profile=mode).content)
    model = R4Bundle if release == "R4" else R5Bundle
    if kind == "single":
        alone = [{"fullUrl": one["fullUrl"], "resource": one["resource"]} for one in made]
        made = {"resourceType": "Bundle", "type": "collection", "entry": alone}
    for bundle in [made] if isinstance(made, dict) else [one["resource"] for one in made]:
        found = model.model_validate(bundle).entry or []
        assert [type(one.resource).__name__ for one in found] == [
            one["resource"]["resourceType"] for one in bundle["entry"]
        ]


def test_without_a_mode_nothing_is_claimed() -> None:
    for release in (R4, R5):
        for make in PROFILED.values():
            report = make()
            assert b'"profile":["http' not in write(report, sr_of(report), release=release).content


def test_a_number_keeps_its_digits_in_every_mode() -> None:
    report = make_coded_report(lesions=(make_lesion(measurements=(number(LONG_AXIS, "12.50", MM),), evaluations=()),))
    for mode, release, kind in modes():
        content = write(report, sr_of(report), bundle=kind, release=RELEASES[release], profile=mode).content
        assert re.search(rb'"valueQuantity":\{"value":12\.50[,}]', content), mode


def test_refuses_a_mode_it_does_not_know_and_one_of_another_release_or_bundle() -> None:
    report = make_coded_report()

    with pytest.raises(NotAcceptable, match=", ".join(MODES)):
        write(report, sr_of(report), profile="mine")
    for name, mode in MODES.items():
        others = {one for one in RELEASES if f"{name}-{one.lower()}" in MODES}
        for release in set(RELEASES) - set(mode.releases) - others:
            with pytest.raises(NotAcceptable, match=f"{name} is FHIR"):
                write(report, sr_of(report), release=RELEASES[release], profile=name, bundle=mode.bundles[0])
        for kind in set(KINDS) - set(mode.bundles):
            with pytest.raises(NotAcceptable, match=f"{name} has bundle="):
                write(report, sr_of(report), release=RELEASES[mode.releases[0]], profile=name, bundle=kind)


def test_us_core_claims_report_results_patient_and_people() -> None:
    bundle, said = shaped(REPORTS["bone"](), "uscore")

    assert said == []
    for kind, profile in (
        ("Patient", "us-core-patient"),
        ("Practitioner", "us-core-practitioner"),
        ("Observation", "us-core-observation-clinical-result"),
        ("DiagnosticReport", "us-core-diagnosticreport-note"),
    ):
        for resource in resources(bundle, kind):
            assert resource["meta"]["profile"] == [f"http://hl7.org/fhir/us/core/StructureDefinition/{profile}"]


def test_us_core_says_that_a_name_is_unknown_and_claims_nothing_on_a_patient_of_unknown_issuer() -> None:
    bundle, said = shaped(REPORTS["minimal"](), "uscore")

    assert only(bundle, "Patient")["name"][0]["extension"][0]["valueCode"] == "unknown"
    assert set(map(tuple, claimed(bundle).values())) == {()}
    assert "profile us-core-patient is not claimed: 1 Patient: identifier.system min 1 (US Core 9.0.0" in "".join(said)


def test_the_dicom_sr_guide_has_its_categories_alone_and_devices_by_their_uid() -> None:
    bundle, said = shaped(REPORTS["segment"](), "dicom-sr")

    assert said == []
    device = only(bundle, "Device")
    assert [one["system"] for one in device["identifier"]] == ["urn:dicom:uid"]
    (request,) = (one["request"] for one in bundle["entry"] if one["resource"] is device)
    assert request == {"method": "PUT", "url": f"Device/{device['id']}"}
    for observation in resources(bundle, "Observation"):
        (category,) = observation["category"]
        assert category["coding"][0]["code"] in {"125007", "C0034375", "imaging"}
    claims = {one.rpartition("/")[2] for found in claimed(bundle).values() for one in found}
    assert claims >= {"imaging-measurement-group", "imaging-measurement", "referenced-segment", "dicom-sr-finding-site"}


def test_the_dicom_sr_guide_wants_one_device_and_one_region_a_lesion() -> None:
    report = REPORTS["bone"]()
    _, said = shaped(report, "dicom-sr")

    assert any("imaging-measurement-group is not claimed: 2 Observation: device min 1" in one for one in said)


def test_a_lesion_with_shapes_in_two_series_is_no_measurement_group_of_the_guide() -> None:
    report = REPORTS["regions"]()
    shapes = [one for one in report.lesions if one.id in ("polygon", "polygon-in-a-prior")]
    both = replace(shapes[0], images=tuple(image for one in shapes for image in one.images))
    bundle, said = shaped(replace(report, lesions=(both,)), "dicom-sr")

    (lesion,) = (target(bundle, one) for one in only(bundle, "DiagnosticReport")["result"])
    assert "meta" not in lesion
    assert any("check one-selection-of-a-kind" in one for one in said)


def _transactions(report: CodedReport) -> tuple[list[Json], list[str]]:
    made = write(report, sr_of(report), profile="imr")
    assert made.media_type == "application/vnd.lesionbridge.requests+json; fhirVersion=4.0"
    found = json.loads(made.content)
    assert all(one["method"] == "POST" and one["url"] == "" for one in found)
    return [one["resource"] for one in found], [loss.what for loss in made.losses if loss.rule == "fhir-profile"]


def test_imr_is_a_closed_transaction_of_posts_between_what_it_needs_and_what_needs_it() -> None:
    (before, report, after), said = _transactions(REPORTS["rich"]())

    assert said == []
    assert report["meta"]["profile"] == [f"{IMR}/StructureDefinition/imr-store-multimedia-report-bundle"]
    assert {one["request"]["method"] for one in report["entry"]} == {"POST"}
    assert all("ifNoneExist" in one["request"] for one in report["entry"])
    assert [one["resource"]["resourceType"] for one in report["entry"]] == ["DiagnosticReport", "ServiceRequest"]
    assert "DiagnosticReport" not in {one["resource"]["resourceType"] for one in before["entry"]}
    assert {one["resource"]["resourceType"] for one in after["entry"]} == {"DocumentReference", "Provenance"}


@EVERY
def test_imr_refers_to_other_transactions_by_what_they_store(make: Callable[[], CodedReport]) -> None:
    """No reference by fullUrl leads out of its transaction, and each conditional one leads to exactly one entry."""
    transactions, _ = _transactions(make())

    stored: list[str] = []
    for transaction in transactions:
        here = {one["fullUrl"] for one in transaction["entry"]}
        references = {value for name, value in walk(transaction) if name == "reference"}
        assert {one for one in references if one.startswith("urn:")} <= here
        assert {one for one in references if not one.startswith("urn:")} <= set(stored)
        for one in transaction["entry"]:
            request = one["request"]
            stored.append(f"{request['url']}?{request['ifNoneExist']}" if "ifNoneExist" in request else request["url"])


def test_imr_has_the_page_with_its_size_and_hash() -> None:
    report = REPORTS["rich"]()
    (_, bundle, _), _ = _transactions(report)

    (form,) = bundle["entry"][0]["resource"]["presentedForm"]
    rendered = b64decode(form["data"])
    assert rendered == page(report).encode()
    assert form["contentType"] == "text/html"
    assert form["size"] == len(rendered)
    assert b64decode(form["hash"]) == sha1(rendered).digest()


def test_imr_makes_each_version_a_report_of_its_own_that_is_created_once() -> None:
    first, second = (_transactions(make_coded_report(version=version))[0][1]["entry"][0] for version in (1, 2))

    assert first["request"]["ifNoneExist"] != second["request"]["ifNoneExist"]
    assert first["resource"]["identifier"][0] == second["resource"]["identifier"][0]


def test_imr_is_not_claimed_without_an_organization() -> None:
    (_, bundle, _), said = _transactions(REPORTS["bone"]())

    assert "meta" not in bundle
    assert "profile imr-store-multimedia-report-bundle is not claimed" in said


def test_mcode_has_sizes_and_trends_of_proven_tumors_only() -> None:
    report = proven_report()
    bundle, said = shaped(report, "mcode")

    by_code: dict[str, list[Json]] = {}
    for observation in resources(bundle, "Observation"):
        by_code.setdefault(observation["code"]["coding"][0]["code"], []).append(observation)
    tumors = [target(bundle, one["focus"][0]) for one in by_code["21889-1"]]
    assert [one["identifier"][1]["value"] for one in tumors] == ["T1", "T4"]
    assert all(one["meta"]["profile"] == [f"{MCODE}/mcode-tumor"] for one in tumors)
    assert all(one["identifier"][2]["use"] == "usual" for one in tumors)
    first, second = by_code["21889-1"]
    sizes = [(one["code"]["coding"][0]["code"], str(one["valueQuantity"]["value"])) for one in first["component"]]
    assert sizes == [("33728-7", "14.20"), ("33729-5", "1.10")]
    assert len(second["component"]) == 1
    (trend,) = by_code["97509-4"]
    assert trend["valueCodeableConcept"]["coding"][0]["code"] == "271299001"
    assert target(bundle, trend["focus"][0]) == tumors[0]
    assert "device" not in trend
    assert said == [
        f"lesion {one.where or one.tracking_uid}: certainty is not *known*, or it is not called malignant: no Tumor"
        for one in report.lesions[1:3]
    ]


@pytest.mark.parametrize("name", REPORTS)
def test_mcode_says_nothing_of_tumors_that_are_not_proven(name: str) -> None:
    bundle, _ = shaped(REPORTS[name](), "mcode")

    codes = {one["code"].get("coding", [{}])[0].get("code") for one in resources(bundle, "Observation")}
    assert not codes & {"21889-1", "97509-4"}
    assert all(len(one["identifier"]) == 2 for one in resources(bundle, "BodyStructure"))


def test_mcode_writes_no_size_of_a_tumor_that_breaks_a_rule() -> None:
    report = proven_report()
    first = replace(report.lesions[0], site=None)
    bundle, said = shaped(replace(report, lesions=(first,)), "mcode")

    assert any("profile mcode-tumor is not claimed: 1 BodyStructure: location min 1" in one for one in said)
    assert "21889-1" not in {one["code"]["coding"][0]["code"] for one in resources(bundle, "Observation")}


def test_mcode_does_not_judge_a_tumor_where_no_person_did() -> None:
    report = proven_report()
    bundle, _ = shaped(replace(report, observers=make_coded_report().observers), "mcode")

    codes = [one["code"]["coding"][0]["code"] for one in resources(bundle, "Observation")]
    assert "97509-4" not in codes
    assert codes.count("21889-1") == 2
