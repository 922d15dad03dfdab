"""All releases of a site as one store; a worker sees a switch at its next question, without a restart."""

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TypeVar

from service.coding.releases.finding import found, named
from service.coding.releases.shelf import ReleaseShelf
from service.coding.releases.store import (
    Association,
    Attribute,
    Found,
    ReleaseConcept,
    ReleaseDesignation,
    ReleaseSystem,
    Translation,
    ValueSetMember,
)
from service.coding.releases.tablestore import TableStore
from service.coding.releases.tokens import Normal
from service.coding.words import Words
from service.domain.errors import Unavailable

T = TypeVar("T")


class SiteReleases:
    """A ReleaseStore over a shelf. A code system that is in two releases is answered by the first by name."""

    def __init__(self, shelf: ReleaseShelf, words: Words) -> None:
        """Take the shelf; it may be empty, and stores are opened when first asked."""
        self._shelf = shelf
        self._lock = threading.Lock()
        self._stamp: tuple[int, int] | None = None
        self._stores: tuple[TableStore, ...] = ()
        self.normal = Normal(words)

    def stores(self) -> tuple[TableStore, ...]:
        """The stores in use now; raises Unavailable where one can't be read."""
        if self._shelf.stamp() != self._stamp:
            with self._lock:
                self._take_up()
        return self._stores

    def _take_up(self) -> None:
        """Open what is in use; a switch in between may have deleted what the pointer named, so it is read again."""
        while (stamp := self._shelf.stamp()) != self._stamp:
            kept = {store.key: store for store in self._stores}
            placed = self._shelf.current()
            try:
                made = tuple(kept.get(one.file) or self._shelf.open(one) for one in placed)
            except Unavailable:
                if self._shelf.stamp() == stamp:
                    raise
                continue
            self._stores, self._stamp = made, stamp

    def store(self, system: str) -> TableStore | None:
        """The store of a code system."""
        return next((store for store in self.stores() if store.has(system)), None)

    def systems(self) -> tuple[ReleaseSystem, ...]:
        """The code systems that are loaded."""
        return tuple(system for store in self.stores() for system in store.systems())

    def lookup(self, system: str, code: str) -> ReleaseConcept | None:
        """The concept of a code."""
        store = self.store(system)
        return None if store is None else store.lookup(system, code)

    def designations(self, system: str, code: str) -> tuple[ReleaseDesignation, ...]:
        """All words for it."""
        return self._of(system, lambda store: store.designations(system, code))

    def lookup_all(self, system: str, codes: Iterable[str]) -> Mapping[str, ReleaseConcept]:
        """The concepts of codes, as far as they are there."""
        store = self.store(system)
        return {} if store is None else store.lookup_all(system, codes)

    def designations_all(self, system: str, codes: Iterable[str]) -> Mapping[str, tuple[ReleaseDesignation, ...]]:
        """All words for each of some codes."""
        store = self.store(system)
        return {} if store is None else store.designations_all(system, codes)

    def parents(self, system: str, code: str) -> tuple[str, ...]:
        """Codes of the concepts right above."""
        return self._of(system, lambda store: store.parents(system, code))

    def children(self, system: str, code: str) -> tuple[str, ...]:
        """Codes of the concepts right below."""
        return self._of(system, lambda store: store.children(system, code))

    def ancestors(self, system: str, code: str) -> tuple[str, ...]:
        """Codes of all concepts above, without itself."""
        return self._of(system, lambda store: store.ancestors(system, code))

    def descendants(self, system: str, code: str) -> Iterator[str]:
        """Codes of all concepts below, without itself."""
        store = self.store(system)
        return iter(()) if store is None else store.descendants(system, code)

    def page_below(self, system: str, code: str, offset: int, count: int | None) -> tuple[int, tuple[str, ...]]:
        """How many concepts lie below one, and a page of them in the release's own order; ``count`` None: all."""
        store = self.store(system)
        return (0, ()) if store is None else store.page_below(system, code, offset, count)

    def page_of_all(self, system: str, offset: int, count: int) -> tuple[int, tuple[str, ...]]:
        """How many active concepts a system has, and a page of them in the release's own order."""
        store = self.store(system)
        return (0, ()) if store is None else store.page_of_all(system, offset, count)

    def subsumes(self, system: str, above: str, below: str) -> bool:
        """Whether ``below`` is ``above`` or one of its descendants."""
        store = self.store(system)
        return store is not None and store.subsumes(system, above, below)

    def members(self, system: str, refset: str) -> Iterator[str]:
        """Codes of the concepts in a reference set."""
        store = self.store(system)
        return iter(()) if store is None else store.members(system, refset)

    def attributes(self, system: str, code: str) -> tuple[Attribute, ...]:
        """The relationships other than is-a."""
        return self._of(system, lambda store: store.attributes(system, code))

    def historical(self, system: str, code: str) -> tuple[Association, ...]:
        """Where an inactive code went."""
        return self._of(system, lambda store: store.historical(system, code))

    def translations(self, system: str, code: str, *, back: bool = False) -> tuple[Translation, ...]:
        """What concept maps say of a code: where it leads, or with ``back`` what leads to it."""
        return tuple(one for store in self.stores() for one in store.translations(system, code, back=back))

    def maps(self) -> tuple[str, ...]:
        """The URLs of the concept maps that have rows."""
        return tuple(dict.fromkeys(url for store in self.stores() for url in store.maps()))

    def map_rows(self, url: str) -> Iterator[Translation]:
        """The rows of one concept map, of the first release that has it."""
        store = next((store for store in self.stores() if url in store.maps()), None)
        return iter(()) if store is None else store.map_rows(url)

    def value_sets(self) -> tuple[tuple[str, str, str], ...]:
        """URL, version and title of each value set, those of the first release that has one."""
        found = {one[0]: one for store in reversed(self.stores()) for one in store.value_sets()}
        return tuple(found.values())

    def value_set_body(self, url: str) -> bytes | None:
        """A value set as it came, JSON; None where there is none of this URL."""
        found = (store.value_set_body(url) for store in self.stores())
        return next((body for body in found if body is not None), None)

    def all_codes(self, system: str) -> Iterator[str]:
        """The active codes of a system, in the release's own order."""
        store = self.store(system)
        return iter(()) if store is None else store.all_codes(system)

    def value_set(self, url: str) -> tuple[ValueSetMember, ...] | None:
        """The codes that a value set lists or was expanded to; None where there is none of this URL."""
        found = (store.value_set(url) for store in self.stores())
        return next((members for members in found if members is not None), None)

    def named(self, text: str) -> tuple[ReleaseConcept, ...]:
        """The active concepts that have a designation equal to the text, spelling variants included."""
        made: list[ReleaseConcept] = []
        for store in self.stores():
            made += store.concepts(named(store, text, self.normal)).values()
        return tuple(made)

    def search(self, words: Sequence[str], limit: int) -> tuple[Found, ...]:
        """At most ``limit`` concepts of each release, each with a designation that has all words as beginnings."""
        return tuple(one for store in self.stores() for one in found(store, words, limit, self.normal))

    def _of(self, system: str, ask: Callable[[TableStore], tuple[T, ...]]) -> tuple[T, ...]:
        store = self.store(system)
        return () if store is None else ask(store)
