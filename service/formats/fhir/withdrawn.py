"""What an earlier version of a report said and this one says no more is withdrawn, Observation by Observation.

Observations have the same identifier in every version of a report. One that a version does not write stays at the
server as it was, `final`, so whatever the version before had emitted and this one does not is emitted once more: as
``entered-in-error``, or as ``cancelled`` where it never was final (R4 observation-status). Identifiers are taken
from the bytes that were emitted, not made anew: another table of today would derive others.
"""

import json
from collections.abc import Iterator, Sequence
from typing import Any, Final

import orjson

from service.domain.report import CodedReport
from service.formats.fhir.codeable import Json
from service.formats.fhir.identity import own_system, replace_found, resource_identifier

_NEVER_FINAL: Final = ("preliminary", "cancelled", "registered")
_LEFT_OUT: Final = frozenset({"resourceType", "id", "meta", "identifier", "status", "subject", "issued"})


def withdraw(made: Json | list[Json], report: CodedReport, earlier: Sequence[bytes]) -> None:
    """Add to a transaction what the bundles ``earlier`` had and it has not.

    Of several transactions it is the one that has the patient. An Observation keeps what it said but its references:
    what they led to may be in no bundle any more.
    """
    system = own_system("resource", report.sender)
    here = {uuid for uuid, _ in _observations(json.loads(orjson.dumps(made)), system)}
    entries: list[Json] = made["entry"] if isinstance(made, dict) else made[0]["resource"]["entry"]
    subject = next(entry["fullUrl"] for entry in entries if _is_patient(entry["resource"]))
    for bundle in earlier:
        for uuid, said in _observations(json.loads(bundle, parse_float=orjson.Fragment), system):
            if uuid not in here:
                here.add(uuid)
                entry = replace_found(
                    uuid, _withdrawn(uuid, said, subject, report), resource_identifier(uuid, report.sender)
                )
                entries.append({"fullUrl": f"urn:uuid:{uuid}", "resource": entry.resource, "request": entry.request})


def _withdrawn(uuid: str, said: Json, subject: str, report: CodedReport) -> Json:
    kept = {name: value for name, value in said.items() if name not in _LEFT_OUT and not _refers(value)}
    return {
        "resourceType": "Observation",
        "identifier": [resource_identifier(uuid, report.sender)],
        "status": "cancelled" if said["status"] in _NEVER_FINAL else "entered-in-error",
        "subject": {"reference": subject},
        "issued": report.issued.text,
        **kept,
    }


def _observations(value: Any, system: str) -> Iterator[tuple[str, Json]]:
    """Every Observation of ours in a bundle, or in a list of requests, by its derived UUID."""
    if isinstance(value, list):
        for one in value:
            yield from _observations(one, system)
    elif isinstance(value, dict):
        if value.get("resourceType") == "Observation":
            own = [one["value"] for one in value.get("identifier", ()) if one.get("system") == system]
            yield from ((uuid, value) for uuid in own[:1])
        else:
            for inner in value.values():
                if isinstance(inner, dict | list):
                    yield from _observations(inner, system)


def _refers(value: Any) -> bool:
    """Whether a member of a resource holds a reference."""
    if isinstance(value, list):
        return any(map(_refers, value))
    return isinstance(value, dict) and ("reference" in value or any(map(_refers, value.values())))


def _is_patient(resource: Json | orjson.Fragment) -> bool:
    return isinstance(resource, dict) and resource["resourceType"] == "Patient"
