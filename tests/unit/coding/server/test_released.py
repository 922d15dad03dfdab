"""Releases as sources: before the fragment of the tables, switched without a restart."""

# ruff: noqa: ARG002 - a fake has the arguments of what it stands for

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from service.coding.releases.store import (
    Association,
    Attribute,
    Found,
    ReleaseConcept,
    ReleaseDesignation,
    ReleaseSystem,
    Translation,
    Use,
    ValueSetMember,
)
from service.coding.server import Terminology
from service.coding.server.answers import Coding, Subsumption
from service.coding.server.expanding import Wish
from service.coding.server.released import ReleaseSource, Sources
from tests.terminology import EDITION, HEPATITIS, LIVER, OLD, REFSET, ROOT, SITE, SNOMED, VIRAL, loinc, snomed

SCT = ReleaseSystem("SCT", SNOMED, "SNOMED CT", f"{EDITION}/version/20260101", "x", 6)


class SmallStore:
    """A ReleaseStore of the small SNOMED CT; ``loaded`` may change."""

    def __init__(self) -> None:
        self.small = snomed()
        self.loaded: tuple[ReleaseSystem, ...] = (SCT,)

    def systems(self) -> tuple[ReleaseSystem, ...]:
        return self.loaded

    def lookup(self, system: str, code: str) -> ReleaseConcept | None:
        entry = self.small.lookup(code) if system == "SCT" else None
        if entry is None:
            return None
        return ReleaseConcept(system, code, entry.display, entry.active, True, "20260101", "900000000000207008")

    def designations(self, system: str, code: str) -> tuple[ReleaseDesignation, ...]:
        if code != VIRAL:
            return ()
        return (
            ReleaseDesignation("Viral hepatitis (disorder)", "en", Use.FULLY_SPECIFIED, ("en-US",)),
            ReleaseDesignation("Viral hepatitis", "en", Use.SYNONYM, ("en-US",), ("en-GB",)),
            ReleaseDesignation("Hepatitis, viral", "en", Use.SYNONYM, ("en-GB",), ("en-US",)),
        )

    def lookup_all(self, system: str, codes: Iterable[str]) -> dict[str, ReleaseConcept]:
        found = {code: self.lookup(system, code) for code in codes}
        return {code: one for code, one in found.items() if one is not None}

    def designations_all(self, system: str, codes: Iterable[str]) -> dict[str, tuple[ReleaseDesignation, ...]]:
        return {code: self.designations(system, code) for code in codes}

    def translations(self, system: str, code: str, *, back: bool = False) -> tuple[Translation, ...]:
        return ()

    def maps(self) -> tuple[str, ...]:
        return ()

    def map_rows(self, url: str) -> Iterator[Translation]:
        return iter(())

    def value_sets(self) -> tuple[tuple[str, str, str], ...]:
        return ()

    def value_set_body(self, url: str) -> bytes | None:
        return None

    def all_codes(self, system: str) -> Iterator[str]:
        return iter(self.small.codes())

    def value_set(self, url: str) -> tuple[ValueSetMember, ...] | None:
        return None

    def named(self, text: str) -> tuple[ReleaseConcept, ...]:
        return ()

    def parents(self, system: str, code: str) -> tuple[str, ...]:
        return tuple(self.small.parents(code))

    def children(self, system: str, code: str) -> tuple[str, ...]:
        return tuple(self.small.children(code))

    def ancestors(self, system: str, code: str) -> tuple[str, ...]:
        return tuple(self.small.ancestors(code))

    def descendants(self, system: str, code: str) -> Iterator[str]:
        return iter(self.small.descendants(code))

    def page_below(self, system: str, code: str, offset: int, count: int | None) -> tuple[int, tuple[str, ...]]:
        found, listed = self.small.page_below(code, offset, count)
        return found, tuple(listed)

    def page_of_all(self, system: str, offset: int, count: int) -> tuple[int, tuple[str, ...]]:
        found, listed = self.small.page_of_all(offset, count)
        return found, tuple(listed)

    def subsumes(self, system: str, above: str, below: str) -> bool:
        return self.small.subsumes(above, below)

    def members(self, system: str, refset: str) -> Iterator[str]:
        return iter([*self.small.members(refset), OLD])

    def attributes(self, system: str, code: str) -> tuple[Attribute, ...]:
        concrete = (Attribute("1142135004", "", "500", 1),)
        return (*(Attribute(one.type, one.target, "", one.group) for one in self.small.relations(code)), *concrete)

    def historical(self, system: str, code: str) -> tuple[Association, ...]:
        return (Association("replaced-by", VIRAL),) if code == OLD else ()

    def search(self, words: Sequence[str], limit: int) -> tuple[Found, ...]:
        found = [self.lookup("SCT", code) for code in self.small.search(" ".join(words), limit)]
        return tuple(Found(one, one.display, "en", 0) for one in found if one is not None)


def terminology() -> tuple[Terminology, SmallStore]:
    store = SmallStore()
    return Terminology(Sources({source.uri: source for source in (loinc(),)}, store), [], []), store


def test_answers_from_the_release() -> None:
    here, _ = terminology()
    assert here.subsumes(Coding(SNOMED, LIVER), Coding(SNOMED, VIRAL)) is Subsumption.SUBSUMES
    ask = f"{SNOMED}?fhir_vs=ecl/* : {SITE} = {LIVER}"
    assert [item.code for item in here.expand(here.value_set(ask), Wish()).items] == [VIRAL]
    assert here.expand(here.value_set(f"{SNOMED}?fhir_vs"), Wish(count=0)).total == 6


def test_a_retired_member_of_a_set_is_left_out() -> None:
    here, _ = terminology()
    items = here.expand(here.value_set(f"{SNOMED}?fhir_vs=refset/{REFSET}"), Wish()).items
    assert {item.code for item in items} == {HEPATITIS, VIRAL}


def test_says_where_a_retired_concept_went() -> None:
    here, _ = terminology()
    looked = here.lookup(Coding(SNOMED, OLD))
    assert {("inactive", True), ("replaced-by", VIRAL)} <= set(looked.properties)


def test_a_dialect_has_its_own_preferred_term() -> None:
    here, _ = terminology()
    assert here.lookup(Coding(SNOMED, VIRAL), "en-GB").display == "Hepatitis, viral"
    assert here.lookup(Coding(SNOMED, VIRAL), "en-US").display == "Viral hepatitis"


def test_a_switch_of_a_release_is_seen_at_the_next_question() -> None:
    here, store = terminology()
    assert set(here.sources) == {SNOMED, loinc().uri}
    store.loaded = ()
    assert set(here.sources) == {loinc().uri}
    assert len(here.sources) == 1
    store.loaded = (SCT,)
    assert here.source(SNOMED).complete


def test_a_number_is_no_relation_to_a_concept() -> None:
    source = ReleaseSource(SmallStore(), SCT)
    assert [one.target for one in source.relations(VIRAL)] == [LIVER]
    assert set(source.codes()) == {ROOT, LIVER, HEPATITIS, VIRAL, SITE, REFSET}
