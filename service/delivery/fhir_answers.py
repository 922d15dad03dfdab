"""What a FHIR server answers: OperationOutcome in words, and the verdict of a transaction to its last entry."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

import orjson

from service.delivery import statuses
from service.delivery.destination import Answer, Outcome
from service.delivery.http import HttpPeer, Reply

_SEVERITY: Final = (Outcome.REFUSED, Outcome.NOT_SENT, Outcome.BUSY, Outcome.UNKNOWN)
"""Of several failures the first of these decides: what is final is not mended by a repetition of the others."""
_ISSUES: Final = 10


def resource(reply: Reply) -> Mapping[str, Any]:
    """The resource of an answer in JSON; empty where there is none."""
    try:
        told = orjson.loads(reply.content)
    except ValueError:
        return {}
    return told if isinstance(told, dict) and isinstance(told.get("resourceType"), str) else {}


def _is_error(told: object) -> bool:
    """Whether an OperationOutcome names an error, or worse."""
    issues = told.get("issue") if isinstance(told, dict) else None
    listed = issues if isinstance(issues, list) else []
    return any(isinstance(one, dict) and one.get("severity") in ("error", "fatal") for one in listed)


def outcome_text(told: object) -> str:
    """The issues of an OperationOutcome, verbatim."""
    if not isinstance(told, dict) or told.get("resourceType") != "OperationOutcome":
        return ""
    issues = told.get("issue")
    return "; ".join(_issues(issues[:_ISSUES])) if isinstance(issues, list) else ""


def unhappy(peer: HttpPeer, reply: Reply) -> Answer:
    """What an answer without success means; its OperationOutcome is the reason."""
    answer = peer.unhappy(reply, outcome_text(resource(reply)))
    return Answer(outcome_of(reply.status), answer.reason, answer.status, answer.retry_after_s)


def outcome_of(status: int) -> Outcome:
    """What a status means in FHIR: 409 is another writer at the same time (R4 http.html#transaction-response)."""
    return Outcome.UNKNOWN if status == 409 else statuses.http(status)[0]


def transaction(peer: HttpPeer, reply: Reply, entries: int) -> Answer:
    """The verdict of a transaction. A server may run it as a batch, so each entry is looked at."""
    if reply.status not in (200, 201):
        return unhappy(peer, reply)
    told = resource(reply)
    listed = told.get("entry")
    named = str(told.get("type", "")).endswith("-response")
    if told.get("resourceType") != "Bundle" or not named or not isinstance(listed, list) or len(listed) != entries:
        reason = ": ".join(filter(None, ("its answer is no response to the bundle", outcome_text(told))))
        return Answer(Outcome.UNKNOWN, reason, str(reply.status))
    failed = [one for one in map(_failure, listed, range(entries)) if one is not None]
    if not failed:
        return Answer(Outcome.STORED, "", str(reply.status))
    worst = min((outcome for outcome, _ in failed), key=_SEVERITY.index)
    reason = "; ".join(text for outcome, text in failed if outcome is worst)
    return Answer(worst, reason, str(reply.status), peer.pause_s(reply))


def _failure(entry: Any, number: int) -> tuple[Outcome, str] | None:
    """What is wrong with one entry of a response."""
    response = entry.get("response") if isinstance(entry, dict) else None
    said = str(response.get("status", "")) if isinstance(response, dict) else ""
    code = said[:3]
    if not code.isdecimal() or not isinstance(response, dict):
        return Outcome.UNKNOWN, f"entry {number}: no status"
    status = int(code)
    outcome = response.get("outcome")
    if 200 <= status < 300:
        # Hints and warnings only belong there (R4 Bundle.entry.response.outcome): with an error it contradicts itself.
        return (Outcome.UNKNOWN, f"entry {number}: {said[:64]} {outcome_text(outcome)}") if _is_error(outcome) else None
    text = outcome_text(outcome) or outcome_text(entry.get("resource"))
    return outcome_of(status), f"entry {number}: {said[:64]} {text}".rstrip()


def _issues(listed: list[Any]) -> Iterator[str]:
    for issue in listed:
        if isinstance(issue, dict):
            details = issue.get("details")
            text = details.get("text") if isinstance(details, dict) else None
            said = [issue.get("severity"), issue.get("code"), text, issue.get("diagnostics")]
            places = issue.get("expression")
            said.extend(places[:3] if isinstance(places, list) else ())
            yield " ".join(" ".join(one.split()) for one in said if isinstance(one, str) and one)
