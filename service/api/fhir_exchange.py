"""FHIR over HTTP: which release is spoken, the body as a resource, errors as an OperationOutcome."""

from collections.abc import Mapping
from typing import Any, Final

import orjson
import structlog
from flask import Request, Response
from werkzeug.http import parse_list_header, parse_options_header

from service.api import body, problems
from service.domain.errors import NotAcceptable, Problem, Unreadable, UnsupportedMedia
from service.formats.fhir.terminology.release import Release

JSON: Final = ("application/fhir+json", "application/json")
RELEASES: Final = {"4.0": Release.R4, "4.0.1": Release.R4, "5.0": Release.R5, "5.0.0": Release.R5}
ISSUES: Final = frozenset(
    {
        "invalid",
        "structure",
        "required",
        "value",
        "invariant",
        "not-supported",
        "not-found",
        "too-long",
        "code-invalid",
        "too-costly",
        "business-rule",
        "transient",
        "timeout",
    }
)
"""Codes of FHIR's issue-type value set that a Problem may have as its rule."""
RULES: Final = {"ecl": "invalid", "limit": "too-costly"}
_log = structlog.get_logger()


def release(accept: str, content_type: str = "") -> Release:
    """The release that Accept asks for by ``fhirVersion``, else that of the body, else R4; raises NotAcceptable."""
    known: list[tuple[float, Release | None]] = []
    for item in parse_list_header(accept):
        name, said = parse_options_header(item)
        if name.lower() in (*JSON, "*/*", "application/*", "text/json"):
            version = said.get("fhirversion")
            try:
                quality = float(said.get("q", "1"))
            except ValueError:
                quality = 0.0
            if quality > 0 and (version is None or version in RELEASES):
                known.append((quality, RELEASES[version] if version else None))
    if accept.strip() and not known:
        offers = tuple(one.media_type for one in Release)
        raise NotAcceptable(Problem("", "not-supported", "answers are JSON, of FHIR 4.0 or 5.0", offers))
    best = max(known, key=lambda one: one[0])[1] if known else None
    _, of_body = parse_options_header(content_type)
    return best or RELEASES.get(of_body.get("fhirversion", ""), Release.R4)


def resource(request: Request, limit: int) -> dict[str, Any]:
    """The body as a resource; raises UnsupportedMedia, Unreadable, TooLarge."""
    name, said = parse_options_header(request.content_type or "")
    if name.lower() not in JSON or said.get("fhirversion", "4.0") not in RELEASES:
        raise UnsupportedMedia(Problem("", "not-supported", "the body is FHIR in JSON, of 4.0 or 5.0", JSON))
    try:
        made = orjson.loads(body.read(request, limit))
    except orjson.JSONDecodeError:
        raise Unreadable(Problem("", "structure", "the body is not JSON")) from None
    if not isinstance(made, dict):
        raise Unreadable(Problem("", "structure", "the body is no resource"))
    return made


def respond(made: Mapping[str, Any], spoken: Release, status: int = 200) -> Response:
    """A resource as the answer."""
    return Response(orjson.dumps(made), status=status, content_type=spoken.media_type)


def refused(error: Exception) -> tuple[int, dict[str, Any], tuple[tuple[str, str], ...]]:
    """Status, OperationOutcome and headers of any exception."""
    verdict = problems.judge(error)
    issues = []
    for problem in verdict.problems[: problems.MAX_LISTED]:
        code = RULES.get(problem.rule, problem.rule)
        if code not in ISSUES:
            code = problems.FHIR_ISSUE.get(verdict.status, "exception")
        issue: dict[str, Any] = {
            "severity": "error",
            "code": code,
            "details": {"text": problem.detail or verdict.title},
        }
        if problem.pointer:
            issue["diagnostics"] = f"at {problem.pointer}"
        issues.append(issue)
    return verdict.status, {"resourceType": "OperationOutcome", "issue": issues}, verdict.headers


def outcome(error: Exception) -> Response:
    """The answer to any exception."""
    status, made, headers = refused(error)
    if status >= 500:
        _log.error("failed", error=type(error).__name__)
    answer = Response(orjson.dumps(made), status=status, content_type=Release.R4.media_type)
    answer.headers.extend(headers)
    return answer
