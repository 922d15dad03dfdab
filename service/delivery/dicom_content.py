"""Whether two DICOM files say the same: what an archive gives back is compared with what it was given."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from io import BytesIO
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from pydicom import Dataset

MAY_CHANGE: Final = frozenset(
    {
        # How the same text is written, and what an archive knows better of the study than a report does (PS3.4 B.4.1.3,
        # coercion). Never the content, and never the patient's id: that would be another patient's report.
        "SpecificCharacterSet",
        "IssuerOfPatientID",
        "IssuerOfPatientIDQualifiersSequence",
        "OtherPatientIDsSequence",
        "IssuerOfAccessionNumberSequence",
        "StudyID",
        "StudyDate",
        "StudyTime",
        "StudyDescription",
        "ReferringPhysicianName",
    }
)
"""Attributes that any archive may change without being called wrong."""
_LISTED: Final = 20


class NotDicom(ValueError):
    """Bytes that are no DICOM file."""


def differences(sent: bytes, held: bytes, may_change: Iterable[str] = ()) -> tuple[str, ...]:
    """Places at which what is held says other than what was sent: keywords, never values.

    What was added is no difference. Raises NotDicom where ``held`` can't be read.
    """
    if sent == held:
        return ()
    theirs = read(held)
    allowed = MAY_CHANGE | set(may_change)
    found = []
    for place in _differ(read(sent), theirs, ""):
        if place.partition("/")[0].partition("[")[0] not in allowed:
            found.append(place)
        if len(found) == _LISTED:
            break
    return tuple(found)


def read(content: bytes) -> Dataset:
    """A data set of a Part 10 file; raises NotDicom."""
    from pydicom import dcmread
    from pydicom.errors import InvalidDicomError

    try:
        found = dcmread(BytesIO(content))
        found.walk(_touch)  # elements are decoded when they are looked at: now, so that what is broken is found here
    except (InvalidDicomError, ValueError, KeyError, TypeError, AttributeError, EOFError, NotImplementedError) as error:
        raise NotDicom("the bytes are no DICOM file that can be read") from error
    return found


def _touch(_: Dataset, __: Any) -> None:
    """Decode an element."""


def _differ(ours: Dataset, theirs: Dataset, path: str) -> Iterator[str]:
    for element in ours:
        name = f"{path}{element.keyword or element.tag}"
        other = theirs.get(element.tag)
        if other is None:
            if not element.is_empty:
                yield name
        elif element.VR == "SQ":
            if other.VR != "SQ" or len(other.value) != len(element.value):
                yield name
                continue
            for number, (mine, its) in enumerate(zip(element.value, other.value, strict=True)):
                yield from _differ(mine, its, f"{name}[{number}]/")
        elif not _same(element.value, other.value):
            yield name


def _same(ours: Any, theirs: Any) -> bool:
    """Whether two values are equal; empty is empty, in whatever way it is written."""
    if ours == theirs:
        return True
    return ours in (None, "", b"") and theirs in (None, "", b"")
