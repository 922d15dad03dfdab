"""Compressed frames of a SEG, before a library unpacks them: a mask is measured as it was drawn, or not at all.

A frame with losses is another mask: the numbers of a label map become those of other segments. And a JPEG-LS frame says
by itself how large it is, up to 4 GB, which its library reserves before it reads on.
"""

import struct
from collections.abc import Iterator
from typing import Any, Final

_NATIVE: Final = frozenset({"1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.2"})
_JPEG_LS: Final = "1.2.840.10008.1.2.4.80"
_READ: Final = frozenset({_JPEG_LS, "1.2.840.10008.1.2.5"})
"""JPEG-LS and RLE, each without loss (PS3.6 A). Nothing in a JPEG 2000 frame says whether layers were left out."""
_START: Final = b"\xff\xd8"
_FRAME: Final = b"\xff\xf7"
_SCAN: Final = b"\xff\xda"


def is_compressed(seg: Any) -> bool:
    """Whether its frames are."""
    return str(seg.file_meta.TransferSyntaxUID) not in _NATIVE


def check_frames(seg: Any) -> None:
    """Raise ValueError where frames are compressed with losses, as nothing reads them, or are not of the SEG's size."""
    syntax = seg.file_meta.TransferSyntaxUID
    if not is_compressed(seg):
        return
    if syntax not in _READ:
        raise ValueError(
            f"its frames are compressed as masks are not read ({syntax.name}): "
            "send it uncompressed, or in RLE or JPEG-LS without loss"
        )
    if syntax != _JPEG_LS:
        return
    for number, frame in enumerate(_frames(seg), 1):
        if _parameters(frame) != (seg.Rows, seg.Columns, 0):
            raise ValueError(
                f"its frame {number} has other Rows and Columns than the file says, or is compressed with loss"
            )


def _frames(seg: Any) -> Iterator[bytes]:
    from pydicom.encaps import generate_frames

    try:
        yield from generate_frames(seg.PixelData, number_of_frames=int(seg.NumberOfFrames))
    except (struct.error, ValueError, IndexError) as error:
        raise ValueError("its compressed frames can't be told apart") from error


def _parameters(frame: bytes) -> tuple[int, int, int] | None:
    """Rows, columns and the greatest difference (NEAR, 0: no loss) of a JPEG-LS frame; None where it is none.

    The layout of its segments (ISO/IEC 14495-1) is as `_get_jpg_parameters` of pydicom reads it.
    """
    try:
        if frame[:2] != _START:
            return None
        rows, columns = struct.unpack_from(">HH", frame, _segment(frame, 2, _FRAME) + 5)
        scan = _segment(frame, 2, _SCAN)
        return rows, columns, frame[scan + 5 + 2 * frame[scan + 4]]
    except (struct.error, IndexError):
        return None


def _segment(frame: bytes, at: int, marker: bytes) -> int:
    """Where the first segment of a kind begins; raises struct.error where there is none."""
    while frame[at : at + 2] != marker:
        at += 2 + struct.unpack_from(">H", frame, at + 2)[0]
    return at
