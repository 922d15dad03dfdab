"""Whose name stands beside whose id, and which zone a time without one has, in messages of others."""

import pytest

from service.domain.received import Intake, Received
from service.formats.hl7v2.read import read
from tests.unit.formats.hl7v2.test_no_results import of_rule
from tests.unit.formats.hl7v2.test_read import FIELDS, REPORTED, message


def with_fields(fields: dict[int, str], sent: str = "20260302104100+0100") -> Received:
    """A message with these fields of its OBR, sent at that time."""
    order = "|".join(["OBR", *((FIELDS | REPORTED | fields).get(number, "") for number in range(1, 33))])
    body = message(order=order).replace("20260302104100+0100", sent, 1)
    return read(body.encode(), Intake(zone="Europe/Berlin"))


@pytest.mark.parametrize(
    ("sent", "started"),
    [("20260302104100-0500", "2026-03-02T09:12:00-05:00"), ("20260302104100", "2026-03-02T09:12:00+01:00")],
)
def test_a_time_without_a_zone_has_that_of_the_message_else_that_of_the_site(sent: str, started: str) -> None:
    made = with_fields({}, sent)
    assert made.report.study.started is not None
    assert made.report.study.started.text == started
    assert "OBR-7" in of_rule(made, "zone-assumed")


@pytest.mark.parametrize(
    ("said", "person"),
    [
        ("7^^~8^Roe^Rita", ("8", "Roe^Rita")),
        ("7^Roe^Rita~8^Poe^Paul", ("7", "Roe^Rita")),
        ("7^Roe^Rita~8^山田^太郎^^^^^^^L^^^^^I", ("7", "Roe^Rita")),
    ],
)
def test_an_id_stands_beside_its_own_name_and_another_person_is_listed(said: str, person: tuple[str, str]) -> None:
    made = with_fields({16: said})
    found = made.report.study.referring_physician
    assert found is not None
    assert (found.id, str(found.name)) == person
    assert of_rule(made, "v2-name") == ["OBR-16"]


def test_the_name_of_one_person_in_several_scripts_is_one_person() -> None:
    made = with_fields({16: "7^Yamada^Tarou^^^^^^^L^^^^^A~7^山田^太郎^^^^^^^L^^^^^I"})
    found = made.report.study.referring_physician
    assert found is not None
    assert str(found.name) == "Yamada^Tarou=山田^太郎"
    assert of_rule(made, "v2-name") == []


def test_when_an_interpreter_began_is_no_name() -> None:
    made = with_fields({32: "7^20260302104100+0100"})
    assert made.report.observers == ()
    assert of_rule(made, "v2-name") == ["OBR-32"]


@pytest.mark.parametrize(
    ("said", "uri", "oid"),
    [
        ("NORTH&1.2.3&ISO", None, "1.2.3"),
        ("NORTH&http://north&URI", "http://north", None),
        ("NORTH&north.example&DNS", None, None),
        ("&6BA7B810-9DAD-11D1-80B4-00C04FD430C8&UUID", "urn:uuid:6ba7b810-9dad-11d1-80b4-00c04fd430c8", None),
    ],
)
def test_an_authority_is_named_by_a_uri_that_is_one(said: str, uri: str | None, oid: str | None) -> None:
    patient = read(message().replace("P1^^^NORTH", f"P1^^^{said}").encode(), Intake()).report.patient
    assert patient.issuer is not None
    assert (patient.issuer.uri, patient.issuer.oid) == (uri, oid)
