"""A coded report as findings JSON says what it said, in terms that nothing can mistake."""

import json
from dataclasses import fields, is_dataclass, replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings

from service.coding import vocabulary
from service.coding.coder import code_report
from service.domain.codes import Code, CodedTerm, Resolution, Term
from service.domain.geometry import Graphic, LesionImage
from service.domain.limits import Limits
from service.domain.report import CodedReport, Evaluation, Issuer, LesionReport
from service.formats.findings.read import read
from service.formats.findings.write import write
from tests.codable import codable_documents
from tests.coded_reports import terms_in
from tests.documents import Json, as_bytes, make_document, make_lesion_document
from tests.report_set import REPORTS
from tests.reports import make_coded_report


def read_document(document: Json) -> LesionReport:
    return read(as_bytes(document), default_sender="local", limits=Limits())


def _said(report: CodedReport) -> list[tuple[str, tuple[Code, ...], str | None, bool]]:
    """Every term in order, but for how it was found."""
    return [(term.text, term.codes, term.concept, term.broader) for term in terms_in(report)]


def _facts(value: Any) -> Any:
    """A report as plain values: no terms, no rows, issuers as what they are known by, shapes of an image by kind."""
    if isinstance(value, Term | CodedTerm):
        return "term"
    if isinstance(value, Issuer):
        return (value.uri or value.oid or value.key).removeprefix("urn:oid:")
    if isinstance(value, LesionImage):
        kinds = list(Graphic)
        return [
            _facts(value.image),
            _facts(tuple(sorted(value.regions, key=lambda region: kinds.index(region.graphic)))),
        ]
    if isinstance(value, tuple):
        return [_facts(item) for item in value]
    if is_dataclass(value):
        names = [member.name for member in fields(value) if member.compare and member.name not in ("row", "losses")]
        return {name: _facts(getattr(value, name)) for name in names}
    return value


@settings(max_examples=60, deadline=None)
@given(codable_documents())
def test_a_coded_report_reads_and_codes_the_same_again(document: Json) -> None:
    coded = replace(code_report(read_document(document), vocabulary()), losses=())
    again = read(write(coded), default_sender="", limits=Limits())
    recoded = replace(code_report(again, vocabulary()), losses=())

    assert _said(recoded) == _said(coded)
    assert _facts(recoded) == _facts(coded)


@pytest.mark.parametrize("name", sorted(REPORTS))
def test_every_hand_built_report_is_written_whole(name: str) -> None:
    report = REPORTS[name]()
    again = read(write(report), default_sender="", limits=Limits())

    assert _facts(again) == _facts(report)


def test_every_issuer_is_known_again() -> None:
    for issuer in vocabulary().issuers.values():
        document = make_document(patient={"id": "P1", "issuer": issuer.key})
        coded = code_report(read_document(document), vocabulary())
        again = read(write(coded), default_sender="", limits=Limits())
        assert code_report(again, vocabulary()).patient.issuer == issuer


def test_an_issuer_of_no_table_is_written_by_its_uri_or_oid() -> None:
    report = read_document(make_document())
    for issuer, written in (
        (Issuer("x", "https://x.example"), "https://x.example"),
        (Issuer("x", oid="1.2"), "urn:oid:1.2"),
    ):
        held = replace(report, patient=replace(report.patient, issuer=issuer))
        assert json.loads(write(held))["patient"]["issuer"] == written


def test_numbers_are_written_with_their_digits() -> None:
    body = write(read_document(make_lesion_document(measurements={"volume": "12.50 mm3"})))
    assert b'"value":12.50,' in body
    assert read(body, default_sender="", limits=Limits()).lesions[0].measurements[0].value == Decimal("12.50")


def _written(finding: CodedTerm) -> Any:
    report = make_coded_report()
    report = replace(report, lesions=(replace(report.lesions[0], finding=finding),))
    return json.loads(write(report))["lesions"][0]["finding"]


def test_a_concept_is_written_by_its_key() -> None:
    code = Code("SCT", "94225005", "Secondary malignant neoplasm of brain")
    assert _written(CodedTerm("brain metastasis", (code,), "brain-metastasis")) == "brain-metastasis"


def test_a_code_without_concept_is_written_with_its_words() -> None:
    given = CodedTerm("odd thing", (Code("99SITE", "X1", "odd"),), None, resolution=Resolution.GIVEN)
    assert _written(given) == {"system": "99SITE", "code": "X1", "display": "odd thing"}


def test_text_is_written_as_text() -> None:
    assert _written(CodedTerm("something odd")) == "something odd"


def _members(report: LesionReport) -> dict[str, Any]:
    return {member.name: getattr(report, member.name) for member in fields(report)}


def test_answers_that_do_not_stand_together_keep_their_order() -> None:
    report = read_document(make_document())
    pairs = [("a", "1"), ("b", "2"), ("a", "3")]
    evaluations = tuple([Evaluation(Term(field), Term(answer)) for field, answer in pairs])
    lesions = (replace(report.lesions[0], evaluations=evaluations),)
    again = read(write(LesionReport(**{**_members(report), "lesions": lesions})), default_sender="", limits=Limits())
    assert again.lesions[0].evaluations == evaluations
