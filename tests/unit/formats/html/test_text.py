"""Times and names as people write them."""

import pytest

from service.domain.names import PersonName
from service.domain.times import DateTime
from service.formats.html.text import block, clean, filed_name, spoken_name, when


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("1901", "1901"),
        ("1901-06", "1901-06"),
        ("1901-06-18", "1901-06-18"),
        ("2026-03-02T09:12:00", "2026-03-02 09:12"),
        ("2026-03-02T09:12:00Z", "2026-03-02 09:12 UTC"),
        ("2026-03-02T09:12:30-05:00", "2026-03-02 09:12:30 UTC-05:00"),
        ("2026-03-02T09:00:00.5+01:00", "2026-03-02 09:00:00.5 UTC+01:00"),
        ("2026-03-02T00:00:00+00:00", "2026-03-02 00:00 UTC"),
    ],
)
def test_shows_a_time_as_precise_as_it_was_written(written: str, shown: str) -> None:
    assert when(DateTime(written)) == shown


@pytest.mark.parametrize(
    ("name", "filed", "spoken"),
    [
        ("Doe^Jane", "Doe, Jane", "Jane Doe"),
        ("Doe^Jane^Q^Dr.^MD", "Doe, Jane Q, Dr., MD", "Dr. Jane Q Doe, MD"),
        (
            "Yamada^Tarou=山田^太郎=やまだ^たろう",
            "Yamada, Tarou · 山田 太郎 · やまだ たろう",
            "Tarou Yamada · 山田 太郎 · やまだ たろう",
        ),
        ("=山田^太郎", "山田 太郎", "山田 太郎"),
    ],
)
def test_shows_every_group_of_a_name(name: str, filed: str, spoken: str) -> None:
    assert filed_name(PersonName.parse(name)) == filed
    assert spoken_name(PersonName.parse(name)) == spoken


def test_keeps_paragraphs_and_line_ends_of_a_free_text() -> None:
    assert block("one\r\ntwo\n \n\nthree", "en") == (
        '<p lang="en" xml:lang="en">one<br/>two</p><p lang="en" xml:lang="en">three</p>'
    )


def test_turns_a_right_to_left_paragraph_only() -> None:
    assert block("سليم\n\nplain", "ar").count('dir="rtl"') == 1


def test_replaces_every_character_that_xml_can_not_hold_and_no_other() -> None:
    # Char of XML 1.0, 2.2; one string, and each that is replaced by itself, so that none hides behind another.
    everything = range(0x110000)
    held = {0x9, 0xA, 0xD, *range(0x20, 0xD800), *range(0xE000, 0xFFFE), *range(0x10000, 0x110000)}

    assert clean("".join(map(chr, everything))) == "".join(chr(c) if c in held else "\ufffd" for c in everything)
    assert {clean(f"a{chr(c)}\xd7") for c in everything if c not in held} == {"a\ufffd\xd7"}
