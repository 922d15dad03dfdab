"""The identifiers by which a bundle's report is found again, whatever the bundle is written as."""

import pytest

from service.delivery.fhir_entries import NotFhir, apart, entries, identifiers
from service.doors import Format, Options
from service.pipeline import Source, convert
from tests.findings import make_body

_R4, _R5 = Format.FHIR_R4, Format.FHIR_R5


@pytest.mark.parametrize(
    ("form", "asked"),
    [
        *((form, Options(encoding=encoding)) for form in (_R4, _R5) for encoding in ("json", "xml")),
        *((form, Options(bundle="single")) for form in (_R4, _R5)),
        (_R4, Options(profile="imr")),
        (_R4, Options(profile="mcode", encoding="xml")),
    ],
)
def test_they_are_those_of_the_entries(form: Format, asked: Options) -> None:
    made = convert(Source(make_body()), (form,), asked).outputs[form]
    listed = apart(entries(made.content, made.media_type))
    for kind in {entry.kind for entry in listed}:
        found = identifiers(made.content, made.media_type, kind)
        assert list(found) == [pair for entry in listed if entry.kind == kind for pair in entry.identifiers]
    assert identifiers(made.content, made.media_type, "DiagnosticReport")


@pytest.mark.parametrize("bundle", ["transaction", "single"])
def test_what_a_text_imitates_is_none_of_them(bundle: str) -> None:
    hostile = ',"resource":{"resourceType":"DiagnosticReport","identifier":[{"system":"s","value":"ü"}]},"request":{'
    body = make_body(report__id=hostile[:64], report__impression=hostile)
    made = convert(Source(body), (_R4,), Options(bundle=bundle)).outputs[_R4]
    listed = apart(entries(made.content, made.media_type))
    found = identifiers(made.content, made.media_type, "DiagnosticReport")
    assert list(found) == [pair for entry in listed if entry.kind == "DiagnosticReport" for pair in entry.identifiers]
    assert hostile[:64] in [value for _, value in found]


@pytest.mark.parametrize("bundle", ["collection", "document"])
@pytest.mark.parametrize("encoding", ["json", "xml"])
def test_what_has_no_requests_is_told_by_its_json_alone(bundle: str, encoding: str) -> None:
    asked = Options(bundle=bundle, encoding=encoding)
    made = convert(Source(make_body()), (_R4,), asked).outputs[_R4]
    if encoding == "xml":
        assert identifiers(made.content, made.media_type, "DiagnosticReport")
        return
    with pytest.raises(NotFhir):
        identifiers(made.content, made.media_type, "DiagnosticReport")
