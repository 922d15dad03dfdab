"""A FHIR ConceptMap (R4 4.0.1) as overlay rows.

``group.source`` is the system of the local codes, absent for words; ``group.target`` a code system, or this project's
own for concept keys. The field stands in ``target.dependsOn``, property ``field``; without one a row is for everywhere.
"""

from typing import Any, Final

import orjson

from service.coding.checks import EQUIVALENT
from service.coding.lookup import Vocabulary
from service.coding.overlays.rows import BROADER, NO_MAP, Faults, OverlayRow
from service.domain.codes import LOCAL_SCHEME

EQUIVALENCES: Final = {
    "equal": EQUIVALENT,
    "equivalent": EQUIVALENT,
    "wider": BROADER,
    "subsumes": BROADER,
    "narrower": "source-is-broader-than-target",
    "specializes": "source-is-broader-than-target",
    "relatedto": "related-to",
    "inexact": "related-to",
    "disjoint": "not-related-to",
    "unmatched": NO_MAP,
}
"""By http://hl7.org/fhir/concept-map-equivalence, which looks from the source at the target."""
_FIELD: Final = "field"
_RULE: Final = "conceptmap"


def read_map(content: bytes, vocabulary: Vocabulary, faults: Faults, limit: int) -> tuple[OverlayRow, ...]:
    """The rows of a ConceptMap, at most ``limit``; places are JSON pointers after the file's name."""
    try:
        resource = orjson.loads(content)
    except orjson.JSONDecodeError as error:
        faults.refuse(faults.line(error.lineno), _RULE, "the document is not JSON")
        return ()
    if not isinstance(resource, dict) or resource.get("resourceType") != "ConceptMap":
        faults.refuse(faults.name, _RULE, "the resource is no ConceptMap")
        return ()
    reader = _Reader(vocabulary, faults, limit, str(resource.get("publisher") or resource.get("url") or "ConceptMap"))
    for index, group in enumerate(reader.listed(resource, "group", faults.name)):
        reader.group(group, f"{faults.name}#/group/{index}")
    return tuple(reader.rows)


class _Reader:
    """Reads the groups of one map."""

    def __init__(self, vocabulary: Vocabulary, faults: Faults, limit: int, source: str) -> None:
        self.rows: list[OverlayRow] = []
        self._vocabulary = vocabulary
        self._faults = faults
        self._limit = limit
        self._source = source

    def listed(self, node: dict[str, Any], member: str, where: str) -> list[dict[str, Any]]:
        """The objects of a list; anything else is refused."""
        found = node.get(member, [])
        if isinstance(found, list) and all(isinstance(item, dict) for item in found):
            return found
        self._faults.refuse(where, _RULE, f"{member} is a list of objects")
        return []

    def _text(self, node: dict[str, Any], member: str, where: str) -> str:
        found = node.get(member, "")
        if isinstance(found, str):
            return found.strip()
        self._faults.refuse(where, _RULE, f"{member} is a string")
        return ""

    def group(self, group: dict[str, Any], where: str) -> None:
        """The elements of one group."""
        source, target = self._text(group, "source", where), self._text(group, "target", where)
        unmapped = group.get("unmapped")
        mode = unmapped.get("mode") if isinstance(unmapped, dict) else None
        if unmapped is not None and mode != "provided":
            # "fixed" would give one code to everything that is not known.
            self._faults.refuse(where, _RULE, "unmapped may only have the mode provided: what is not mapped stays text")
        for index, element in enumerate(self.listed(group, "element", where)):
            place = f"{where}/element/{index}"
            targets = self.listed(element, "target", place)
            if not targets:
                self._faults.refuse(place, _RULE, "an element has a target, be it one of equivalence unmatched")
            for number, one in enumerate(targets):
                if len(self.rows) >= self._limit:
                    self._faults.refuse(place, "limit", f"an overlay has at most {self._limit} rows")
                    return
                self._row((source, element), (target, one), f"{place}/target/{number}")

    def _row(self, source: tuple[str, dict[str, Any]], target: tuple[str, dict[str, Any]], where: str) -> None:
        """One row of an element and one of its targets."""
        system, element = source
        code, display = self._text(element, "code", where), self._text(element, "display", where)
        equivalence = self._text(target[1], "equivalence", where)
        if equivalence not in EQUIVALENCES:
            self._faults.refuse(where, _RULE, f"equivalence is one of {', '.join(EQUIVALENCES)}")
            return
        to, shown = self._text(target[1], "code", where), self._text(target[1], "display", where)
        own = bool(target[0]) and self._vocabulary.designator(target[0]) == LOCAL_SCHEME
        self.rows.append(
            OverlayRow(
                field=self._field(target[1], where),
                term=display if system else code,
                system=system,
                code=code if system else "",
                concept=to if own else "",
                target_system="" if own or not to else target[0],
                target_code="" if own else to,
                target_display="" if own else shown,
                relationship=EQUIVALENCES[equivalence],
                source=self._source,
                comment=self._text(target[1], "comment", where),
                where=where,
            )
        )

    def _field(self, target: dict[str, Any], where: str) -> str:
        """The field that a target holds in; a condition that is not understood is none that may be left out."""
        found = ""
        for one in self.listed(target, "dependsOn", where):
            name = self._text(one, "property", where)
            if name != _FIELD or one.get("system") is not None or found:
                self._faults.refuse(where, _RULE, f"dependsOn has one property, {_FIELD}, without a system")
            found = self._text(one, "value", where)
        if target.get("product"):
            self._faults.refuse(where, _RULE, "a target with product can't be held: one term has one target")
        return found
