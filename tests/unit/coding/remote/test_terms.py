"""Terms that nothing here knows, asked at a terminology server: what is taken, and what never is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from service.coding import Vocabulary
from service.coding.coder import code_report
from service.coding.remote import Client, RemotePolicy, RemoteTerms
from service.coding.remote.terms import AWAY, REMOTE
from service.domain.codes import CodedTerm, Resolution
from service.domain.errors import Contradiction
from service.domain.loss import Loss, LossKind
from service.domain.names import NameGroup, PersonName
from service.domain.report import CodedReport, LesionReport, Patient
from service.domain.times import DateTime
from tests.unit.coding.remote.fakes import Clock, Misbehaving, misbehaving
from tests.unit.coding.reports import code, make_lesion, make_report, term

SNOMED, HERE = "http://snomed.info/sct", "http://hospital/sites"
FRONTAL = "83251001"
NOT_FOUND = {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "not-found"}]}


def translated(*targets: tuple[str, str]) -> dict[str, Any]:
    """An answer of $translate: equivalence and SNOMED CT code."""
    made: list[dict[str, Any]] = [{"name": "result", "valueBoolean": True}]
    for how, target in targets:
        concept = {"name": "concept", "valueCoding": {"system": SNOMED, "code": target}}
        made.append({"name": "match", "part": [{"name": "equivalence", "valueCode": how}, concept]})
    return {"resourceType": "Parameters", "parameter": made}


def looked(display: str, *, inactive: bool = False, words: tuple[str, ...] = ()) -> dict[str, Any]:
    """An answer of $lookup."""
    made: list[dict[str, Any]] = [{"name": "display", "valueString": display}]
    parts = [{"name": "code", "valueCode": "inactive"}, {"name": "value", "valueBoolean": inactive}]
    made.append({"name": "property", "part": parts})
    made += [{"name": "designation", "part": [{"name": "value", "valueString": word}]} for word in words]
    return {"resourceType": "Parameters", "parameter": made}


def expansion(*codes: tuple[str, str, str]) -> dict[str, Any]:
    """An answer of $expand: code, display, one more word."""
    listed = [
        {"system": SNOMED, "code": one, "display": display, "designation": [{"value": word}]}
        for one, display, word in codes
    ]
    return {"resourceType": "ValueSet", "expansion": {"contains": listed}}


@pytest.fixture
def server() -> Iterator[Misbehaving]:
    """A server that knows nothing."""
    with misbehaving() as told:
        told.status, told.body = 404, NOT_FOUND
        yield told


def remote(server: Misbehaving, **bounds: Any) -> RemoteTerms:
    clock = Clock()
    client = Client(RemotePolicy(server.url, attempts=1, read_s=60, total_s=120), clock=clock, sleep=clock.sleep)
    return RemoteTerms(client, clock=clock, **bounds)


def coded(report: LesionReport, vocabulary: Vocabulary, server: Misbehaving, **bounds: Any) -> CodedReport:
    return code_report(report, vocabulary.asking(remote(server, **bounds)))


def site_of(report: CodedReport) -> CodedTerm:
    found = report.lesions[0].site
    assert found is not None
    return found


def said(report: CodedReport, rule: str) -> list[Loss]:
    return [loss for loss in report.losses if loss.rule == rule]


def test_a_local_code_that_the_server_calls_equivalent_is_the_concept(small: Vocabulary, server: Misbehaving) -> None:
    server.answers["$translate"] = (200, translated(("equivalent", FRONTAL)))
    made = coded(make_report(make_lesion(site=code(HERE, "FL", "Stirn"))), small, server)
    found = site_of(made)
    assert (found.concept, found.resolution, found.said) == ("frontal-lobe", Resolution.REMOTE, f"{HERE} FL Stirn")
    assert found.codes == small.concepts["frontal-lobe"].codes
    (loss,) = said(made, REMOTE)
    assert (loss.kind, "terminology server" in loss.why) == (LossKind.FLAGGED, True)


@pytest.mark.parametrize("how", ["wider", "narrower", "relatedto", "inexact", "unmatched"])
def test_what_is_not_equal_is_never_taken(how: str, small: Vocabulary, server: Misbehaving) -> None:
    server.answers["$translate"] = (200, translated((how, FRONTAL)))
    found = site_of(coded(make_report(make_lesion(site=code(HERE, "FL", "Stirn"))), small, server))
    assert (found.codes, found.resolution) == ((), Resolution.TEXT)


def test_two_equal_codes_are_a_question_for_a_person(small: Vocabulary, server: Misbehaving) -> None:
    server.answers["$translate"] = (200, translated(("equivalent", FRONTAL), ("equivalent", "88442005")))
    assert site_of(coded(make_report(make_lesion(site=code(HERE, "FL", "Stirn"))), small, server)).codes == ()


def test_an_equal_code_that_no_table_has_goes_out_by_itself(small: Vocabulary, server: Misbehaving) -> None:
    server.answers["$translate"] = (200, translated(("equivalent", "69536005")))
    server.answers["$lookup"] = (200, looked("Head structure"))
    found = site_of(coded(make_report(make_lesion(site=code(HERE, "HD", "Kopf"))), small, server))
    assert [(one.system, one.code, one.display) for one in found.codes] == [("SCT", "69536005", "Head structure")]
    assert (found.concept, found.resolution) == (None, Resolution.REMOTE)


def test_an_equal_code_that_belongs_to_another_field_is_not_taken(small: Vocabulary, server: Misbehaving) -> None:
    server.answers["$translate"] = (200, translated(("equivalent", "393564001")))
    assert site_of(coded(make_report(make_lesion(site=code(HERE, "GL", "Gliom"))), small, server)).codes == ()


def test_a_retired_or_unnamed_target_is_not_taken(small: Vocabulary, server: Misbehaving) -> None:
    server.answers["$translate"] = (200, translated(("equivalent", "69536005")))
    for answer in ((200, looked("Head structure", inactive=True)), (404, NOT_FOUND)):
        server.answers["$lookup"] = answer
        assert site_of(coded(make_report(make_lesion(site=code(HERE, "HD", "Kopf"))), small, server)).codes == ()


def test_a_side_is_never_turned(small: Vocabulary, server: Misbehaving) -> None:
    server.answers["$translate"] = (200, translated(("equivalent", "72792008")))
    shown = code(HERE, "LH", "right hemisphere")
    assert site_of(coded(make_report(make_lesion(site=shown)), small, server)).codes == ()


def test_a_code_without_a_display_gets_that_of_the_server(small: Vocabulary, server: Misbehaving) -> None:
    server.answers["$lookup"] = (200, looked("Head structure"))
    made = coded(make_report(make_lesion(site=code("SCT", "69536005"))), small, server)
    assert site_of(made).text == "Head structure"
    assert len(said(made, REMOTE)) == 1


def test_a_code_with_a_word_of_the_server_passes_without_a_remark(small: Vocabulary, server: Misbehaving) -> None:
    server.answers["$lookup"] = (200, looked("Head structure", words=("Kopf",)))
    made = coded(make_report(make_lesion(site=code("SCT", "69536005", "kopf"))), small, server)
    assert (site_of(made).text, site_of(made).resolution) == ("kopf", Resolution.GIVEN)
    assert made.losses == ()


@pytest.mark.parametrize(
    ("answer", "rule"),
    [
        ((404, NOT_FOUND), "unknown-code"),
        ((200, looked("Head structure", inactive=True)), "retired-code"),
        ((200, looked("Hand structure")), "display-contradicts-code"),
    ],
)
def test_a_doubtful_code_is_passed_on_with_what_the_server_says(
    answer: tuple[int, Any], rule: str, small: Vocabulary, server: Misbehaving
) -> None:
    server.answers["$lookup"] = answer
    wrong = {"resourceType": "Parameters", "parameter": [{"name": "result", "valueBoolean": False}]}
    server.answers["$validate-code"] = (200, wrong)
    made = coded(make_report(make_lesion(site=code("SCT", "69536005", "Kopf"))), small, server)
    assert [(one.system, one.code, one.display) for one in site_of(made).codes] == [("SCT", "69536005", "Kopf")]
    assert [loss.rule for loss in made.losses] == [rule]


def test_a_display_with_the_other_side_is_refused(small: Vocabulary, server: Misbehaving) -> None:
    server.answers["$lookup"] = (200, looked("Structure of left hand"))
    with pytest.raises(Contradiction, match="left hand"):
        coded(make_report(make_lesion(site=code("SCT", "85151006", "right hand"))), small, server)


def test_a_word_that_is_a_designation_of_a_concept_of_the_field_is_that_concept(
    small: Vocabulary, server: Misbehaving
) -> None:
    server.answers["$expand"] = (200, expansion((FRONTAL, "Frontal lobe structure", "Stirnlappen"), ("1", "x", "y")))
    made = coded(make_report(make_lesion(site="stirnlappen")), small, server)
    found = site_of(made)
    assert (found.concept, found.resolution, found.said) == ("frontal-lobe", Resolution.REMOTE, "stirnlappen")
    assert len(said(made, REMOTE)) == 1


@pytest.mark.parametrize(
    "answer",
    [
        expansion((FRONTAL, "Frontal lobe structure", "Stirnlappen, links")),
        expansion((FRONTAL, "a", "Stirnlappen"), ("88442005", "b", "Stirnlappen")),
        expansion(("69536005", "Head structure", "Stirnlappen")),
        expansion(("393564001", "Glioma", "Stirnlappen")),
    ],
    ids=["nearly", "two codes", "no concept here", "another field"],
)
def test_a_word_is_coded_by_nothing_less(answer: dict[str, Any], small: Vocabulary, server: Misbehaving) -> None:
    server.answers["$expand"] = (200, answer)
    made = coded(make_report(make_lesion(site="Stirnlappen")), small, server)
    assert site_of(made).codes == ()
    assert [loss.kind for loss in made.losses] == [LossKind.UNCODED]


def test_codes_of_a_word_that_are_not_taken_are_proposed(small: Vocabulary, server: Misbehaving) -> None:
    server.answers["$expand"] = (200, expansion(("69536005", "Head structure", "Kopf")))
    made = coded(make_report(make_lesion(site="Kopf")), small, server)
    assert made.losses[0].suggestions[0] == "Head structure (SCT 69536005)"


def test_words_are_in_no_url(small: Vocabulary, server: Misbehaving) -> None:
    coded(make_report(make_lesion(site="Stirnlappen")), small, server)
    ((method, path, body),) = [one for one in server.asked if "$expand" in one[1]]
    assert (method, "Stirnlappen" in path, b"Stirnlappen" in body) == ("POST", False, True)


@pytest.mark.parametrize("word", ["Lesion of Mrs Musterfrau", "PID-4711 lump", "seen 1961-04-02"])
def test_a_word_that_holds_a_name_or_an_id_is_not_asked_about(
    word: str, small: Vocabulary, server: Misbehaving
) -> None:
    name = PersonName(NameGroup("Musterfrau", "Erika"))
    report = make_report(
        make_lesion(site=word), patient=Patient("PID-4711", name=name, birth_date=DateTime("1961-04-02"))
    )
    coded(report, small, server)
    assert server.asked == []


def test_what_the_tables_know_is_not_asked_about(small: Vocabulary, server: Misbehaving) -> None:
    coded(make_report(make_lesion(site="frontal lobe")), small, server)
    coded(make_report(make_lesion(site=code("SCT", FRONTAL, "Frontal lobe"))), small, server)
    assert server.asked == []


def test_a_private_code_without_a_uri_is_not_asked_about(small: Vocabulary, server: Misbehaving) -> None:
    coded(make_report(make_lesion(site=code("99PACS", "X1", "spot"))), small, server)
    assert server.asked == []


def test_a_server_that_is_away_is_said_and_asked_once(small: Vocabulary, server: Misbehaving) -> None:
    server.status = 503
    report = make_report(make_lesion(site="Stirnlappen"), make_lesion("L2", site=code(HERE, "FL", "Stirn")))
    made = coded(report, small, server)
    (loss,) = said(made, AWAY)
    assert loss.kind is LossKind.FLAGGED
    assert "2 terms were not looked up" in loss.why
    assert len(server.asked) == 1
    assert site_of(made).codes == ()


def test_a_report_may_not_ask_for_ever(small: Vocabulary, server: Misbehaving) -> None:
    lesions = [make_lesion(f"L{number}", site=f"word number {'x' * number}") for number in range(1, 6)]
    made = coded(make_report(*lesions), small, server, questions=2)
    assert len(server.asked) == 2
    assert "3 terms were not looked up" in said(made, AWAY)[0].why


def test_a_term_is_asked_about_once_a_report(small: Vocabulary, server: Misbehaving) -> None:
    report = make_report(make_lesion(site="Stirnlappen"), make_lesion("L2", site="Stirnlappen"))
    coded(report, small, server)
    assert len(server.asked) == 1


def test_without_a_server_nothing_changes(small: Vocabulary) -> None:
    assert small.asking(None) is small
    report = make_report(make_lesion(site="Stirnlappen"), negatives=(term("no haemorrhage", "/report/negatives/0"),))
    assert code_report(report, small).losses[0].rule == "unknown-term"
