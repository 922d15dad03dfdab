"""Loaded releases as terminology sources, beside the tables; a switch of a release is seen at the next question."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Final

from service.coding.ecl.relations import Relation
from service.coding.releases.store import ReleaseDesignation, ReleaseStore, ReleaseSystem, Use
from service.coding.server.compose import SNOMED
from service.coding.server.source import PREFERRED, Entry, TerminologySource, Word

_USES: Final = {
    Use.PREFERRED: PREFERRED,
    Use.FULLY_SPECIFIED: "fully-specified",
    Use.SYNONYM: "synonym",
    Use.DEFINITION: "definition",
    Use.ABBREVIATION: "abbreviation",
}


class ReleaseSource:
    """One code system of the loaded releases, whole and with its hierarchy."""

    complete = True
    nested = True

    def __init__(self, store: ReleaseStore, system: ReleaseSystem) -> None:
        """Take the store and what it says of the system."""
        self._store = store
        self.designator = system.designator
        self.uri = system.uri
        self.name = system.name
        self.version = system.version
        self._count = system.concepts

    def lookup(self, code: str) -> Entry | None:
        """A concept, with where it went where it is retired, and what defines it."""
        found = self._store.lookup(self.designator, code)
        if found is None:
            return None
        said: list[tuple[str, str | bool]] = []
        if self.uri == SNOMED:
            said.append(("sufficientlyDefined", found.defined))
        said += [
            (name, value) for name, value in (("moduleId", found.module), ("effectiveTime", found.effective)) if value
        ]
        said += [(one.kind, one.target) for one in self._store.historical(self.designator, code)]
        said += [(one.type, one.target or one.value) for one in self._store.attributes(self.designator, code)]
        return Entry(code, found.display, found.active, tuple(said))

    def labels(self, codes: Sequence[str]) -> Mapping[str, Entry]:
        """Concepts with their displays and states only."""
        found = self._store.lookup_all(self.designator, codes)
        return {code: Entry(code, one.display, one.active) for code, one in found.items()}

    def words(self, code: str) -> tuple[Word, ...]:
        """Its designations; a preferred one under each dialect that prefers it, too."""
        return _said(self._store.designations(self.designator, code))

    def words_of(self, codes: Sequence[str]) -> Mapping[str, tuple[Word, ...]]:
        """The designations of several codes."""
        found = self._store.designations_all(self.designator, codes)
        return {code: _said(designations) for code, designations in found.items()}

    def subsumes(self, above: str, below: str) -> bool:
        """Whether ``below`` is ``above`` or lies under it."""
        return self._store.subsumes(self.designator, above, below)

    def page_below(self, code: str, offset: int, count: int | None) -> tuple[int, Sequence[str]]:
        """How many codes lie under one, and a page of them."""
        return self._store.page_below(self.designator, code, offset, count)

    def page_of_all(self, offset: int, count: int) -> tuple[int, Sequence[str]]:
        """How many active codes there are, and a page of them."""
        return self._store.page_of_all(self.designator, offset, count)

    def search(self, text: str, limit: int) -> Iterable[str]:
        """Codes that the store finds, best first."""
        found = self._store.search(text.split(), limit)
        return [one.concept.code for one in found if one.concept.system == self.designator and one.concept.active]

    def active(self, code: str) -> bool | None:
        """Whether a concept is active; None where there is none."""
        found = self._store.lookup(self.designator, code)
        return None if found is None else found.active

    def count(self) -> int:
        """How many concepts the release has."""
        return self._count

    def codes(self) -> Iterable[str]:
        """All active concepts."""
        return self._store.all_codes(self.designator)

    def parents(self, code: str) -> Collection[str]:
        """The concepts right above."""
        return self._store.parents(self.designator, code)

    def children(self, code: str) -> Collection[str]:
        """The concepts right below."""
        return self._store.children(self.designator, code)

    def ancestors(self, code: str) -> Iterable[str]:
        """All concepts above."""
        return self._store.ancestors(self.designator, code)

    def descendants(self, code: str) -> Iterable[str]:
        """All concepts below."""
        return self._store.descendants(self.designator, code)

    def members(self, refset: str) -> Iterable[str]:
        """The active concepts in a reference set."""
        codes = tuple(self._store.members(self.designator, refset))
        found = self._store.lookup_all(self.designator, codes)
        return [code for code in codes if found[code].active]

    def relations(self, code: str) -> Collection[Relation]:
        """The relationships to concepts; those to numbers and texts are no relations here."""
        found = self._store.attributes(self.designator, code)
        return [Relation(one.type, one.target, one.group) for one in found if one.target]


class Sources(Mapping[str, TerminologySource]):
    """The sources by URI: a loaded release before the fragment that the tables have of the same system."""

    def __init__(self, tables: Mapping[str, TerminologySource], store: ReleaseStore) -> None:
        """Take both."""
        self._tables = tables
        self._store = store
        self._made: tuple[tuple[ReleaseSystem, ...], dict[str, TerminologySource]] = ((), dict(tables))

    def _now(self) -> dict[str, TerminologySource]:
        systems = self._store.systems()
        known, made = self._made
        if systems != known:
            made = dict(self._tables)
            for system in reversed(systems):  # a system in two releases is the first one's
                made[system.uri] = ReleaseSource(self._store, system)
            self._made = systems, made
        return made

    def __getitem__(self, uri: str) -> TerminologySource:
        """The source of a system; raises KeyError."""
        return self._now()[uri]

    def __iter__(self) -> Iterator[str]:
        """The URIs."""
        return iter(self._now())

    def __len__(self) -> int:
        """How many systems there are."""
        return len(self._now())


def _said(designations: Iterable[ReleaseDesignation]) -> tuple[Word, ...]:
    found = dict.fromkeys(word for one in designations for word in _words(one))
    return tuple(sorted(found, key=lambda word: word.use != PREFERRED))


def _words(one: ReleaseDesignation) -> Iterator[Word]:
    for dialect in one.preferred:
        if one.use in (Use.PREFERRED, Use.SYNONYM):
            yield Word(dialect, PREFERRED, one.term)
    yield Word(one.language, _USES[one.use], one.term)
