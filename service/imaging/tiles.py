"""The tiles of a SEG of a slide: each has a place in the Total Pixel Matrix, and a full one has all (PS3.3 C.7.6.17.3).

highdicom puts tiles elsewhere, or leaves them out, where the numbers of the matrix do not agree with them.
"""

from typing import Any, Final

_FULL: Final = "TILED_FULL"


def check_tiles(seg: Any) -> None:
    """Raise ValueError where the tiles are not those of the matrix; nothing is held against a SEG without one."""
    if "TotalPixelMatrixRows" not in seg:
        return
    matrix = int(seg.TotalPixelMatrixRows), int(seg.get("TotalPixelMatrixColumns") or 0)
    if seg.get("DimensionOrganizationType") == _FULL:
        _hold_full(seg, matrix)
        return
    for number, frame in enumerate(seg.get("PerFrameFunctionalGroupsSequence") or (), 1):
        for place in frame.get("PlanePositionSlideSequence") or ():
            said = place.get("RowPositionInTotalImagePixelMatrix"), place.get("ColumnPositionInTotalImagePixelMatrix")
            if not all(isinstance(at, int) and 1 <= at <= most for at, most in zip(said, matrix, strict=True)):
                raise ValueError(f"its frame {number} lies outside of Total Pixel Matrix Rows and Columns")


def _hold_full(seg: Any, matrix: tuple[int, int]) -> None:
    """Frames: all tiles, for each focal plane, and where a frame is of one segment for each segment."""
    tiles = -(-matrix[0] // int(seg.Rows)) * -(-matrix[1] // int(seg.Columns))
    segments = 1 if seg.SegmentationType == "LABELMAP" else len(seg.SegmentSequence)
    wanted = tiles * segments * int(seg.get("TotalPixelMatrixFocalPlanes") or 1)
    if int(seg.NumberOfFrames) != wanted:
        raise ValueError(f"its {seg.NumberOfFrames} frames are not the {wanted} tiles of its Total Pixel Matrix")
