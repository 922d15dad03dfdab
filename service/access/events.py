"""What was done as FHIR R4 AuditEvent, without anything of the patient: who, when, which route, which report of ours.

The code systems are those that R4 binds to the elements (auditevent.html): the value set audit-event-type (*rest*, DCM
of PS3.16 CID 400, the record lifecycle of ISO 21089), network-type, action, outcome.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final

import orjson

_ACTIONS: Final = {"GET": "R", "HEAD": "R", "PUT": "U", "DELETE": "D"}
"""Action by method; a POST creates, or executes where it only asks."""
_ASKS: Final = ("search", "retry", "preview", "resolve")
_REFUSED: Final = 400
_FAILED: Final = 500
_REST: Final = ("http://terminology.hl7.org/CodeSystem/audit-event-type", "rest")
_DCM: Final = "http://dicom.nema.org/resources/ontology/DCM"
_LIFECYCLE: Final = "http://terminology.hl7.org/CodeSystem/iso-21089-lifecycle"


class Arrival(Enum):
    """What came in by itself, or was done on the command line: the type of its event, and its action."""

    OBJECT = (_DCM, "110104", "C")  # DICOM Instances Transferred
    DOCUMENT = (_LIFECYCLE, "receive", "C")
    MERGE = (_LIFECYCLE, "merge", "U")
    STRANGER = (_DCM, "110113", "E")  # Security Alert: an association that was rejected
    KEY = (_DCM, "110113", "U")  # Security Alert: who may do what has changed
    PURGE = (_LIFECYCLE, "destroy", "D")
    SENT_AGAIN = (_LIFECYCLE, "transmit", "E")


@dataclass(frozen=True, slots=True)
class Came:
    """One thing that came in by itself; ``who`` names the peer in its protocol, ``rule`` is why it was refused.

    ``is_ours``: the fault is ours, and the peer sends it again.
    """

    at: str
    request: str
    arrival: Arrival
    way: str
    who: str
    sender: str
    address: str
    rule: str = ""
    is_ours: bool = False
    reports: tuple[str, ...] = ()


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
    outcome = "0" if done.status < _REFUSED else "4" if done.status < _FAILED else "8"
    said = f"{done.method} {done.route}: {done.status}"
    kind = (*_REST, _action(done))
    return _event(kind, done, (outcome, said), (done.report,) if done.report else ())


def arrived(came: Came) -> bytes:
    """The same of what came in by itself."""
    outcome = "0" if not came.rule else "8" if came.is_ours else "4"
    return _event(came.arrival.value, came, (outcome, f"{came.way}: {came.rule or 'accepted'}"), came.reports)


def _event(kind: tuple[str, str, str], done: Done | Came, outcome: tuple[str, str], reports: Sequence[str]) -> bytes:
    agent: dict[str, Any] = {"name": done.who, "requestor": True}
    if done.sender:
        agent["altId"] = done.sender
    if done.address:
        agent["network"] = {"address": done.address, "type": "2"}
    entities: list[dict[str, Any]] = [{"name": "request", "what": {"identifier": {"value": done.request}}}]
    entities += [{"name": "report", "what": {"identifier": {"value": report}}} for report in reports]
    made = {
        "resourceType": "AuditEvent",
        "type": {"system": kind[0], "code": kind[1]},
        "action": kind[2],
        "recorded": done.at,
        "outcome": outcome[0],
        "outcomeDesc": outcome[1],
        "agent": [agent],
        "source": {"observer": {"display": "LesionBridge"}},
        "entity": entities,
    }
    return orjson.dumps(made)


def _action(done: Done) -> str:
    if done.method == "POST":
        return "E" if done.route.rpartition("/")[2] in _ASKS else "C"
    return _ACTIONS.get(done.method, "E")
