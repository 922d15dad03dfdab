"""The way through, without the web around it."""

from pathlib import Path

import pytest

from service import pipeline
from service.check import compare
from service.domain.errors import Disagreement, LesionBridgeError, TableError
from service.pipeline import WRITERS, Format, Options, Source, convert
from tests.findings import make_body


@pytest.mark.parametrize("target", list(WRITERS))
def test_writes_only_what_was_asked_for(target: Format) -> None:
    outcome = convert(Source(make_body()), (target,), Options())
    assert set(outcome.outputs) == {target}
    assert outcome.outputs[target].content


def test_the_bundle_names_the_sr_that_is_written_with_the_same_options() -> None:
    for dialect in pipeline.DIALECTS:
        both = convert(Source(make_body()), (Format.FHIR_R4, Format.SR), Options(dialect=dialect))
        alone = convert(Source(make_body()), (Format.FHIR_R4,), Options(dialect=dialect))
        assert both.sr is not None
        assert both.sr.sop_instance.encode() in alone.outputs[Format.FHIR_R4].content


def test_findings_written_are_read_again_as_the_same_report() -> None:
    written = convert(Source(make_body()), (Format.FINDINGS,), Options()).outputs[Format.FINDINGS].content
    again = convert(Source(written), (Format.FINDINGS,), Options()).outputs[Format.FINDINGS].content
    assert again == written


def test_each_loss_is_listed_once() -> None:
    outcome = convert(Source(make_body(lesions__0__site="odd")), tuple(WRITERS), Options())
    assert len(set(outcome.losses)) == len(outcome.losses)
    assert any(loss.where == "/lesions/0/site" for loss in outcome.losses)


def test_a_difference_is_an_error_that_names_the_place_and_not_the_value(monkeypatch: pytest.MonkeyPatch) -> None:
    found = (compare.Difference("sr", "missing", "patient/name", "Doe^Jane"),)
    monkeypatch.setattr(compare, "compare", lambda *_: found)
    with pytest.raises(Disagreement) as raised:
        convert(Source(make_body()), (Format.SR,), Options(check=True))
    assert raised.value.problems[0].pointer == "patient/name"
    assert "Doe" not in str(raised.value)


def test_a_sites_own_issuers_are_known(tmp_path: Path) -> None:
    file = tmp_path / "issuers.csv"
    file.write_text("key,uri,oid,source\nNORTH,https://north.example/mrn,,own\n")
    body = make_body(patient__issuer="NORTH")
    with_file = convert(Source(body, issuers_file=str(file)), (Format.FHIR_R4,), Options())
    assert b"https://north.example/mrn" in with_file.outputs[Format.FHIR_R4].content
    without = convert(Source(body), (Format.FHIR_R4,), Options())
    assert b"https://north.example/mrn" not in without.outputs[Format.FHIR_R4].content


def test_an_issuers_file_with_defects_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "issuers.csv"
    file.write_text("key;uri\n")
    with pytest.raises(TableError):
        pipeline.tables(str(file))


def test_every_refusal_names_a_rule() -> None:
    for body in (
        b"",
        b"[]",
        b"{}",
        make_body(report__status="x"),
        make_body(lesions__0__measurements={"long axis": "5"}),
    ):
        with pytest.raises(LesionBridgeError) as raised:
            convert(Source(body), (Format.SR,), Options())
        assert all(problem.rule for problem in raised.value.problems)


def test_what_the_sr_loses_by_name_fails_no_check() -> None:
    space = {"frameOfReference": "1.2.3.4", "points": [[1, 2, 3], [4, 5, 6]]}
    body = make_body(lesions__0__regions3d=[{**space, "kind": "multipoint"}, {**space, "kind": "polyline"}])
    outcome = convert(Source(body), (Format.SR,), Options(check=True))
    assert {loss.where for loss in outcome.losses} == {"/lesions/0/regions3d/0", "/lesions/0/regions3d/1"}
    assert outcome.checks == (pipeline.CHECKED,)
