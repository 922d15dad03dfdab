"""The page as PDF: its words and no others, the same bytes, and nothing dropped that can't be drawn."""

import re
import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from html import unescape
from pathlib import Path

import pytest

from service.domain.names import NameGroup, PersonName
from service.domain.received import OutlineItem
from service.domain.report import CodedReport, Status
from service.formats.html.write import page
from service.formats.pdf.characters import Characters
from service.formats.pdf.write import write
from tests.report_set import REPORTS
from tests.reports import make_coded_report, make_lesion

Oracle = Callable[[str], Path]
EVERY = range(0x110000)


def drawn(report: CodedReport) -> bytes:
    return write(page(report), report.language).content


def text(oracle: Oracle, content: bytes) -> str:
    """What poppler reads in it, in the order in which it is drawn."""
    done = subprocess.run([oracle("pdftotext"), "-raw", "-", "-"], input=content, capture_output=True, check=True)
    return done.stdout.decode()


def words(markup: str) -> str:
    """What a page says, without blanks; what no font has stands as code points, as in the PDF."""
    body = markup[markup.index("<body") :]
    shown = Characters(frozenset(range(0x250)) | _beyond())
    return "".join("".join(unescape(shown.shown(unescape(part))).split()) for part in re.split("<[^>]*>", body))


def _beyond() -> frozenset[int]:
    from service.formats.pdf.write import _fonts

    return _fonts()


def heads(markup: str) -> list[str]:
    """The heads of its tables: they stand on each sheet that a table goes on to."""
    return [words(f"<body>{head}") for head in re.findall("<thead>.*?</thead>", markup, re.DOTALL)]


@pytest.mark.parametrize("name", REPORTS)
def test_says_every_word_of_the_page_and_no_other(name: str, oracle: Oracle) -> None:
    report = REPORTS[name]()
    markup = page(report)
    title = unescape(re.findall("<title>(.*?)</title>", markup)[0])
    read = re.sub(rf"{re.escape(title)}.* \d+ / \d+\n", "", text(oracle, drawn(report)))
    said, found = words(markup), "".join(read.split())
    for head in heads(markup):
        said, found = said.replace(head, ""), found.replace(head, "")
    assert found == said


def test_the_same_report_gives_the_same_bytes_in_any_thread() -> None:
    reports = [REPORTS["rich"](), REPORTS["rich"]()]
    with ThreadPoolExecutor(4) as pool:
        made = set(pool.map(drawn, reports * 4))
    assert len(made) == 1
    assert made == {drawn(reports[0])}
    assert drawn(replace(reports[0], impression="Another.")) not in made


def test_names_in_latin_greek_and_cyrillic_are_drawn(oracle: Oracle) -> None:
    report = make_coded_report()
    for family in ("Żółć", "Παπαδόπουλος", "Достоевская", "Nguyễn", "Çelik"):
        named = replace(report, patient=replace(report.patient, name=PersonName(NameGroup(family))))
        made = write(page(named), report.language)
        assert family in text(oracle, made.content)
        assert made.losses == ()


@pytest.mark.parametrize(
    ("family", "codes"),
    [("山田", "[U+5C71 U+7530]"), ("דוד", "[U+05D3 U+05D5 U+05D3]"), ("محمد", "[U+0645 U+062D U+0645 U+062F]")],
)
def test_what_can_not_be_drawn_stands_as_code_points_and_is_named(family: str, codes: str, oracle: Oracle) -> None:
    report = make_coded_report()
    named = replace(report, patient=replace(report.patient, name=PersonName(NameGroup(family))))
    made = write(page(named), report.language)
    assert codes in " ".join(text(oracle, made.content).split())
    assert [(loss.rule, loss.what) for loss in made.losses] == [("pdf-character", f"{len(family)} characters as such")]
    assert family not in str(made.losses)


def test_a_mark_or_a_direction_alone_is_no_glyph() -> None:
    characters = Characters(EVERY)
    assert Characters({0xAD, 0x31}).shown("1\xad1") == "1[U+00AD]1"
    assert characters.shown("a\u0301 q\u0301 \u202ex <&>") == "\u00e1 q[U+0301] [U+202E]x &lt;&amp;&gt;"
    assert characters.missing == 2


@pytest.mark.parametrize(
    ("status", "word"),
    [(Status.CORRECTED, "CORRECTED"), (Status.ENTERED_IN_ERROR, "ENTERED IN ERROR"), (Status.FINAL, "")],
)
def test_each_sheet_says_what_the_notice_warns_of(status: Status, word: str, oracle: Oracle) -> None:
    lesions = tuple(make_lesion(f"L{number}", tracking_uid=f"1.2.3.{number}") for number in range(40))
    report = make_coded_report(status=status, lesions=lesions)
    said = text(oracle, drawn(report))
    sheets = re.findall(r"^Lesion report \S+(?: · (.*))? (\d+) / (\d+)$", said, re.MULTILINE)
    assert len(sheets) == int(sheets[0][2]) > 3
    assert [int(one[1]) for one in sheets] == list(range(1, len(sheets) + 1))
    assert {one[0] for one in sheets} == {word}


@pytest.mark.parametrize("language", ["de", "ja"])
def test_a_sheet_alone_warns_in_english_too_where_the_page_has_another_language(language: str, oracle: Oracle) -> None:
    lesions = tuple(make_lesion(f"L{number}", tracking_uid=f"1.2.3.{number}") for number in range(40))
    report = make_coded_report(status=Status.ENTERED_IN_ERROR, lesions=lesions)
    said = text(oracle, write(page(report, language=language), language).content)
    sheets = re.findall(r"^.*ENTERED IN ERROR (\d+) / (\d+)$", said, re.MULTILINE)
    assert len(sheets) == int(sheets[0][1]) > 3


def test_a_long_text_of_a_lesion_stands_below_its_row(oracle: Oracle) -> None:
    long = " ".join(f"word{number}" for number in range(3000))
    report = make_coded_report(
        lesions=(make_lesion("L1", text=long), make_lesion("L2", tracking_uid="1.2.3.77", text="short"))
    )
    said = "".join(re.sub(r"Lesion report .* \d+ / \d+\n", "", text(oracle, drawn(report))).split())
    markup = page(report)
    wanted = words(markup)
    for head in heads(markup):
        said, wanted = said.replace(head, ""), wanted.replace(head, "")
    assert said == wanted


def test_a_row_that_is_higher_than_a_sheet_goes_on_to_the_next(oracle: Oracle) -> None:
    lines = [f"word{number}" for number in range(300)]
    report = make_coded_report(lesions=(make_lesion("L1", text="\n\n".join(lines)),))
    assert set(lines) <= set(text(oracle, drawn(report)).split())


def test_an_outline_of_many_levels_stays_on_the_sheet(oracle: Oracle) -> None:
    levels = [OutlineItem(depth, "CONTAINS", "TEXT", f"level{depth}", "said") for depth in range(80)]
    made = write(page(make_coded_report(), levels), "en")
    assert {f"level{depth}" for depth in range(80)} <= set(text(oracle, made.content).split())


def test_its_fonts_go_along(tmp_path: Path, oracle: Oracle) -> None:
    file = tmp_path / "page.pdf"
    file.write_bytes(drawn(make_coded_report()))
    listed = subprocess.run([oracle("pdffonts"), file], capture_output=True, check=True, text=True).stdout.splitlines()
    rows = [line.split() for line in listed[2:]]
    assert rows
    assert all(row[-5:-2] == ["yes", "yes", "yes"] for row in rows if "OpenSans" in row[0])
    assert {row[0].partition("+")[2] or row[0] for row in rows} == {"OpenSans-Regular", "OpenSans-Bold"}


@pytest.mark.parametrize(("sign", "is_cut"), [("i", False), ("\u05d3", True)])
def test_a_long_title_at_the_foot_leaves_room_for_the_number_of_the_sheet(
    sign: str, *, is_cut: bool, oracle: Oracle
) -> None:
    report = replace(make_coded_report(), id=sign * 64, status=Status.CORRECTED)
    done = subprocess.run(
        [oracle("pdftotext"), "-bbox", "-", "-"], input=drawn(report), capture_output=True, check=True, timeout=60
    )
    found = re.findall(r'<word xMin="([\d.]+)" yMin="([\d.]+)" xMax="([\d.]+)".*?>(.*?)</word>', done.stdout.decode())
    last = [(float(left), float(right), said) for left, top, right, said in found if float(top) > 800]
    number = next(
        index for index, one in enumerate(last) if [said for _, _, said in last[index : index + 2]] == ["1", "/"]
    )
    assert max(right for _, right, _ in last[:number]) < last[number][0]
    assert [said for _, _, said in last[number - 1 : number]] == ["CORRECTED"]
    assert any("..." in said for _, _, said in last[:number]) == is_cut
