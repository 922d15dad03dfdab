"""The numbers of a SEG that a size is calculated from: each is looked at before it is believed.

Pixel Spacing, Spacing Between Slices and Slice Thickness (PS3.3 C.7.6.16.2.1, 10.7.1.1), Image Orientation as unit
vectors at a right angle, and Image Position (C.7.6.2.1.1), shared and of each frame.
"""

import math
from collections.abc import Iterator
from itertools import pairwise
from typing import Any, Final

_SHARED: Final = "SharedFunctionalGroupsSequence"
_FRAMES: Final = "PerFrameFunctionalGroupsSequence"
_UNIT: Final = 1e-3
"""How far a direction cosine of four digits may be from a unit vector, or from a right angle."""
_SPACING: Final = 1e-4
"""How far, in mm, a spacing of a frame may be from that of another: they are written with up to 16 characters."""
_FITS: Final = 1.99
"""So many times its thickness from one slice to the next, by places that are rounded, another one fits between."""
_ALIKE: Final = 0.98
"""So near to 1, by places that are rounded, is the ratio of two distances that are meant to be the same."""
Numbers = tuple[float, ...]


def check(seg: Any) -> None:
    """Raise ValueError with the path of the first number that no place or distance can have."""
    for path, group in _groups(seg):
        for place, measures in _items(group, "PixelMeasuresSequence", path):
            _hold(place, measures, "PixelSpacing", _is_spacing, "two numbers above 0")
            _hold(place, measures, "SpacingBetweenSlices", _is_distance, "a number above 0")
            _hold(place, measures, "SliceThickness", _is_thickness, "a number of 0 or more")
        for place, plane in _items(group, "PlaneOrientationSequence", path):
            _hold(place, plane, "ImageOrientationPatient", _is_orientation, "two unit vectors at a right angle")
        for place, plane in _items(group, "PlanePositionSequence", path):
            _hold(place, plane, "ImagePositionPatient", _is_position, "three numbers")
    _hold("", seg, "ImageOrientationSlide", _is_orientation, "two unit vectors at a right angle")
    _hold_alike(seg, "PixelMeasuresSequence", "PixelSpacing", _SPACING)
    _hold_alike(seg, "PlaneOrientationSequence", "ImageOrientationPatient", _UNIT)


def thickness_mm(seg: Any) -> float | None:
    """How thick a frame is, where all that say it say the same: Spacing Between Slices, else Slice Thickness."""
    found = [item for path, group in _groups(seg) for _, item in _items(group, "PixelMeasuresSequence", path)]
    for keyword in ("SpacingBetweenSlices", "SliceThickness"):
        said = {number for item in found for number in _numbers(item, keyword) if number > 0}
        if said:
            return said.pop() if len(said) == 1 else None
    return None


def gap(seg: Any, apart_mm: float) -> str:
    """Why frames that are taken to stand so far apart may not be one body; empty where they are.

    Who writes a SEG may leave out frames without anything in them (`omit_empty_frames` of highdicom). Spacing Between
    Slices tells where: it is the distance of their centres, and optional (PS3.3 C.7.6.16.2.1). Where it is not said
    and another slice fits between two frames, that may have been empty, or not there at all: the body may end at each
    frame, or go on to the next. Some write the distance of the edges instead, which may be less than the Slice
    Thickness; so may that of slices that overlap, which is believed where two frames stand so far apart.
    """
    measures = [item for path, group in _groups(seg) for _, item in _items(group, "PixelMeasuresSequence", path)]
    thick = [number for item in measures for number in _numbers(item, "SliceThickness") if number > 0]
    if not thick:
        return ""
    if any(_numbers(item, "SpacingBetweenSlices") for item in measures):
        if apart_mm >= _ALIKE * max(thick) or _stand(seg, apart_mm):
            return ""
        apart = f"the {apart_mm:g} mm of Spacing Between Slices apart"
        return f"its frames are {max(thick):g} mm thick, and no two are {apart}"
    if apart_mm < _FITS * min(thick):
        return ""
    return f"its frames are {min(thick):g} mm thick and {apart_mm:g} mm apart, and no Spacing Between Slices is said"


def _stand(seg: Any, apart_mm: float) -> bool:
    """Whether any two frames, whatever is drawn in them, have places (C.7.6.2.1.1) so far apart along the normal."""
    groups = list(_groups(seg))
    planes = [item for path, group in groups for _, item in _items(group, "PlaneOrientationSequence", path)]
    cosines = next(filter(None, (_numbers(item, "ImageOrientationPatient") for item in planes)), ())
    if not cosines:
        return False
    (x, y, z), (u, v, w) = cosines[:3], cosines[3:]
    normal = (y * w - z * v, z * u - x * w, x * v - y * u)
    places = [item for path, group in groups for _, item in _items(group, "PlanePositionSequence", path)]
    said = [_numbers(item, "ImagePositionPatient") for item in places]
    along = sorted(sum(a * b for a, b in zip(normal, numbers, strict=True)) for numbers in said if numbers)
    return any(_ALIKE * apart_mm <= far - near <= apart_mm / _ALIKE for near, far in pairwise(along))


def _hold_alike(seg: Any, sequence: str, keyword: str, most: float) -> None:
    """Raise ValueError where frames, or a frame and what all share, say different numbers: one grid is measured."""
    first: Numbers = ()
    for path, group in _groups(seg):
        for place, item in _items(group, sequence, path):
            numbers = _numbers(item, keyword)
            first = first or numbers
            if numbers and any(abs(a - b) > most for a, b in zip(numbers, first, strict=True)):
                raise ValueError(f"{place}{keyword} is not that of the other frames")


def _groups(seg: Any) -> Iterator[tuple[str, Any]]:
    for keyword in (_SHARED, _FRAMES):
        yield from _items(seg, keyword, "")


def _items(item: Any, keyword: str, path: str) -> Iterator[tuple[str, Any]]:
    """The items of a sequence with their paths, counted from 1."""
    for number, one in enumerate(item.get(keyword) or (), 1):
        yield f"{path}{keyword}[{number}].", one


def _hold(path: str, item: Any, keyword: str, is_right: Any, wanted: str) -> None:
    """Empty is not said; what is said has to be right."""
    try:
        numbers = _numbers(item, keyword)
        right = not numbers or (all(map(math.isfinite, numbers)) and is_right(numbers))
    except (TypeError, ValueError, OverflowError):
        right = False
    if not right:
        raise ValueError(f"{path}{keyword} is not {wanted}")


def _numbers(item: Any, keyword: str) -> Numbers:
    said = item.get(keyword)
    if said is None or said == "":
        return ()
    return (float(said),) if isinstance(said, (str, int, float)) else tuple(float(one) for one in said)


def _is_spacing(numbers: Numbers) -> bool:
    return len(numbers) == 2 and min(numbers) > 0


def _is_distance(numbers: Numbers) -> bool:
    return len(numbers) == 1 and numbers[0] > 0


def _is_thickness(numbers: Numbers) -> bool:
    return len(numbers) == 1 and numbers[0] >= 0


def _is_position(numbers: Numbers) -> bool:
    return len(numbers) == 3


def _is_orientation(numbers: Numbers) -> bool:
    if len(numbers) != 6:
        return False
    row, column = numbers[:3], numbers[3:]
    right_angle = abs(sum(a * b for a, b in zip(row, column, strict=True))) <= _UNIT
    return right_angle and all(abs(math.hypot(*vector) - 1) <= _UNIT for vector in (row, column))
