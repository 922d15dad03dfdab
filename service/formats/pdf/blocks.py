"""A page of `service.formats.html` as a row of paragraphs and tables, in the markup of reportlab's paragraphs."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Final, TypeAlias

_INLINE: Final[Mapping[str, tuple[str, str]]] = {
    "b": ("<b>", "</b>"),
    "strong": ("<b>", "</b>"),
    "i": ("<i>", "</i>"),
    "sup": ("<super>", "</super>"),
    "small": ('<font size="7">', "</font>"),
}
_BLOCKS: Final = frozenset({"p", "h1", "h2", "summary", "li", "dt", "dd", "td", "th", "ul", "ol", "div", "section"})
_SILENT: Final = frozenset({"head", "style"})


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A text with markup; ``style`` is the element that it stands in, ``depth`` how many lists are around it."""

    markup: str
    style: str
    depth: int = 0


@dataclass(slots=True)
class Cell:
    """A cell of a table."""

    is_head: bool
    columns: int
    parts: list[Paragraph] = field(default_factory=list)


@dataclass(slots=True)
class Table:
    """Rows of cells; ``heads`` of them stand on each page that it goes on to. A list of terms is a table, too."""

    rows: list[list[Cell]] = field(default_factory=list)
    heads: int = 0


Block: TypeAlias = Paragraph | Table


def blocks(page: str, shown: Callable[[str], str]) -> list[Block]:
    """Everything that a page says, in its order; ``shown`` makes of a text what can be drawn of it."""
    reading = _Reading(shown)
    reading.feed(page)
    reading.close()
    reading.end()
    return reading.found


def with_long_texts_below(table: Table, most: int) -> list[Block]:
    """The table, ended below each row whose last text is longer than ``most``: it stands there over the whole width.

    A text of several sheets in a cell is slow to part, the more so the longer it is.
    """
    made: list[Block] = []
    heads = table.rows[: table.heads]
    part = Table(list(heads), table.heads)
    for row in table.rows[table.heads :]:
        below: list[Paragraph] = []
        while row and row[-1].parts and len(row[-1].parts[-1].markup) > most:
            below.insert(0, row[-1].parts.pop())
        part.rows.append(row)
        if below:
            made += [part, *below]
            part = Table(list(heads), table.heads)
    return made if made and len(part.rows) == len(heads) else [*made, part]


class _Reading(HTMLParser):
    def __init__(self, shown: Callable[[str], str]) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[Block] = []
        self._shown = shown
        self._runs: list[str] = []
        self._open: list[str] = []
        self._styles: list[str] = ["p"]
        self._depth = 0
        self._silent = 0
        self._table: Table | None = None
        self._cell: Cell | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = dict(attrs)
        if tag in _SILENT:
            self._silent += 1
        elif tag in _INLINE:
            self._runs.append(_INLINE[tag][0])
            self._open.append(tag)
        elif tag == "br":
            self._runs.append("<br/>")
        elif tag in ("table", "dl"):
            self.end()
            self._table = Table()
            self.found.append(self._table)
        elif tag in ("tr", "div") and self._table is not None:
            self.end()
            self._table.rows.append([])
        elif tag in ("th", "td", "dt", "dd") and self._table is not None:
            self.end()
            self._cell = Cell(tag == "th", int(said.get("colspan") or 1))
            self._table.rows[-1].append(self._cell)
        elif tag in _BLOCKS:
            self.end()
            self._depth += tag in ("ul", "ol")
        if tag in _BLOCKS or tag == "footer":
            self._styles.append((said.get("class") or tag) if tag == "p" else tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in _SILENT:
            self._silent -= 1
        elif tag in _INLINE:
            self._runs.append(_INLINE[tag][1])
            self._open.pop()
        elif tag == "thead" and self._table is not None:
            self._table.heads = len(self._table.rows)
        elif tag in _BLOCKS or tag in ("table", "dl", "footer"):
            self.end()
            self._depth -= tag in ("ul", "ol")
        if tag in _BLOCKS or tag == "footer":
            self._styles.pop()
        if tag in ("th", "td", "dt", "dd"):
            self._cell = None
        if tag in ("table", "dl"):
            self._table = None

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self._runs.append(self._shown(data))

    def end(self) -> None:
        """End the paragraph that is under way; marks that are open in it go on in the next."""
        markup = "".join(self._runs + [_INLINE[tag][1] for tag in reversed(self._open)])
        self._runs = [_INLINE[tag][0] for tag in self._open]
        if not markup.strip():
            return
        made = Paragraph(markup.strip(), self._styles[-1], self._depth)
        (self._cell.parts if self._cell is not None else self.found).append(made)
