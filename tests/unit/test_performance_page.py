"""The page of measurements is made of the lines of a run; what the docs say is there."""

import xml.etree.ElementTree as ET

import pytest

from benchmarks.compiled_beside import named
from benchmarks.page import BEGIN, END, PAGE, PLOTS, Line, growth_plot, measured, plot

BARS = [("write SR", 0.5), ("write SR: highdicom & co", 150.0), ("write SR: dcmjs", 50.0)]
TIMED: list[Line] = [
    {"work": name, "lesions": 10, "median_ms": value, "min_ms": value / 2, "max_ms": 2 * value, "rounds": 3}
    | {"machine": "x", "cores": 2, "load": 0.5, "python": "3.11"}
    for name, value in BARS
]


def test_the_quickest_stands_on_top_and_ours_by_its_name() -> None:
    words = [
        text.text for text in ET.fromstring(plot("Writing", BARS, "write SR")).iter("{http://www.w3.org/2000/svg}text")
    ]
    assert words == ["Writing", "LesionBridge", "0.50", "dcmjs", "50.0", "highdicom & co", "150"]


def test_the_compiled_build_is_ours_too() -> None:
    bars = [*BARS, (named("write SR"), 0.3)]
    drawn = ET.fromstring(plot("Writing", bars, "write SR"))
    words = [text.text for text in drawn.iter("{http://www.w3.org/2000/svg}text")]
    assert words[1:5] == ["LesionBridge, compiled", "0.30", "LesionBridge", "0.50"]


def test_growth_is_a_line_through_every_measurement() -> None:
    drawn = ET.fromstring(growth_plot([(10, 2.0), (100, 20.0), (1000, 200.0)]))
    (line,) = drawn.iter("{http://www.w3.org/2000/svg}polyline")
    assert len(line.attrib["points"].split()) == 3


def test_a_table_has_each_work_and_says_what_was_left_out() -> None:
    lines: list[Line] = [
        *TIMED,
        {"left_out": ["dcmqi"], "lesions": 10},
        {"growth": 10, "median_ms": 2.0, "bytes": 200_000},
    ]
    text = measured(lines, TIMED, [10])
    assert "| write SR: dcmjs | 50.0 (25.0–100) |" in text
    assert "| 10 | 2.00 | 0.200 | 0.2 |" in text
    assert "dcmqi" in text


@pytest.mark.parametrize("name", ["write-sr", "read-sr", "write-fhir", "growth"])
def test_the_page_shows_plots_that_are_there(name: str) -> None:
    text = PAGE.read_text()
    assert text.index(BEGIN) < text.index(f"performance/{name}.svg") < text.index(END)
    ET.parse(PLOTS / f"{name}.svg")
