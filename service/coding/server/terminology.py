"""The operations of a terminology server over the sources, value sets and maps that are here."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from service.coding.ecl import EclLimits
from service.coding.server.answers import (
    Coding,
    Expansion,
    Looked,
    Match,
    Relationship,
    Subsumption,
    Translated,
    Validated,
)
from service.coding.server.compose import Composition, implicit
from service.coding.server.expanding import Expander, Wish, of_version, unsure
from service.coding.server.maps import Map
from service.coding.server.released_sets import MoreSets, NoSets, ValueSets
from service.coding.server.source import Entry, TerminologySource, Word, display_in
from service.coding.shapes import shape_fault
from service.coding.side_words import side_in
from service.coding.words import fold
from service.domain.errors import Invalid, NotFound

FRAGMENT = "The display was not compared: of {} only the codes of the tables are here, under our own words."


@dataclass(frozen=True, slots=True)
class ServerLimits:
    """Bounds on one answer."""

    expansion: int = 10_000  # codes in one answer
    ecl: EclLimits = field(default_factory=EclLimits)


class Terminology:
    """Sources by URI, value sets by URL and maps by key; ``uri_of`` gives the one URI for any spelling of a system."""

    def __init__(
        self,
        sources: Mapping[str, TerminologySource],
        value_sets: Iterable[Composition],
        maps: Iterable[Map],
        limits: ServerLimits | None = None,
        uri_of: Callable[[str], str] = str,
        more_maps: Callable[[], Iterable[Map]] = tuple,
        more_sets: MoreSets | None = None,
    ) -> None:
        """Take what is here; ``more_maps`` and ``more_sets`` give what may change: of overlays, of loaded releases."""
        limits = limits or ServerLimits()
        self.limits = limits
        self.sources = sources
        self.value_sets = ValueSets(value_sets, more_sets or NoSets())
        self._own_maps = tuple(maps)
        self._more_maps = more_maps
        self.uri = uri_of
        self._expander = Expander(sources, self.value_sets, limits.ecl, limits.expansion)

    @property
    def maps(self) -> tuple[Map, ...]:
        """The concept maps of this moment, the project's own first."""
        return (*self._own_maps, *self._more_maps())

    def source(self, system: str, version: str = "") -> TerminologySource:
        """The source of a system; raises NotFound for a system that is not here, Invalid for another version."""
        uri = self.uri(system)
        source = self.sources.get(uri)
        if source is None:
            raise NotFound.at("system", "not-found", f"no codes of {system[:200]} are here")
        return of_version(source, version)

    def lookup(self, coding: Coding, language: str | None = None) -> Looked:
        """A code's display, designations and properties; raises NotFound."""
        source = self.source(coding.system, coding.version)
        entry = source.lookup(coding.code)
        if entry is None:
            whole = "" if source.complete else ", and not all of its codes are here"
            raise NotFound.at("code", "not-found", f"Code {coding.code[:64]!r} not found in {source.name}{whole}")
        display = display_in(source, entry, language)
        above = [("parent", code) for code in source.parents(entry.code)] if source.nested else []
        below = [("child", code) for code in source.children(entry.code)] if source.nested else []
        properties = (("inactive", not entry.active), *entry.properties, *above, *below)
        words = source.words(entry.code)
        return Looked(source.uri, source.name, source.version, entry.code, display, words, properties)

    def validate(self, codings: Iterable[Coding], language: str | None = None) -> Validated:
        """Whether one of the codings is a code of its system, with a display that it has.

        Raises Invalid where that can't be told: of a fragment a code that is not in it may exist.
        """
        tried = [self._validate(coding, language) for coding in codings]
        if not tried:
            raise Invalid.at("code", "required", "no code was given")
        return next((one for one in tried if one.result), tried[0])

    def _validate(self, coding: Coding, language: str | None) -> Validated:
        source = self.source(coding.system, coding.version)
        entry = source.lookup(coding.code)
        if entry is None:
            fault = shape_fault(source.designator, coding.code)
            if not source.complete and not fault:
                raise unsure(source, coding.code)
            why = f"Unknown code {coding.code[:64]!r} in {source.name}" + (f": wanted {fault}" if fault else "")
            return Validated(result=False, message=why, coding=coding)
        return self._displayed(source, entry, coding, language)

    def _displayed(self, source: TerminologySource, entry: Entry, coding: Coding, language: str | None) -> Validated:
        display = display_in(source, entry, language)
        said = Coding(source.uri, entry.code, coding.display, source.version)
        retired = "" if entry.active else f"{entry.code} is inactive. "
        if not coding.display or coding.display == display:
            return Validated(result=True, message=retired.strip(), display=display, coding=said)
        if not source.complete:
            own, other = side_in(display), side_in(coding.display)
            if own is not None and other is not None and own != other:
                why = f"The display says {other}, the code is of the {own}"
                return Validated(result=False, message=why, display=display, coding=said)
            return Validated(result=True, message=retired + FRAGMENT.format(source.name), display=display, coding=said)
        if not _is_word(coding.display, entry, source.words(entry.code)):
            why = f'The display "{coding.display[:200]}" is incorrect'
            return Validated(result=False, message=why, display=display, coding=said)
        return Validated(result=True, message=retired.strip(), display=display, coding=said)

    def subsumes(self, one: Coding, other: Coding) -> Subsumption:
        """The relation of the code A to the code B; raises Invalid where it can't be told, NotFound for no code."""
        source = self.source(one.system, one.version)
        if self.uri(other.system) != source.uri:
            raise Invalid.at("codingB", "not-supported", "codes of two systems are not compared; translate one first")
        of_version(source, other.version)
        for coding in (one, other):
            if source.active(coding.code) is None:
                raise NotFound.at("code", "not-found", f"Code {coding.code[:64]!r} not found in {source.name}")
        if one.code == other.code:
            return Subsumption.EQUIVALENT
        if not source.nested:
            why = f"no release of {source.name} is loaded, so nothing is known of what lies under a code"
            raise Invalid.at("system", "not-supported", why)
        if source.subsumes(one.code, other.code):
            return Subsumption.SUBSUMES
        if source.subsumes(other.code, one.code):
            return Subsumption.SUBSUMED_BY
        return Subsumption.NOT_SUBSUMED

    def value_set(self, url: str, version: str = "") -> Composition:
        """A value set by URL, an implicit one of SNOMED CT, or all codes of a system; raises NotFound."""
        plain, _, wanted = url.partition("|") if "?" not in url else (url, "", "")
        found = self.value_sets.get(plain) or implicit(url)
        if found is None:
            raise NotFound.at("url", "not-found", f"there is no value set {url[:200]} here")
        wanted = version or wanted
        if wanted and wanted != found.version:
            raise NotFound.at("valueSetVersion", "not-found", f"the value set is here in version {found.version}")
        return found

    def expand(self, composition: Composition, wish: Wish) -> Expansion:
        """A page of a value set; raises Invalid, ``too-costly`` where an answer would be too large."""
        return self._expander.expand(composition, wish)

    def validate_in(
        self, composition: Composition, codings: Iterable[Coding], language: str | None = None
    ) -> Validated:
        """Whether one of the codings is in a value set."""
        codings = tuple(codings)
        if not codings:
            raise Invalid.at("code", "required", "no code was given")
        for coding in codings:
            uri = self.uri(coding.system)
            source = self.sources.get(uri)
            if not self._expander.has(composition, uri, coding.code):
                continue
            if source is None:
                return Validated(result=True, coding=coding)
            of_version(source, coding.version)
            entry = source.lookup(coding.code)
            if entry is not None:
                return self._displayed(source, entry, coding, language)
            return Validated(result=True, coding=coding)
        names = ", ".join(f"{coding.system}#{coding.code}"[:200] for coding in codings[:5])
        return Validated(
            result=False, message=f"{names} is not in the value set {composition.title or composition.url}"
        )

    def system_of(self, composition: Composition, code: str) -> str:
        """The system that a code of a value set has, where it is one only; raises Invalid."""
        systems = dict.fromkeys(part.system for part in composition.includes if part.system)
        found = [system for system in systems if self._expander.has(composition, system, code)]
        if len(found) > 1 or (not found and len(systems) != 1):
            raise Invalid.at("system", "required", "several code systems are in the value set; say which")
        return found[0] if found else next(iter(systems))

    def translate(
        self,
        codings: Iterable[Coding],
        maps: Iterable[Map],
        *,
        target: str = "",
        scope: str = "",
        backward: bool = False,
    ) -> Translated:
        """The translations of codings by some maps: only those to a target system, or into a value set, where named."""
        matches: dict[Match, None] = {}
        wanted = self.uri(target) if target else ""
        within = self.value_set(scope) if scope else None
        for coding in codings:
            for one in maps:
                for match in one.translate(self.uri(coding.system), coding.code, backward=backward):
                    if wanted in ("", match.system) and (within is None or self._within(within, match)):
                        matches.setdefault(match)
        order = tuple(Relationship)
        found = tuple(sorted(matches, key=lambda match: order.index(match.relationship)))
        return Translated(found, "" if found else "no translation is known here")

    def _within(self, composition: Composition, match: Match) -> bool:
        """Whether a match is in a value set; of all codes of a system it is, whether they are here or not."""
        whole = [part.system for part in composition.includes if part.codes is None and not part.filters]
        return match.system in whole or (bool(match.code) and self._expander.has(composition, match.system, match.code))


def _is_word(display: str, entry: Entry, words: Iterable[Word]) -> bool:
    known = {fold(word.text) for word in words} | {fold(entry.display)}
    return fold(display) in known
