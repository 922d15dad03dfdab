"""What each pair of formats carries, computed: every format that is read, into every format that is written.

`make matrix` writes the table into README.md and the names of what is lost into docs/matrix.md; a test holds both. The
document is the one with every member of the contract, written in the format that is read; what no writer writes
(tables, dcmqi, AIM) is a document of its own kind. What is carried is what the output, read back and coded, still says.
Nobody reads the page back: what it does not carry are the losses that its writer names.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime
from enum import Enum
from functools import cache
from pathlib import Path
from typing import Any, Final, NamedTuple

from service.coding.coder import code_report
from service.domain.codes import CodedTerm
from service.domain.loss import LossKind
from service.domain.report import CodedReport
from service.domain.times import DateTime
from service.pipeline import READERS, WRITERS, Format, Options, Source, convert, read, tables
from tests.documents import FULL, as_bytes
from tests.unit.formats.table import test_aim, test_dcmqi, test_rows

ROOT: Final = Path(__file__).parents[1]
BEGIN: Final = "<!-- made by `make matrix` -->\n"
END: Final = "<!-- end -->\n"
_STUDIES: Final = ("lesions.images.image.study", "study.images.study", "predecessor.study")
_UNSAID: Final = ("where", "losses", "resolution", "said", "row")


class Pair(NamedTuple):
    """How many statements a document makes, and which of them the output makes no more, by their members."""

    said: int
    lost: Mapping[str, int]


@cache
def _full() -> bytes:
    """The document with every member, with the measurements that its shapes show."""
    made = deepcopy(FULL)
    made["lesions"][0]["measurements"] += [
        {"concept": "short axis", "value": "11.0 mm"},
        {"concept": "area", "value": "12 mm2"},
    ]
    return as_bytes(made)


def document(form: Format) -> Source:
    """A document in a format."""
    if form is Format.FINDINGS:
        return Source(_full())
    if form in WRITERS:
        return Source(convert(Source(_full()), (form,), Options()).outputs[form].content, form)
    if form is Format.CSV:
        # Its first report: a table is several.
        lines = test_rows.TABLE.splitlines()
        return Source("\n".join(lines[:2]).encode(), form, mapping=test_rows.MAPPING)
    if form is Format.DCMQI:
        return Source(test_dcmqi.of(), form, mapping=test_dcmqi.MAPPING)
    return Source(test_aim.document(), form)


@cache
def pair(come: Format, go: Format) -> Pair:
    """What becomes of a document of one format in another one."""
    source = document(come)
    outcome = convert(source, (go,), Options())
    before = Counter(_statements(outcome.report))
    if go not in READERS:
        gone = Counter(loss.what for loss in outcome.outputs[go].losses if loss.kind is LossKind.LOST)
        return Pair(before.total(), dict(gone))
    there = read(Source(outcome.outputs[go].content, go, default_sender=outcome.report.sender)).report
    after = Counter(_statements(code_report(there, tables(""))))
    lost = Counter(place for place, _ in (before - after).elements())
    return Pair(before.total(), dict(sorted(lost.items())))


def _statements(report: CodedReport) -> Iterator[tuple[str, str]]:
    """Every statement; that an image is of the report's own study is none, since it is where no study is named."""
    own = report.study.uid
    return ((place, said) for place, said in _leaves("", report) if place not in _STUDIES or said != own)


def _leaves(place: str, value: Any) -> Iterator[tuple[str, str]]:
    """Every value with the member it stands in; a term is its codes, or its words where it has none."""
    if value is None or value == ():
        return
    if isinstance(value, CodedTerm):
        yield place, " ".join(f"{one.system} {one.code}" for one in value.codes) or value.text
    elif isinstance(value, DateTime):
        # An instant is one, whatever the zone that it is written in.
        yield place, datetime.fromisoformat(value.text).astimezone(UTC).isoformat() if value.is_instant else value.text
    elif isinstance(value, tuple) and value and all(isinstance(one, int | float) for one in value):
        yield place, " ".join(f"{float(one):g}" for one in value)
    elif isinstance(value, tuple):
        for one in value:
            yield from _leaves(place, one)
    elif is_dataclass(value) and not isinstance(value, type):
        for member in fields(value):
            if member.name not in _UNSAID:
                yield from _leaves(f"{place}.{member.name}".lstrip("."), getattr(value, member.name))
    else:
        yield place, str(value.value if isinstance(value, Enum) else value)


def table() -> str:
    """The matrix: of the statements of a document, how many each output makes."""
    rows = [f"| from \\ to | {' | '.join(f'`{go}`' for go in WRITERS)} |", f"|---|{'---|' * len(WRITERS)}"]
    for come in READERS:
        cells = [_cell(pair(come, go), go) for go in WRITERS]
        rows.append(f"| `{come}` ({pair(come, Format.FINDINGS).said}) | {' | '.join(cells)} |")
    return "\n".join(rows) + "\n"


def _cell(found: Pair, go: Format) -> str:
    lost = sum(found.lost.values())
    if lost:
        return f"{found.said - lost}"
    return "all" if go in READERS else "no loss named"


def lists() -> str:
    """For each pair that loses something, what."""
    lines = []
    for come in READERS:
        for go in WRITERS:
            found = pair(come, go).lost
            if found:
                named = ", ".join(f"{place} ({number})" if number > 1 else place for place, number in found.items())
                lines.append(f"- `{come}` to `{go}`: {named}\n")
    return "".join(lines)


def replaced(text: str, made: str) -> str:
    """A page with what stands between the marks made anew."""
    return re.sub(f"(?<={re.escape(BEGIN)}).*?(?={re.escape(END)})", lambda _: made, text, flags=re.DOTALL)


PAGES: Final = {ROOT / "README.md": table, ROOT / "docs" / "matrix.md": lists}
"""Where each part stands."""

if __name__ == "__main__":
    for path, make in PAGES.items():
        path.write_text(replaced(path.read_text(encoding="utf-8"), make()), encoding="utf-8")
