"""A ValueSet read: its compose as what the server expands."""

from collections.abc import Iterator
from typing import Any, Final

import orjson

from service.coding.server.compose import Composition, Filter, Part
from service.domain.errors import Problem, Unreadable

_MOST_PARTS: Final = 100
_MOST_LISTED: Final = 100_000


def read(resource: Any) -> Composition:
    """The value set of a resource that came with a request; raises Unreadable with the place."""
    if not isinstance(resource, dict) or resource.get("resourceType") != "ValueSet":
        raise _no("", "a ValueSet resource is wanted")
    compose = resource.get("compose")
    if not isinstance(compose, dict):
        raise _no("ValueSet.compose", "the value set has no compose")
    if compose.get("lockedDate") or compose.get("inactive") is False:
        raise Unreadable(
            Problem("ValueSet.compose", "not-supported", "lockedDate and inactive are not served; ask for activeOnly")
        )
    includes = _parts(compose, "include")
    if not includes:
        raise _no("ValueSet.compose.include", "there is none")
    names = [_text(resource, name, "ValueSet") for name in ("url", "name", "title", "version")]
    return Composition(names[0], names[1], names[2], includes, _parts(compose, "exclude"), names[3])


def read_stored(content: bytes) -> Composition:
    """A value set of a release: its compose, or the codes of its expansion where it has no other; raises Unreadable."""
    resource = orjson.loads(content)
    if "compose" in resource:
        return read(resource)
    listed: dict[str, list[tuple[str, str]]] = {}
    for one in _contained(resource.get("expansion", {})):
        listed.setdefault(str(one.get("system", "")), []).append((str(one["code"]), str(one.get("display", ""))))
    names = [_text(resource, name, "ValueSet") for name in ("url", "name", "title", "version")]
    includes = tuple(Part(system, codes=tuple(codes)) for system, codes in listed.items())
    return Composition(names[0], names[1], names[2], includes, version=names[3])


def _contained(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The codes of an expansion, in its order; abstract ones only hold others."""
    left = list(reversed(node.get("contains", ())))
    while left:
        one = left.pop()
        if one.get("code") and not one.get("abstract"):
            yield one
        left.extend(reversed(one.get("contains", ())))


def _parts(compose: dict[str, Any], name: str) -> tuple[Part, ...]:
    where = f"ValueSet.compose.{name}"
    listed = _list(compose, name, where, _MOST_PARTS)
    return tuple(_part(one, f"{where}[{place}]") for place, one in enumerate(listed))


def _part(one: dict[str, Any], where: str) -> Part:
    system = _text(one, "system", where)
    concepts = _list(one, "concept", f"{where}.concept", _MOST_LISTED)
    filters = _list(one, "filter", f"{where}.filter", _MOST_PARTS)
    value_sets = one.get("valueSet", [])
    if not isinstance(value_sets, list) or not all(isinstance(url, str) for url in value_sets):
        raise _no(f"{where}.valueSet", "a list of URLs")
    if concepts and filters:
        raise _no(where, "concept and filter do not stand together (vsd-3)")
    if not system and (concepts or filters or not value_sets):
        raise _no(where, "a system is wanted (vsd-1, vsd-2)")
    codes = tuple((_needed(each, "code", where), _text(each, "display", where)) for each in concepts)
    return Part(
        system,
        _text(one, "version", where),
        codes if concepts else None,
        tuple(Filter(*(_needed(each, name, where) for name in ("property", "op", "value"))) for each in filters),
        tuple(value_sets),
    )


def _list(one: dict[str, Any], name: str, where: str, most: int) -> list[dict[str, Any]]:
    listed = one.get(name, [])
    if not isinstance(listed, list) or not all(isinstance(each, dict) for each in listed):
        raise _no(where, "a list of objects")
    if len(listed) > most:
        raise Unreadable(Problem(where, "too-costly", f"more than {most}"))
    return listed


def _needed(one: dict[str, Any], name: str, where: str) -> str:
    text = _text(one, name, where)
    if not text:
        raise _no(f"{where}.{name}", "is missing")
    return text


def _text(one: dict[str, Any], name: str, where: str) -> str:
    text = one.get(name, "")
    if not isinstance(text, str):
        raise _no(f"{where}.{name}", "is no text")
    return text


def _no(where: str, why: str) -> Unreadable:
    return Unreadable(Problem(where, "structure", why))
