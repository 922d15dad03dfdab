"""Another server's answers as values; what is malformed in them is not believed."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from service.coding.remote.client import Away
from service.coding.server.answers import (
    Coding,
    Expansion,
    Item,
    Looked,
    Match,
    Relationship,
    Translated,
    Validated,
)
from service.coding.server.source import Word

EQUIVALENCES: Final = {
    "equivalent": Relationship.EQUIVALENT,
    "equal": Relationship.EQUIVALENT,
    "wider": Relationship.BROADER,
    "subsumes": Relationship.BROADER,
    "narrower": Relationship.NARROWER,
    "specializes": Relationship.NARROWER,
    "relatedto": Relationship.RELATED,
    "inexact": Relationship.RELATED,
    "unmatched": Relationship.NONE,
    "disjoint": Relationship.NONE,
}
"""R4's ConceptMapEquivalence; ``subsumes``: the target subsumes the source, so it is the broader one."""
_NO_SUCH: Final = 404
NOT_FOUND: Final = frozenset({"not-found", "code-invalid"})


def says_not_found(status: int, resource: Mapping[str, Any]) -> bool:
    """Whether an answer says that a code, system or value set is not known: by its status, or by an issue's code.

    HAPI gives the status 404 with the code ``processing``, FHIR's own example of $lookup 400 with ``not-found``.
    """
    if status == _NO_SUCH:
        return True
    issues = resource.get("issue", [])
    return isinstance(issues, list) and any(isinstance(one, dict) and one.get("code") in NOT_FOUND for one in issues)


def looked(resource: Mapping[str, Any], coding: Coding) -> Looked:
    """The answer of $lookup; raises Away where it has no display."""
    parts = _parameters(resource)
    display = _text(parts, "display")
    if not display:
        raise Away("its answer has no display")
    words, properties = [], []
    for one in parts:
        inner = _inner(one)
        if one.get("name") == "designation" and _text(inner, "value"):
            words.append(Word(_text(inner, "language"), "synonym", _text(inner, "value")))
        if one.get("name") == "property" and _text(inner, "code"):
            value = _first(inner, "value")
            if isinstance(value, str | bool):
                properties.append((_text(inner, "code"), value))
    name, version = _text(parts, "name") or coding.system, _text(parts, "version")
    return Looked(coding.system, name, version, coding.code, display, tuple(words), tuple(properties))


def validated(resource: Mapping[str, Any], coding: Coding) -> Validated:
    """The answer of $validate-code; raises Away where it has no result."""
    parts = _parameters(resource)
    result = _first(parts, "result")
    if not isinstance(result, bool):
        raise Away("its answer has no result")
    return Validated(result, _text(parts, "message"), _text(parts, "display"), coding)


def translated(resource: Mapping[str, Any]) -> Translated:
    """The answer of $translate; a match whose equivalence is not known is no more than related."""
    parts = _parameters(resource)
    matches = []
    for one in (_inner(part) for part in parts if part.get("name") == "match"):
        concept = _first(one, "concept")
        if not isinstance(concept, dict) or not isinstance(concept.get("code"), str):
            continue
        relationship = EQUIVALENCES.get(_text(one, "equivalence"), Relationship.RELATED)
        system, display = str(concept.get("system", "")), str(concept.get("display", ""))
        matches.append(Match(relationship, system, concept["code"], display, _text(one, "source")))
    return Translated(tuple(matches), _text(parts, "message"))


def expanded(resource: Mapping[str, Any], offset: int) -> Expansion:
    """The answer of $expand; raises Away for no expansion. Nested codes are told one after the other."""
    expansion = resource.get("expansion")
    if resource.get("resourceType") != "ValueSet" or not isinstance(expansion, dict):
        raise Away("its answer is no expansion")
    items = tuple(_items(expansion.get("contains", [])))
    total = expansion.get("total")
    return Expansion(total if isinstance(total, int) else offset + len(items), offset, items)


def _items(listed: Any, depth: int = 0) -> Iterable[Item]:
    if not isinstance(listed, list) or depth > 20:
        raise Away("its expansion is malformed")
    for one in listed:
        if not isinstance(one, dict):
            raise Away("its expansion is malformed")
        if isinstance(one.get("code"), str) and isinstance(one.get("system"), str) and not one.get("abstract"):
            words = tuple(
                Word(str(said.get("language", "")), "synonym", str(said.get("value", "")))
                for said in one.get("designation", [])
                if isinstance(said, dict)
            )
            yield Item(one["system"], one["code"], str(one.get("display", "")), words, not one.get("inactive", False))
        yield from _items(one.get("contains", []), depth + 1)


def _parameters(resource: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    if resource.get("resourceType") != "Parameters":
        raise Away("its answer is no Parameters resource")
    return _objects(resource.get("parameter", []))


def _inner(one: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return _objects(one.get("part", []))


def _objects(listed: Any) -> list[Mapping[str, Any]]:
    if not isinstance(listed, list) or not all(isinstance(one, dict) for one in listed):
        raise Away("its answer is malformed")
    return listed


def _first(parts: Iterable[Mapping[str, Any]], name: str) -> Any:
    for one in parts:
        if one.get("name") == name:
            return next((value for key, value in one.items() if key.startswith("value")), None)
    return None


def _text(parts: Iterable[Mapping[str, Any]], name: str) -> str:
    value = _first(parts, name)
    return value if isinstance(value, str) else ""
