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
_DEFLATED: Final = b"1.2.840.10008.1.2.1.99"
_LONG_FORM: Final = frozenset(
    (b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"SQ", b"SV", b"UC", b"UN", b"UR", b"UT", b"UV")
)
"""VRs whose length has 32 bits (PS3.5 7.1.2)."""
_UNPACKED: Final = 64 * 1024 * 1024
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

    _bounded(content)
    try:
        found = dcmread(BytesIO(content))
        found.walk(_touch)  # elements are decoded when they are looked at: now, so that what is broken is found here
    except Exception as error:
        raise NotDicom("the bytes are no DICOM file that can be read") from error
    return found


def _bounded(content: bytes) -> None:
    """Refuse a deflated data set that unpacks to more than is taken of a peer: pydicom would unpack all of it."""
    import zlib

    position, deflated = 132, False
    while content[128:132] == b"DICM" and content[position : position + 2] == b"\x02\0":
        start, size = (12, 4) if content[position + 4 : position + 6] in _LONG_FORM else (8, 2)
        length = int.from_bytes(content[position + start - size : position + start], "little")
        value = content[position + start : position + start + length]
        deflated = deflated or (content[position + 2 : position + 4] == b"\x10\0" and value.strip(b"\0 ") == _DEFLATED)
        position += start + length
    if deflated:
        try:
            unpacked = zlib.decompressobj(-zlib.MAX_WBITS).decompress(content[position:], _UNPACKED + 1)
        except zlib.error as error:
            raise NotDicom("the deflated data set can't be unpacked (PS3.5 A.5)") from error
        if len(unpacked) > _UNPACKED:
            raise NotDicom("the deflated data set unpacks to more than is taken")


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
