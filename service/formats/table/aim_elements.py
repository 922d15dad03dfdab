"""Elements of AIM 4 by their names, whatever their namespace, and the values that stand in their attributes."""

from collections.abc import Iterator
from typing import Any


def name_of(element: Any) -> str:
    """The name without the namespace; empty for a comment."""
    return element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""


def all_of(element: Any, *path: str) -> Iterator[Any]:
    """The elements at the end of a path of names."""
    if not path:
        yield element
        return
    for child in element if element is not None else ():
        if name_of(child) == path[0]:
            yield from all_of(child, *path[1:])


def first_of(element: Any, *path: str) -> Any:
    """The first of them, None where there is none."""
    return next(all_of(element, *path), None)


def value_of(element: Any, *path: str, attribute: str = "value") -> str:
    """An attribute of the first of them; empty where there is none."""
    found = first_of(element, *path)
    return (found.get(attribute) or "").strip() if found is not None else ""


def is_false(element: Any, name: str) -> bool:
    """Whether a child says no (iso:BL, whose value is an xs:boolean)."""
    return value_of(element, name) in ("false", "0")


def terms_of(element: Any) -> list[dict[str, str] | str]:
    """Every typeCode: its code in its scheme, without one its display; none for what has neither."""
    found = (_term(one) for one in all_of(element, "typeCode"))
    return [term for term in found if term is not None]


def term_of(element: Any) -> dict[str, str] | str | None:
    """The first typeCode."""
    return next(iter(terms_of(element)), None)


def _term(found: Any) -> dict[str, str] | str | None:
    display = value_of(found, "displayName") or (found.get("displayName") or "").strip()
    value, scheme = (found.get("code") or "").strip(), (found.get("codeSystemName") or "").strip()
    if value and scheme:
        return {"system": scheme, "code": value} | ({"display": display} if display else {})
    return display or None
