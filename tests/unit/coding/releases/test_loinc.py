"""LOINC with its companions: what is read, and what is refused. The numbers are made up, with their check digits."""

import zipfile
from pathlib import Path

import pytest

from service.coding.releases import layouts
from service.coding.releases.store import Use
from service.domain.errors import Invalid, LesionBridgeError, Unreadable
from tests.releases import Site

COLUMNS = [*layouts.LOINC, "VersionLastChanged", *layouts.LOINC_NAMED, "RELATEDNAMES2", "DisplayName"]


def number(item: int) -> str:
    """A LOINC number with its mod 10 check digit."""
    total = 0
    for place, digit in enumerate(reversed(str(item))):
        doubled = int(digit) * (2 if place % 2 == 0 else 1)
        total += doubled // 10 + doubled % 10
    return f"{item}-{(10 - total % 10) % 10}"


MR, OLD, LAB = number(990001), number(990002), number(990003)


def _row(code: str, kind: str, status: str, name: str, related: str = "", version: str = "2.80") -> str:
    cells = [code, "Multisection", "Find", "Pt", "Head", "Doc", "MR", kind, version, status, f"{name} short", name]
    return ",".join(f'"{cell}"' for cell in [*cells, related, f"{name} shown"])


TABLE = "\n".join(
    [
        ",".join(f'"{name}"' for name in COLUMNS),
        _row(MR, "RAD", "ACTIVE", "MR Head", "MRI; Magnetic resonance", "2.9"),
        _row(OLD, "RAD", "DEPRECATED", "MR Skull"),
        _row(LAB, "CHEM", "TRIAL", "Glucose, fasting", "Gluc; Sugar"),
        "",
    ]
)
MAP_TO = f"LOINC,MAP_TO,COMMENT\n{OLD},{MR},\n"
PLAYBOOK = (
    ",".join(layouts.PLAYBOOK) + f"\n{MR},MR Head,LP1-1,Rad.Modality,MR,A,RID10312,magnetic resonance,RPID990,MR Hd\n"
)


def _zip(folder: Path, **files: str) -> Path:
    path = folder / "Loinc_2.81.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in files.items():
            archive.writestr(f"Loinc_2.81/{name}/{name}.csv", text)
    return path


def test_reads_the_table_with_its_companions(site: Site, tmp_path: Path) -> None:
    files = {"Loinc": TABLE, "MapTo": MAP_TO, "LoincRsnaRadiologyPlaybook": PLAYBOOK}
    placed = site.load(_zip(tmp_path, **files))
    assert placed.systems == (("LN", "2.81", 3),)
    found = site.releases.lookup("LN", MR)
    assert found is not None
    assert (found.display, found.active) == ("MR Head", True)
    attributes = {(one.type, one.value) for one in site.releases.attributes("LN", MR)}
    assert {("SYSTEM", "Head"), ("CLASS", "RAD"), ("Rad.Modality", "RID10312")} <= attributes
    (there,) = site.releases.translations("LN", MR)
    assert (there.to_system, there.to_code) == ("RADLEX", "RPID990")


def test_a_retired_term_says_where_it_went(site: Site, tmp_path: Path) -> None:
    site.load(_zip(tmp_path, Loinc=TABLE, MapTo=MAP_TO))
    found = site.releases.lookup("LN", OLD)
    assert found is not None
    assert not found.active
    assert [(one.kind, one.target) for one in site.releases.historical("LN", OLD)] == [("replaced-by", MR)]


def test_a_retired_term_with_two_targets_is_replaced_by_none(site: Site, tmp_path: Path) -> None:
    site.load(_zip(tmp_path, Loinc=TABLE, MapTo=f"{MAP_TO}{OLD},{LAB},\n"))
    assert {one.kind for one in site.releases.historical("LN", OLD)} == {"possibly-replaced-by"}


def test_related_names_are_words_of_radiology_only(site: Site, tmp_path: Path) -> None:
    path = tmp_path / "Loinc.csv"
    path.write_text(TABLE)
    placed = site.load(path)
    assert placed.systems[0][1] == "2.80"  # the latest that a term was changed in; 2.9 is before it
    synonyms = {word.term for word in site.releases.designations("LN", MR) if word.use is Use.SYNONYM}
    assert {"MRI", "Magnetic resonance"} <= synonyms
    assert "Sugar" not in {word.term for word in site.releases.designations("LN", LAB)}


@pytest.mark.parametrize(
    ("files", "error", "why"),
    [
        ({"Loinc": TABLE.replace(MR, MR[:-1] + str((int(MR[-1]) + 1) % 10))}, Invalid, "check digit"),
        ({"Loinc": TABLE.replace("TRIAL", "NEW")}, Invalid, "a STATUS is one of"),
        ({"Loinc": TABLE.replace('"LONG_COMMON_NAME"', '"NAME"')}, Invalid, "no column LONG_COMMON_NAME"),
        ({"Loinc": TABLE + TABLE.splitlines()[1] + "\n"}, Invalid, "is there twice"),
        ({"Loinc": TABLE.splitlines()[0] + "\n"}, Invalid, "no term"),
        ({"Loinc": TABLE[:-30]}, Unreadable, "breaks off"),
        ({"Loinc": TABLE, "MapTo": MAP_TO.replace(MR, number(990009))}, Invalid, "different releases"),
        ({"Loinc": TABLE, "LoincRsnaRadiologyPlaybook": PLAYBOOK.replace(MR, number(990009))}, Invalid, "different"),
        ({"MapTo": MAP_TO}, Unreadable, "Loinc.csv is missing"),
    ],
)
def test_refuses_what_is_cut_or_of_different_releases(
    files: dict[str, str], error: type[LesionBridgeError], why: str, site: Site, tmp_path: Path
) -> None:
    with pytest.raises(error, match=why):
        site.load(_zip(tmp_path, **files))
    assert site.shelf.current() == ()
