"""Which measurement of a lesion a shape shows."""

from service.domain.codes import CodedTerm
from service.domain.report import Lesion


def measurement_of(lesion: Lesion[CodedTerm], wanted: CodedTerm, image: str) -> int | None:
    """Place of the measurement that a shape shows: the one on its image (SOP Instance UID), else the concept's first.

    ``wanted`` is the measurement that the shape names; None where the lesion does not have it.
    """
    same = [
        number
        for number, said in enumerate(lesion.measurements)
        if (said.concept.codes[:1], said.concept.text) == (wanted.codes[:1], wanted.text)
        or (wanted.codes and said.concept.codes[:1] == wanted.codes[:1])
    ]
    return next((number for number in same if lesion.measurements[number].image == image), same[0] if same else None)
