"""The project's own CodeSystem, ValueSets and ConceptMaps as resources, made of its tables."""

import re
from collections.abc import Mapping
from typing import Any, Final

from service.coding.server.answers import Relationship
from service.coding.server.compose import Composition
from service.coding.server.maps import Group, Map
from service.coding.server.source import TerminologySource
from service.formats.fhir.terminology.answers import R4_EQUIVALENCE, R5_RELATIONSHIP, designated
from service.formats.fhir.terminology.release import Release

Resource = dict[str, Any]
CODE_SYSTEM: Final = "lesionbridge"
"""The id of the one CodeSystem that is served as a resource."""
_PUBLISHER: Final = "LesionBridge"


def code_system(source: TerminologySource, *, whole: bool = True) -> Resource:
    """The concept keys as a CodeSystem, in full, or without its concepts as a search lists it."""
    made: Resource = {
        "resourceType": "CodeSystem",
        "id": CODE_SYSTEM,
        "url": source.uri,
        "version": source.version,
        "name": "LesionBridgeConcepts",
        "title": source.name,
        "status": "active",
        "experimental": False,
        "publisher": _PUBLISHER,
        "description": "The keys of the project's concepts, each with its English label and its words.",
        "caseSensitive": True,
        "compositional": False,
        "versionNeeded": False,
        "content": "complete",
        "property": [{"code": "group", "description": "What kind of concept it is.", "type": "string"}],
    }
    if not whole:
        made["meta"] = _SUBSETTED
        return made
    concepts = [_concept(source, code) for code in source.codes()]
    return made | {"count": len(concepts), "concept": concepts}


_SUBSETTED: Final = {
    "tag": [{"system": "http://terminology.hl7.org/CodeSystem/v3-ObservationValue", "code": "SUBSETTED"}]
}


def _concept(source: TerminologySource, code: str) -> Resource:
    entry = source.lookup(code)
    if entry is None:
        raise KeyError(code)
    made: Resource = {"code": code, "display": entry.display}
    words = [word for word in source.words(code) if word.text != entry.display]
    if words:
        made["designation"] = [designated(word) for word in words]
    made["property"] = [{"code": name, "valueString": value} for name, value in entry.properties]
    return made


def value_set(composition: Composition, *, whole: bool = True) -> Resource:
    """A value set of the tables, in full, or without what is in it as a search lists it."""
    include = []
    for part in composition.includes:
        listed = [{"code": code, "display": display} for code, display in part.codes or ()]
        include.append({"system": part.system, "concept": listed})
    made: Resource = {
        "resourceType": "ValueSet",
        "id": composition.name,
        "url": composition.url,
        "version": composition.version,
        "name": _name(composition.name),
        "title": composition.title,
        "status": "active",
        "experimental": False,
        "publisher": _PUBLISHER,
        "description": "Of each concept its key, and beside it every exact code that the service writes.",
    }
    return made | ({"compose": {"include": include}} if whole else {"meta": _SUBSETTED})


def listed_value_set(composition: Composition) -> Resource:
    """A value set of a release, without what is in it."""
    made = {
        "resourceType": "ValueSet",
        "id": composition.name,
        "meta": _SUBSETTED,
        "url": composition.url,
        "version": composition.version,
        "title": composition.title,
        "status": "active",
    }
    return {name: value for name, value in made.items() if value}


def concept_map(one: Map, version: str, release: Release, *, whole: bool = True) -> Resource:
    """A concept map of the tables, in full, or without its groups as a search lists it."""
    made: Resource = {
        "resourceType": "ConceptMap",
        "id": one.key,
        "url": one.url,
        "version": version,
        "name": _name(one.key),
        "title": one.title,
        "status": "active",
        "experimental": False,
        "publisher": _PUBLISHER,
    }
    if not whole:
        made["meta"] = _SUBSETTED
        return made
    made["group"] = [_group(group, release) for group in one.groups]
    return {name: value for name, value in made.items() if value != []}


def _group(group: Group, release: Release) -> Resource:
    elements: dict[str, Resource] = {}
    for row in group.rows:
        element = elements.setdefault(row.source, {"code": row.source})
        if row.source_display:
            element["display"] = row.source_display
        if row.relationship is Relationship.NONE and release is Release.R5:
            element["noMap"] = True
            continue
        target: Resource = {}
        for name, value in (("code", row.target), ("display", row.target_display)):
            if value:
                target[name] = value
        if release is Release.R4:
            target["equivalence"] = R4_EQUIVALENCE[row.relationship]
        else:
            target["relationship"] = R5_RELATIONSHIP[row.relationship]
        if row.comment:
            target["comment"] = row.comment
        element.setdefault("target", []).append(target)
    return {"source": group.source, "target": group.target, "element": list(elements.values())}


def _name(key: str) -> str:
    """A name that programs can use (R4 vsd-0: a capital, then letters, digits and underscores)."""
    return "LesionBridge" + "".join(part.title() for part in re.split(r"[^A-Za-z0-9]+", key))


def searchset(found: Mapping[str, Resource], base: str, asked: str) -> Resource:
    """The answer to a search: resources by their URL below ``base``; ``asked`` is what of the search was followed."""
    entries = [
        {"fullUrl": f"{base}/{place}", "resource": resource, "search": {"mode": "match"}}
        for place, resource in found.items()
    ]
    made: Resource = {"resourceType": "Bundle", "type": "searchset", "total": len(found)}
    made["link"] = [{"relation": "self", "url": f"{base}/{asked}"}]
    if entries:
        made["entry"] = entries
    return made
