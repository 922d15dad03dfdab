"""What was done as FHIR R4 AuditEvent, without anything of the patient: who, when, which route, which report of ours.

The code systems are those that R4 binds to the elements (auditevent.html): audit-event-type *rest*, action, outcome.
"""

from dataclasses import dataclass
from typing import Any, Final

import orjson

_ACTIONS: Final = {"GET": "R", "HEAD": "R", "PUT": "U", "DELETE": "D"}
"""Action by method; a POST creates, or executes where it only asks."""
_ASKS: Final = ("search", "retry", "preview", "resolve")
_REFUSED: Final = 400
_FAILED: Final = 500


@dataclass(frozen=True, slots=True)
class Done:
    """One request: the pattern of its route, never its path or query; ``report`` is our own id."""

    at: str
    request: str
    method: str
    route: str
    status: int
    who: str
    sender: str
    address: str
    report: str = ""


def event(done: Done) -> bytes:
    """The resource as JSON with its members in one order, so that its digest is one."""
    agent: dict[str, Any] = {"name": done.who, "requestor": True}
    if done.sender:
        agent["altId"] = done.sender
    if done.address:
        agent["network"] = {"address": done.address, "type": "2"}
    entities: list[dict[str, Any]] = [{"name": "request", "what": {"identifier": {"value": done.request}}}]
    if done.report:
        entities.append({"name": "report", "what": {"identifier": {"value": done.report}}})
    made = {
        "resourceType": "AuditEvent",
        "type": {"system": "http://terminology.hl7.org/CodeSystem/audit-event-type", "code": "rest"},
        "action": _action(done),
        "recorded": done.at,
        "outcome": "0" if done.status < _REFUSED else "4" if done.status < _FAILED else "8",
        "outcomeDesc": f"{done.method} {done.route}: {done.status}",
        "agent": [agent],
        "source": {"observer": {"display": "LesionBridge"}},
        "entity": entities,
    }
    return orjson.dumps(made)


def _action(done: Done) -> str:
    if done.method == "POST":
        return "E" if done.route.rpartition("/")[2] in _ASKS else "C"
    return _ACTIONS.get(done.method, "E")
