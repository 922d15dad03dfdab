"""Concept maps that the tables imply, each way round.

A coding's equivalence is of the code, seen from the concept. Of two codes of one concept the relationship follows only
where one of them is exact, or where the concept lies between them; where it does not follow nothing is mapped. A code
that is exact for several concepts means none of them alone (ICD-10-CM), so it is never more than related.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Final, NamedTuple

from service.coding.lookup import Vocabulary
from service.coding.server.answers import Match, Relationship
from service.domain.codes import LOCAL_SCHEME, Coding, Equivalence
from service.domain.uids import derive_uid

_BY_EQUIVALENCE: Final = {
    Equivalence.EXACT: Relationship.EQUIVALENT,
    Equivalence.BROADER: Relationship.BROADER,
    Equivalence.NARROWER: Relationship.NARROWER,
    Equivalence.RELATED: Relationship.RELATED,
}
INVERSE: Final = {Relationship.BROADER: Relationship.NARROWER, Relationship.NARROWER: Relationship.BROADER}
_ORDER: Final = tuple(Relationship)
_EXACT: Final = Relationship.EQUIVALENT


class Row(NamedTuple):
    """One line of a map; without a target code there is none, and ``comment`` says why."""

    source: str
    source_display: str
    target: str
    target_display: str
    relationship: Relationship
    comment: str = ""


@dataclass(frozen=True, slots=True)
class Group:
    """The rows between two code systems, by URI."""

    source: str
    target: str
    rows: tuple[Row, ...]


class Map:
    """A concept map; its rows are made when first asked for."""

    def __init__(self, key: str, title: str, make: Callable[[], tuple[Group, ...]]) -> None:
        """Name it; ``key`` is the resource's id and never changes.

        ``version`` empty: that of the tables. ``listed``: it is a resource. ``only_named``: it answers only a question
        that names it. ``sender`` is whose words it holds, empty where they are nobody's own.
        """
        self.key = key
        self.title = title
        self.url = canonical("concept-map", key)
        self.version = ""
        self.listed = True
        self.only_named = False
        self.sender = ""
        self._make = make

    @cached_property
    def groups(self) -> tuple[Group, ...]:
        """The rows by pair of systems."""
        return self._make()

    @cached_property
    def _forward(self) -> Mapping[tuple[str, str], tuple[Match, ...]]:
        return self._index(lambda of, row: ((of.source, row.source), of.target, row.target, row.target_display))

    @cached_property
    def _backward(self) -> Mapping[tuple[str, str], tuple[Match, ...]]:
        return self._index(lambda of, row: ((of.target, row.target), of.source, row.source, row.source_display))

    def _index(
        self, sides: Callable[[Group, Row], tuple[tuple[str, str], str, str, str]]
    ) -> Mapping[tuple[str, str], tuple[Match, ...]]:
        found: dict[tuple[str, str], list[Match]] = {}
        for group in self.groups:
            for row in group.rows:
                place, system, code, display = sides(group, row)
                if place[1]:
                    match = Match(row.relationship, system, code, display, self.url, row.comment)
                    found.setdefault(place, []).append(match)
        return {
            place: tuple(sorted(matches, key=lambda match: _ORDER.index(match.relationship)))
            for place, matches in found.items()
        }

    def translate(self, system: str, code: str, *, backward: bool = False) -> tuple[Match, ...]:
        """The matches of a code, best first; each relationship is of the map: of its target, seen from its source."""
        return (self._backward if backward else self._forward).get((system, code), ())


@cache
def canonical(kind: str, key: str) -> str:
    """The canonical URL of a resource of the project: a derived OID, so that no domain has to be owned for ever."""
    return f"urn:oid:{derive_uid(kind, key)}"


def table_maps(vocabulary: Vocabulary) -> tuple[Map, ...]:
    """The maps of the tables: concept keys to each system, RadLex to SNOMED CT by concept, SRT to SNOMED CT."""
    return (
        Map("concepts", "LesionBridge concept keys to standard codes", lambda: _of_concepts(vocabulary)),
        Map("radlex-snomed", "RadLex to SNOMED CT by shared concept", lambda: (_shared(vocabulary, "RADLEX", "SCT"),)),
        Map("srt-snomed", "SNOMED RT style codes to SNOMED CT (DICOM PS3.16 annex O)", lambda: _retired(vocabulary)),
        Map("translations", "Codes that the tables translate", lambda: _translations(vocabulary)),
    )


def _uri(vocabulary: Vocabulary, designator: str) -> str:
    return vocabulary.systems[designator].uri


def _of_concepts(vocabulary: Vocabulary) -> tuple[Group, ...]:
    """Each concept key to the verified codes of its concept; codes that mean it only together are told as none."""
    found: dict[str, list[Row]] = {}
    for concept in vocabulary.concepts.values():
        for coding in _whole(concept.codings):
            relationship = seen_from_concept(vocabulary, coding)
            code = coding.code
            row = Row(concept.key, concept.label, code.code, code.display, relationship, _comment(relationship))
            found.setdefault(code.system, []).append(row)
        parts = [coding.code for coding in concept.codings if coding.part and coding.verified]
        for system in dict.fromkeys(code.system for code in parts):
            if all(row.source != concept.key for row in found.get(system, ())):
                together = " + ".join(code.code for code in parts if code.system == system)
                why = f"No single code: {together} mean it only together."
                found.setdefault(system, []).append(Row(concept.key, concept.label, "", "", Relationship.NONE, why))
    local = _uri(vocabulary, LOCAL_SCHEME)
    return tuple(
        Group(local, _uri(vocabulary, system), tuple(rows)) for system, rows in found.items() if system != LOCAL_SCHEME
    )


def _whole(codings: Iterable[Coding]) -> tuple[Coding, ...]:
    return tuple(coding for coding in codings if coding.verified and not coding.part)


def seen_from_concept(vocabulary: Vocabulary, coding: Coding) -> Relationship:
    """The relationship of a code to its concept; a code that is exact for several, or a wide class, means none."""
    if coding.equivalence is Equivalence.EXACT:
        return _EXACT if len(vocabulary.meant_by(coding.code.system, coding.code.code)) == 1 else Relationship.RELATED
    return _BY_EQUIVALENCE[coding.equivalence]


def _shared(vocabulary: Vocabulary, source: str, target: str) -> Group:
    """The codes of two systems that one concept has."""
    found: dict[tuple[str, str], list[Row]] = {}
    for concept in vocabulary.concepts.values():
        whole = _whole(concept.codings)
        for one in (coding for coding in whole if coding.code.system == source):
            for other in (coding for coding in whole if coding.code.system == target):
                relationship = between(seen_from_concept(vocabulary, one), seen_from_concept(vocabulary, other))
                if relationship is not None:
                    row = Row(one.code.code, one.code.display, other.code.code, other.code.display, relationship)
                    found.setdefault((row.source, row.target), []).append(row)
    rows = (_settled(same) for same in found.values())
    return Group(_uri(vocabulary, source), _uri(vocabulary, target), tuple(rows))


def between(source: Relationship, target: Relationship) -> Relationship | None:
    """Of a target code, seen from a source code, by what each is to one concept; None: it does not follow."""
    if source is _EXACT:
        return target
    inverse = INVERSE.get(source, source)
    if target is _EXACT or target is inverse:
        return inverse if inverse is not Relationship.RELATED or target is _EXACT else None
    return None


def _settled(rows: list[Row]) -> Row:
    """One row of several for the same two codes: where they disagree, no more than related is said."""
    said = {row.relationship for row in rows}
    relationship = rows[0].relationship if len(said) == 1 else Relationship.RELATED
    return rows[0]._replace(relationship=relationship, comment=_comment(relationship))


def _comment(relationship: Relationship) -> str:
    """FHIR wants to know in which sense a target is narrower (R4 cmd-1)."""
    if relationship is Relationship.NARROWER:
        return "The target says more than the source does: a region, a side, a kind or a setting that it leaves open."
    return ""


def _retired(vocabulary: Vocabulary) -> tuple[Group, ...]:
    """DICOM's own mapping of the retired style of codes."""
    from pydicom.sr._snomed_dict import mapping  # 1 MB that only a retired code needs

    known = vocabulary.by_code
    rows = []
    for retired, code in mapping["SRT"].items():
        uses = known.get(("SCT", code))
        display = uses[0][1].code.display if uses else ""
        rows.append(Row(retired, display, code, display, _EXACT))
    return (Group(_uri(vocabulary, "SRT"), _uri(vocabulary, "SCT"), tuple(rows)),)


def _translations(vocabulary: Vocabulary) -> tuple[Group, ...]:
    """``translations.csv`` and what a site added to it."""
    found: dict[tuple[str, str], list[Row]] = {}
    for (source, code), (target, other) in vocabulary.translations.items():
        uses = vocabulary.by_code.get((target, other))
        display = uses[0][1].code.display if uses else ""
        found.setdefault((source, target), []).append(Row(code, "", other, display, _EXACT))
    return tuple(
        Group(_system(vocabulary, source), _system(vocabulary, target), tuple(rows))
        for (source, target), rows in found.items()
    )


def _system(vocabulary: Vocabulary, designator: str) -> str:
    known = vocabulary.systems.get(designator)
    return known.uri if known is not None else designator
