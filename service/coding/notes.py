"""What is found while a report is coded: the list that goes with it, and the problems that it is refused for."""

from typing import Final

from service.coding.lookup import Resolved, Vocabulary
from service.domain.codes import CodedTerm, Term
from service.domain.errors import Invalid, Problem
from service.domain.loss import Loss, LossKind

MOST_PROBLEMS: Final = 100
"""Problems listed of one report; the rest is counted, so that an answer stays small whatever was sent."""
_MOST_LOOKED_FOR: Final = 25
"""Terms of one report that suggestions are looked for: each costs milliseconds, and a report may hold thousands."""


class Notes:
    """Losses and problems of one report, in the order they are met."""

    __slots__ = ("_found", "_looked_for", "_problems", "_vocabulary", "losses")

    def __init__(self, vocabulary: Vocabulary) -> None:
        """Start with none."""
        self._vocabulary = vocabulary
        self._found = 0
        self._looked_for: dict[tuple[str, str], tuple[str, ...]] = {}
        self._problems: list[tuple[type[Invalid], Problem]] = []
        self.losses: list[Loss] = []

    def refuse(self, kind: type[Invalid], where: str, rule: str, detail: str, candidates: tuple[str, ...] = ()) -> None:
        """Note a problem and go on, so that a sender learns of all of them at once.

        In somebody else's document it is flagged: nobody can mend that, and it is not lost over one item.
        """
        if is_others(where):
            self.losses.append(
                Loss(LossKind.FLAGGED, where, kind.title.lower(), f"{detail} Kept as it came.", rule, candidates)
            )
            return
        self._found += 1
        if self._found <= MOST_PROBLEMS:
            self._problems.append((kind, Problem(where, rule, detail, candidates)))

    def flag(self, where: str, what: str, why: str, rule: str) -> None:
        """Note what is kept as it is, but doubtful."""
        self.losses.append(Loss(LossKind.FLAGGED, where, what, why, rule))

    def judge(self, resolved: Resolved, term: Term, row: str) -> CodedTerm:
        """Note what is to be said of a term; a refused one goes on as text, so that the rest is still looked at."""
        verdict = resolved.verdict
        if verdict is not None:
            candidates = verdict.candidates
            if verdict.suggest:
                candidates = candidates or self._suggestions(verdict.suggest, row)
            if isinstance(verdict.kind, LossKind) or is_others(term.where):
                kind = verdict.kind if isinstance(verdict.kind, LossKind) else LossKind.UNCODED
                loss = Loss(kind, term.where, term.text, verdict.why, verdict.rule, candidates, row, term.code)
                self.losses.append(loss)
            else:
                self.refuse(verdict.kind, term.where, verdict.rule, verdict.why, candidates)
        return resolved.term if resolved.term is not None else CodedTerm(_in_words(term))

    def _suggestions(self, text: str, row: str) -> tuple[str, ...]:
        """Suggestions for the first terms that are not known; none for the later ones."""
        known = self._looked_for.get((text, row))
        if known is None:
            if len(self._looked_for) >= _MOST_LOOKED_FOR:
                return ()
            if row in ("measurements", "evaluations"):
                from service.coding.suggestions import suggest_names  # rapidfuzz is only needed for what is not found

                known = suggest_names(self._vocabulary, row, text)
            else:
                known = self._vocabulary.suggest(text, row)
            self._looked_for[text, row] = known
        return known

    def check(self) -> None:
        """Raise with all problems, if there are any: as their own class when they are all of one."""
        if not self._found:
            return
        kinds = {kind for kind, _ in self._problems}
        problems = [problem for _, problem in self._problems]
        if self._found > MOST_PROBLEMS:
            problems.append(Problem("", "limit", f"{self._found - MOST_PROBLEMS} more problems are not listed."))
        raise (kinds.pop() if len(kinds) == 1 else Invalid)(*problems)


def is_others(where: str) -> bool:
    """Whether a place is in a format of others: places in findings JSON are JSON pointers, which begin with a slash."""
    return where != "" and not where.startswith("/")


def _in_words(term: Term) -> str:
    """A refused term as text; of a code both are said, since its meaning may be at odds with it."""
    code = term.code
    if code is None or not is_others(term.where):
        return term.text
    said = f"{code.system} {code.code}"
    return f"{term.text} ({said})" if term.text not in ("", code.code) else said
