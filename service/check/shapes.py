"""Shapes as values that can be compared: type, numbers as float32, and where they lie."""

import struct

from service.domain.codes import CodedTerm
from service.domain.geometry import Graphic, Graphic3D, Region2D, Region3D


def shape_value(graphic_type: str, numbers: tuple[float, ...]) -> str:
    """A shape as one value: its type and its numbers as float32, which is all that Graphic Data holds (VR FL)."""
    return f"{graphic_type} {struct.pack(f'<{len(numbers)}f', *numbers).hex()}"


def region_value(region: Region2D[CodedTerm]) -> str:
    """A shape in pixels as one value."""
    points = region.points
    if region.graphic is Graphic.POLYGON and points[0] != points[-1]:
        points = (*points, points[0])
    graphic_type = "POINT" if region.graphic is Graphic.POINT else "POLYLINE"
    return shape_value(graphic_type, tuple(number for point in points for number in point))


def region3d_value(region: Region3D) -> str:
    """A shape in millimetres as one value, with its frame of reference."""
    points = region.points
    if region.graphic is Graphic3D.POLYGON and points[0] != points[-1]:
        points = (*points, points[0])
    numbers = tuple(number for point in points for number in point)
    return f"{shape_value(region.graphic.value.upper(), numbers)} in {region.frame_of_reference}"
