"""ICD-10-CM and ICD-O-3: what is read, and what is refused."""

from pathlib import Path

import pytest

from service.coding.releases.store import Use
from service.domain.errors import Invalid, LesionBridgeError, Unreadable
from tests.releases import Site


def _line(place: int, code: str, billable: int, name: str) -> str:
    return f"{place:05d} {code:<7} {billable} {name[:60]:<60} {name}\n"


ORDER = (
    _line(1, "X10", 0, "Made-up diseases")
    + _line(2, "X101", 0, "Made-up disease of the arm")
    + _line(3, "X1012", 1, "Made-up disease of the left arm")
    + _line(4, "X101XXA", 1, "Made-up disease of the arm, initial encounter")
)
TOPOGRAPHY = 'Kode\tLvl\tTitle\nC90\t3\tMADE-UP ORGAN\nC90.1\t4\tPart, of it\nC90.1\tincl\t"Bit, of it"\n'
MORPHOLOGY = "Code\tStruct\tLabel\n9901/3\ttitle\tMade-up sarcoma, NOS\n9901/3\tsub\tInvented sarcoma\n"


def test_reads_the_order_file(site: Site, tmp_path: Path) -> None:
    path = tmp_path / "icd10cm_order_2026.txt"
    path.write_text(ORDER, newline="\r\n")
    assert site.load(path).systems == (("I10C", "2026", 4),)
    found = site.releases.lookup("I10C", "X10.12")
    assert found is not None
    assert found.display == "Made-up disease of the left arm"
    assert site.releases.ancestors("I10C", "X10.1XXA") == ("X10", "X10.1")
    assert [(one.type, one.value) for one in site.releases.attributes("I10C", "X10.1")] == [("billable", "false")]


@pytest.mark.parametrize(
    ("text", "error", "pointer", "why"),
    [
        (ORDER.replace("00003", "00001"), Invalid, ":3", "order number 1 after 2"),
        (ORDER + _line(5, "X1012", 1, "Again"), Invalid, ":5", "there twice"),
        (ORDER + "00005 nothing of the kind\n", Invalid, ":5", "not a line of the order file"),
        (_line(1, "X1012", 1, "Without a category"), Unreadable, ":1", "no category above it"),
        (ORDER[:-1], Unreadable, ":4", "no line end"),
    ],
)
def test_refuses_a_damaged_order_file(
    text: str, error: type[LesionBridgeError], pointer: str, why: str, site: Site, tmp_path: Path
) -> None:
    path = tmp_path / "icd10cm_order_2026.txt"
    path.write_text(text)
    with pytest.raises(error, match=why) as refused:
        site.load(path)
    assert refused.value.problems[0].pointer == path.name + pointer


def test_reads_icd_o_of_who(site: Site, tmp_path: Path) -> None:
    (tmp_path / "Topoenglish.txt").write_text(TOPOGRAPHY, encoding="iso-8859-1")
    (tmp_path / "Morphenglish.txt").write_text(MORPHOLOGY, encoding="iso-8859-1")
    placed = site.load(tmp_path / "Topoenglish.txt", tmp_path / "Morphenglish.txt")
    assert placed.systems == (("ICDO3", "", 3),)
    words = [(word.term, word.use) for word in site.releases.designations("ICDO3", "9901/3")]
    assert words == [("Made-up sarcoma, NOS", Use.PREFERRED), ("Invented sarcoma", Use.SYNONYM)]
    assert [word.term for word in site.releases.designations("ICDO3", "C90.1")] == ["Part, of it", "Bit, of it"]
    assert site.releases.parents("ICDO3", "C90.1") == ("C90",)


def test_reads_the_icd_o_3_2_table(site: Site, tmp_path: Path) -> None:
    path = tmp_path / "ICD-O-3.2.csv"
    path.write_text(
        "ICDO3.2,Level,Term,Code reference\n990,2,Group,\n9901/3,Synonym,Invented,\n9901/3,Preferred,Made-up sarcoma,\n"
    )
    assert site.load(path).systems == (("ICDO3", "3.2", 1),)
    found = site.releases.lookup("ICDO3", "9901/3")
    assert found is not None


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (TOPOGRAPHY.replace("C90.1", "Q90.1"), "no ICD-O-3 topography"),
        (TOPOGRAPHY.replace("\t4\t", "\t"), "2 cells where the layout has 3 columns"),
    ],
)
def test_refuses_a_damaged_icd_o_table(text: str, why: str, site: Site, tmp_path: Path) -> None:
    (tmp_path / "Topoenglish.txt").write_text(text)
    with pytest.raises(Invalid, match=why):
        site.load(tmp_path / "Topoenglish.txt")
