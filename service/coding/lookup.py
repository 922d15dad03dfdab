"""The vocabulary: all tables, loaded and checked once, with the look-ups that the other rooms use."""

from collections.abc import Iterable, Mapping
from copy import copy
from dataclasses import dataclass
from importlib.resources.abc import Traversable
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, NamedTuple

from service.coding.concepts import rank
from service.coding.index import EVERYWHERE, Designations, Names
from service.coding.loading import URN_OID, Loaded
from service.coding.rows import CodeSystem, EvaluationRow, Field, MeasurementRow, MemberRow
from service.coding.shapes import DESIGNATOR_CHARACTERS
from service.coding.units import Units
from service.coding.zones import Zones
from service.domain.codes import LOCAL_SCHEME, Code, CodedTerm, Coding, Concept, Equivalence, Resolution
from service.domain.errors import Invalid
from service.domain.loss import LossKind
from service.domain.report import Issuer

if TYPE_CHECKING:
    from service.coding.overlays.overlay import Overlay  # it is built of a vocabulary
    from service.coding.remote.terms import RemoteTerms
    from service.coding.retired import Historical
    from service.coding.search import Search

_ALSO = {"I10C": ("ICD10CM", "ICD-10-CM")}
"""Designators that others use for a system: HL7's code system keyword, and the reference data's."""
_CLASSES: Final = "I10C"
"""The classification of the tables: its codes are classes, and many a class holds more than the concept it is for."""
_RADLEX_URIS = ("http://radlex.org", "http://www.radlex.org", "https://radlex.org", "https://www.radlex.org")


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is to be said of a term: ``kind`` is how it is listed, or as what it is refused.

    ``suggest`` is the text to look for near terms to, empty where nothing is to be suggested.
    """

    kind: LossKind | type[Invalid]
    rule: str
    why: str
    candidates: tuple[str, ...] = ()
    suggest: str = ""


class Resolved(NamedTuple):
    """What became of a term: None where it is refused."""

    term: CodedTerm | None
    verdict: Verdict | None = None


class Answered(NamedTuple):
    """What became of the words of a descriptor, its field and its answer, where nothing is to be said of either."""

    name: CodedTerm
    row: EvaluationRow
    value: CodedTerm


class Measured(NamedTuple):
    """What became of the words of a measurement, its name and its unit, where nothing is to be said of either."""

    name: CodedTerm
    row: MeasurementRow
    unit: CodedTerm


CacheKey = tuple[str, str, tuple[str, str, str] | None]
"""Field, text and code of a term."""
KEPT = 4096
"""Resolutions kept: some 2 MB at most, more than the words and codes that hospitals use in a day."""


def _exact(uses: tuple[tuple[str, Coding], ...]) -> tuple[str, ...]:
    """The concepts of the codings that are exact and whole."""
    return tuple([key for key, coding in uses if coding.equivalence is Equivalence.EXACT and not coding.part])


class Vocabulary:
    """Concepts, code systems and the rows of the fields; nothing changes once it is built.

    ``cache`` holds resolutions, so that a term is looked up once: it says nothing that the tables do not. ``answered``
    and ``measured`` hold those of two terms that come together, by the words of both.
    """

    __slots__ = (
        "_names",
        "_searches",
        "_systems",
        "answered",
        "by_code",
        "by_rest",
        "cache",
        "concepts",
        "designations",
        "evaluations",
        "issuers",
        "measured",
        "measurements",
        "members",
        "official",
        "overlay",
        "releases",
        "remote",
        "sides",
        "systems",
        "translations",
        "units",
        "value_sets",
        "wide",
        "zones",
    )

    def __init__(self, loaded: Loaded) -> None:
        """Take what was loaded and checked."""
        self.concepts: Mapping[str, Concept] = MappingProxyType(loaded.concepts)
        self.systems: Mapping[str, CodeSystem] = MappingProxyType(loaded.systems)
        self.measurements: Mapping[str, MeasurementRow] = MappingProxyType(loaded.measurements)
        self.evaluations: Mapping[str, EvaluationRow] = MappingProxyType(loaded.evaluations)
        self.members: Mapping[str, MemberRow] = MappingProxyType(loaded.members)
        self.issuers: Mapping[str, Issuer] = MappingProxyType(loaded.issuers)
        self.value_sets: Mapping[str, frozenset[str]] = MappingProxyType(loaded.value_sets)
        self.translations: Mapping[tuple[str, str], tuple[str, str]] = MappingProxyType(loaded.translations)
        self.designations: Designations = loaded.designations
        self.units: Units = loaded.units
        self.sides: Mapping[str, str] = MappingProxyType(loaded.sides)
        """The side, left or right, of each concept that names one."""
        self.zones: Zones = MappingProxyType(loaded.zones)
        """The zones of the body that a finding or a site lies in, of those that lie in some only."""
        self._names: dict[str, Names] = loaded.names
        self._systems = _spellings(loaded.systems.values())
        self.by_code: dict[tuple[str, str], tuple[tuple[str, Coding], ...]] = {}
        """Every verified coding by (designator, code), with the concept it belongs to."""
        for concept in self.concepts.values():
            for coding in concept.codings:
                if coding.verified:
                    place = (coding.code.system, coding.code.code)
                    self.by_code[place] = (*self.by_code.get(place, ()), (concept.key, coding))
        self.wide: frozenset[tuple[str, str]] = frozenset(
            place for place, uses in self.by_code.items() if place[0] == _CLASSES and self._is_wide(uses)
        )
        """Classes whose title does not name the one concept that they are exact for: it holds others, too."""
        self.by_rest = _rests(self.evaluations.values(), self.concepts)
        """Concepts by (field, designator, code), where the field's name supplies the other parts of their code."""
        self.cache: dict[CacheKey, Resolved] = {}
        self.answered: dict[tuple[str, str], Answered] = {}
        self.measured: dict[tuple[str, str], Measured] = {}
        self.overlay: Overlay | None = None
        """A site's own words and codes, asked before the tables."""
        self.releases: Historical | None = None
        """Loaded releases, asked for codes that are retired."""
        self._searches: dict[int, Search] = {}
        self.remote: RemoteTerms | None = None
        """A terminology server, asked for terms that nothing here knows."""
        self.official: Mapping[str, Mapping[str, str]] = MappingProxyType({})
        """A site's own labels by language tag and concept: they go before the project's (`service.coding.labels`)."""

    @classmethod
    def load(cls, terminology: Traversable, mappings: Traversable, issuers: Traversable | None = None) -> "Vocabulary":
        """Load and check the tables of two folders; ``issuers`` is a site's own file beside the shipped one.

        Raises TableError with every defect.
        """
        return cls(Loaded(terminology, mappings, issuers))

    def with_site(self, overlay: "Overlay | None", releases: "Historical | None") -> "Vocabulary":
        """The same tables behind a site's overlay and releases, with a cache of their own."""
        made = copy(self)
        made.overlay, made.releases = overlay, releases
        made.cache, made.answered, made.measured = {}, {}, {}
        return made

    def asking(self, remote: "RemoteTerms | None") -> "Vocabulary":
        """The same, with a terminology server behind it; what is remembered is shared, for it says nothing of that."""
        if remote is None:
            return self
        made = copy(self)
        made.remote = remote
        return made

    def concept(self, key: str) -> Concept:
        """The concept of a key; raises KeyError."""
        return self.concepts[key]

    def code(self, key: str) -> Code:
        """The primary code of a concept; where it has no exact one, its key in the project's own scheme.

        Raises KeyError for no concept, ValueError where the key is too long to be a code (SH, PS3.5 6.2).
        """
        concept = self.concepts[key]
        if concept.codes:
            return concept.codes[0]
        if len(key) > DESIGNATOR_CHARACTERS:
            raise ValueError(f"{key} has no exact code and can't be one")
        return Code(LOCAL_SCHEME, key, concept.label)

    def term(self, key: str) -> CodedTerm:
        """A concept as an answer: its exact codes, or a broader one with the label, or the label alone."""
        return coded(self.concepts[key], Resolution.KEY)

    def meant_by(self, system: str, code: str) -> tuple[str, ...]:
        """The concepts that a code means by itself, in any field; a class that says more than a concept means none."""
        place = (system, code)
        return () if place in self.wide else _exact(self.by_code.get(place, ()))

    def _is_wide(self, uses: tuple[tuple[str, Coding], ...]) -> bool:
        """Whether a class is exact for one concept, and its title, but for "unspecified", is no word for it."""
        exact = _exact(uses)
        title = uses[0][1].code.display.removesuffix(", unspecified").removeprefix("Unspecified ")
        named = {key for key, _ in self.designations.as_spelled(title, EVERYWHERE)}
        return len(exact) == 1 and named.isdisjoint(exact)

    def name(self, key: str) -> CodedTerm:
        """A concept as the name of a field: its exact codes, or its key in the project's own scheme."""
        concept = self.concepts[key]
        return CodedTerm(concept.label, concept.codes or (self.code(key),), key, resolution=Resolution.KEY)

    def system(self, designator: str) -> CodeSystem | None:
        """The code system of a designator."""
        return self.systems.get(designator)

    def designator(self, name: str) -> str | None:
        """The designator of a code system given by designator, URI in any of its spellings, OID or ``urn:oid:``."""
        known = self._systems.get(name)
        return known if known is not None else self._systems.get(name.strip().rstrip("/").removeprefix(URN_OID))

    def issuer_by_id(self, uri_or_oid: str) -> Issuer | None:
        """The issuer with a URI or OID."""
        wanted = uri_or_oid.removeprefix(URN_OID)
        for issuer in self.issuers.values():
            if wanted in (issuer.uri, issuer.oid, (issuer.uri or "").removeprefix(URN_OID)):
                return issuer
        return None

    def field(self, key: str) -> Field | None:
        """The row of an evaluation or a member of the report."""
        return self.evaluations.get(key) or self.members.get(key)

    def names(self, table: str) -> Names:
        """The names of the rows of ``measurements`` or ``evaluations``."""
        return self._names[table]

    def places(self, concept: str) -> tuple[str, ...]:
        """The fields that a concept may answer, for saying where a term belongs."""
        fields: tuple[Field, ...] = (*self.members.values(), *self.evaluations.values())
        return tuple(row.key for row in fields if row.values is not None and concept in row.values)

    def search(self) -> "Search":
        """The search over these terms and the releases behind them, made when first asked and shared by all views."""
        from service.coding.releases.site import SiteReleases
        from service.coding.search import Search  # only what is not found needs it

        releases = self.releases if isinstance(self.releases, SiteReleases) else None
        found = self._searches.get(id(releases))
        if found is None:
            found = self._searches[id(releases)] = Search(self, releases)
        return found

    def suggest(self, text: str, row: str = EVERYWHERE) -> tuple[str, ...]:
        """Labels of at most five concepts whose designations look like the text, best first, within the field ``row``.

        Suggestions are never applied.
        """
        from service.coding.suggestions import suggest  # rapidfuzz is only needed for what is not found

        return suggest(self, text, row)


def coded(concept: Concept, resolution: Resolution, field: Field | None = None) -> CodedTerm:
    """A concept as a coded term, within a field that may prefer a code system or supply parts of its code.

    A concept whose code has parts is written with the part that is left when the field's name supplies the others: T1
    (RID10794, the field) and hypointense (RID35804, the answer) say "T1 hypointense" together. Where parts stay open
    and no broader code exists, the term has no codes: receivers get the label as text, which says all that was said.
    """
    codes = concept.codes
    if field is not None:
        if not codes and field.supplies:
            codes = rest(concept.codings, field.supplies)
        elif field.prefer and len(codes) > 1:
            order = field.prefer
            codes = tuple(sorted(codes, key=lambda code: rank(code.system, order)))
    if codes or concept.broader is None:
        return CodedTerm(concept.label, codes, concept.key, False, resolution)
    return CodedTerm(concept.label, (concept.broader,), concept.key, True, resolution)


def rest(codings: tuple[Coding, ...], supplied: tuple[str, ...]) -> tuple[Code, ...]:
    """The codes of the one part that a field does not supply, the first of each system; none, or more left: nothing."""
    parts = {coding.part for coding in codings if coding.part and coding.verified}
    given = {
        coding.part for coding in codings if coding.part and f"{coding.code.system}|{coding.code.code}" in supplied
    }
    if len(parts - given) != 1 or not given:
        return ()
    (left,) = parts - given
    first: dict[str, Code] = {}
    for coding in codings:
        if coding.part == left and coding.verified:
            first.setdefault(coding.code.system, coding.code)
    return tuple(first.values())


def _rests(
    fields: Iterable[EvaluationRow], concepts: Mapping[str, Concept]
) -> dict[tuple[str, str, str], tuple[str, ...]]:
    """The concepts of each field by the code that is left of theirs."""
    made: dict[tuple[str, str, str], tuple[str, ...]] = {}
    for field in fields:
        for key in sorted(field.values or ()) if field.supplies else ():
            concept = concepts[key]
            for code in rest(concept.codings, field.supplies) if not concept.codes else ():
                place = (field.key, code.system, code.code)
                made[place] = (*made.get(place, ()), key)
    return made


def _spellings(systems: Iterable[CodeSystem]) -> dict[str, str]:
    """Every way to name a code system; of two with one OID the first has it (SRT shares SNOMED CT's, PS3.16 8)."""
    names: dict[str, str] = {}
    systems = tuple(systems)
    for system in systems:
        names[system.designator] = system.designator
    for system in systems:
        for name in (system.uri, system.oid, system.uri.removeprefix(URN_OID)):
            if name:
                names.setdefault(name, system.designator)
        for name in (*_ALSO.get(system.designator, ()), *(_RADLEX_URIS if system.uri in _RADLEX_URIS else ())):
            names.setdefault(name, system.designator)
    return names
