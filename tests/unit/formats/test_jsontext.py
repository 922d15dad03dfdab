"""JSON texts become values, with every digit, and to a bounded depth."""

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.domain.errors import Invalid
from service.domain.limits import Limits
from service.formats.decimals import has_digits
from service.formats.jsontext import literals, parse, parse_quickly

_TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc", "Cn"], exclude_characters="\u202d\u202e"))
_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | _TEXT
    | st.sampled_from(['"', "[[", "]", "\\", '\\"', ","]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_TEXT, inner, max_size=4),
    max_leaves=20,
)


@settings(deadline=None)
@given(_VALUES, st.booleans())
def test_reads_what_the_standard_library_writes(value: Any, ascii_only: bool) -> None:
    assert parse(json.dumps(value, ensure_ascii=ascii_only).encode(), Limits()) == value


@pytest.mark.parametrize("written", ["12.50", "0.1", "-0.0", "1e3", "1.0E-7", "102.30000305"])
def test_a_decimal_keeps_its_digits(written: str) -> None:
    value = parse(written.encode(), Limits())
    assert isinstance(value, Decimal)
    assert value.as_tuple() == Decimal(written).as_tuple()


def test_a_whole_number_is_one() -> None:
    assert parse(b"[1450]", Limits()) == [1450]
    assert type(parse(b"1450", Limits())) is int


@pytest.mark.parametrize("inner", [b"1", b'"["', rb'"\""', b"", b'"]", "["'])
@pytest.mark.parametrize(("opening", "closing"), [(b"[", b"]"), (b'{"[a]": ', b"}")])
def test_the_depth_is_counted_exactly(opening: bytes, closing: bytes, inner: bytes) -> None:
    inner = inner if opening == b"[" else b"1"
    limits = Limits(depth=7)
    parse(opening * 7 + inner + closing * 7, limits)
    with pytest.raises(Invalid):
        parse(opening * 8 + inner + closing * 8, limits)


def test_the_number_of_values_is_counted_without_those_in_strings() -> None:
    parse(b'["a,b,c,d,[,{", "e,f"]', Limits(values=2))
    with pytest.raises(Invalid):
        parse(b'["a", "b", "c"]', Limits(values=2))


def test_characters_that_a_language_needs_are_let_through() -> None:
    for text in ("\u200e\u200f\u061c\u2067\u2069", "\u200c\u200d", "a\tb\nc\r\n", "\U0001f600", "é\u0301"):
        assert parse(json.dumps(text).encode(), Limits()) == text
        assert parse(json.dumps(text, ensure_ascii=False).encode(), Limits()) == text


_FITS = ["123", "1E+2", "0.01", "-9.99", "0"]
_TOO_LONG = ["1234", "1E+3", "0.001", "-99.99"]


@pytest.mark.parametrize("number", [*_FITS, *_TOO_LONG])
def test_digits_are_counted_as_written_out(number: str) -> None:
    assert has_digits(Decimal(number), 3) is (number in _FITS)


@settings(deadline=None)
@given(_VALUES, st.booleans())
def test_the_quick_way_gives_the_same_or_nothing(value: Any, ascii_only: bool) -> None:
    body = json.dumps([value], ensure_ascii=ascii_only).encode()
    assert parse_quickly(body, Limits()) in ([_in_64_bits(value)], None)


def _in_64_bits(value: Any) -> Any:
    """The value with the whole numbers that 64 bits do not hold as floats."""
    if type(value) is int:
        return value if -(2**63) <= value < 2**64 else float(value)
    if isinstance(value, list):
        return [_in_64_bits(item) for item in value]
    return {name: _in_64_bits(item) for name, item in value.items()} if isinstance(value, dict) else value


@pytest.mark.parametrize(
    "body",
    [
        b'{"a": 1, "a": 2}',
        b'{"a": 1, "a" : 2}',
        b'{"a" :1, "a":2}',
        b'{"a":1, "a"\n:2}',
        b'{"a": "x:", "b": {"c": ":", "c": 1}}',
        rb'{"a": "\":", "a": 1}',
        rb'{"a": 1, "\u0061": 2, "b": "\":"}',
        rb'{"a": 1, "\u0061": 2}',
        rb'{"a": 1, "a": 2, "b": "\u003a"}',
        rb'{"a": 1, "a": 2, "b": "\u003A"}',
        '{"a": "\u0085"}'.encode(),
        '{"a": "\ufdd0"}'.encode(),
        '{"a": "\uffff"}'.encode(),
        b'{"a\\\\": 1, "a\\\\": 2}',
        b'{"a": NaN}',
        b'{"a": "\x7f"}',
        '{"a": "\u202e"}'.encode(),
        rb'{"a": "\b"}',
        b"{",
        b'["' + b"x" * 2_000_000 + b'"]',
    ],
    ids=range(20),
)
def test_the_quick_way_gives_nothing_where_something_is_wrong(body: bytes) -> None:
    assert parse_quickly(body, Limits()) is None


def test_the_quick_way_is_taken_by_plain_texts() -> None:
    assert parse_quickly(b'{"a": "x, y: z", "b": [1.5, 2], "c": "two\\nlines"}', Limits()) == {
        "a": "x, y: z",
        "b": [1.5, 2],
        "c": "two\nlines",
    }


def test_the_digits_of_decimals_are_found_and_two_ways_to_write_one_number_are_none() -> None:
    found = literals(b'{"a": 12.50, "b":-0.25, "c": [1.5], "d": 1.0e3, "e": 7.5, "f": 7.50, "g": 12}')

    assert {number: str(value) for number, value in found.items()} == {
        12.5: "12.50",
        -0.25: "-0.25",
        1000.0: "1.0E+3",
        7.5: "None",
    }
