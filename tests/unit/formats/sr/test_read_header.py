"""Other makers' header and observers: what a report must have is derived where it is missing, and flagged."""

from io import BytesIO

import pydicom
import pytest

from tests import sr_files as sr
from tests.unit.formats.sr.reading import long_axis, received, rules


def test_observers_are_told_apart() -> None:
    context = "HAS OBS CONTEXT"
    content = sr.document(
        sr.item("PNAME", context, ("121008", "DCM", "Person Observer Name"), PersonName="Roe^Richard"),
        sr.answer(("121005", "DCM", "Observer Type"), ("121007", "DCM", "Device"), relation=context),
        sr.uid(("121012", "DCM", "Device Observer UID"), "1.2.3.4"),
        sr.text(("121013", "DCM", "Device Observer Name"), "MetDetect", relation=context),
        sr.container(
            sr.MEASUREMENTS,
            sr.text(("111001", "DCM", "Algorithm Name"), "net", relation="HAS CONCEPT MOD"),
            sr.text(("111003", "DCM", "Algorithm Version"), "2.1", relation="HAS CONCEPT MOD"),
            sr.group(long_axis()),
        ),
    )
    person, device = received(content).report.observers
    assert person.person is not None
    assert device.device is not None
    assert str(person.person.name) == "Roe^Richard"
    assert (device.device.name, device.device.algorithm, device.device.version) == ("MetDetect", "net", "2.1")


@pytest.mark.parametrize(
    ("keyword", "rule"),
    [
        ("PatientID", "sr-patient-id"),
        ("StudyInstanceUID", "sr-study"),
        ("ContentDate", "sr-issued"),
        ("ContentTime", "sr-issued"),
        ("TimezoneOffsetFromUTC", "sr-zone"),
        ("StudyDescription", "sr-procedure"),
        ("SOPInstanceUID", "sr-identity"),
    ],
)
def test_what_a_report_must_have_is_derived_and_flagged(keyword: str, rule: str) -> None:
    content = sr.measured(**{keyword: None})
    found = received(content)
    assert rule in rules(found)
    assert found.report == received(content).report
    assert (found.sr is None) == (keyword == "SOPInstanceUID")


def test_times_without_a_zone_have_that_of_the_site() -> None:
    found = received(sr.measured(TimezoneOffsetFromUTC=None), zone="Europe/Warsaw")
    assert found.report.issued.text == "2026-03-02T10:41:00+01:00"


@pytest.mark.parametrize("keyword", ["PatientID", "AccessionNumber", "IssuerOfPatientID"])
def test_of_several_values_of_an_attribute_that_has_one_the_first_is_taken_and_flagged(keyword: str) -> None:
    data = pydicom.dcmread(BytesIO(sr.document(sr.container(sr.MEASUREMENTS, sr.group(long_axis())))))
    setattr(data, keyword, ["one", "two"])
    written = BytesIO()
    data.save_as(written)
    found = received(written.getvalue())
    patient = found.report.patient
    issuer = patient.issuer.key if patient.issuer is not None else None
    said = {"PatientID": patient.id, "AccessionNumber": found.report.study.accession, "IssuerOfPatientID": issuer}
    assert said[keyword] == "one"
    assert [loss.where for loss in found.losses if loss.rule == "sr-several-values"] == [keyword]


def test_of_several_descriptions_of_a_study_the_first_stands_for_its_procedure_and_is_flagged_once() -> None:
    found = received(sr.measured(StudyDescription=["CT thorax", "CT abdomen"]))
    study = found.report.study
    assert (study.description, study.procedures[0].text) == ("CT thorax", "CT thorax")
    assert [loss.where for loss in found.losses if loss.rule == "sr-several-values"] == ["StudyDescription"]
