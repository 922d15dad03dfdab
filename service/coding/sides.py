"""Sides: what a laterality may say of a site. A swapped side is the harm this module is for."""

import re
from typing import Final

from service.coding.loading import BILATERAL, MIDLINE, MIDLINE_SITES, UNILATERAL
from service.coding.lookup import Vocabulary
from service.coding.notes import Notes
from service.coding.side_words import LEFT, RIGHT, is_of_both, side_in, side_of_finding, side_of_place
from service.coding.words import fold
from service.domain.codes import CodedTerm, Resolution
from service.domain.errors import Contradiction
from service.domain.report import Lesion

_CLAUSE: Final = re.compile(r"[.,;:(\n]")
_ELSEWHERE: Final = re.compile(
    r"\b(?:to|towards?|from|than|shift\w*|compar\w*|contralateral|opposite|also|and|displac\w*|compress\w*|cross\w*"
    r"|nach|von|als|vers|depuis|que|hacia|desde|w kierunku|ku|od)\b"
)
"""Words by which a side in a text may be another one than the lesion's."""


def check_side(lesion: Lesion[CodedTerm], vocabulary: Vocabulary, notes: Notes) -> None:
    """Refuse a side on a site without sides, one against a side that the lesion's other words name, or two of those."""
    site = lesion.site
    named = [
        (term, own)
        for term in (site, lesion.finding, lesion.topography)
        if term is not None and (own := side_of(term, vocabulary, lesion.finding)) is not None
    ]
    side = lesion.laterality
    if lesion.text is not None:
        sides: set[str | None] = {own for _, own in named}
        sides.add(None if side is None else side.concept)
        _check_text(lesion, sides, notes)
    if side is None or side.concept is None:
        _check_named(named, lesion.where, notes)
        return
    where = side.where or f"{lesion.where}/laterality"
    if site is not None and site.concept in vocabulary.value_sets[MIDLINE_SITES] and side.concept != MIDLINE:
        why = f"{site.text} lies in the midline and is not {side.text}."
        notes.refuse(Contradiction, where, "laterality-midline", why)
        return
    if site is not None and side.concept in (LEFT, RIGHT, UNILATERAL) and not named and is_of_both(_words(site)):
        why = f"{_words(site)!r} is on both sides, the laterality says {side.text}."
        notes.refuse(Contradiction, where, "laterality-contradicts-site", why)
        return
    for term, own in named:
        # One side of a pair is all that "unilateral" says, so it fits either. What lies on both sides or in the
        # midline may well be said to reach to the left, but not to be of the left femur.
        fits = (own, UNILATERAL) if term is not lesion.topography else (own, UNILATERAL, BILATERAL, MIDLINE)
        if side.concept not in fits:
            why = f"{term.text!r} is on the {own}, the laterality says {side.text}."
            notes.refuse(Contradiction, where, "laterality-contradicts-site", why)


def _check_text(lesion: Lesion[CodedTerm], sides: set[str | None], notes: Notes) -> None:
    """Flag a free text that begins with the other side than the lesion's, but for where it shifts to and the like."""
    begins = _CLAUSE.split(lesion.text or "", maxsplit=1)[0]
    if not sides & {LEFT, RIGHT}:
        return
    said = side_in(begins)
    if said is not None and said not in sides and _ELSEWHERE.search(fold(begins)) is None:
        why = f"The text of the lesion begins with the {said}, which is not its side. Kept as it came."
        notes.flag(f"{lesion.where}/text", said, why, "text-of-other-side")


def _check_named(named: list[tuple[CodedTerm, str]], where: str, notes: Notes) -> None:
    """Without a laterality: refuse a site, finding or topography on the left beside one on the right."""
    if len({side for _, side in named}) > 1:
        said = " and ".join(f"{term.text!r} on the {side}" for term, side in named)
        notes.refuse(Contradiction, where, "sides-contradict", f"The lesion can't be {said}.")


def side_of(term: CodedTerm, vocabulary: Vocabulary, finding: CodedTerm) -> str | None:
    """The side that a term of a lesion with this finding names: by its concept, or by the words in what was said."""
    concept = term.concept
    own = vocabulary.sides.get(concept) if concept is not None else None
    if own is not None or (concept is not None and not term.said):
        return own
    # A code of a site's own may be the letter R, which is no word for the right.
    if term.resolution is Resolution.LOCAL or any(term.text == code.code for code in term.codes):
        return side_in(_words(term))
    return side_of_finding(_words(term)) if term is finding else side_of_place(_words(term))


def _words(term: CodedTerm) -> str:
    """What was said of a term: its text, where no concept has given it another one."""
    return f"{term.text} {term.said}".strip() if term.concept is None else term.said or term.text
