"""What this server can do: CapabilityStatement, and TerminologyCapabilities for ``?mode=terminology``."""

from typing import Any, Final

from service.coding.server.terminology import Terminology
from service.formats.fhir.terminology.parameters import DEFINED
from service.formats.fhir.terminology.release import Release

Resource = dict[str, Any]
OPERATIONS: Final = {
    "CodeSystem": ("lookup", "validate-code", "subsumes"),
    "ValueSet": ("expand", "validate-code"),
    "ConceptMap": ("translate",),
}
"""The operations by the type they are asked of."""
SEARCH: Final = {"_id": "token", "url": "uri", "name": "string", "version": "token"}
_DEFINITION: Final = "http://hl7.org/fhir/OperationDefinition"
_DESCRIPTION: Final = (
    "Terminology of lesion findings: the project's own concept keys in full, the standard codes that they have, and "
    "whatever releases the site has loaded."
)


def capability_statement(release: Release, *, version: str, date: str, base: str) -> Resource:
    """The CapabilityStatement; ``date`` is when this program started to say so."""
    return {
        "resourceType": "CapabilityStatement",
        "name": "LesionBridgeTerminology",
        "status": "active",
        "date": date,
        "kind": "instance",
        "software": {"name": "LesionBridge", "version": version},
        "implementation": {"description": _DESCRIPTION, "url": base},
        "fhirVersion": release.full,
        "format": ["json"],
        "rest": [
            {
                "mode": "server",
                "resource": [_resource(kind, names) for kind, names in OPERATIONS.items()],
                "interaction": [{"code": "batch"}],
            }
        ],
    }


def _resource(kind: str, names: tuple[str, ...]) -> Resource:
    return {
        "type": kind,
        "interaction": [{"code": "read"}, {"code": "search-type"}],
        "searchParam": [{"name": name, "type": of} for name, of in SEARCH.items()],
        "operation": [{"name": name, "definition": f"{_DEFINITION}/{kind}-{name}"} for name in names],
    }


def terminology_capabilities(
    terminology: Terminology, release: Release, *, version: str, date: str, base: str
) -> Resource:
    """The TerminologyCapabilities: each code system with its version, and the parameters of an expansion."""
    systems: list[Resource] = []
    for source in terminology.sources.values():
        said: Resource = {"uri": source.uri, "version": [{"code": source.version, "isDefault": True}]}
        if source.nested:
            filters = [{"code": "concept", "op": ["is-a", "descendent-of", "in"]}]
            said["version"][0]["filter"] = filters
        if release is Release.R5:
            said["content"] = "complete" if source.complete else "fragment"
        said["subsumption"] = source.nested
        systems.append(said)
    return {
        "resourceType": "TerminologyCapabilities",
        "name": "LesionBridgeTerminologyCapabilities",
        "status": "active",
        "date": date,
        "kind": "instance",
        "software": {"name": "LesionBridge", "version": version},
        "implementation": {"description": _DESCRIPTION, "url": base},
        "codeSystem": systems,
        "expansion": {
            "hierarchical": False,
            "paging": True,
            "incomplete": False,
            "parameter": [{"name": name} for name in DEFINED[release]["expand"]],
            "textFilter": "Each word of the filter begins a word of the display or of a designation.",
        },
        "validateCode": {"translations": False},
        "translation": {"needsMap": False},
    }
