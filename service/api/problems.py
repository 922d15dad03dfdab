"""The one table from exception to answer: problem+json (RFC 9457), or an OperationOutcome where FHIR was asked for."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import orjson
import structlog
from flask import Response, g, request
from werkzeug.exceptions import HTTPException
from werkzeug.exceptions import NotFound as NotFoundRoute

from service.api import negotiation
from service.domain.errors import (
    Invalid,
    LesionBridgeError,
    Problem,
    Throttled,
    TooLarge,
    Unauthenticated,
    Unreadable,
    UnsupportedMedia,
    frames,
)

PROBLEM_JSON = "application/problem+json"
MAX_LISTED = 100
"""Problems listed in one answer; ``problems`` counts them all."""

FHIR_ISSUE: Mapping[int, str] = {
    400: "structure",
    401: "login",
    403: "forbidden",
    404: "not-found",
    405: "not-supported",
    406: "not-supported",
    409: "conflict",
    413: "too-long",
    415: "not-supported",
    422: "invalid",
    429: "throttled",
    501: "not-supported",
    503: "transient",
}
"""Status to a code of FHIR's issue-type value set; what is not here is an ``exception``."""

ACKNOWLEDGED = frozenset({"/v1/convert", "/v1/reports"})
"""Routes that answer everything with 200 when told `ack=always`: those that interface engines send to."""

_SERVER: Final = "gunicorn.http.errors"
"""Whose errors come out of a body that is read: it has told the request before, and is not imported but to serve."""

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is answered: the members of RFC 9457 and the problems behind them."""

    status: int
    title: str
    type: str
    retryable: bool
    problems: tuple[Problem, ...]
    headers: tuple[tuple[str, str], ...] = ()


def slug(kind: type[LesionBridgeError]) -> str:
    """The name of an error class in URLs: UnknownTerm is unknown-term."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "-", kind.__name__).lower()


def kinds(root: type[LesionBridgeError] = LesionBridgeError) -> Iterator[type[LesionBridgeError]]:
    """Every class of the error tree, parents first."""
    yield root
    for kind in root.__subclasses__():
        yield from kinds(kind)


def answer(error: Exception) -> Response:
    """The response to any exception."""
    verdict = judge(error)
    if verdict.status >= 500:
        _log.error("failed", error=type(error).__name__, rule=verdict.problems[0].rule, at=frames(error))
    always = request.args.get("ack") == "always" and request.path in ACKNOWLEDGED
    g.status = int(verdict.status)  # what trail, log and counters say, whatever the client wants to be told
    if negotiation.asks_for_fhir(request.headers.get("Accept", "")):
        body, media_type = _operation_outcome(verdict), "application/fhir+json; fhirVersion=4.0"
    else:
        body, media_type = problem_json(verdict, g.get("request_id", "")), PROBLEM_JSON
    response = Response(orjson.dumps(body), status=200 if always else verdict.status, content_type=media_type)
    response.headers.extend(verdict.headers)
    return response


def judge(error: Exception) -> Verdict:
    """What an exception means to the caller."""
    if isinstance(error, LesionBridgeError):
        problems = error.problems or (Problem("", slug(type(error)), error.title),)
        headers: tuple[tuple[str, str], ...] = ()
        if isinstance(error, UnsupportedMedia):
            headers = (("Accept-Encoding", "gzip, identity"),)  # RFC 9110 12.5.3: says what would have been taken
        if isinstance(error, TooLarge):
            headers = (("Connection", "close"),)  # the rest of the body is not read
        if isinstance(error, Unauthenticated):
            headers = (("WWW-Authenticate", 'Bearer realm="lesionbridge"'),)  # RFC 9110 11.6.1
        if error.retryable:
            headers += (("Retry-After", str(error.after_s if isinstance(error, Throttled) else 5)),)
        return Verdict(error.status, error.title, f"/docs#{slug(type(error))}", error.retryable, problems, headers)
    if isinstance(error, HTTPException) and error.code is not None:
        return _of_http(error, error.code)
    if type(error).__module__ == _SERVER:
        verdict = judge(Unreadable(Problem("", "chunked", "the chunks of the body can't be read (RFC 9112 7.1)")))
        return replace(verdict, headers=(("Connection", "close"),))  # nobody knows where the body ends
    problem = Problem("", "internal", "the service failed; the log has it under this request id")
    return Verdict(500, LesionBridgeError.title, "/docs#lesion-bridge-error", retryable=False, problems=(problem,))


def _of_http(error: HTTPException, status: int) -> Verdict:
    """What Flask, Werkzeug or webargs refused."""
    if status == TooLarge.status:
        return judge(TooLarge(Problem("", "limit", "the body is larger than this deployment takes")))
    headers = tuple((name, value) for name, value in error.get_headers() if name.lower() != "content-type")
    messages = getattr(error, "data", {}).get("messages")
    if messages:
        return judge(Invalid(*_parameters(messages)))
    problems = (Problem("", f"http-{status}", _phrase(error)),)
    return Verdict(status, error.name, "about:blank", retryable=False, problems=problems, headers=headers)


def _phrase(error: HTTPException) -> str:
    """The class's own sentence; an instance's text may repeat what the caller sent."""
    if isinstance(error, NotFoundRoute):
        return "there is no such route"
    said = type(error).description
    return re.sub(r"<[^>]+>", "", said) if isinstance(said, str) else error.name


def _parameters(messages: Mapping[str, Any]) -> Iterator[Problem]:
    """Problems of query parameters and headers, from webargs' messages by location."""
    for location, fields in messages.items():
        prefix = {"query": "?"}.get(location, f"{location}:")
        for name, texts in fields.items() if isinstance(fields, Mapping) else [("", fields)]:
            for text in texts if isinstance(texts, list) else [texts]:
                yield Problem(f"{prefix}{name}", "parameter", str(text))


def problem_json(verdict: Verdict, request_id: str) -> dict[str, Any]:
    """The members of RFC 9457 and ours (docs/errors.md)."""
    first = verdict.problems[0]
    return {
        "type": verdict.type,
        "title": verdict.title,
        "status": verdict.status,
        "detail": first.detail,
        "instance": f"urn:lesionbridge:request:{request_id}",
        "verdict": "refused" if verdict.status < 500 else "failed",
        "pointer": first.pointer,
        "rule": first.rule,
        "retryable": verdict.retryable,
        "problems": len(verdict.problems),
        "errors": [
            {"pointer": p.pointer, "rule": p.rule, "detail": p.detail, "candidates": list(p.candidates)}
            for p in verdict.problems[:MAX_LISTED]
        ],
    }


def _operation_outcome(verdict: Verdict) -> dict[str, Any]:
    issues = []
    for problem in verdict.problems[:MAX_LISTED]:
        issue = {
            "severity": "error",
            "code": FHIR_ISSUE.get(verdict.status, "exception"),
            "details": {"text": problem.detail or verdict.title},
            "diagnostics": f"pointer: {problem.pointer or '(whole document)'}; rule: {problem.rule}; "
            f"retryable: {str(verdict.retryable).lower()}",
        }
        issues.append(issue)
    return {"resourceType": "OperationOutcome", "issue": issues}
