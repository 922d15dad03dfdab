from decimal import Decimal

import pytest

from service.formats.sr.items import (
    TYPES,
    Date,
    Image,
    Num,
    PersonNameItem,
    Scoord,
    Scoord3D,
    Text,
    UidRef,
)
from service.formats.sr.values import Reference
from tests.unit.formats.sr.items import IMAGE, MM, NAME, entry, every_item


def test_the_sample_has_every_value_type() -> None:
    assert {item.value_type for item in every_item().walk()} == {kind.kind for kind in TYPES}


def test_an_item_never_changes() -> None:
    with pytest.raises(AttributeError):
        Text(NAME, "a", "CONTAINS").value = "b"  # type: ignore[misc] # that is the point


def test_an_entry_never_changes() -> None:
    with pytest.raises(AttributeError):
        entry("DCM|1|one").codes = ()


@pytest.mark.parametrize("text", ["", "   ", "a\x07"])
def test_refuses_a_text_that_is_none(text: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        Text(NAME, text, "CONTAINS")


@pytest.mark.parametrize(
    ("kind", "value"), [(UidRef, "1.x"), (Date, "2026"), (PersonNameItem, "a\nb"), (UidRef, ""), (Date, "")]
)
def test_refuses_a_line_that_its_vr_does_not_hold(kind: type[UidRef], value: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        kind(NAME, value, "HAS OBS CONTEXT")


def test_a_number_keeps_its_digits() -> None:
    item = Num(NAME, Decimal("12.50"), MM, "CONTAINS")
    assert (item.value.digits, item.value.floating) == ("12.50", None)


def test_a_number_too_long_is_rounded_and_said_as_a_double_beside() -> None:
    item = Num(NAME, Decimal("1450.123456789012345"), MM, "CONTAINS")
    assert item.value.digits == "1450.12345678901"
    assert item.value.floating == 1450.123456789012345


def test_digits_that_were_read_are_the_number_that_they_were_written_from() -> None:
    for value in (Decimal("12.50"), Decimal("1450.123456789012345")):
        written = Num(NAME, value, MM, "CONTAINS")
        read = Num(NAME, written.value.digits, MM, "CONTAINS", (), written.value.floating)
        assert (read, read.encoded) == (written, written.encoded)


@pytest.mark.parametrize(("digits", "floating"), [("", None), ("12,5", None), ("1" * 17, None), ("1.5", float("inf"))])
def test_refuses_digits_that_are_no_number(digits: str, floating: float | None) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        Num(NAME, digits, MM, "CONTAINS", (), floating)


@pytest.mark.parametrize(
    ("graphic_type", "numbers"),
    [("POINT", (1.0, 2.0, 3.0, 4.0)), ("POLYLINE", (1.0, 2.0)), ("POLYLINE", (1.0, 2.0, 3.0)), ("POLYGON", (0.0,) * 8)],
)
def test_refuses_a_shape_in_pixels_with_the_wrong_points(graphic_type: str, numbers: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        Scoord(NAME, graphic_type, numbers, "CONTAINS", IMAGE)


def test_refuses_a_polygon_in_space_that_is_open() -> None:
    with pytest.raises(ValueError, match="ends where it begins"):
        Scoord3D(NAME, "POLYGON", tuple(float(number) for number in range(12)), "1.2.3", "CONTAINS")


def test_refuses_frames_and_segments_together() -> None:
    with pytest.raises(ValueError, match="not both"):
        Image(NAME, Reference("1.2.3", "1.2.4", frames=(1,), segments=(1,)), "CONTAINS")


def test_refuses_frame_zero() -> None:
    with pytest.raises(ValueError, match="from 1"):
        Image(NAME, Reference("1.2.3", "1.2.4", frames=(2, 0)), "CONTAINS")
