"""ServiceRequest and ImagingStudy."""

from dataclasses import replace

from service.domain.geometry import LesionImage
from service.domain.names import PersonName
from service.domain.report import Comparison, Person
from service.domain.times import DateTime
from service.formats.fhir.write import write
from tests.fhir_bundles import Json, only, resources, sr_of, target, written
from tests.report_set import REPORTS
from tests.report_terms import (
    CT_IMAGE,
    MR_IMAGE,
    MRI,
    PRIOR_SERIES_UID,
    PRIOR_UID,
    SECONDARY_CAPTURE,
    SERIES_UID,
    STUDY_UID,
)
from tests.reports import HOSPITAL, image, make_coded_report, make_lesion


def study(bundle: Json, uid: str) -> Json:
    (found,) = (
        item for item in resources(bundle, "ImagingStudy") if item["identifier"][0]["value"] == f"urn:oid:{uid}"
    )
    made: Json = found
    return made


def test_the_order_is_known_by_its_accession_number() -> None:
    bundle = written(make_coded_report())

    request = only(bundle, "ServiceRequest")
    (identifier,) = request["identifier"]
    assert identifier["type"]["coding"][0]["system"] == "http://terminology.hl7.org/CodeSystem/v2-0203"
    assert (identifier["type"]["coding"][0]["code"], identifier["value"]) == ("ACSN", "A481")
    assert (request["status"], request["intent"]) == ("completed", "order")
    assert study(bundle, STUDY_UID)["identifier"][1] == identifier


def test_without_accession_and_referring_physician_no_order_is_invented() -> None:
    bundle = written(REPORTS["minimal"]())

    assert resources(bundle, "ServiceRequest") == []
    assert "basedOn" not in only(bundle, "DiagnosticReport")


def test_a_referring_physician_alone_tells_of_an_order_that_no_other_study_has() -> None:
    report = REPORTS["minimal"]()
    asked = replace(report.study, referring_physician=Person(PersonName.parse("Weiß^Jörg")))

    bundle = written(replace(report, study=asked))

    request = only(bundle, "ServiceRequest")
    assert target(bundle, request["requester"])["name"][0]["family"] == "Weiß"
    assert "type" not in request["identifier"][0]


def test_every_image_stands_in_its_series_and_study_with_its_class() -> None:
    report = REPORTS["rich"]()
    bundle = written(report)

    own = {item["uid"]: item for item in study(bundle, STUDY_UID)["series"]}
    prior = {item["uid"]: item for item in study(bundle, PRIOR_UID)["series"]}

    assert {instance["uid"] for instance in own[SERIES_UID]["instance"]} == {
        f"{SERIES_UID}.{number}" for number in (20, 1, 2)
    }
    assert {instance["uid"] for instance in prior[PRIOR_SERIES_UID]["instance"]} == {
        f"{PRIOR_SERIES_UID}.{number}" for number in (21, 7)
    }
    assert own[SERIES_UID]["instance"][0]["sopClass"] == {
        "system": "urn:ietf:rfc:3986",
        "code": f"urn:oid:{MR_IMAGE}",
    }
    assert own[SERIES_UID]["modality"]["code"] == "MR"


def test_a_segmentation_has_a_series_of_its_own_modality() -> None:
    series = {item["uid"]: item for item in study(written(REPORTS["segment"]()), STUDY_UID)["series"]}

    assert series["1.2.3.77"]["modality"]["code"] == "SEG"
    assert [instance["uid"] for instance in series["1.2.3.77"]["instance"]] == ["1.2.3.77.1"]
    assert series["1.2.3.77"]["instance"][0]["sopClass"]["code"] == "urn:oid:1.2.840.10008.5.1.4.1.1.66.4"


def test_a_study_of_which_the_modality_is_not_said_claims_none() -> None:
    shown = image(7, prior=True, sop_class=SECONDARY_CAPTURE)
    report = make_coded_report(lesions=(make_lesion(images=(LesionImage(shown),)),))

    made = study(written(report), PRIOR_UID)

    assert "modality" not in made
    assert made["series"][0]["modality"]["code"] == "unknown"


def test_a_series_has_the_modality_of_its_images_and_not_that_of_the_study() -> None:
    ct = replace(image(1, sop_class=CT_IMAGE), series="1.2.3.9")
    report = make_coded_report(lesions=(make_lesion(images=(LesionImage(ct), LesionImage(image(2)))),))

    made = study(written(report), STUDY_UID)

    assert [series["modality"]["code"] for series in made["series"]] == ["CT", "MR"]


def test_a_comparison_says_all_that_is_known_of_it() -> None:
    made = study(written(REPORTS["rich"]()), PRIOR_UID)

    assert made["started"] == "2025-11-30T08:00:00+01:00"
    assert made["identifier"][1]["value"] == "A300"
    assert made["description"] == "MR brain"
    assert made["modality"][0]["code"] == "MR"


def test_a_study_said_twice_is_one_and_that_is_said() -> None:
    report = make_coded_report()
    twice = replace(report.study, comparisons=(Comparison(STUDY_UID, modality=MRI), Comparison(PRIOR_UID)))

    losses = write(replace(report, study=twice), sr_of(report)).losses

    assert [(loss.where, loss.rule) for loss in losses] == [("/study/comparisons/0", "fhir-study-twice")]


def test_images_of_no_lesion_stand_in_their_order_with_their_frames() -> None:
    report = make_coded_report()
    framed = replace(report.study, images=(image(9, 4, 5), image(8)))

    (library,) = [one for one in resources(written(replace(report, study=framed)), "Observation") if "focus" not in one]

    assert library["code"]["coding"][0]["code"] == "111028"
    assert [component["valueString"].rpartition(".")[2] for component in library["component"]] == ["9#frames=4,5", "8"]


def test_a_start_without_a_zone_is_a_day_and_the_rest_is_lost_aloud() -> None:
    report = make_coded_report()
    zoneless = replace(report.study, started=DateTime("2026-03-02T09:12:00"))

    emitted = write(replace(report, study=zoneless), sr_of(report))
    bundle = written(replace(report, study=zoneless))

    assert only(bundle, "DiagnosticReport")["effectiveDateTime"] == "2026-03-02"
    assert study(bundle, STUDY_UID)["started"] == "2026-03-02"
    assert [loss.where for loss in emitted.losses] == ["/study/started"]


def test_a_study_without_a_start_claims_no_time() -> None:
    report = make_coded_report()

    bundle = written(replace(report, study=replace(report.study, started=None)))

    assert "effectiveDateTime" not in only(bundle, "DiagnosticReport")
    assert not any("effectiveDateTime" in item for item in resources(bundle, "Observation"))


def test_the_issuer_of_no_accession_number_is_lost_aloud() -> None:
    report = REPORTS["minimal"]()

    (loss,) = write(replace(report, study=replace(report.study, accession_issuer=HOSPITAL)), sr_of(report)).losses

    assert (loss.where, loss.rule) == ("/study/accessionIssuer", "fhir-accession-issuer")
