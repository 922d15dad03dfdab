"""Every error class has its answer, in both shapes, and none says more than it should."""

import re
from pathlib import Path
from typing import Any

import orjson
import pytest
from flask import Flask
from werkzeug import exceptions

from service.api import problems
from service.api.problems import FHIR_ISSUE, judge, kinds, slug
from service.domain.errors import Invalid, LesionBridgeError, Problem

KINDS = list(kinds())
ERRORS = Path(__file__).parents[3] / "docs" / "errors.md"
APP = Flask(__name__)
WERKZEUG = [one for one in vars(exceptions).values() if isinstance(one, type) and getattr(one, "code", None)]


def answered(error: Exception, *, accept: str = "", query: str = "") -> tuple[int, str | None, Any]:
    """Status, media type and body of the answer to an error."""
    with APP.test_request_context(f"/v1/convert{query}", headers={"Accept": accept}):
        response = problems.answer(error)
        return response.status_code, response.mimetype, orjson.loads(response.data)


@pytest.mark.parametrize("kind", KINDS)
def test_every_error_is_a_problem_document(kind: type[LesionBridgeError]) -> None:
    status, media_type, body = answered(kind(Problem("/a/0", "a-rule", "because", ("x", "y"))))
    assert (status, media_type) == (kind.status, "application/problem+json")
    assert body["status"] == kind.status
    assert (body["title"], body["pointer"], body["rule"], body["detail"]) == (kind.title, "/a/0", "a-rule", "because")
    assert body["retryable"] is kind.retryable
    assert body["type"] == f"/docs#{slug(kind)}"
    assert body["verdict"] == ("failed" if kind.status >= 500 else "refused")
    listed = {"pointer": "/a/0", "rule": "a-rule", "detail": "because", "candidates": ["x", "y"]}
    assert body["errors"] == [listed]


@pytest.mark.parametrize("kind", KINDS)
def test_every_error_is_an_operation_outcome_where_fhir_was_asked_for(kind: type[LesionBridgeError]) -> None:
    status, media_type, body = answered(kind(Problem("/a", "r", "because")), accept="application/fhir+json")
    assert (status, media_type, body["resourceType"]) == (kind.status, "application/fhir+json", "OperationOutcome")
    [issue] = body["issue"]
    assert issue["details"]["text"] == "because"
    assert "/a" in issue["diagnostics"]


@pytest.mark.parametrize("kind", KINDS)
def test_every_error_is_answered_with_200_when_always_acknowledged(kind: type[LesionBridgeError]) -> None:
    status, _, body = answered(kind(Problem("", "r", "because")), query="?ack=always")
    assert (status, body["status"]) == (200, kind.status)


@pytest.mark.parametrize("kind", KINDS)
def test_every_error_is_documented_with_its_status(kind: type[LesionBridgeError]) -> None:
    retry = "yes" if kind.retryable else "no"
    assert re.search(rf"^\| `{kind.__name__}` \| {kind.status} \| {retry} \|", ERRORS.read_text(), re.MULTILINE)


@pytest.mark.parametrize("kind", KINDS)
def test_an_error_without_a_reason_still_says_its_title(kind: type[LesionBridgeError]) -> None:
    assert answered(kind())[2]["detail"] == kind.title


@pytest.mark.parametrize("kind", WERKZEUG)
def test_every_error_of_the_framework_is_a_problem_document(kind: type[exceptions.HTTPException]) -> None:
    status, media_type, body = answered(kind("Doe^Jane was here"))
    assert (status, media_type, body["status"]) == (kind.code, "application/problem+json", kind.code)
    assert "Doe" not in str(body)


def test_an_unforeseen_error_says_nothing_of_itself(capsys: pytest.CaptureFixture[str]) -> None:
    status, _, body = answered(ValueError("Doe^Jane, born 1961"))
    assert status == 500
    assert "Doe" not in str(body)
    said = capsys.readouterr()
    assert "Doe" not in said.out + said.err


def test_lists_the_first_hundred_problems_and_counts_all() -> None:
    _, _, body = answered(Invalid(*(Problem(f"/{number}", "r", "d") for number in range(250))))
    assert (len(body["errors"]), body["problems"]) == (100, 250)


def test_a_retryable_error_says_when() -> None:
    for kind in KINDS:
        assert ("Retry-After" in dict(judge(kind()).headers)) is kind.retryable


def test_the_issue_codes_are_fhirs() -> None:
    """http://hl7.org/fhir/issue-type, R4: the codes a refusal can have."""
    known = {"structure", "not-found", "not-supported", "conflict", "too-long", "invalid", "transient", "exception"}
    known |= {"login", "forbidden", "throttled"}
    assert set(FHIR_ISSUE.values()) <= known
