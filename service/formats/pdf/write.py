"""Draw the page of a report: the same page gives the same bytes, with reportlab as it is locked."""

import re
from collections.abc import Sequence
from functools import cache
from html import unescape
from importlib.resources import as_file, files
from io import BytesIO
from typing import Any, Final

from service.domain.emitted import Emitted
from service.domain.loss import Loss, LossKind
from service.formats.pdf.blocks import Block, Cell, Paragraph, Table, blocks, with_long_texts_below
from service.formats.pdf.characters import Characters

MEDIA_TYPE: Final = "application/pdf"
_FONT: Final = "LesionBridge"
_MARGIN: Final = 37.0  # points: 13 mm, as the printed page has it
_FOOT: Final = 28.0
_FOOT_SIZE: Final = 7
_WIDTH: Final = 595.28  # A4
_NUMBER: Final = 50.0  # points for "1234 / 1234" and what parts it from the title
_SIZES: Final = {"patient": 14.0, "h1": 10.5, "h2": 9.0, "summary": 9.0, "notice": 11.0, "notice grave": 12.0}
_BOLD: Final = frozenset({"patient", "h2", "summary", "notice", "notice grave", "th"})
_COLOURS: Final = {
    "h1": "#12405f",
    "h2": "#12405f",
    "summary": "#12405f",
    "notice": "#5c3800",
    "notice grave": "#990000",
}
_BODY: Final = 8.5
_LONG: Final = 2000  # characters: about half a sheet
_DEEPEST: Final = 12  # lists in each other that are moved to the right
_TITLE: Final = re.compile("<title>(.*?)</title>", re.DOTALL)
_STRONG: Final = re.compile("<b>(.*?)</b>")
_ENGLISH: Final = re.compile(r"\(([A-Z ]+): [^()]*\)$")
"""The word of a notice in English behind that of the page's language, which is a draft, or may have no glyphs."""


def write(page: str, language: str) -> Emitted:
    """A page of `service.formats.html` as PDF; each sheet has the page's title, what it warns of, and its number.

    What no glyph can be drawn for is written as code points, and named as lost.
    """
    from reportlab.platypus.doctemplate import LayoutError

    characters = Characters(_fonts())
    said = blocks(page, characters.shown)
    title = unescape(_TITLE.findall(page)[0])
    foot = _foot(unescape(Characters(_fonts()).shown(title)), [unescape(one) for one in _warnings(said)])
    try:
        content = _built(said, title, language, foot, splitting=False)
    except LayoutError:  # a row is higher than a sheet
        content = _built(said, title, language, foot, splitting=True)
    losses: tuple[Loss, ...] = ()
    if characters.missing:
        what = f"{characters.missing} characters as such"
        why = "the PDF's fonts have no glyph for them, or can't set them: they stand in it as [U+...]"
        losses = (Loss(LossKind.LOST, "", what, why, "pdf-character"),)
    return Emitted(MEDIA_TYPE, content, losses)


def _built(said: Sequence[Block], title: str, language: str, foot: str, *, splitting: bool) -> bytes:
    """The sheets; ``splitting``: a row of a table may go on to the next one."""
    from reportlab.platypus import SimpleDocTemplate

    flow = [made for block in said for made in _drawn(block, splitting)]
    content = BytesIO()
    document = SimpleDocTemplate(
        content,
        invariant=1,  # no clock, no random id
        leftMargin=_MARGIN,
        rightMargin=_MARGIN,
        topMargin=_MARGIN,
        bottomMargin=_MARGIN + _FOOT / 2,
        title=title,
        lang=language,
        creator="LesionBridge",
        producer="LesionBridge",
    )
    document.build(flow, canvasmaker=_numbered(foot))
    return content.getvalue()


@cache
def _fonts() -> frozenset[int]:
    """Make the fonts known to reportlab; the code points that both have."""
    from reportlab.pdfbase import pdfmetrics
    from reportlab.pdfbase.ttfonts import TTFont

    there = files("ttf_opensans").joinpath("ttf")
    known = []
    for name, file in ((_FONT, "OpenSans-Regular.ttf"), (f"{_FONT}-Bold", "OpenSans-Bold.ttf")):
        with as_file(there.joinpath(file)) as path:
            font = TTFont(name, str(path))
        pdfmetrics.registerFont(font)
        known.append(frozenset(font.face.charToGlyph))
    pdfmetrics.registerFontFamily(_FONT, _FONT, f"{_FONT}-Bold", _FONT, f"{_FONT}-Bold")
    return known[0] & known[1]


def _foot(title: str, warnings: Sequence[str]) -> str:
    """Title and warnings in one line beside the number of the sheet: a title that is too long for it is cut.

    The whole title stands in the page; a number that is drawn over tells nobody that a sheet is missing.
    """
    from reportlab.pdfbase.pdfmetrics import stringWidth

    behind = "".join([f" · {one}" for one in warnings])
    room = _WIDTH - 2 * _MARGIN - _NUMBER
    made = f"{title}{behind}"
    for end in range(len(title) - 1, 0, -1):
        if stringWidth(made, _FONT, _FOOT_SIZE) <= room:
            break
        made = f"{title[:end]}...{behind}"
    return made


def _warnings(said: Sequence[Block]) -> list[str]:
    """The word of each notice, as CORRECTED: a sheet alone has to say it, too."""
    notices = [one.markup for one in said if isinstance(one, Paragraph) and one.style.startswith("notice")]
    return [word for notice in notices for word in (*_STRONG.findall(notice)[:1], *_ENGLISH.findall(notice))]


def _drawn(block: Block, splitting: bool) -> list[Any]:
    if isinstance(block, Paragraph):
        return [_paragraph(block)]
    if not block.rows:
        return []
    made: list[Any] = []
    for one in with_long_texts_below(block, _LONG):
        made += _table(one, splitting) if isinstance(one, Table) else [_paragraph(one)]
    return made


def _paragraph(said: Paragraph) -> Any:
    from reportlab.lib.colors import HexColor
    from reportlab.lib.styles import ParagraphStyle
    from reportlab.platypus import Paragraph as Drawn

    size = _SIZES.get(said.style, _BODY)
    style = ParagraphStyle(
        said.style,
        fontName=f"{_FONT}-Bold" if said.style in _BOLD else _FONT,
        fontSize=size,
        leading=size * 1.3,
        spaceBefore=5 if said.style in ("h2", "summary", "footer") else 0,
        spaceAfter=2,
        leftIndent=9.0 * min(said.depth, _DEEPEST),
        textColor=HexColor(_COLOURS.get(said.style, "#000000")),
        keepWithNext=said.style in ("h2", "summary"),
        splitLongWords=1,
        borderWidth=1.5 if said.style == "notice grave" else 0,
        borderColor=HexColor("#990000") if said.style == "notice grave" else None,
        borderPadding=4 if said.style == "notice grave" else 0,
    )
    return Drawn(said.markup, style)


def _table(table: Table, splitting: bool) -> list[Any]:
    """A table over the whole width; its columns are as wide as what they hold asks for."""
    from reportlab.lib.colors import HexColor
    from reportlab.platypus import Spacer
    from reportlab.platypus import Table as Drawn

    columns = max(sum(cell.columns for cell in row) for row in table.rows)
    spans: list[tuple[Any, ...]] = []
    rows: list[list[Any]] = []
    weights = [1.0] * columns
    for number, row in enumerate(table.rows):
        made: list[Any] = []
        for cell in row:
            if cell.columns > 1:
                spans.append(("SPAN", (len(made), number), (len(made) + cell.columns - 1, number)))
            elif len(made) < columns:
                weights[len(made)] = max(weights[len(made)], min(_length(cell), 60.0))
            made += [[_paragraph(_in_cell(part, cell)) for part in cell.parts], *[""] * (cell.columns - 1)]
        rows.append(made + [""] * (columns - len(made)))
    width = _WIDTH - 2 * _MARGIN - 12  # A4 less the margins and the frame's own
    floor = 0.4 * width / columns
    free = width - floor * columns
    widths = [floor + free * weight / sum(weights) for weight in weights]
    grid = [("LINEABOVE", (0, 1), (-1, -1), 0.4, HexColor("#bbbbbb"))] if len(rows) > 1 else []
    style = [
        ("FONTNAME", (0, 0), (-1, -1), _FONT),
        ("VALIGN", (0, 0), (-1, -1), "TOP"),
        ("LEFTPADDING", (0, 0), (-1, -1), 0),
        *grid,
        *spans,
    ]
    style += [("TOPPADDING", (0, 0), (-1, -1), 1.5), ("BOTTOMPADDING", (0, 0), (-1, -1), 1.5)]
    return [Drawn(rows, colWidths=widths, repeatRows=table.heads, style=style, splitInRow=int(splitting)), Spacer(1, 4)]


def _in_cell(part: Paragraph, cell: Cell) -> Paragraph:
    return Paragraph(part.markup, "th" if cell.is_head else part.style, part.depth)


def _length(cell: Cell) -> float:
    return max((float(len(part.markup)) for part in cell.parts), default=1.0)


def _numbered(foot: str) -> Any:
    """A canvas that writes on each sheet which of how many it is: sheets of a printed report get lost."""
    from reportlab.pdfgen.canvas import Canvas

    class Numbered(Canvas):  # type: ignore[misc]  # reportlab ships no types
        def __init__(self, *arguments: Any, **settings: Any) -> None:
            super().__init__(*arguments, **{**settings, "initialFontName": _FONT})
            self._sheets: list[dict[str, Any]] = []

        def showPage(self) -> None:  # noqa: N802 - reportlab's own name
            self._sheets.append(dict(self.__dict__))
            self._startPage()

        def save(self) -> None:
            for number, sheet in enumerate(self._sheets, start=1):
                self.__dict__.update(sheet)
                self.setFont(_FONT, _FOOT_SIZE)
                self.drawString(_MARGIN, _FOOT, foot)
                self.drawRightString(self._pagesize[0] - _MARGIN, _FOOT, f"{number} / {len(self._sheets)}")
                super().showPage()
            super().save()

    return Numbered
