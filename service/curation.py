"""What a terminologist does: see which terms were kept as text, decide what they are, and see first what that changes.

Nothing is coded by a suggestion: a term changes only by a row of an overlay, and every row names who decided it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from service.coding.checks import EQUIVALENT
from service.coding.coder import code_report
from service.coding.lookup import Vocabulary
from service.coding.overlays.layers import Layer, Layers, OverlayText, layer
from service.coding.overlays.overlay import decision, system_of
from service.coding.overlays.reading import write_table
from service.coding.overlays.rows import CSV, EVERYONE, NO_MAP, OverlayRow
from service.coding.personal import Personal
from service.coding.resolve import ANYWHERE, hits
from service.coding.words import fold
from service.domain.codes import CodedTerm, Resolution
from service.domain.errors import Conflict, Invalid, LesionBridgeError, Problem, Unavailable
from service.domain.limits import Limits
from service.domain.loss import LossKind
from service.domain.report import CodedReport, LesionReport
from service.formats.findings import read as findings_reader
from service.store.receipt import coded_terms

if TYPE_CHECKING:
    from service.store.overlays import KeptOverlay
    from service.store.reports import Store
    from service.store.unmapped import Counted, Unmapped
    from service.store.versions import Stored

ATTEMPTS: Final = 8
"""How often decisions are tried again when others change the same overlay at the same time."""
IGNORE: Final = "ignore"
"""The decision that a term stays text and is not asked about again."""


def unmapped(report: CodedReport, vocabulary: Vocabulary, limits: Limits) -> tuple[Unmapped, ...]:
    """The terms of a report that no concept answered to, each as often as it stands there.

    Left out are those that were decided to stay text, texts longer than a term, and those that hold the patient's name,
    ids or date of birth, or the accession number: what is kept is a term, and nothing of a person.
    """
    from service.store.unmapped import Unmapped

    own = Personal(report)
    made = []
    for loss in report.losses:
        if loss.kind is not LossKind.UNCODED or len(loss.what) > limits.term_characters or own.is_in(loss.what):
            continue
        system = system_of(vocabulary, loss.code.system) if loss.code is not None else ""
        code = loss.code.code.strip() if loss.code is not None else ""
        place = decision(vocabulary, loss.field, system, code or loss.what)
        if vocabulary.overlay is not None and place in vocabulary.overlay.decided:
            continue
        language = report.language or ""
        made.append(Unmapped(report.sender, loss.field, loss.what, place[2], language, system, code, loss.suggestions))
    return tuple(made)


@dataclass(frozen=True, slots=True)
class Change:
    """A member of a report that would be coded otherwise."""

    where: str
    old: CodedTerm
    new: CodedTerm


@dataclass(frozen=True, slots=True)
class ChangedReport:
    """A stored report that would be coded otherwise, or refused (``problems``)."""

    stored: Stored
    changes: tuple[Change, ...]
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class Preview:
    """What an overlay would change of the reports stored last; ``skipped`` can't be coded today either."""

    examined: int
    skipped: int
    changed: tuple[ChangedReport, ...]


def preview(layers: Layers, new: Layer, store: Store, *, last: int, limits: Limits) -> Preview:
    """Code the reports stored last again, with the overlays in use and with ``new`` in its place; nothing is kept."""
    after = layers.replaced(new)
    sender = new.text.sender if new.text.sender != EVERYONE else None
    examined = skipped = 0
    changed = []
    for stored, document in store.recent(sender, limit=last):
        examined += 1
        try:
            said = findings_reader.read(document, default_sender=stored.sender, limits=limits)
            old = code_report(said, layers.of(stored.sender)[0])
        except LesionBridgeError:
            skipped += 1
            continue
        found = _difference(stored, said, old, after.of(stored.sender)[0])
        if found is not None:
            changed.append(found)
    return Preview(examined, skipped, tuple(changed))


def _difference(stored: Stored, said: LesionReport, old: CodedReport, vocabulary: Vocabulary) -> ChangedReport | None:
    """What is coded otherwise of one report, or None."""
    try:
        new = code_report(said, vocabulary)
    except LesionBridgeError as error:
        return ChangedReport(stored, (), error.problems)
    # One document coded twice has its terms in one order.
    pairs = zip(coded_terms(old), coded_terms(new), strict=True)
    changes = tuple(Change(one.where, one, other) for one, other in pairs if _written(one) != _written(other))
    return ChangedReport(stored, changes) if changes else None


def _written(term: CodedTerm) -> tuple[object, ...]:
    """What of a term goes out."""
    return term.text, term.codes, term.concept, term.broader


@dataclass(frozen=True, slots=True)
class Decided:
    """What a person decided of an unmapped term: a concept's key or label, ``SYSTEM|CODE``, or `IGNORE`.

    ``where`` is the place of the decision, for what it may be refused for.
    """

    id: int
    what: str
    author: str
    relationship: str = ""
    display: str = ""
    comment: str = ""
    where: str = ""
    term: str | None = field(default=None)
    """The term that it is meant for, where the decision came beside one: it must be that of the id."""


def decide(decisions: Sequence[Decided], store: Store, vocabulary: Vocabulary) -> tuple[KeptOverlay, ...]:
    """The overlays that grew by the decisions, one version a sender; all or nothing.

    Raises NotFound for an unknown term, Invalid with the place of each decision that can't stand.
    """
    for _ in range(ATTEMPTS):
        try:
            return _decide(decisions, store, vocabulary)
        except Conflict:
            continue
    raise Unavailable(Problem("", "busy", "too many at once change these overlays"))


def _decide(decisions: Sequence[Decided], store: Store, vocabulary: Vocabulary) -> tuple[KeptOverlay, ...]:
    from service.store.overlays import NewOverlay
    from service.store.unmapped import IGNORED, RESOLVED, Decision

    terms = dict(zip(decisions, store.unmapped.get([one.id for one in decisions]), strict=True))
    _hold_together(terms)
    current = {kept.sender: kept for kept in store.overlays.current()}
    made = []
    for sender in sorted({term.sender for term in terms.values()}):
        mine = {one: _row(one, term, vocabulary) for one, term in terms.items() if term.sender == sender}
        kept = current.get(sender)
        grown = _grown(kept, sender, mine, vocabulary)
        author = next(iter(mine)).author
        version = kept.version if kept is not None else 0
        made.append(NewOverlay(sender, CSV, grown.text.content, len(grown.rows), author, "decision", version))
    closed = [Decision(one.id, IGNORED if one.what == IGNORE else RESOLVED, one.what, one.author) for one in decisions]
    return store.overlays.grow(made, closed)


def _hold_together(terms: Mapping[Decided, Counted]) -> None:
    """Refuse a decision that stands beside another term than its id's: a table sorted in one column only."""
    problems = [
        Problem(
            one.where, "unmapped-term", f"the line's term is not that of id {one.id}: were the columns sorted apart?"
        )
        for one, term in terms.items()
        if one.term is not None and one.term != term.term
    ]
    if len({one.id for one in terms}) != len(terms):
        problems.append(Problem("", "unmapped-term", "one term is decided twice"))
    if problems:
        raise Invalid(*problems)


def _row(one: Decided, term: Counted, vocabulary: Vocabulary) -> OverlayRow:
    """The overlay row that a decision makes."""
    row = OverlayRow(
        field=term.field,
        term=term.term if not term.system or term.term != term.code else "",
        system=term.system,
        code=term.code,
        language=term.language,
        source=one.author,
        comment=one.comment,
        relationship=one.relationship or EQUIVALENT,
    )
    if one.what == IGNORE:
        return replace(row, relationship=NO_MAP)
    system, bar, code = one.what.partition("|")
    if bar:
        return replace(row, target_system=system.strip(), target_code=code.strip(), target_display=one.display)
    return replace(row, concept=_key(one.what, term.field, vocabulary))


def _key(said: str, name: str, vocabulary: Vocabulary) -> str:
    """The key of a concept said by its key or its whole label."""
    if said in vocabulary.concepts:
        return said
    exact = [key for key, how in hits(vocabulary, said, vocabulary.field(name) or ANYWHERE) if how is Resolution.EXACT]
    return exact[0] if len(exact) == 1 else said


def _grown(kept: KeptOverlay | None, sender: str, mine: Mapping[Decided, OverlayRow], vocabulary: Vocabulary) -> Layer:
    """The overlay of a sender with the new rows in place of those for the same terms; raises Invalid."""
    before: tuple[OverlayRow, ...] = ()
    if kept is not None:
        before = layer(OverlayText(sender, kept.version, kept.media_type, kept.content), vocabulary).rows
    places = {_place(row, vocabulary) for row in mine.values()}
    rows = (*(row for row in before if _place(row, vocabulary) not in places), *mine.values())
    version = kept.version + 1 if kept is not None else 1
    grown = layer(OverlayText(sender, version, CSV, write_table(rows)), vocabulary)
    # Only the new rows are judged: an older one that stands no more is not applied, and is no reason to refuse these.
    added = dict(zip((row.where for row in grown.rows[-len(mine) :]), mine, strict=True))
    problems = [
        replace(problem, pointer=added[problem.pointer].where) for problem in grown.problems if problem.pointer in added
    ]
    if problems:
        raise Invalid(*problems)
    return grown


def _place(row: OverlayRow, vocabulary: Vocabulary) -> tuple[str, ...]:
    """The term of a row within its field."""
    system = system_of(vocabulary, row.system) if row.system else ""
    return row.sender, row.field, system, row.code if row.system else fold(row.term)
