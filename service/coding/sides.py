"""Sides: what a laterality may say of a site. A swapped side is the harm this module is for."""

from service.coding.loading import BILATERAL, MIDLINE, MIDLINE_SITES, UNILATERAL, side_in
from service.coding.lookup import Vocabulary
from service.coding.notes import Notes
from service.domain.codes import CodedTerm
from service.domain.errors import Contradiction
from service.domain.report import Lesion


def check_side(lesion: Lesion[CodedTerm], vocabulary: Vocabulary, notes: Notes) -> None:
    """Refuse a side on a site without sides, one against a side that the lesion's other words name, or two of those."""
    terms = (lesion.site, lesion.finding, lesion.topography)
    named = [(term, own) for term in terms if term is not None and (own := side_of(term, vocabulary)) is not None]
    side = lesion.laterality
    if side is None or side.concept is None:
        _check_named(named, lesion.where, notes)
        return
    where = side.where or f"{lesion.where}/laterality"
    site = lesion.site
    if site is not None and site.concept in vocabulary.value_sets[MIDLINE_SITES] and side.concept != MIDLINE:
        why = f"{site.text} lies in the midline and is not {side.text}."
        notes.refuse(Contradiction, where, "laterality-midline", why)
        return
    for term, own in named:
        # One side of a pair is all that "unilateral" says, so it fits either. What lies on both sides or in the
        # midline may well be said to reach to the left, but not to be of the left femur.
        fits = (own, UNILATERAL) if term is not lesion.topography else (own, UNILATERAL, BILATERAL, MIDLINE)
        if side.concept not in fits:
            why = f"{term.text!r} is on the {own}, the laterality says {side.text}."
            notes.refuse(Contradiction, where, "laterality-contradicts-site", why)


def _check_named(named: list[tuple[CodedTerm, str]], where: str, notes: Notes) -> None:
    """Without a laterality: refuse a site, finding or topography on the left beside one on the right."""
    if len({side for _, side in named}) > 1:
        said = " and ".join(f"{term.text!r} on the {side}" for term, side in named)
        notes.refuse(Contradiction, where, "sides-contradict", f"The lesion can't be {said}.")


def side_of(term: CodedTerm, vocabulary: Vocabulary) -> str | None:
    """The side that a site or finding names: by its concept, or by the words left and right in what was said."""
    if term.concept is None:
        return side_in(f"{term.text} {term.said}")
    own = vocabulary.sides.get(term.concept)
    return own if own is not None or not term.said else side_in(term.said)
