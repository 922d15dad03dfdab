"""What is remembered between documents changes no answer: neither what is read, nor what is flagged, nor a refusal."""

import os
import random
import struct
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from service.domain.errors import Invalid, Refused
from service.domain.limits import Limits
from service.domain.received import Intake, Received
from service.formats.sr import content as remembered
from service.formats.sr.characters import characters
from service.formats.sr.content import Measured
from service.formats.sr.elements import Encoded
from service.formats.sr.read import read
from tests import sr_files as sr
from tests.unit.formats.sr.reading import long_axis, received
from tests.unit.formats.sr.test_read_fuzz import MADE, mutated

LIMITS = Limits(body_bytes=4_000_000)
_CASES = os.environ.get("LESIONBRIDGE_CASES")
_FOUND = sorted(Path(_CASES, "sr").rglob("*.dcm"))[:40] if _CASES else []
FILES = MADE + tuple(path.read_bytes() for path in _FOUND)
_CODE_VALUE, _SCHEME, _MEANING, _EQUIVALENTS = 0x00080100, 0x00080102, 0x00080104, 0x00080121
_CONCEPT_NAME, _UNITS, _MEASURED, _DIGITS = 0x0040A043, 0x004008EA, 0x0040A300, 0x0040A30A


def answered(content: bytes, limits: Limits = LIMITS) -> Received | tuple[object, ...]:
    """What a document is read as, or the problems that it is refused for."""
    try:
        return read(content, Intake(limits=limits))
    except Refused as refused:
        return (type(refused), *refused.problems)


def fresh(content: bytes, limits: Limits = LIMITS) -> Received | tuple[object, ...]:
    """The same in a process that has read nothing yet."""
    remembered._entries.clear()
    return answered(content, limits)


def explicit(tag: int, vr: bytes, value: bytes, length: int | None = None) -> bytes:
    """An element, explicit VR little endian."""
    said = len(value) if length is None else length
    form = "<HH2sHI" if vr in (b"SQ", b"UN") else "<HH2sH"
    return struct.pack(form, tag >> 16, tag & 0xFFFF, vr, *((0,) if form.endswith("I") else ()), said) + value


def implicit(tag: int, value: bytes) -> bytes:
    """An element, implicit VR little endian."""
    return struct.pack("<HHI", tag >> 16, tag & 0xFFFF, len(value)) + value


def item(value: bytes) -> bytes:
    """An item of a sequence."""
    return struct.pack("<HHI", 0xFFFE, 0xE000, len(value)) + value


def unknown(tag: int, value: bytes) -> bytes:
    """A sequence of VR UN: undefined length, implicit VR within (PS3.5 6.2.2)."""
    return explicit(tag, b"UN", value + struct.pack("<HHI", 0xFFFE, 0xE0DD, 0), 0xFFFFFFFF)


def number(sequence: bytes) -> bytes:
    """A document without meta information whose only item is a NUM with these elements."""
    name = item(_entry(b"103339001", b"SCT", b"Long Axis "))
    num = explicit(0x0040A010, b"CS", b"CONTAINS") + explicit(0x0040A040, b"CS", b"NUM ")
    num += explicit(_CONCEPT_NAME, b"SQ", name) + sequence
    header = explicit(0x00080005, b"CS", b"ISO_IR 192") + explicit(0x0020000D, b"UI", b"1.2.3.5\0")
    root = explicit(0x0040A040, b"CS", b"CONTAINER ") + explicit(0x0040A043, b"SQ", name)
    return header + root + explicit(0x0040A730, b"SQ", item(num))


def _entry(value: bytes, scheme: bytes, meaning: bytes, more: bytes = b"") -> bytes:
    said = [(_CODE_VALUE, b"SH", value), (_SCHEME, b"SH", scheme), (_MEANING, b"LO", meaning)]
    return b"".join(explicit(tag, vr, text + b" " * (len(text) % 2)) for tag, vr, text in said) + more


def unit(content: bytes) -> str:
    """The code of the unit of that NUM."""
    encoded = Encoded(content, LIMITS)
    elements = encoded.elements((encoded.start, len(content)))
    found = remembered.Tree(encoded, elements, characters(b"ISO_IR 192"), 100).nodes[1].value
    assert isinstance(found, Measured)
    assert found.unit is not None
    assert found.unit.code is not None
    return found.unit.code.code


@pytest.mark.parametrize("at", range(len(FILES)))
def test_a_file_is_answered_the_same_when_it_comes_again(at: int) -> None:
    first = fresh(FILES[at])
    assert answered(FILES[at]) == first
    assert answered(FILES[at]) == first


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(order=st.lists(st.tuples(st.integers(0, len(FILES) - 1), st.integers(0, 2**32)), min_size=2, max_size=5))
def test_no_file_changes_what_another_is_answered(order: list[tuple[int, int]]) -> None:
    # Each file as it is and changed, so that one which is broken comes after one which is not, and the other way round.
    said = [made for at, seed in order for made in (FILES[at], mutated(FILES[at], random.Random(seed)))]
    alone = [fresh(content) for content in said]
    remembered._entries.clear()
    assert [answered(content) for content in said] == alone
    assert [answered(content) for content in reversed(said)] == alone[::-1]


def test_the_same_bytes_in_a_sequence_of_unknown_vr_are_another_entry() -> None:
    # Read as implicit VR the value is "INCH"; as explicit VR the four bytes before are a long length (VR 0x2400: none).
    text = b"\x20\0\0\0" + b"INCH".ljust(32)
    both = implicit(0x00080001, b"\0\0\0\0" + _entry(b"mm", b"UCUM", b"millimeter"))
    both += b"".join(implicit(tag, text) for tag in (_CODE_VALUE, _SCHEME, _MEANING))
    digits = explicit(_DIGITS, b"DS", b"12")
    plain = number(explicit(_MEASURED, b"SQ", item(digits + explicit(_UNITS, b"SQ", item(both)))))
    odd = number(explicit(_MEASURED, b"SQ", item(digits + unknown(_UNITS, item(both)))))
    for order in ((plain, odd), (odd, plain)):
        remembered._entries.clear()
        assert {content == odd: unit(content) for content in order} == {False: "mm", True: "INCH"}


def test_a_sequence_of_defined_length_within_one_of_unknown_vr_is_implicit_too() -> None:
    entry = implicit(_CODE_VALUE, b"mm") + implicit(_SCHEME, b"UCUM") + implicit(_MEANING, b"millimeter")
    within = item(implicit(_DIGITS, b"12") + implicit(_UNITS, item(entry)))
    assert unit(number(unknown(_MEASURED, within))) == "mm"


def test_how_deep_an_entry_may_be_nested_is_asked_of_every_document() -> None:
    nested = b""
    for _ in range(12):  # of undefined length: these are followed when the entry is read
        open_item = struct.pack("<HHI", 0xFFFE, 0xE000, 0xFFFFFFFF) + nested + struct.pack("<HHI", 0xFFFE, 0xE00D, 0)
        nested = explicit(_EQUIVALENTS, b"SQ", open_item + struct.pack("<HHI", 0xFFFE, 0xE0DD, 0), 0xFFFFFFFF)
    units = explicit(_UNITS, b"SQ", item(_entry(b"mm", b"UCUM", b"millimeter", nested)))
    content = number(explicit(_MEASURED, b"SQ", item(explicit(_DIGITS, b"DS", b"12") + units)))
    strict = Limits(depth=2)
    refused = fresh(content, strict)
    assert isinstance(refused, tuple)
    assert refused[0] is Invalid
    assert isinstance(fresh(content), Received)
    assert answered(content, strict) == refused


def test_equivalent_codes_that_are_nested_without_end_are_read() -> None:
    nested = b""
    for _ in range(20_000):
        nested = explicit(_EQUIVALENTS, b"SQ", item(_entry(b"mm", b"UCUM", b"mm", nested)))
    units = explicit(_UNITS, b"SQ", item(_entry(b"mm", b"UCUM", b"millimeter", nested)))
    assert unit(number(explicit(_MEASURED, b"SQ", item(explicit(_DIGITS, b"DS", b"12") + units)))) == "mm"


@pytest.mark.parametrize("said", ["9" * 5_000, "2147483648", "1.5", "-1", "0", "x"])
def test_a_frame_number_that_is_none_is_named(said: str) -> None:
    shown = sr.image(relation="CONTAINS", ReferencedFrameNumber="1", sop_class="1.2.840.10008.5.1.4.1.1.4.1")
    content = sr.measured(long_axis(), shown)
    at = content.index(struct.pack("<HH2s", 0x0008, 0x1160, b"IS"))
    padded = said.encode() + b" " * (len(said) % 2)
    longer = len(padded) - 2
    raw = bytearray(content[: at + 6] + len(padded).to_bytes(2, "little") + padded + content[at + 10 :])
    for place in range(at):  # the sequences and items around it are that much longer
        for head, size in ((b"SQ\0\0", 4), (b"\xfe\xff\x00\xe0", 4)):
            if raw[place : place + 4] == head:
                length = int.from_bytes(raw[place + 4 : place + 8], "little")
                if place + 8 + length >= at + 10:
                    raw[place + 4 : place + 8] = (length + longer).to_bytes(size, "little")
    assert "sr-frame" in {loss.rule for loss in received(bytes(raw)).losses}
