"""The colours of the page: readable by WCAG 2.1 (1.4.3, contrast of at least 4.5 to 1) in light, dark and print."""

import re
from dataclasses import replace
from importlib.resources import files
from itertools import product

import pytest

from service.formats.html.write import page
from tests.reports import make_coded_report

STYLE = files("service.formats.html").joinpath("page.css").read_text(encoding="utf-8")
SCHEMES = [
    dict(re.findall(r"--([a-z-]+): *(#[0-9a-f]{3,6});", block))
    for block in re.findall(r":root \{(.*?)\}", STYLE, re.DOTALL)
]
ON_PAPER = ("ink", "soft", "accent", "note", "grave")
PAIRS = [*product(ON_PAPER, ("paper",)), ("soft", "ground"), ("grave", "grave-ground"), ("note", "note-ground")]


def luminance(colour: str) -> float:
    """Relative luminance of a colour (WCAG 2.1)."""
    digits = colour[1:] if len(colour) == 7 else "".join(digit * 2 for digit in colour[1:])
    parts = [int(digits[place : place + 2], 16) / 255 for place in (0, 2, 4)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """Contrast ratio of two colours (WCAG 2.1)."""
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def test_there_is_a_light_a_dark_and_a_printed_scheme() -> None:
    assert len(SCHEMES) == 3
    assert all(scheme.keys() == SCHEMES[0].keys() for scheme in SCHEMES)


@pytest.mark.parametrize("scheme", range(3), ids=["light", "dark", "print"])
@pytest.mark.parametrize(("text", "ground"), PAIRS)
def test_text_stands_out_from_its_ground(scheme: int, text: str, ground: str) -> None:
    colours = SCHEMES[scheme]
    assert contrast(colours[text], colours[ground]) >= 4.5


def test_no_colour_stands_outside_the_schemes() -> None:
    outside = re.sub(r":root \{.*?\}", "", STYLE, flags=re.DOTALL)
    assert re.findall(r"#[0-9a-f]{3,6}\b|rgb|hsl", outside) == []


def test_blanks_of_free_text_are_shown() -> None:
    rule = next(line for line in STYLE.splitlines() if "white-space: pre-wrap" in line)
    for section in ("impression", "findings"):
        assert f"section.{section} > p" in rule
    said = replace(make_coded_report(), findings="Brain:\n  - left  lobe")
    assert re.search(r'<section class="findings".*?<p[^>]*>Brain:<br/>  - left  lobe</p>', page(said), re.DOTALL)
