"""Codes, numbers and times as R4 data types."""

from decimal import Decimal
from typing import Any

import orjson
import pytest

from service.domain.codes import Code, CodedTerm
from service.domain.loss import Loss, LossKind
from service.domain.times import DateTime
from service.domain.uids import derive_uid
from service.formats.fhir.codeable import codeable, date_time, first_coding, quantity, system_uri
from tests.report_terms import BRAIN_METASTASIS, INTRACRANIAL_METASTASES, MM, UNCODED_FINDING, term


def read(value: object) -> Any:
    return orjson.loads(orjson.dumps(value))


def test_codes_stand_in_their_order_with_the_uris_of_fhir() -> None:
    concept = read(codeable(BRAIN_METASTASIS, "local"))

    assert [(coding["system"], coding["code"]) for coding in concept["coding"]] == [
        ("http://snomed.info/sct", "94225005"),
        ("http://radlex.org", "RID5231"),
        ("http://hl7.org/fhir/sid/icd-10-cm", "C79.31"),
    ]
    assert concept["coding"][0]["display"] == "Secondary malignant neoplasm of brain"
    assert concept["text"] == "brain metastasis"


def test_a_term_without_a_code_is_its_text() -> None:
    assert read(codeable(UNCODED_FINDING, "local")) == {"text": "watershed-like cluster"}


def test_a_broader_code_stands_beside_the_text_that_says_more() -> None:
    concept = read(codeable(INTRACRANIAL_METASTASES, "local"))

    assert concept["coding"][0]["code"] == "128462008"
    assert concept["text"] == "intracranial metastases"


def test_the_display_of_one_report_never_shows_in_another() -> None:
    one, other = (CodedTerm("x", (Code("SCT", "7771000", display),)) for display in ("Left", "Links"))
    assert one == other

    displays = [read(codeable(item, "local"))["coding"][0]["display"] for item in (one, other, one)]

    assert displays == ["Left", "Links", "Left"]


def test_an_unknown_scheme_is_an_oid_of_its_sender() -> None:
    assert system_uri("99HOUSE", "a") == f"urn:oid:{derive_uid('code-system', 'a')}.{int.from_bytes(b'99HOUSE', 'big')}"
    assert system_uri("99HOUSE", "a") != system_uri("99HOUSE", "b")
    assert read(codeable(term("odd", "99HOUSE|X1|Odd"), "a")) != read(codeable(term("odd", "99HOUSE|X1|Odd"), "b"))


@pytest.mark.parametrize(
    ("given", "uri"),
    [
        ("http://example.org/codes", "http://example.org/codes"),
        ("urn:oid:1.2.3", "urn:oid:1.2.3"),
        ("1.2.3", "urn:oid:1.2.3"),
        ("LN", "http://loinc.org"),
        ("http://www.radlex.org", "http://radlex.org"),
        ("2.16.840.1.113883.6.96", "http://snomed.info/sct"),
        ("ICD10CM", "http://hl7.org/fhir/sid/icd-10-cm"),
    ],
)
def test_a_scheme_given_in_any_of_its_names_has_one_uri(given: str, uri: str) -> None:
    assert system_uri(given, "local") == uri


def test_a_quantity_has_the_ucum_code_and_its_system() -> None:
    made = quantity(Decimal("12.50"), MM, "local")

    assert orjson.dumps(made) == b'{"value":12.50,"unit":"mm","system":"http://unitsofmeasure.org","code":"mm"}'


def test_a_unit_without_a_code_has_no_system() -> None:
    assert read(quantity(Decimal(3), term("slices"), "local")) == {"value": 3, "unit": "slices"}


def test_a_single_coding_is_the_primary_code_or_the_text_as_display() -> None:
    assert first_coding(BRAIN_METASTASIS, "local")["code"] == "94225005"
    assert first_coding(UNCODED_FINDING, "local") == {"display": "watershed-like cluster"}


def test_a_time_of_day_without_a_zone_is_lost_aloud() -> None:
    losses: list[Loss] = []

    assert date_time(DateTime("2026-03-02T09:12:00"), "/study/started", losses) == "2026-03-02"
    assert [(loss.kind, loss.where, loss.rule) for loss in losses] == [
        (LossKind.LOST, "/study/started", "fhir-date-time")
    ]


@pytest.mark.parametrize(
    "text", ["2026", "2026-03", "2026-03-02", "2026-03-02T09:12:00Z", "2026-03-02T09:12:00.5+01:00"]
)
def test_any_other_time_stays_as_written(text: str) -> None:
    losses: list[Loss] = []

    assert date_time(DateTime(text), "", losses) == text
    assert losses == []
