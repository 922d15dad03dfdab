"""The entries of a bundle: their order, their requests, and the facts by which they are compared."""

from __future__ import annotations

import json
from typing import Any

import pytest

from service.delivery.destination import Outcome, Outgoing
from service.delivery.fhir_entries import NotFhir, entries, facts, lacking
from service.delivery.fhir_ordered import in_order
from service.formats.fhir.xml import as_xml
from tests.conformance.generated import make
from tests.contract.benches import bundle, written
from tests.findings import make_findings
from tests.unit.delivery.fhir_servers import (
    destination,
)


@pytest.mark.parametrize("content", [b"", b"{}", b"[]", b'{"entry": [{}]}', b"[" * 100_000])
def test_refuses_what_is_no_bundle(content: bytes) -> None:
    outgoing = Outgoing("d", "application/fhir+json", content, "x.json")
    assert destination("http://127.0.0.1:1").send(outgoing).outcome is Outcome.REFUSED


def test_entries_come_after_those_that_they_refer_to() -> None:
    listed = entries(bundle(1).content, "application/fhir+json")
    seen: set[str] = set()
    for entry in in_order(listed[::-1]):
        assert entry.targets <= seen | {entry.full_url}
        seen.add(entry.full_url)
    assert len(seen) == len(listed)


def test_a_list_of_requests_is_what_the_transaction_asks_for() -> None:
    made = make(make_findings(), bundle="single").fhir
    assert made.media_type.startswith("application/vnd.lesionbridge.requests+json")
    listed = entries(made.content, made.media_type)
    whole = entries(make(make_findings()).fhir.content, "application/fhir+json")
    assert [(one.full_url, one.query, one.identifiers) for one in listed] == [
        (one.full_url, one.query, one.identifiers) for one in whole
    ]


def test_a_circle_can_not_be_sent_one_by_one() -> None:
    def entry(name: str, target: str) -> dict[str, Any]:
        resource = {"resourceType": "Observation", "hasMember": [{"reference": target}]}
        return {"fullUrl": name, "resource": resource, "request": {"method": "POST", "url": "Observation"}}

    content = json.dumps({"entry": [entry("urn:uuid:a", "urn:uuid:b"), entry("urn:uuid:b", "urn:uuid:a")]}).encode()
    with pytest.raises(NotFhir, match="circle"):
        in_order(entries(content, "application/fhir+json"))


def test_a_number_keeps_its_digits_when_it_is_sent_alone() -> None:
    found = [entry.body({}) for entry in entries(bundle(1).content, "application/fhir+json")]
    assert any(b'"value":14.20,' in body for body in found)


@pytest.mark.parametrize(
    ("sent", "held", "differs"),
    [
        ({"valueQuantity": {"value": 12.50}}, {"valueQuantity": {"value": 12.5}}, []),
        ({"valueQuantity": {"value": 12.5}}, {"valueQuantity": {"value": 12.6}}, ["valueQuantity.value"]),
        ({"identifier": [{"value": "0012"}]}, {"identifier": [{"value": "12"}]}, ["identifier.value"]),
        ({"issued": "2026-03-02T10:41:00+01:00"}, {"issued": "2026-03-02T09:41:00.000Z"}, []),
        ({"issued": "2026-03-02T10:41:00+01:00"}, {"issued": "2026-03-02T10:41:00Z"}, ["issued"]),
        ({"status": "final", "id": "a", "meta": {"x": "y"}, "text": {"div": "z"}}, {"status": "final"}, []),
        (
            {"bodySite": {"coding": [{"code": "left"}]}},
            {"bodySite": {"coding": [{"code": "right"}]}},
            ["bodySite.coding.code"],
        ),
        ({"note": [{"text": "a"}, {"text": "b"}]}, {"note": [{"text": "b"}, {"text": "a"}]}, []),
        ({"note": [{"text": "a"}, {"text": "a"}]}, {"note": [{"text": "a"}]}, ["note.text"]),
        (
            {"_birthDate": {"extension": [{"url": "u", "valueCode": "c"}]}},
            {},
            ["birthDate.extension.url", "birthDate.extension.valueCode"],
        ),
        ({"active": True}, {"active": True, "more": "x"}, []),
    ],
)
def test_differences_are_found_and_spellings_are_none(sent: Any, held: Any, differs: list[str]) -> None:
    assert lacking(facts(sent), facts(held)) == differs


def test_both_forms_say_the_same_facts() -> None:
    in_json = entries(bundle(1).content, "application/fhir+json")
    in_xml = entries(as_xml(written(1).fhir, "R4").content, "application/fhir+xml")
    assert [(one.full_url, one.kind, one.method, one.url, one.condition) for one in in_json] == [
        (one.full_url, one.kind, one.method, one.url, one.condition) for one in in_xml
    ]
    assert [facts(one.resource) for one in in_json] == [facts(one.resource) for one in in_xml]
    assert [one.targets for one in in_json] == [one.targets for one in in_xml]
