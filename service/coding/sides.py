"""Sides: what a laterality may say of a site. A swapped side is the harm this module is for."""

from collections.abc import Callable

from service.coding.loading import BILATERAL, MIDLINE, MIDLINE_SITES, UNILATERAL
from service.coding.lookup import Vocabulary
from service.coding.notes import Notes
from service.coding.side_words import LEFT, RIGHT, is_of_both, side_in, side_of_finding, side_of_place
from service.domain.codes import CodedTerm, Resolution
from service.domain.errors import Contradiction
from service.domain.report import Lesion


def check_side(lesion: Lesion[CodedTerm], vocabulary: Vocabulary, notes: Notes) -> None:
    """Refuse a side on a site without sides, one against a side that the lesion's other words name, or two of those."""
    site = lesion.site
    terms = ((site, side_of_place), (lesion.finding, side_of_finding), (lesion.topography, side_of_place))
    named = [
        (term, own)
        for term, side_by in terms
        if term is not None and (own := side_of(term, vocabulary, side_by)) is not None
    ]
    side = lesion.laterality
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


def _check_named(named: list[tuple[CodedTerm, str]], where: str, notes: Notes) -> None:
    """Without a laterality: refuse a site, finding or topography on the left beside one on the right."""
    if len({side for _, side in named}) > 1:
        said = " and ".join(f"{term.text!r} on the {side}" for term, side in named)
        notes.refuse(Contradiction, where, "sides-contradict", f"The lesion can't be {said}.")


def side_of(term: CodedTerm, vocabulary: Vocabulary, side_by: Callable[[str], str | None]) -> str | None:
    """The side that a term names: by its concept, or by the words in what was said, as ``side_by`` reads them."""
    own = vocabulary.sides.get(term.concept or "")
    if own is not None or (term.concept is not None and not term.said):
        return own
    # A code of a site's own may be the letter R, which is no word for the right.
    is_code = term.resolution is Resolution.LOCAL or any(term.text == code.code for code in term.codes)
    return (side_in if is_code else side_by)(_words(term))


def _words(term: CodedTerm) -> str:
    """What was said of a term: its text, where no concept has given it another one."""
    return f"{term.text} {term.said}".strip() if term.concept is None else term.said or term.text
