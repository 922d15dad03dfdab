"""Value sets: the project's own, then those that loaded releases have, which may change at any time."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Final, Protocol

from service.coding.server.compose import Composition
from service.domain.uids import derive_uid

_KEPT: Final = 8


class MoreSets(Protocol):
    """Value sets that are not held in memory."""

    def listed(self) -> Iterable[Composition]:
        """Each without what is in it."""

    def get(self, url: str) -> Composition | None:
        """One in full; None where there is none of this URL."""

    def body(self, url: str) -> bytes | None:
        """One as it came, JSON; None where there is none of this URL."""


class HeldSets(Protocol):
    """What of a ReleaseStore is asked here."""

    def value_sets(self) -> tuple[tuple[str, str, str], ...]:
        """URL, version and title of each value set."""

    def value_set_body(self, url: str) -> bytes | None:
        """A value set as it came."""


class NoSets:
    """None."""

    def listed(self) -> Iterable[Composition]:
        """None."""
        return ()

    def get(self, url: str) -> Composition | None:  # noqa: ARG002 - of the protocol
        """None."""
        return None

    def body(self, url: str) -> bytes | None:  # noqa: ARG002 - of the protocol
        """None."""
        return None


class ReleaseSets:
    """The value sets of loaded releases; ``read`` makes one of the resource that was kept."""

    def __init__(self, store: HeldSets, read: Callable[[bytes], Composition]) -> None:
        """Take the releases."""
        self._store = store
        # A set that others refer to is asked for with every code.
        self._read = lru_cache(_KEPT)(read)

    def listed(self) -> Iterator[Composition]:
        """Each without what is in it; its name is the id that it is served under."""
        for url, version, title in self._store.value_sets():
            yield Composition(url, _id(url), title, (), version=version)

    def get(self, url: str) -> Composition | None:
        """One in full; raises Unreadable where it says what is not served."""
        body = self._store.value_set_body(url)
        return None if body is None else self._read(body)

    def body(self, url: str) -> bytes | None:
        """One as it came."""
        return self._store.value_set_body(url)


class ValueSets(Mapping[str, Composition]):
    """All by URL, the project's own first."""

    def __init__(self, own: Iterable[Composition], more: MoreSets) -> None:
        """Take both."""
        self.own = {one.url: one for one in own}
        self.more = more

    def __getitem__(self, url: str) -> Composition:
        """One in full; raises KeyError."""
        found = self.own.get(url) or self.more.get(url)
        if found is None:
            raise KeyError(url)
        return found

    def __contains__(self, url: object) -> bool:
        """Whether there is one, without reading it."""
        return url in self.own or any(one.url == url for one in self.more.listed())

    def listed(self) -> Iterator[Composition]:
        """All; those of releases without what is in them."""
        yield from self.own.values()
        for one in self.more.listed():
            if one.url not in self.own:
                yield one

    def __iter__(self) -> Iterator[str]:
        """The URLs."""
        return (one.url for one in self.listed())

    def __len__(self) -> int:
        """How many there are."""
        return sum(1 for _ in self.listed())


def _id(url: str) -> str:
    """An id of FHIR for a URL: the same as long as the URL is."""
    return f"release-{derive_uid('release-value-set', url).rpartition('.')[2]}"
