"""The concept maps of loaded releases: asked row by row, each both ways."""

from collections.abc import Callable, Iterator
from typing import Final

from service.coding.lookup import Vocabulary
from service.coding.releases.store import ReleaseStore, Translation
from service.coding.server.answers import Match, Relationship
from service.coding.server.maps import Group, Map, Row
from service.domain.errors import Invalid
from service.domain.uids import derive_uid

_RELATIONSHIPS: Final = {
    "equivalent": Relationship.EQUIVALENT,
    "source-is-narrower-than-target": Relationship.BROADER,
    "source-is-broader-than-target": Relationship.NARROWER,
    "related-to": Relationship.RELATED,
    "not-related-to": Relationship.NONE,
}
"""FHIR R5's concept-map-relationship, which maps are kept in, as it is of the target seen from the source."""


class ReleaseMap(Map):
    """One concept map of a release, or with an empty URL all of them together, which is no resource of its own."""

    def __init__(self, store: ReleaseStore, vocabulary: Vocabulary, url: str, most: int) -> None:
        """Take where the rows are; at most ``most`` of them are read as one resource."""
        super().__init__(f"release-{derive_uid('release-map', url).rpartition('.')[2]}", url, self._read)
        self.url = url
        self.listed = bool(url)
        self.only_named = bool(url)
        self._store = store
        self._vocabulary = vocabulary
        self._most = most

    def translate(self, system: str, code: str, *, backward: bool = False) -> tuple[Match, ...]:
        """The matches of a code, in the order of the map."""
        known = self._vocabulary.designator(system) or system
        found = self._store.translations(known, code, back=backward)
        return tuple(self._match(row, backward=backward) for row in found if self.url in ("", row.map))

    def _match(self, row: Translation, *, backward: bool) -> Match:
        system, code = (row.from_system, row.from_code) if backward else (row.to_system, row.to_code)
        relationship = _RELATIONSHIPS[row.relationship]
        return Match(relationship, self._uri(system), code, self._display(system, code), row.map)

    def _display(self, system: str, code: str) -> str:
        """What a code is called, where its system is here."""
        found = self._store.lookup(system, code)
        if found is not None:
            return found.display
        uses = self._vocabulary.by_code.get((system, code))
        return uses[0][1].code.display if uses else ""

    def _uri(self, system: str) -> str:
        known = self._vocabulary.systems.get(system)
        return known.uri if known is not None else system

    def _read(self) -> tuple[Group, ...]:
        """All rows by pair of systems; raises Invalid ``too-costly``."""
        groups: dict[tuple[str, str], list[Row]] = {}
        for number, one in enumerate(self._store.map_rows(self.url)):
            if number >= self._most:
                why = f"the map has more than {self._most} rows: ask for the translation of a code"
                raise Invalid.at("", "too-costly", why)
            source, target = self._display(one.from_system, one.from_code), self._display(one.to_system, one.to_code)
            row = Row(one.from_code, source, one.to_code, target, _RELATIONSHIPS[one.relationship])
            groups.setdefault((one.from_system, one.to_system), []).append(row)
        return tuple(
            Group(self._uri(source), self._uri(target), tuple(rows)) for (source, target), rows in groups.items()
        )


def release_maps(store: ReleaseStore, vocabulary: Vocabulary, most: int) -> Callable[[], Iterator[Map]]:
    """What gives the maps of the releases in use: all of them together first, then each by its URL."""
    together = ReleaseMap(store, vocabulary, "", most)

    def maps() -> Iterator[Map]:
        urls = store.maps()
        if urls:
            yield together
        for url in urls:
            yield ReleaseMap(store, vocabulary, url, most)

    return maps
