"""Which measurement of a lesion a shape shows."""

from collections.abc import Sequence

from service.domain.codes import CodedTerm
from service.domain.report import Lesion, Measurement


def measurement_of(lesion: Lesion[CodedTerm], wanted: CodedTerm, image: str) -> int | None:
    """Place of the measurement that a shape shows: the one on its image (SOP Instance UID), else the only one.

    ``wanted`` is the measurement that the shape names; None where the lesion does not have it, or has several that it
    may be: a shape below the wrong number would be worse than one that shows the lesion only.
    """
    found = candidates(lesion.measurements, wanted, image)
    return found[0] if len(found) == 1 else None


def candidates(measurements: Sequence[Measurement[CodedTerm]], wanted: CodedTerm, image: str) -> list[int]:
    """Places of the measurements that a shape on an image may show: those made there, else all of that name."""
    same = [
        number
        for number, said in enumerate(measurements)
        if (said.concept.codes[:1], said.concept.text) == (wanted.codes[:1], wanted.text)
        or (wanted.codes and said.concept.codes[:1] == wanted.codes[:1])
    ]
    return [number for number in same if measurements[number].image == image] or same
