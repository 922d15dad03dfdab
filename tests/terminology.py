"""A small terminology server's world: SNOMED CT and LOINC with the codes of FHIR's own examples, and a few maps."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from service.coding.ecl.relations import Relation
from service.coding.server import ServerLimits, Terminology
from service.coding.server.answers import Relationship
from service.coding.server.compose import Composition, Part
from service.coding.server.maps import Group, Map, Row
from service.coding.server.source import Entry, Word
from service.coding.server.tables import fits
from tests.unit.coding.ecl.naive import SmallRelease

SNOMED, LOINC, LOCAL, STATUS = (
    "http://snomed.info/sct",
    "http://loinc.org",
    "http://example.org/local",
    "http://hl7.org/fhir/composition-status",
)
EDITION = "http://snomed.info/sct/900000000000207008"
ROOT, LIVER, HEPATITIS, VIRAL, SITE, REFSET, OLD = (
    "138875005",
    "235856003",
    "128241005",
    "3738000",
    "363698007",
    "700043003",
    "200009000",
)


class SmallSource(SmallRelease):
    """A SmallRelease as a terminology source."""

    designator, uri, name, version = "SCT", SNOMED, "SNOMED CT", f"{EDITION}/version/20260101"
    complete = nested = True

    def __init__(
        self,
        above: dict[str, frozenset[str]],
        related: dict[str, tuple[Relation, ...]] | None = None,
        refsets: dict[str, frozenset[str]] | None = None,
        retired: frozenset[str] = frozenset(),
    ) -> None:
        super().__init__(above, related or {}, refsets or {}, retired)
        self.displays: dict[str, str] = {}
        self.said: dict[str, tuple[Word, ...]] = {}

    def lookup(self, code: str) -> Entry | None:
        active = self.active(code)
        return None if active is None else Entry(code, self.displays.get(code, code), active)

    def labels(self, codes: Sequence[str]) -> dict[str, Entry]:
        found = {code: self.lookup(code) for code in codes}
        return {code: entry for code, entry in found.items() if entry is not None}

    def words(self, code: str) -> tuple[Word, ...]:
        return self.said.get(code, (Word("en", "preferred", self.displays.get(code, code)),))

    def words_of(self, codes: Sequence[str]) -> dict[str, tuple[Word, ...]]:
        return {code: self.words(code) for code in codes}

    def subsumes(self, above: str, below: str) -> bool:
        return above == below or above in set(self.ancestors(below))

    def page_below(self, code: str, offset: int, count: int | None) -> tuple[int, list[str]]:
        found = sorted(self.descendants(code))
        return len(found), found[offset:][: len(found) if count is None else count]

    def page_of_all(self, offset: int, count: int) -> tuple[int, list[str]]:
        found = list(self.codes())
        return len(found), found[offset : offset + count]

    def search(self, text: str, limit: int) -> Iterable[str]:
        found = [code for code in self.above if fits(text, [word.text for word in self.words(code)])]
        return found[:limit]


def snomed() -> SmallSource:
    """Liver disease, hepatitis below it, viral hepatitis below that; an attribute, a set, a retired concept."""
    parents = {ROOT: (), LIVER: (ROOT,), HEPATITIS: (LIVER,), VIRAL: (HEPATITIS,), SITE: (ROOT,), REFSET: (ROOT,)}
    made = SmallSource(
        {code: frozenset(above) for code, above in parents.items()},
        {VIRAL: (Relation(SITE, LIVER, 1),)},
        {REFSET: frozenset({VIRAL, HEPATITIS})},
        frozenset({OLD}),
    )
    made.displays = {
        ROOT: "SNOMED CT Concept",
        LIVER: "Disorder of liver",
        HEPATITIS: "Inflammatory disease of liver",
        VIRAL: "Viral hepatitis",
        OLD: "Old disorder",
    }
    made.said = {
        VIRAL: (
            Word("en", "preferred", "Viral hepatitis"),
            Word("en", "fully-specified", "Viral hepatitis (disorder)"),
            Word("de", "synonym", "Leberentzündung durch Viren"),
            Word("de", "preferred", "Virushepatitis"),
        )
    }
    return made


def loinc(*, complete: bool = True) -> SmallSource:
    """The one code of FHIR's examples."""
    made = SmallSource({"1963-8": frozenset()})
    made.designator, made.uri, made.name, made.version = "LN", LOINC, "LOINC", "2.48"
    made.complete = made.nested = complete
    made.displays = {"1963-8": "Bicarbonate [Moles/volume] in Serum"}
    return made


def many(count: int) -> SmallSource:
    """A system of so many codes."""
    made = SmallSource({f"c{number}": frozenset() for number in range(count)})
    made.designator, made.uri, made.name, made.version = "99MANY", LOCAL, "Many", "1"
    made.nested = False
    made.displays = {code: f"code {code}" for code in made.above}
    return made


def status_map() -> Map:
    """FHIR's example: the composition status preliminary is active; another one is narrower, a third has none."""
    rows = (
        Row("preliminary", "Preliminary", "active", "active", Relationship.EQUIVALENT),
        Row("final", "Final", "completed", "completed", Relationship.BROADER),
        Row("amended", "Amended", "completed", "completed", Relationship.NARROWER, "Only where it was complete."),
        Row("entered-in-error", "Entered in error", "", "", Relationship.NONE, "No such state."),
    )
    group = Group(STATUS, "http://hl7.org/fhir/v3/ActStatus", rows)
    return Map("status", "Composition status to act status", lambda: (group,))


def small_terminology(*sources: SmallSource, most: int = 1_000) -> Terminology:
    """A terminology over some sources, by default SNOMED CT and LOINC."""
    held = {source.uri: source for source in sources or (snomed(), loinc())}
    listed = Part(SNOMED, codes=((VIRAL, "Viral hepatitis"), (OLD, "Old disorder")))
    sets = [Composition("http://example.org/vs", "example", "Example", (listed,), version="1")]
    return Terminology(held, sets, [status_map()], ServerLimits(expansion=most))
