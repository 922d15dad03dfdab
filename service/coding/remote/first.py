"""A terminology that asks another server about what it has not in full, and answers by itself when that is away."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any, Final, TypeVar
from urllib.parse import quote

from service.coding.remote import reading
from service.coding.remote.client import Answer, Away, Client, Parameter
from service.coding.server.answers import Coding, Expansion, Looked, Translated, Validated
from service.coding.server.compose import Composition, implicit
from service.coding.server.expanding import Wish
from service.coding.server.maps import Map
from service.coding.server.terminology import Terminology
from service.domain.errors import Invalid, LesionBridgeError, NotFound, Problem, Unavailable

T = TypeVar("T")
REMOTE: Final = "answered by the terminology server"
LOCAL: Final = "the terminology server is away ({}); answered from the tables"
UNKNOWN: Final = "the terminology server does not know it; answered from the tables"
NOBODY: Final = "the terminology server does not know it either"


class _Unknown(Away):
    """The server does not know what it was asked about; another one, as this one, may."""


class RemoteFirst(Terminology):
    """Local for all that is here in full; of fragments, and of what is not here, the server is asked first."""

    def __init__(self, client: Client, *given: Any, **named: Any) -> None:
        """Take what asks the server, then what a Terminology takes."""
        super().__init__(*given, **named)
        self._client = client

    def lookup(self, coding: Coding, language: str | None = None) -> Looked:
        """A code's display, designations and properties; raises NotFound, Unavailable."""
        here = super().lookup
        if self._whole(coding.system):
            return here(coding, language)
        asked = _present(("system", "Uri", self.uri(coding.system)), ("code", "Code", coding.code))
        asked += _present(("version", "String", coding.version), ("displayLanguage", "Code", language or ""))
        return self._either(
            "CodeSystem/$lookup",
            asked,
            lambda found: replace(reading.looked(found, coding), note=REMOTE),
            lambda why: replace(here(coding, language), note=why),
        )

    def validate(self, codings: Iterable[Coding], language: str | None = None) -> Validated:
        """Whether one of the codings is a code of its system."""
        tried = [self._validate_one(coding, language) for coding in codings]
        if not tried:
            raise Invalid.at("code", "required", "no code was given")
        return next((one for one in tried if one.result), tried[0])

    def _validate_one(self, coding: Coding, language: str | None) -> Validated:
        here = super().validate
        if self._whole(coding.system):
            return here([coding], language)
        asked = _present(("url", "Uri", self.uri(coding.system)), *_coded(coding))
        return self._either(
            "CodeSystem/$validate-code",
            (*asked, *_present(("version", "String", coding.version))),
            lambda found: _noted(reading.validated(found, coding), REMOTE),
            lambda why: _noted(here([coding], language), why),
        )

    def validate_in(
        self, composition: Composition, codings: Iterable[Coding], language: str | None = None
    ) -> Validated:
        """Whether one of the codings is in a value set."""
        here = super().validate_in
        codings = tuple(codings)
        if not self._foreign(composition) or len(codings) != 1:
            return here(composition, codings, language)
        (coding,) = codings
        asked = (("url", "Uri", composition.url), ("system", "Uri", self.uri(coding.system)), *_coded(coding))
        return self._either(
            "ValueSet/$validate-code",
            asked,
            lambda found: _noted(reading.validated(found, coding), REMOTE),
            lambda why: _noted(here(composition, codings, language), why),
        )

    def expand(self, composition: Composition, wish: Wish) -> Expansion:
        """A page of a value set."""
        here = super().expand
        if not self._foreign(composition) or wish.without:
            return here(composition, wish)
        count = self.limits.expansion if wish.count is None else wish.count
        asked = _present(("url", "Uri", composition.url), ("filter", "String", wish.filter))
        asked += _present(("displayLanguage", "Code", wish.language or ""))
        asked += (("offset", "Integer", str(wish.offset)), ("count", "Integer", str(count)))
        asked += (("activeOnly", "Boolean", str(wish.active_only).lower()),)
        asked += (("includeDesignations", "Boolean", str(wish.designations).lower()),)

        def read(found: Any) -> Expansion:
            made = reading.expanded(found, wish.offset)
            if wish.count is None and made.total > len(made.items):
                why = f"{made.total} codes are more than the {count} of one answer; ask for pages (offset, count)"
                raise Invalid.at("", "too-costly", why)
            return replace(made, notes=(REMOTE,))

        return self._either(
            "ValueSet/$expand",
            asked,
            read,
            lambda why: _with_note(here(composition, wish), why),
        )

    def value_set(self, url: str, version: str = "") -> Composition:
        """A value set that is here; any other URL is one that the server may have."""
        if url.partition("|")[0] in self.value_sets or implicit(url) is not None:
            return super().value_set(url, version)
        return Composition(url if not version else f"{url}|{version}", "", "", ())

    def translate(
        self,
        codings: Iterable[Coding],
        maps: Iterable[Map],
        *,
        target: str = "",
        scope: str = "",
        backward: bool = False,
    ) -> Translated:
        """The translations that are here; the server is asked where there are none, forward and to a named system."""
        codings = tuple(codings)
        found = super().translate(codings, maps, target=target, scope=scope, backward=backward)
        if found.matches or backward or not target or len(codings) != 1:
            return found
        (coding,) = codings
        asked = (("system", "Uri", self.uri(coding.system)), ("code", "Code", coding.code))
        return self._either(
            "ConceptMap/$translate",
            (*asked, ("targetsystem", "Uri", self.uri(target))),
            lambda answer: _noted_match(reading.translated(answer), REMOTE),
            lambda why: _noted_match(found, why),
        )

    def _either(
        self,
        path: str,
        parameters: tuple[Parameter, ...],
        read: Callable[[Any], T],
        local: Callable[[str], T],
    ) -> T:
        """What the server says, or what is known here with the reason why it was not the server."""
        try:
            answer = self._client.ask(quote(path, safe="/$"), parameters)
            return self._read(answer, read)
        except _Unknown:
            why, away = UNKNOWN, False
        except Away as reason:
            why, away = LOCAL.format(reason), True
        try:
            return local(why)
        except (NotFound, Invalid) as missing:
            if _settled(missing):
                raise
            if not away:
                raise NotFound(Problem("code", "not-found", f"{missing.problems[0].detail}; {NOBODY}")) from missing
            problem = Problem("", "transient", f"{missing.problems[0].detail}; the terminology server is away")
            raise Unavailable(problem) from missing

    def _read(self, answer: Answer, read: Callable[[Any], T]) -> T:
        if answer.status == 200:
            return read(answer.resource)
        if reading.says_not_found(answer.status, answer.resource):
            raise _Unknown("it does not know the code or its system")
        raise Away(f"it refused the question with status {answer.status}")

    def _whole(self, system: str) -> bool:
        """Whether a system is here in full."""
        source = self.sources.get(self.uri(system))
        return source is not None and source.complete

    def _foreign(self, composition: Composition) -> bool:
        """Whether a value set is one of the server's, or of a system of which only a fragment is here."""
        if composition.url in self.value_sets or not composition.url:
            return False
        if not composition.includes:
            return True
        wide = [part for part in composition.includes if part.codes is None and part.system]
        return implicit(composition.url) is not None and not all(self._whole(part.system) for part in wide)


def _settled(missing: LesionBridgeError) -> bool:
    """Whether what is wrong is the question, and no server would help."""
    return missing.problems[0].rule not in ("not-found", "not-supported")


def _coded(coding: Coding) -> tuple[Parameter, ...]:
    return _present(("code", "Code", coding.code), ("display", "String", coding.display))


def _present(*parameters: Parameter) -> tuple[Parameter, ...]:
    return tuple(one for one in parameters if one[2])


def _noted(found: Validated, note: str) -> Validated:
    return replace(found, message=f"{found.message} ({note})" if found.message else note)


def _with_note(found: Expansion, note: str) -> Expansion:
    return replace(found, notes=(*found.notes, note))


def _noted_match(found: Translated, note: str) -> Translated:
    return replace(found, message=f"{found.message} ({note})" if found.message else note)
