"""All releases of a site as one store; a worker sees a switch at its next question, without a restart."""

import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TypeVar

from service.coding.releases.finding import found, named
from service.coding.releases.shelf import Shelf
from service.coding.releases.sqlite import SqliteReleaseStore
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
from service.coding.releases.tokens import Normal
from service.coding.words import Words
from service.domain.errors import Unavailable

T = TypeVar("T")


class SiteReleases:
    """A ReleaseStore over a shelf. A code system that is in two releases is answered by the first by name."""

    def __init__(self, folder: Path, words: Words) -> None:
        """Take the shelf's folder; it may be empty, and stores are opened when first asked."""
        self._shelf = Shelf(folder)
        self._lock = threading.Lock()
        self._stamp: tuple[int, int] | None = None
        self._stores: tuple[SqliteReleaseStore, ...] = ()
        self.normal = Normal(words)

    def stores(self) -> tuple[SqliteReleaseStore, ...]:
        """The stores in use now; raises Unavailable where one can't be read."""
        if self._shelf.stamp() != self._stamp:
            with self._lock:
                self._take_up()
        return self._stores

    def _take_up(self) -> None:
        """Open what is in use; a switch in between may have deleted what the pointer named, so it is read again."""
        while (stamp := self._shelf.stamp()) != self._stamp:
            kept = {store.path: store for store in self._stores}
            placed = {self._shelf.path(one): one.name for one in self._shelf.current()}
            try:
                made = tuple(kept.get(path) or SqliteReleaseStore(path, name) for path, name in placed.items())
            except Unavailable:
                if self._shelf.stamp() == stamp:
                    raise
                continue
            self._stores, self._stamp = made, stamp

    def store(self, system: str) -> SqliteReleaseStore | None:
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

    def _of(self, system: str, ask: Callable[[SqliteReleaseStore], tuple[T, ...]]) -> tuple[T, ...]:
        store = self.store(system)
        return () if store is None else ask(store)
