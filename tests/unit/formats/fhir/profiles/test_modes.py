"""The modes as a whole: what they change, what they claim, and what they refuse."""

import json
import re
from collections.abc import Callable
from dataclasses import replace

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
from tests.fhir_bundles import only, resources, sr_of, target
from tests.fhir_profiles import RELEASES, claimed, judged, modes, shaped
from tests.reports import LONG_AXIS, MM, REPORTS, make_coded_report, make_lesion, number

EVERY = pytest.mark.parametrize("make", REPORTS.values(), ids=REPORTS)


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
@pytest.mark.parametrize(("mode", "release"), [(name, release) for name in MODES for release in MODES[name].releases])
def test_claims_are_those_that_are_judged_anew(make: Callable[[], CodedReport], mode: str, release: str) -> None:
    report = make()
    content = write(
        report, sr_of(report), bundle=MODES[mode].bundles[0], release=RELEASES[release], profile=mode
    ).content
    found = json.loads(content)
    for bundle in [found] if isinstance(found, dict) else [one["resource"] for one in found]:
        (R4Bundle if release == "R4" else R5Bundle).model_validate(bundle)
        before = claimed(bundle)
        assert judged(bundle, report, mode)[0] == before


def test_without_a_mode_nothing_is_claimed() -> None:
    for release in (R4, R5):
        for make in REPORTS.values():
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
        for release in set(RELEASES) - set(mode.releases):
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
