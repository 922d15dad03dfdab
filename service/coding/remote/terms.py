"""Terms of a report that nothing here knows, asked at the terminology server: exact matches only, each flagged.

A code is translated ($translate) to a concept here, or looked up ($lookup, $validate-code); a word is looked for among
the server's designations ($expand) and must be one, letter by letter but for case. What is here in full is not asked
about, and no term that holds a name or an id of the patient leaves the house. When the server is away the tables alone
have answered, and the list of the report says so.
"""

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

from service.coding.given import concepts_of
from service.coding.lookup import Resolved, Verdict, Vocabulary, coded
from service.coding.personal import Personal
from service.coding.remote import reading
from service.coding.remote.client import Answer, Away, Client, Parameter
from service.coding.resolve import UNKNOWN
from service.coding.rows import Field
from service.coding.server.answers import Coding, Looked, Relationship
from service.coding.shapes import shape_fault
from service.coding.side_words import side_in
from service.coding.words import fold
from service.domain.codes import Code, CodedTerm, Equivalence, Resolution, Term
from service.domain.errors import Contradiction
from service.domain.loss import Loss, LossKind
from service.domain.report import Report

REMOTE: Final = "remote-term"
AWAY: Final = "terminology-server-away"
_OPEN: Final = frozenset({UNKNOWN, "unknown-code", "unknown-system"})
"""Rules of what nothing here knows."""
_TARGETS: Final = ("SCT", "RADLEX")
_SHORTEST: Final = 3  # letters of a word that is asked about
_MOST_FOUND: Final = 50
_SNOMED: Final = "SCT"


class RemoteTerms:
    """Asks one server; ``questions`` and ``seconds`` bound what one report may cost."""

    def __init__(
        self,
        client: Client,
        *,
        questions: int = 60,
        seconds: float = 10.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Take what speaks to the server."""
        self.client = client
        self.questions = questions
        self.seconds = seconds
        self.clock = clock

    def session(self, vocabulary: Vocabulary, report: Report[Any] | None = None) -> "Session":
        """The questions of one report."""
        return Session(self, vocabulary, Personal(report) if report is not None else None)


class Session:
    """What is asked for one report, and why some of it was not."""

    def __init__(self, remote: RemoteTerms, vocabulary: Vocabulary, personal: Personal | None) -> None:
        """Take the bounds and the tables."""
        self._remote = remote
        self._vocabulary = vocabulary
        self._personal = personal
        self._left = remote.questions
        self._end = remote.clock() + remote.seconds
        self._known: dict[tuple[str, Term], Resolved] = {}
        self._why = ""
        self._unasked = 0

    def resolve(self, term: Term, field: Field, found: Resolved) -> Resolved:
        """What the server makes of a term that nothing here knows; else what was found here."""
        if not _is_open(found):
            return found
        known = self._known.get((field.key, term))
        if known is None:
            known = self._known[field.key, term] = self._asked(term, field, found)
        return known

    def losses(self) -> tuple[Loss, ...]:
        """What is to be said of the report: that terms could not be asked about."""
        if not self._unasked:
            return ()
        terms = "1 term was" if self._unasked == 1 else f"{self._unasked} terms were"
        why = f"{terms} not looked up at the terminology server: {self._why}. The tables alone have answered."
        return (Loss(LossKind.FLAGGED, "", "terminology server", why, AWAY),)

    def _asked(self, term: Term, field: Field, found: Resolved) -> Resolved:
        if term.code is None and (len(term.text) < _SHORTEST or self._is_personal(term.text)):
            return found
        try:
            if term.code is None:
                made = self._word(term.text, field, found)
            else:
                shown = term.code.display or ("" if term.text == term.code.code else term.text)
                made = self._code(replace(term.code, display=shown.strip()), field, found)
        except Away as reason:
            self._why = self._why or str(reason)
            self._unasked += 1
            return found
        return made or found

    def _is_personal(self, text: str) -> bool:
        return self._personal is not None and self._personal.is_in(text)

    def _ask(self, path: str, parameters: tuple[Parameter, ...], *, in_body: bool = False) -> Answer:
        """One question; raises Away where no more may be asked for this report."""
        if self._why:
            raise Away(self._why)
        if not self._left:
            raise Away(f"a report may ask {self._remote.questions} questions")
        if self._remote.clock() > self._end:
            raise Away(f"a report may wait for {self._remote.seconds:g} s")
        self._left -= 1
        answer = self._remote.client.ask(path, parameters, in_body=in_body)
        if answer.status != 200 and not reading.says_not_found(answer.status, answer.resource):
            raise Away(f"it refused the question with status {answer.status}")
        return answer

    def _code(self, given: Code, field: Field, found: Resolved) -> Resolved | None:
        """A code of the sender: as a concept here, or confirmed as it came."""
        designator = self._vocabulary.designator(given.system)
        system = self._vocabulary.systems.get(designator or "")
        uri, value = system.uri if system is not None else given.system, given.code.strip()
        if ":" not in uri or self._is_held(designator, value) or self._is_personal(value):
            return None
        return self._translated(uri, given, field) or self._looked_up(designator, uri, given, found)

    def _is_held(self, designator: str | None, code: str) -> bool:
        """Whether a loaded release has the code: then it knows better."""
        releases = self._vocabulary.releases
        return designator is not None and releases is not None and releases.lookup(designator, code) is not None

    def _translated(self, uri: str, given: Code, field: Field) -> Resolved | None:
        """The concept, or the one code, that the server's maps call equivalent."""
        for target in _TARGETS:
            wanted = self._vocabulary.systems[target].uri
            asked = (("system", "Uri", uri), ("code", "Code", given.code.strip()), ("targetsystem", "Uri", wanted))
            answer = self._ask("ConceptMap/$translate", asked)
            matches = reading.translated(answer.resource).matches if answer.status == 200 else ()
            codes = {
                one.code: Code(target, one.code, one.display)
                for one in matches
                if one.relationship is Relationship.EQUIVALENT and self._vocabulary.designator(one.system) == target
            }
            if len(codes) == 1:
                (code,) = codes.values()
                said = f"{given.system} {given.code} {given.display}".strip()
                return self._taken(code, given.display, said, field, f"{given.system} {given.code}")
        return None

    def _taken(self, code: Code, shown: str, said: str, field: Field, named: str) -> Resolved | None:
        """An equal code as its concept, or as itself where no field here claims it; a turned side is not taken."""
        vocabulary = self._vocabulary
        why = f"{named} is {code.system} {code.code}, says the terminology server."
        keys = concepts_of(vocabulary, code, field)
        if len(keys) == 1:
            side = vocabulary.sides.get(keys[0])
            if side_in(shown) not in (None, side):
                return None
            made = coded(vocabulary.concepts[keys[0]], Resolution.REMOTE, field)
            term = CodedTerm(made.text, made.codes, made.concept, made.broader, made.resolution, said)
            return Resolved(term, Verdict(LossKind.FLAGGED, REMOTE, why))
        claimed = any(
            one.equivalence is Equivalence.EXACT for _, one in vocabulary.by_code.get((code.system, code.code), ())
        )
        display = code.display or self._display(code)
        if keys or claimed or field.required or not display or shape_fault(code.system, code.code):
            return None
        if side_in(shown) != side_in(display):
            return None
        term = CodedTerm(display, (replace(code, display=display),), resolution=Resolution.REMOTE, said=said)
        return Resolved(term, Verdict(LossKind.FLAGGED, REMOTE, why))

    def _display(self, code: Code) -> str:
        """What the server calls a code in use; empty where it does not know it."""
        looked = self._looked(self._vocabulary.systems[code.system].uri, code)
        return looked.display if looked is not None and ("inactive", True) not in looked.properties else ""

    def _looked(self, uri: str, code: Code) -> Looked | None:
        asked = (("system", "Uri", uri), ("code", "Code", code.code.strip()))
        answer = self._ask("CodeSystem/$lookup", asked)
        return reading.looked(answer.resource, Coding(uri, code.code.strip())) if answer.status == 200 else None

    def _looked_up(self, designator: str | None, uri: str, given: Code, found: Resolved) -> Resolved | None:
        """A code that is passed on as it came, with what the server says of it."""
        passed = found.term
        if designator is None or passed is None or passed.resolution is not Resolution.GIVEN:
            return None
        looked = self._looked(uri, given)
        name = f"{designator} {given.code.strip()}"
        if looked is None:
            return _flagged(passed, "unknown-code", f"The terminology server does not know {name} either.")
        if ("inactive", True) in looked.properties:
            return _flagged(passed, "retired-code", f"{name} is retired, says the terminology server.")
        shown = given.display.strip()
        side, other = side_in(shown), side_in(looked.display)
        if side is not None and other is not None and side != other:
            why = f"{name} is {looked.display}, says the terminology server, but its display says {side}."
            return Resolved(None, Verdict(Contradiction, "display-contradicts-code", why, (looked.display,)))
        if not shown:
            code = Code(designator, given.code.strip(), looked.display)
            made = CodedTerm(looked.display, (code,), resolution=Resolution.REMOTE)
            return Resolved(made, Verdict(LossKind.FLAGGED, REMOTE, f"{name} is called so by the terminology server."))
        if fold(shown) in {fold(looked.display), *(fold(word.text) for word in looked.words)}:
            return Resolved(passed)
        return None if self._is_word(uri, given) else _contradicted(passed, name, looked.display)

    def _is_word(self, uri: str, given: Code) -> bool:
        """Whether the server takes the sender's display for one of the code's."""
        asked = (
            ("url", "Uri", uri),
            ("code", "Code", given.code.strip()),
            ("display", "String", given.display.strip()),
        )
        answer = self._ask("CodeSystem/$validate-code", asked, in_body=True)
        return answer.status != 200 or reading.validated(answer.resource, Coding(uri, given.code)).result

    def _word(self, text: str, field: Field, found: Resolved) -> Resolved | None:
        """A word that is a designation of one code, which is one concept of the field; else the codes are proposed."""
        releases = self._vocabulary.releases
        snomed = self._vocabulary.systems[_SNOMED].uri
        if releases is not None and any(one.designator == _SNOMED for one in releases.systems()):
            return None
        asked = (
            ("url", "Uri", f"{snomed}?fhir_vs"),
            ("filter", "String", text),
            ("count", "Integer", str(_MOST_FOUND)),
            ("activeOnly", "Boolean", "true"),
            ("includeDesignations", "Boolean", "true"),
        )
        answer = self._ask("ValueSet/$expand", asked, in_body=True)
        items = reading.expanded(answer.resource, 0).items if answer.status == 200 else ()
        same = fold(text)
        equal = {
            item.code: Code(_SNOMED, item.code, item.display)
            for item in items
            if item.active and same in {fold(item.display), *(fold(word.text) for word in item.words)}
        }
        if len(equal) == 1:
            (code,) = equal.values()
            if len(concepts_of(self._vocabulary, code, field)) == 1:
                return self._taken(code, text, text, field, repr(text))
        if not equal or found.verdict is None:
            return None
        proposed = [f"{code.display} ({code.system} {code.code})" for code in equal.values()]
        near = self._vocabulary.suggest(text, field.key)
        return Resolved(found.term, replace(found.verdict, candidates=(*proposed, *near)[:5]))


def _is_open(found: Resolved) -> bool:
    """Whether nothing here knows the term."""
    if found.verdict is not None:
        return found.verdict.rule in _OPEN
    return found.term is not None and found.term.resolution is Resolution.GIVEN


def _flagged(passed: CodedTerm, rule: str, why: str) -> Resolved:
    return Resolved(passed, Verdict(LossKind.FLAGGED, rule, f"{why} Passed on as it came."))


def _contradicted(passed: CodedTerm, name: str, display: str) -> Resolved:
    why = f"{name} is {display}, says the terminology server, which is not what its display says. The code counts."
    return Resolved(passed, Verdict(LossKind.FLAGGED, "display-contradicts-code", why, (display,)))
