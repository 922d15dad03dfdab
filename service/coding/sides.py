"""Sides: what a laterality may say of a site. A swapped side is the harm this module is for."""

from service.coding.loading import MIDLINE, MIDLINE_SITES, UNILATERAL, side_in
from service.coding.lookup import Vocabulary
from service.coding.notes import Notes
from service.domain.codes import CodedTerm
from service.domain.errors import Contradiction
from service.domain.report import Lesion


def check_side(lesion: Lesion[CodedTerm], vocabulary: Vocabulary, notes: Notes) -> None:
    """Refuse a side on a site without sides, and one against the side that site or finding name."""
    side = lesion.laterality
    if side is None or side.concept is None:
        return
    where = side.where or f"{lesion.where}/laterality"
    site = lesion.site
    if site is not None and site.concept in vocabulary.value_sets[MIDLINE_SITES] and side.concept != MIDLINE:
        why = f"{site.text} lies in the midline and is not {side.text}."
        notes.refuse(Contradiction, where, "laterality-midline", why)
        return
    for term in (site, lesion.finding):
        named = side_of(term, vocabulary) if term is not None else None
        # One side of a pair is all that "unilateral" says, so it fits either.
        if term is not None and named is not None and side.concept not in (named, UNILATERAL):
            why = f"{term.text!r} is on the {named}, the laterality says {side.text}."
            notes.refuse(Contradiction, where, "laterality-contradicts-site", why)


def side_of(term: CodedTerm, vocabulary: Vocabulary) -> str | None:
    """The side that a site or finding names: by its concept, or by the words left and right in its text."""
    if term.concept is not None:
        return vocabulary.sides.get(term.concept)
    return side_in(f"{term.text} {term.said}")
