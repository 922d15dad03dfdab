"""Who: patient, persons, organizations, devices, and how a server finds them again."""

from dataclasses import replace
from typing import Any

import pytest

from service.check.compare import compare
from service.domain.codes import CodedTerm
from service.domain.names import PersonName
from service.domain.received import Intake
from service.domain.report import Device, Issuer, Observer, Patient, Person, Sex
from service.domain.times import DateTime
from service.formats.fhir.people import human_names
from service.formats.fhir.r4 import R4
from service.formats.fhir.r5 import R5
from service.formats.fhir.read import read
from service.formats.fhir.release import Release
from service.formats.fhir.write import write
from tests.fhir_bundles import Json, only, resources, sr_of, target, written
from tests.report_set import REPORTS
from tests.report_terms import RECORDING
from tests.reports import make_coded_report


def entry_of(bundle: Json, kind: str) -> Json:
    (entry,) = (entry for entry in bundle["entry"] if entry["resource"]["resourceType"] == kind)
    found: Json = entry
    return found


def patient(**changes: Any) -> Json:
    report = make_coded_report()
    return entry_of(written(replace(report, patient=replace(report.patient, **changes))), "Patient")


def test_a_patient_is_found_by_id_and_issuer() -> None:
    entry = patient()

    assert entry["resource"]["identifier"][0] == {
        "system": "urn:oid:1.2.276.0.76.3.1.999.1",
        "value": "PID-11235",
        "assigner": {"display": "HOSP"},
    }
    assert entry["request"] == {
        "method": "POST",
        "url": "Patient",
        "ifNoneExist": "identifier=urn:oid:1.2.276.0.76.3.1.999.1|PID-11235",
    }


def test_an_issuer_of_an_oid_alone_is_a_system_too() -> None:
    entry = patient(issuer=Issuer("HOSP", oid="1.2.3"))

    assert entry["resource"]["identifier"][0]["system"] == "urn:oid:1.2.3"


@pytest.mark.parametrize("issuer", [None, Issuer("somewhere")])
def test_a_patient_whose_issuer_nobody_knows_matches_nobody(issuer: Issuer | None) -> None:
    entry = patient(issuer=issuer)

    assert "system" not in entry["resource"]["identifier"][0]
    assert entry["request"] == {"method": "PUT", "url": f"Patient/{entry['resource']['id']}"}
    assert entry["fullUrl"] == f"urn:uuid:{entry['resource']['id']}"


def test_two_unknown_issuers_are_two_patients() -> None:
    assert patient(issuer=None)["fullUrl"] != patient(issuer=Issuer("somewhere"))["fullUrl"]


@pytest.mark.parametrize(
    ("value", "criterion"),
    [
        ("a b&c=d", "a%20b%26c%3Dd"),
        ("a|b", "a%5C%7Cb"),
        ("a,b$c", "a%5C%2Cb%5C%24c"),
        ("a\\b", "a%5C%5Cb"),
        ("ż", "%C5%BC"),
    ],
)
def test_what_has_a_meaning_in_a_search_is_escaped(value: str, criterion: str) -> None:
    assert patient(id=value)["request"]["ifNoneExist"] == f"identifier=urn:oid:1.2.276.0.76.3.1.999.1|{criterion}"


@pytest.mark.parametrize(("sex", "gender"), [(Sex.MALE, "male"), (Sex.FEMALE, "female"), (Sex.OTHER, "other")])
def test_each_sex_has_its_word(sex: Sex, gender: str) -> None:
    assert patient(sex=sex)["resource"]["gender"] == gender


def test_what_is_not_said_of_a_patient_is_not_there() -> None:
    report = replace(make_coded_report(), patient=Patient("P1"))

    assert only(written(report), "Patient").keys() == {"resourceType", "id", "identifier"}


@pytest.mark.parametrize("text", ["1961", "1961-04", "1961-04-02"])
def test_a_birth_date_is_as_precise_as_said(text: str) -> None:
    assert patient(birth_date=DateTime(text))["resource"]["birthDate"] == text


def test_other_ids_follow_with_their_issuers() -> None:
    identifiers = only(written(REPORTS["rich"]()), "Patient")["identifier"]

    assert [(item.get("system"), item["value"]) for item in identifiers[1:]] == [
        ("urn:oid:1.2.276.0.76.4.8", "N-1"),
        (None, "OLD-9"),
    ]


def test_each_group_of_a_name_is_a_name_with_its_representation() -> None:
    names = human_names(PersonName.parse("Yamada^Tarou^^Dr.^Jr.=山田^太郎=やまだ^たろう"))

    marks = [name["extension"][0]["valueCode"] for name in names]
    assert marks == ["ABC", "IDE", "SYL"]
    assert names[0]["family"] == "Yamada"
    assert (names[0]["given"], names[0]["prefix"], names[0]["suffix"]) == (["Tarou"], ["Dr."], ["Jr."])
    assert [name["family"] for name in names[1:]] == ["山田", "やまだ"]


def test_a_plain_name_has_no_extension_and_its_middle_name_is_a_given_one() -> None:
    assert human_names(PersonName.parse("Doe^Jane^Q")) == [{"family": "Doe", "given": ["Jane", "Q"]}]


def test_a_person_with_an_id_is_one_in_all_reports_and_without_one_never_made_one_with_another() -> None:
    known: Person[CodedTerm] = Person(PersonName.parse("Smith^J"), id="R7")
    unknown: Person[CodedTerm] = Person(PersonName.parse("Smith^J"))

    urls = {
        (person.id, report_id): entry_of(
            written(make_coded_report(id=report_id, observers=(Observer(person=person),))), "Practitioner"
        )["request"]["ifNoneExist"]
        for person in (known, unknown)
        for report_id in ("A", "B")
    }

    assert urls["R7", "A"] == urls["R7", "B"]
    assert len(set(urls.values())) == 3


def test_a_role_ties_a_person_to_an_organization() -> None:
    person = Person(PersonName.parse("Smith^J"), id="R7", organization="Klinikum Nord", role=RECORDING)

    bundle = written(make_coded_report(observers=(Observer(person=person),)))

    role = only(bundle, "PractitionerRole")
    assert role["code"][0]["coding"][0]["code"] == "121097"
    assert target(bundle, role["practitioner"])["name"] == [{"family": "Smith", "given": ["J"]}]
    assert target(bundle, role["organization"])["name"] == "Klinikum Nord"
    report = only(bundle, "DiagnosticReport")
    assert report["performer"] == [role["organization"]]
    assert report["resultsInterpreter"] == [role["practitioner"]]


def test_a_device_says_all_that_is_known_of_it() -> None:
    device = Device("MetDetect", "2.1", "1.2.3.4", "ACME", "MD-1", "metseg")

    made = only(written(make_coded_report(observers=(Observer(device),))), "Device")

    assert made["identifier"][1] == {"system": "urn:dicom:uid", "value": "urn:oid:1.2.3.4"}
    assert made["deviceName"] == [{"name": "MetDetect", "type": "user-friendly-name"}]
    assert (made["version"], made["manufacturer"], made["modelNumber"]) == ([{"value": "2.1"}], "ACME", "MD-1")
    assert made["property"][0]["valueCode"] == [{"text": "metseg"}]


def test_another_version_of_a_device_is_another_device() -> None:
    requests = {
        entry_of(written(make_coded_report(observers=(Observer(Device("MetDetect", version, "1.2.3.4")),))), "Device")[
            "request"
        ]["ifNoneExist"]
        for version in ("2.1", "2.2")
    }

    assert len(requests) == 2


def test_one_device_saw_each_lesion_and_of_several_none_is_claimed() -> None:
    one = written(make_coded_report())
    several = written(make_coded_report(observers=(Observer(Device("A")), Observer(Device("B")))))

    assert all(target(one, item["device"]) for item in resources(one, "Observation"))
    assert not any("device" in item for item in resources(several, "Observation"))


def test_provenance_names_every_observer_in_order_and_who_a_device_worked_for() -> None:
    bundle = written(REPORTS["rich"]())

    authored, verified = resources(bundle, "Provenance")
    who = [target(bundle, agent["who"])["resourceType"] for agent in authored["agent"]]

    assert who == ["Device", "PractitionerRole", "Device"]
    assert target(bundle, authored["agent"][0]["onBehalfOf"])["resourceType"] == "PractitionerRole"
    assert verified["occurredDateTime"] == "2026-03-02T10:40:12.5+01:00"
    assert target(bundle, verified["agent"][0]["who"])["name"][0]["family"] == "Yamada"


def test_without_an_observer_there_is_no_provenance_and_a_document_is_by_its_sender() -> None:
    bundle = written(make_coded_report(observers=()), "document")

    assert resources(bundle, "Provenance") == []
    assert only(bundle, "Composition")["author"] == [{"display": "local"}]


def test_the_same_person_observing_and_referring_is_one_practitioner() -> None:
    person: Person[CodedTerm] = Person(PersonName.parse("Smith^J"), id="R7")
    report = make_coded_report(observers=(Observer(person=person),))

    bundle = written(replace(report, study=replace(report.study, referring_physician=person)))

    assert only(bundle, "Practitioner")["identifier"][0]["value"] == "R7"
    assert only(bundle, "ServiceRequest")["requester"] == only(bundle, "DiagnosticReport")["resultsInterpreter"][0]


@pytest.mark.parametrize("release", [R4, R5], ids=lambda release: release.name)
def test_two_names_of_one_id_are_two_practitioners_and_the_second_has_lost_the_id(release: Release) -> None:
    first: Person[CodedTerm] = Person(PersonName.parse("Smith^J"), id="R7")
    second: Person[CodedTerm] = Person(PersonName.parse("Gray^H"), id="R7")
    third: Person[CodedTerm] = Person(PersonName.parse("Lee^K"), id="R7")
    report = make_coded_report(observers=(Observer(person=first), Observer(person=second)))
    report = replace(report, study=replace(report.study, referring_physician=third))

    emitted = write(report, sr_of(report), release=release)
    back = read(emitted.content, Intake("somebody else"), release.name).report

    assert [(loss.where, loss.rule) for loss in emitted.losses] == [
        ("/observers/1/person/id", "fhir-person-id"),
        ("/study/referringPhysician/id", "fhir-person-id"),
    ]
    people = [one.person for one in back.observers] + [back.study.referring_physician]
    assert [(str(one.name), one.id) for one in people if one] == [("Smith^J", "R7"), ("Gray^H", None), ("Lee^K", None)]
    assert compare(report, None, emitted.content) == ()


def test_what_has_a_meaning_in_a_search_is_escaped_in_a_system_too() -> None:
    """An issuer with a colon is taken for a URI as it is; a bare | would end the system in the middle of it."""
    made = patient(issuer=Issuer("x:|,$", "x:|,$"))
    assert made["resource"]["identifier"][0]["system"] == "x:|,$"
    assert made["request"]["ifNoneExist"] == "identifier=x:%5C%7C%5C%2C%5C%24|PID-11235"
