"""Accept and Content-Type."""

import pytest

from service.api.negotiation import OFFERS, Offer, asks_for_fhir, reader, wanted
from service.domain.errors import NotAcceptable, UnsupportedMedia
from service.doors import MEDIA_TYPES, Format


@pytest.mark.parametrize(
    ("accept", "answer"),
    [
        ("", "application/fhir+json"),
        ("*/*", "application/fhir+json"),
        ("application/*", "application/fhir+json"),
        ("application/json", "application/json"),
        ("application/fhir+json; fhirVersion=4.0", "application/fhir+json"),
        ('application/fhir+json; fhirVersion="4.0"; charset=utf-8', "application/fhir+json"),
        ("application/dicom", "application/dicom"),
        ("Application/DICOM", "application/dicom"),
        ("application/dicom+json", "application/dicom+json"),
        ('multipart/related; type="application/dicom"', "multipart/related"),
        ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "text/html"),
        ("application/dicom;q=0.5, text/html;q=0.6", "text/html"),
        ("application/fhir+json;q=0, */*", "application/dicom"),
        ("*/*;q=0.1, application/dicom;q=0.2", "application/dicom"),
        ("text/html;q=0.9, */*", "application/fhir+json"),
        ("application/fhir+json;fhirVersion=5.0, text/html;q=0.1", "application/fhir+json"),
        ("application/fhir+json;fhirVersion=6.0, text/html;q=0.1", "text/html"),
        ("text/html;q=high, application/dicom;q=0.1", "application/dicom"),
    ],
)
def test_answers_with_what_is_liked_best(accept: str, answer: str) -> None:
    assert wanted(accept).media_type == answer


@pytest.mark.parametrize("offer", OFFERS, ids=lambda offer: offer.media_type)
def test_every_offer_can_be_asked_for(offer: Offer) -> None:
    version = f"; fhirVersion={offer.versions[0]}" if offer.versions else ""
    assert wanted(offer.media_type + version) is offer


@pytest.mark.parametrize(
    "accept",
    [
        "image/png",
        "application/fhir+json; fhirVersion=3.0",
        "application/fhir+xml; fhirVersion=3.0",
        "*/*;q=0",
        "text/html;q=0",
        "application/dicom;q=2",
    ],
)
def test_refuses_what_it_can_not_write_and_lists_what_it_can(accept: str) -> None:
    with pytest.raises(NotAcceptable) as raised:
        wanted(accept)
    assert raised.value.problems[0].candidates == tuple(offer.media_type for offer in OFFERS)


@pytest.mark.parametrize(("name", "form"), MEDIA_TYPES.items())
def test_reads_what_the_table_of_doors_says(name: str, form: Format) -> None:
    assert reader(name) is form


@pytest.mark.parametrize("name", ["application/json; charset=UTF-8", "Application/JSON"])
def test_reads_findings(name: str) -> None:
    assert reader(name) is Format.FINDINGS


def test_a_release_of_fhir_is_known_by_its_first_two_numbers() -> None:
    assert reader("application/fhir+json; fhirVersion=5.0.0") is Format.FHIR_R5


@pytest.mark.parametrize(
    "name",
    [
        None,
        "",
        "text/plain",
        "application/fhir+json; fhirVersion=3.0",
        "application/json; charset=latin-1",
        "json",
        ";;",
    ],
)
def test_refuses_a_body_it_can_not_read(name: str | None) -> None:
    with pytest.raises(UnsupportedMedia):
        reader(name)


@pytest.mark.parametrize(
    ("accept", "fhir"),
    [
        ("application/fhir+json", True),
        ("application/fhir+xml;q=0.9, */*;q=0.1", True),
        ("*/*", False),
        ("", False),
        ("text/html, application/fhir+json;q=0.5", False),
        ("application/fhir+json;q=0", False),
    ],
)
def test_knows_whether_errors_are_read_as_fhir(accept: str, fhir: bool) -> None:
    assert asks_for_fhir(accept) is fhir
