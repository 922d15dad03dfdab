"""What was done as FHIR R4 AuditEvent, without anything of the patient: who, when, which route, which report of ours.

The code systems are those that R4 binds to the elements (auditevent.html): the value set audit-event-type (*rest*, DCM
of PS3.16 CID 400, the record lifecycle of ISO 21089), network-type, action, outcome.
"""

from dataclasses import dataclass
from enum import Enum
from typing import Any, Final

import orjson

from service.domain.errors import LesionBridgeError

_ACTIONS: Final = {"GET": "R", "HEAD": "R", "PUT": "U", "DELETE": "D"}
"""Action by method; a POST creates, or executes where it only asks."""
_ASKS: Final = ("search", "retry", "preview")
_CHANGES: Final = ("amend", "cancel", "merge", "resolve", "rollback", "give-up")
_REFUSED: Final = 400
_FAILED: Final = 500
_REST: Final = ("http://terminology.hl7.org/CodeSystem/audit-event-type", "rest")
_DCM: Final = "http://dicom.nema.org/resources/ontology/DCM"
_LIFECYCLE: Final = "http://terminology.hl7.org/CodeSystem/iso-21089-lifecycle"
_WHAT_IT_DID: Final = {"/v1/reports/<uuid:id>/amend": "amend", "/v1/reports/<uuid:id>/cancel": "deprecate"}
"""The lifecycle event of a route, as the subtype beside *rest*: found by it, whichever way a report was amended."""
_THING: Final = "http://terminology.hl7.org/CodeSystem/audit-entity-type"
_ROLE: Final = "http://terminology.hl7.org/CodeSystem/object-role"
_REQUEST: Final = "https://profiles.ihe.net/ITI/BALP/CodeSystem/BasicAuditEntityType"


class Arrival(Enum):
    """What came in by itself, or was done on the command line: the type of its event, and its action."""

    OBJECT = (_DCM, "110104", "C")  # DICOM Instances Transferred
    DOCUMENT = (_LIFECYCLE, "receive", "C")
    NO_FURTHER = (_LIFECYCLE, "receive", "U")  # of a batch that came nothing more is taken up
    MERGE = (_LIFECYCLE, "merge", "U")
    STRANGER = (_DCM, "110113", "E")  # Security Alert: an association that was rejected
    KEY = (_DCM, "110113", "U")  # Security Alert: who may do what has changed
    REMOVED = (_LIFECYCLE, "destroy", "D")
    SENT_AGAIN = (_LIFECYCLE, "transmit", "E")
    GIVEN_UP = (_LIFECYCLE, "transmit", "U")  # what waited to be sent no longer does
    AMENDED = (_LIFECYCLE, "amend", "U")
    WITHDRAWN = (_LIFECYCLE, "deprecate", "U")  # what is there is marked as in error, and stays
    DECIDED = (_LIFECYCLE, "originate", "C")  # words and codes of the site: reports to come are coded by them
    COPIED = (_LIFECYCLE, "archive", "C")
    RESTORED = (_LIFECYCLE, "restore", "C")
    IMPORTED = (_DCM, "110107", "C")  # Import: a release of a code system, from files of others
    MIGRATED = (_LIFECYCLE, "transform", "U")  # the tables have another form


Concern = tuple[str, str]
"""A thing of ours that something was done with: its kind (report, delivery, destination, batch, overlay, term, release)
and its id.
"""


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
    concerns: tuple[Concern, ...] = ()


@dataclass(frozen=True, slots=True)
class Done:
    """One request: the pattern of its route, never its path or query; ``concerns`` have ids of ours only."""

    at: str
    request: str
    method: str
    route: str
    status: int
    who: str
    sender: str
    address: str
    concerns: tuple[Concern, ...] = ()


def event(done: Done) -> bytes:
    """The resource as JSON with its members in one order, so that its digest is one."""
    outcome = "0" if done.status < _REFUSED else "4" if done.status < _FAILED else "8"
    said = f"{done.method} {done.route}: {done.status}"
    kind = (*_REST, _action(done))
    did = _WHAT_IT_DID.get(done.route)
    return _event(kind, done, (outcome, said), (_LIFECYCLE, did) if did is not None else None)


def arrived(came: Came) -> bytes:
    """The same of what came in by itself."""
    outcome = "0" if not came.rule else "8" if came.is_ours else "4"
    return _event(came.arrival.value, came, (outcome, f"{came.way}: {came.rule or 'accepted'}"))


def rule_of(failed: BaseException | None) -> str:
    """The rule by which something was refused; nothing where it was accepted."""
    if isinstance(failed, LesionBridgeError) and failed.problems:
        return failed.problems[0].rule
    return "" if failed is None else "internal"


def is_ours(failed: BaseException | None) -> bool:
    """Whether the fault is ours: what REST would answer with 5xx, and what was raised by accident."""
    return failed is not None and (not isinstance(failed, LesionBridgeError) or failed.status >= _FAILED)


def _event(
    kind: tuple[str, str, str], done: Done | Came, outcome: tuple[str, str], did: tuple[str, str] | None = None
) -> bytes:
    """The resource; agent and entities with the types of IHE BALP (client; transaction, data)."""
    agent: dict[str, Any] = {"who": {"identifier": {"value": done.who}}, "name": done.who, "requestor": True}
    if done.sender:
        agent["altId"] = done.sender
    if done.address:
        agent["type"] = {"coding": [{"system": _DCM, "code": "110153"}]}  # Source Role ID
        agent["network"] = {"address": done.address, "type": "2"}
    request = {"identifier": {"value": done.request}}
    entities: list[dict[str, Any]] = [
        {"name": "request", "what": request, "type": {"system": _REQUEST, "code": "XrequestId"}}
    ]
    # 2 is System Object, 4 Domain Resource.
    typed = {"type": {"system": _THING, "code": "2"}, "role": {"system": _ROLE, "code": "4"}}
    entities += [
        {"name": name, "what": {"identifier": {"value": value}}, **typed}
        for name, value in dict.fromkeys(done.concerns)
    ]
    made = {
        "resourceType": "AuditEvent",
        "type": {"system": kind[0], "code": kind[1]},
        **({"subtype": [{"system": did[0], "code": did[1]}]} if did is not None else {}),
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
        does = done.route.rpartition("/")[2]
        return "E" if does in _ASKS else "U" if does in _CHANGES else "C"
    return _ACTIONS.get(done.method, "E")
