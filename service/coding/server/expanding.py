"""Value sets expanded, and codes held against them."""

from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Final

from service.coding.ecl import EclLimits, Evaluator, Expression, parse
from service.coding.ecl.syntax import Anything, Every, Member, Operator, Reference, Related
from service.coding.server.answers import Expansion, Item
from service.coding.server.compose import SNOMED, Composition, Filter, Part
from service.coding.server.source import TerminologySource, display_of
from service.coding.server.tables import fits
from service.domain.errors import Invalid, Problem

_OPERATORS: Final = {
    "is-a": Operator.DESCENDANT_OR_SELF,
    "descendent-of": Operator.DESCENDANT,
    "child-of": Operator.CHILD,
    "generalizes": Operator.ANCESTOR_OR_SELF,
}
_KEPT: Final = 16
_KEPT_CODES: Final = 20_000  # of one selection that is kept for the next page


@dataclass(frozen=True, slots=True)
class Wish:
    """What of a value set is wanted: a page, by text, in a language; ``count`` None: all."""

    filter: str = ""
    offset: int = 0
    count: int | None = None
    active_only: bool = False
    language: str | None = None
    designations: bool = False
    without: tuple[str, ...] = ()  # code systems


class Expander:
    """Expands over some sources; keeps the last selections, since pages are asked for one after the other."""

    def __init__(
        self,
        sources: Mapping[str, TerminologySource],
        value_sets: Mapping[str, Composition],
        limits: EclLimits,
        most: int,
    ) -> None:
        """Take the sources by URI and the value sets by URL; ``most`` codes go into one answer."""
        self._sources = sources
        self._value_sets = value_sets
        self._limits = limits
        self._most = most
        self._kept: OrderedDict[tuple[str, str, Expression], tuple[str, ...]] = OrderedDict()

    def expand(self, composition: Composition, wish: Wish) -> Expansion:
        """A page of the value set; raises Invalid ``too-costly`` where it does not fit into one answer."""
        notes: dict[str, None] = {}
        under = self._under(composition, wish)
        if under is not None:
            return under
        found: dict[tuple[str, str], str] = {}
        for part in composition.includes:
            if part.system not in wish.without:
                for system, code, display in self._listed(part, wish, notes):
                    found.setdefault((system, code), display)
        for part in composition.excludes:
            for place in [place for place in found if self.within(part, *place)]:
                del found[place]
        if wish.active_only:
            found = self._active(found)
        total = len(found)
        if (wish.count is None and total - wish.offset > self._most) or (wish.count or 0) > self._most:
            self._too_many(total)
        end = None if wish.count is None else wish.offset + wish.count
        page = list(found.items())[wish.offset : end]
        items = self._items([Item(system, code, display) for (system, code), display in page], wish)
        systems = dict.fromkeys(part.system for part in composition.includes if part.system in self._sources)
        versions = tuple((system, self._sources[system].version) for system in systems)
        return Expansion(total, wish.offset, items, tuple(notes), versions)

    def _under(self, composition: Composition, wish: Wish) -> Expansion | None:
        """A page of a system, or of all that lies under a concept: only the page is held. None for any other set."""
        if len(composition.includes) != 1 or composition.excludes or wish.filter:
            return None
        (part,) = composition.includes
        if not part.system or part.codes is not None or part.value_sets or part.system in wish.without:
            return None
        source = self._source(part.system, part.version)
        if not part.filters:
            return self._all(source, wish) if source.complete else None
        wanted = self._expression(source, part)
        if not isinstance(wanted, Related) or not isinstance(wanted.operand, Reference):
            return None
        code = wanted.operand.code
        itself = wanted.operator is Operator.DESCENDANT_OR_SELF
        if not (itself or wanted.operator is Operator.DESCENDANT) or not source.active(code):
            return None
        skipped = max(0, wish.offset - itself)
        first = itself and not wish.offset and wish.count != 0
        most = min(self._most, self._most if wish.count is None else max(0, wish.count - first))
        below, codes = source.page_below(code, skipped, most)
        total = below + itself
        if (wish.count is None and total - wish.offset > self._most) or (wish.count or 0) > self._most:
            self._too_many(total)
        items = self._items([Item(source.uri, one, "") for one in ((code,) if first else ()) + tuple(codes)], wish)
        return Expansion(total, wish.offset, items, (), ((source.uri, source.version),))

    def _all(self, source: TerminologySource, wish: Wish) -> Expansion:
        """A page of a system; all of it where it fits into one answer."""
        wanted = self._most if wish.count is None else min(self._most, wish.count)
        total, codes = source.page_of_all(wish.offset, wanted)
        if (wish.count is None and total - wish.offset > self._most) or (wish.count or 0) > self._most:
            self._too_many(total)
        items = self._items([Item(source.uri, one, "") for one in codes], wish)
        return Expansion(total, wish.offset, items, (), ((source.uri, source.version),))

    def _active(self, found: Mapping[tuple[str, str], str]) -> dict[tuple[str, str], str]:
        """Those of the codes that may be used."""
        kept: set[tuple[str, str]] = set()
        for system, codes in _by_system(found).items():
            entries = self._source(system).labels(codes)
            kept.update((system, code) for code, entry in entries.items() if entry.active)
        return {place: display for place, display in found.items() if place in kept}

    def _items(self, listed: Sequence[Item], wish: Wish) -> tuple[Item, ...]:
        """Listed codes with what their sources say of them; each source is asked once."""
        made: dict[tuple[str, str], Item] = {(item.system, item.code): item for item in listed}
        for system, codes in _by_system(made).items():
            source = self._sources.get(system)
            if source is None:
                continue
            words = source.words_of(codes) if wish.designations or wish.language else {}
            for code, entry in source.labels(codes).items():
                display, said = made[system, code].display or entry.display, words.get(code, ())
                if wish.language:
                    display = display_of(entry, said, wish.language)
                made[system, code] = Item(system, code, display, said if wish.designations else (), entry.active)
        return tuple(made.values())

    def within(self, part: Part, system: str, code: str) -> bool:
        """Whether a part of a value set has a code."""
        for url in part.value_sets:
            if not self.has(self.known(url), system, code):
                return False
        if not part.system:
            return bool(part.value_sets)
        if part.system != system:
            return False
        if part.codes is not None:
            return code in part.index
        source = self._source(part.system, part.version)
        if source.active(code) is None and not source.complete and not part.filters:
            raise unsure(source, code)
        return Evaluator(source, self._limits).contains(self._expression(source, part), code)

    def has(self, composition: Composition, system: str, code: str) -> bool:
        """Whether a value set has a code."""
        return any(self.within(part, system, code) for part in composition.includes) and not any(
            self.within(part, system, code) for part in composition.excludes
        )

    def known(self, url: str) -> Composition:
        """A value set by URL; raises Invalid."""
        found = self._value_sets.get(url.partition("|")[0])
        if found is None:
            raise Invalid.at("valueSet", "not-found", f"there is no value set {url[:200]} here")
        return found

    def _listed(self, part: Part, wish: Wish, notes: dict[str, None]) -> Iterator[tuple[str, str, str]]:
        """The codes of a part as system, code and display, empty for the usual one."""
        if not part.system:
            if not part.value_sets:
                raise Invalid.at("compose", "invariant", "an include has a system or a value set (vsd-1)")
            first, *others = (self.known(url) for url in part.value_sets)
            for one in first.includes:
                for system, code, display in self._listed(one, wish, notes):
                    if self.has(first, system, code) and all(self.has(other, system, code) for other in others):
                        yield system, code, display
            return
        chosen = self._chosen(part, wish, notes)
        for code, display in chosen:
            if all(self.has(self.known(url), part.system, code) for url in part.value_sets):
                yield part.system, code, display

    def _chosen(self, part: Part, wish: Wish, notes: dict[str, None]) -> Iterator[tuple[str, str]]:
        if part.codes is not None:
            source = self._sources.get(part.system)
            for code, display in part.codes:
                if source is not None and source.complete and source.active(code) is None:
                    notes.setdefault(f"{code[:64]} is no code of {source.name}: left out")
                elif not wish.filter or self._fits(source, code, display, wish.filter):
                    yield code, display
            return
        source = self._source(part.system, part.version)
        if not source.complete:
            notes.setdefault(f"of {source.name} only the {source.count()} codes of the tables are here")
        expression = self._expression(source, part)
        if wish.filter:
            evaluator = Evaluator(source, self._limits)
            hits = tuple(source.search(wish.filter, self._most + 1))
            if len(hits) > self._most:
                why = f"more than {self._most} concepts fit the filter; narrow it"
                raise Invalid.at("filter", "too-costly", why)
            yield from ((code, "") for code in hits if evaluator.contains(expression, code))
        else:
            yield from ((code, "") for code in self._selected(source, expression, notes))

    def _selected(self, source: TerminologySource, expression: Expression, notes: dict[str, None]) -> tuple[str, ...]:
        """The codes of an expression in a settled order, so that pages fit together."""
        place = (source.uri, source.version, expression)
        known = self._kept.get(place)
        if known is not None:
            self._kept.move_to_end(place)
            return known
        evaluator = Evaluator(source, self._limits)
        if isinstance(expression, Anything) and source.count() > self._most:
            self._too_many(source.count())
        found = evaluator.select(expression)
        made = tuple(code for code in source.codes() if code in found) if not source.nested else _ordered(found)
        for code in evaluator.retired:
            notes.setdefault(f"{code} is inactive and selects nothing")
        if len(made) <= _KEPT_CODES and not evaluator.retired:
            self._kept[place] = made
            while len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
        return made

    def _expression(self, source: TerminologySource, part: Part) -> Expression:
        """The filters of a part as one expression."""
        parts = [self._filter(source, one) for one in part.filters]
        if not parts:
            return Anything()
        return parts[0] if len(parts) == 1 else Every(tuple(parts))

    def _filter(self, source: TerminologySource, one: Filter) -> Expression:
        if not source.nested:
            why = f"no release of {source.name} is loaded, so nothing is known of what lies under a code"
            raise Invalid.at("filter", "not-supported", why)
        if (one.property, one.op) == ("constraint", "=") and source.uri == SNOMED:
            return parse(one.value, self._limits)
        if (one.property, one.op) == ("concept", "in"):
            return Member(Reference(one.value))
        if one.property == "concept" and one.op in _OPERATORS:
            return Related(_OPERATORS[one.op], Reference(one.value))
        if (one.property, one.op, one.value) == ("expressions", "=", "false"):
            return Anything()
        why = f"a filter {one.property[:64]} {one.op[:64]} is not served"
        raise Invalid.at("filter", "not-supported", why)

    def _source(self, system: str, version: str = "") -> TerminologySource:
        source = self._sources.get(system)
        if source is None:
            raise Invalid.at("system", "not-found", f"no codes of {system[:200]} are here")
        return of_version(source, version)

    def _fits(self, source: TerminologySource | None, code: str, display: str, text: str) -> bool:
        words = [] if source is None else [word.text for word in source.words(code)]
        return fits(text, [display, *words])

    def _too_many(self, total: int) -> None:
        why = f"{total} codes are more than the {self._most} of one answer; ask for pages (offset, count) or narrow it"
        raise Invalid.at("", "too-costly", why)


def _by_system(places: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    """Codes by their system."""
    made: dict[str, list[str]] = {}
    for system, code in places:
        made.setdefault(system, []).append(code)
    return made


def of_version(source: TerminologySource, version: str) -> TerminologySource:
    """The source, where it is of a version; raises Invalid for another one.

    A release of SNOMED CT knows its date: the URI of an edition fits with that date, or without one where the release
    knows its edition.
    """
    fits_date = version.endswith(f"/version/{source.version}")
    if version and version != source.version and not fits_date and not source.version.startswith(f"{version}/version/"):
        why = f"{source.name} is here in the version {source.version}, not {version[:200]}"
        raise Invalid.at("version", "not-found", why)
    return source


def unsure(source: TerminologySource, code: str) -> Invalid:
    """What is said of a code that a fragment has not: it may exist."""
    why = f"{code[:64]!r} is not among the codes of {source.name} that are here, and not all of them are here"
    return Invalid(Problem("code", "not-supported", why))


def _ordered(codes: AbstractSet[str]) -> tuple[str, ...]:
    """Codes by length, then as text: numbers in their order."""
    return tuple(sorted(codes, key=lambda code: (len(code), code)))
