"""The name of a field as a sender says it: which row of ``measurements`` or ``evaluations`` it is."""

from typing import Final, Literal

from service.coding.given import resolve_code
from service.coding.lookup import KEPT, CacheKey, Resolved, Verdict, Vocabulary
from service.coding.rows import MemberRow
from service.coding.words import fold
from service.domain.codes import CodedTerm, Resolution, Term
from service.domain.errors import AmbiguousTerm, UnknownTerm
from service.domain.loss import LossKind

Table = Literal["measurements", "evaluations"]
MEASUREMENTS: Final[Table] = "measurements"
EVALUATIONS: Final[Table] = "evaluations"
_PLACES: Final = {MEASUREMENTS: "name in measurements", EVALUATIONS: "name in evaluations"}


def resolve_name(vocabulary: Vocabulary, term: Term, table: Table) -> Resolved:
    """The name of a field; its row is that of ``names(table).by_concept``, where its concept has one.

    A measurement of an unknown name is kept under the sender's words. A descriptor of an unknown name is refused, since
    the name is a member: what its answer means can't be told.
    """
    code = term.code
    key: CacheKey = (_PLACES[table], term.text, None if code is None else (code.system, code.code, code.display))
    known = vocabulary.cache.get(key)
    if known is not None:
        return known
    own = vocabulary.overlay.name(vocabulary, term, table) if vocabulary.overlay is not None else None
    if own is not None:
        found = Resolved(_named(vocabulary, own, Resolution.LOCAL, term.text))
    else:
        found = _by_word(vocabulary, term.text, table) if code is None else _by_code(vocabulary, term, table)
    if found.term is not None and found.term.concept is not None:
        if len(vocabulary.cache) >= KEPT:
            vocabulary.cache.clear()
        vocabulary.cache[key] = found
    return found


def _named(vocabulary: Vocabulary, concept: str, how: Resolution, said: str) -> CodedTerm:
    """The name of a field with how it was found."""
    name = vocabulary.name(concept)
    return CodedTerm(name.text, name.codes, concept, False, how, said if said != name.text else "")


def _by_word(vocabulary: Vocabulary, text: str, table: Table) -> Resolved:
    """A name by key, synonym or spelling variant."""
    names = vocabulary.names(table)
    if text in names.by_concept:
        return Resolved(_named(vocabulary, text, Resolution.KEY, text))
    rows, how = names.find(text)
    table_rows = vocabulary.measurements if table == MEASUREMENTS else vocabulary.evaluations
    if len(rows) == 1:
        concept = table_rows[rows[0]].concept
        if how is Resolution.SYNONYM and fold(text) == fold(vocabulary.concepts[concept].label):
            how = Resolution.EXACT
        return Resolved(_named(vocabulary, concept, how, text))
    if rows:
        return Resolved(None, Verdict(AmbiguousTerm, "ambiguous-field", f"{text!r} names several fields.", rows))
    if table == EVALUATIONS:
        why = f"{text!r} is no field of mappings/evaluations.toml."
        return Resolved(None, Verdict(UnknownTerm, "unknown-field", why, suggest=text))
    why = f"{text!r} is no measurement of mappings/measurements.toml. Kept as text."
    return Resolved(CodedTerm(text), Verdict(LossKind.UNCODED, "unknown-measurement", why, suggest=text))


def _by_code(vocabulary: Vocabulary, term: Term, table: Table) -> Resolved:
    """A name by code; one that no field has is passed on as it came."""
    field = MemberRow(table, "", frozenset(vocabulary.names(table).by_concept))
    found = resolve_code(vocabulary, term, field)
    if found.term is None or found.term.concept is None:
        return found
    return Resolved(_named(vocabulary, found.term.concept, found.term.resolution, found.term.said), found.verdict)
