"""``python -m benchmarks.page LINES``: the tables and plots of docs/performance.md from the lines of a run.

What stands between the marks in the page is written anew; the words around it are kept.
"""

import argparse
import json
import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from benchmarks.compiled_beside import named

PAGE = Path(__file__).parents[1] / "docs" / "performance.md"
PLOTS = PAGE.parent / "performance"
BEGIN, END = "<!-- measured: python -m benchmarks.page -->", "<!-- end of measured -->"
_OURS = ("#0b6e4f", "#9aa5b1")
_WIDTH, _ROW, _LEFT, _RIGHT = 760, 24, 250, 110
Line = dict[str, Any]


def main() -> None:
    """Read the lines, write the page and its plots."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.page", description=__doc__)
    parser.add_argument("lines", type=Path, metavar="LINES", help="what `python -m benchmarks` wrote")
    written = parser.parse_args().lines.read_text()
    lines = [json.loads(line) for line in written.splitlines() if line.startswith("{")]
    PLOTS.mkdir(exist_ok=True)
    timed = [line for line in lines if "work" in line]
    sizes = list(dict.fromkeys(line["lesions"] for line in timed))
    middle = 10 if 10 in sizes else sizes[0]
    at = {line["work"]: line for line in timed if line["lesions"] == middle}
    for name, title in (
        ("write SR", "Writing the SR"),
        ("read SR", "Reading the SR"),
        ("write FHIR", "Writing the bundle"),
    ):
        bars = [
            (work, line["median_ms"])
            for work, line in at.items()
            if work in (name, named(name)) or work.startswith(f"{name}:")
        ]
        (PLOTS / f"{name.replace(' ', '-').lower()}.svg").write_text(
            plot(f"{title}, {middle} lesions, ms, logarithmic", bars, name)
        )
    grown = [line for line in lines if "growth" in line]
    (PLOTS / "growth.svg").write_text(growth_plot([(line["growth"], line["median_ms"]) for line in grown]))
    before, _, rest = PAGE.read_text().partition(BEGIN)
    after = rest.partition(END)[2]
    PAGE.write_text(f"{before}{BEGIN}\n\n{measured(lines, timed, sizes)}\n{END}{after}")


def measured(lines: Sequence[Line], timed: Sequence[Line], sizes: Sequence[int]) -> str:
    """The tables, with the plots between them."""
    parts = [about(timed[0]), "", "### Milliseconds of processor time, median (least to most)", ""]
    works = list(dict.fromkeys(line["work"] for line in timed))
    found = {(line["work"], line["lesions"]): line for line in timed}
    parts += table(
        ["work", *[f"{size} lesion{'s' if size > 1 else ''}" for size in sizes]],
        [[work, *[_cell(found.get((work, size))) for size in sizes]] for work in works],
    )
    parts += ["", "![Writing the SR](performance/write-sr.svg)", ""]
    parts += ["![Reading the SR](performance/read-sr.svg)", "", "![Writing the bundle](performance/write-fhir.svg)", ""]
    parts += ["### How many times quicker, round by round", ""]
    ratios = [line for line in lines if "ratio" in line]
    kinds = list(dict.fromkeys(line["ratio"] for line in ratios))
    by = {(line["ratio"], line["lesions"]): line for line in ratios}
    parts += table(
        ["ratio", *[f"{size}" for size in sizes]],
        [[kind, *[_ratio(by.get((kind, size))) for size in sizes]] for kind in kinds],
    )
    parts += ["", "### Growth, ourselves alone", ""]
    parts += table(
        ["lesions", "ms", "ms a lesion", "MB written"],
        [
            [
                f"{line['growth']:,}",
                _number(line["median_ms"]),
                f"{line['median_ms'] / line['growth']:.3f}",
                f"{line['bytes'] / 1e6:.1f}",
            ]
            for line in lines
            if "growth" in line
        ],
    )
    parts += ["", "![Growth](performance/growth.svg)", "", "### Memory", ""]
    for line in lines:
        if "memory" in line:
            others = ", ".join(line["peers_imported"]) or "none of the peers' packages"
            parts.append(
                f"One more preloaded worker after 1,000 conversions: {line['pss_mib']} MiB PSS; {others} imported."
            )
        if "left_out" in line:
            parts.append(f"Left out with {line['lesions']} lesions, not installed: {', '.join(line['left_out'])}.")
    return "\n".join(parts) + "\n"


def about(line: Line) -> str:
    """The machine and the versions."""
    known = ("work", "median_ms", "min_ms", "max_ms", "rounds", "lesions", "machine", "cores", "load")
    versions = ", ".join(f"{name} {value}" for name, value in line.items() if name not in known)
    return f"{line['machine']}, {line['cores']} cores, load {line['load']} at the end of the first race. {versions}."


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """A Markdown table, numbers to the right."""
    return [
        f"| {' | '.join(head)} |",
        f"|---|{'---:|' * (len(head) - 1)}",
        *[f"| {' | '.join(row)} |" for row in rows],
    ]


def _cell(line: Line | None) -> str:
    if line is None:
        return ""
    least, most = (_number(line[name]) for name in ("min_ms", "max_ms"))
    return f"{_number(line['median_ms'])} ({least}–{most})"


def _ratio(line: Line | None) -> str:
    return "" if line is None else f"{line['median']:g} ({line['min']:g}–{line['max']:g})"


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def plot(title: str, bars: Sequence[tuple[str, float]], ours: str) -> str:
    """Bars on a logarithmic axis, the quickest on top."""
    ordered = sorted(bars, key=lambda bar: bar[1])
    least, most = min(value for _, value in ordered) / 2, max(value for _, value in ordered)
    wide = _WIDTH - _LEFT - _RIGHT
    parts = [_text(4, 18, title, "bold")]
    for row, (name, value) in enumerate(ordered):
        top = 34 + row * _ROW
        length = wide * math.log(value / least) / math.log(most / least)
        mine = {ours: "LesionBridge", named(ours): "LesionBridge, compiled"}
        color = _OURS[name not in mine]
        label = mine.get(name) or name.partition(": ")[2]
        parts += [
            _text(4, top + 13, label),
            f'<rect x="{_LEFT}" y="{top}" width="{length:.1f}" height="16" fill="{color}"/>',
            _text(_LEFT + length + 6, top + 13, _number(value)),
        ]
    return _svg(parts, 40 + len(ordered) * _ROW)


def growth_plot(points: Sequence[tuple[int, float]]) -> str:
    """Milliseconds over lesions, both axes logarithmic: a straight line of slope one is linear growth."""
    high, wide, bottom = 220, _WIDTH - 160, 250
    spans = [(math.log(min(side)), math.log(max(side))) for side in zip(*points, strict=True)]
    parts = [_text(4, 18, "Findings JSON to SR and FHIR, ms over lesions, both logarithmic", "bold")]
    placed = []
    for lesions, value in points:
        (x0, x1), (y0, y1) = spans
        x = 60 + wide * (math.log(lesions) - x0) / max(x1 - x0, 1e-9)
        y = bottom - (high - 20) * (math.log(value) - y0) / max(y1 - y0, 1e-9)
        placed.append(f"{x:.1f},{y:.1f}")
        parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="{_OURS[0]}"/>', _text(x + 8, y + 4, _number(value))]
        parts.append(_text(x - 8, bottom + 22, f"{lesions:,}"))
    parts.append(f'<polyline points="{" ".join(placed)}" fill="none" stroke="{_OURS[0]}" stroke-width="2"/>')
    return _svg(parts, bottom + 40)


def _text(x: float, y: float, words: str, weight: str = "normal") -> str:
    safe = words.replace("&", "&amp;").replace("<", "&lt;")
    return f'<text x="{x:.1f}" y="{y:.1f}" font-weight="{weight}">{safe}</text>'


def _svg(parts: Sequence[str], height: int) -> str:
    style = 'font-family="sans-serif" font-size="13" fill="#1f2933"'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" {style}>'
    paper = f'<rect width="{_WIDTH}" height="{height}" fill="#ffffff"/>'
    return "\n".join([head, paper, *parts, "</svg>", ""])


if __name__ == "__main__":
    main()
