"""Who and what a report is about: issuers are found, UIDs derived, and no two lesions have one."""

from dataclasses import replace

import pytest

from service.coding import Vocabulary
from service.coding.coder import code_report
from service.domain.errors import Contradiction
from service.domain.report import Device, Issuer, Observer, Patient, PatientId
from service.domain.uids import is_uid, tracking_uid
from tests.unit.coding.reports import changed, make_lesion, make_report


def test_a_tracking_uid_is_derived_of_sender_patient_and_lesion(small: Vocabulary) -> None:
    report = make_report(make_lesion("L7"), patient=Patient("PID-1", Issuer("urn:oid:1.2.276.0.76.3.1.999.1")))

    coded = code_report(report, small)

    assert coded.patient.issuer is not None
    assert coded.patient.issuer.key == "HOSP"
    # The issuer as said, not the row found for it: a row added later changes no UID.
    said = "urn:oid:1.2.276.0.76.3.1.999.1"
    assert coded.lesions[0].tracking_uid == tracking_uid("local", said, "PID-1", "L7")


def test_a_device_without_uid_gets_one_that_its_version_changes(small: Vocabulary) -> None:
    devices = [Device("MetDetect", "2.1"), Device("MetDetect", "2.1"), Device("MetDetect", "2.2")]

    coded = [code_report(make_report(observers=(Observer(device),)), small).observers[0].device for device in devices]

    uids = [device.uid for device in coded if device is not None and device.uid is not None]
    assert all(is_uid(uid) for uid in uids)
    assert uids[0] == uids[1] != uids[2]


def test_a_given_device_uid_stays(small: Vocabulary) -> None:
    coded = code_report(make_report(observers=(Observer(Device("D", uid="1.2.3.4")),)), small)

    assert coded.observers[0].device is not None
    assert coded.observers[0].device.uid == "1.2.3.4"


@pytest.mark.parametrize(
    ("said", "known"),
    [
        (Issuer("HOSP"), Issuer("HOSP", "urn:oid:1.2.276.0.76.3.1.999.1", "1.2.276.0.76.3.1.999.1")),
        (Issuer("x", uri="urn:oid:1.2.3.4.5"), Issuer("OIDONLY", "urn:oid:1.2.3.4.5", "1.2.3.4.5")),
        (Issuer("1.2.3.4.5"), Issuer("OIDONLY", "urn:oid:1.2.3.4.5", "1.2.3.4.5")),
        (Issuer("1.2.99"), Issuer("1.2.99", "urn:oid:1.2.99", "1.2.99")),
        (Issuer("urn:oid:1.2.99"), Issuer("urn:oid:1.2.99", "urn:oid:1.2.99", "1.2.99")),
        (Issuer("https://ids.example/mrn"), Issuer("https://ids.example/mrn", "https://ids.example/mrn")),
        (Issuer("x", oid="1.2.98"), Issuer("x", oid="1.2.98")),
    ],
)
def test_an_issuer_is_found_by_key_uri_or_oid(small: Vocabulary, said: Issuer, known: Issuer) -> None:
    report = make_report(patient=Patient("P", said, other_ids=(PatientId("Q", said),)))
    report = changed(report, study=replace(report.study, accession="A", accession_issuer=said))

    coded = code_report(report, small)

    assert coded.losses == ()
    assert coded.patient.issuer == coded.patient.other_ids[0].issuer == coded.study.accession_issuer == known


@pytest.mark.parametrize("key", ["CLINIC X", "site: north", "{site:north}", ":north", "site:a|b", "9:x"])
def test_an_unknown_issuer_stays_and_is_flagged(small: Vocabulary, key: str) -> None:
    report = make_report(patient=Patient("P", Issuer(key)))

    coded = code_report(report, small)

    assert coded.patient.issuer == Issuer(key)
    assert [(loss.rule, loss.where) for loss in coded.losses] == [("unknown-issuer", "/patient/issuer")]


def test_two_lesions_of_one_tracking_uid_are_refused(small: Vocabulary) -> None:
    lesions = (make_lesion("A", tracking_uid="1.2.3"), make_lesion("B", tracking_uid="1.2.3"))

    with pytest.raises(Contradiction) as caught:
        code_report(make_report(*lesions), small)

    assert [problem.rule for problem in caught.value.problems] == ["duplicate-tracking-uid"]


def test_two_groups_of_one_lesion_in_somebody_elses_document_are_flagged(small: Vocabulary) -> None:
    lesions = [replace(make_lesion(name, tracking_uid="1.2.3"), where=f"1.4.{name}") for name in "AB"]

    coded = code_report(make_report(*lesions), small)

    assert [(loss.rule, loss.where) for loss in coded.losses] == [("duplicate-tracking-uid", "1.4.B")]
