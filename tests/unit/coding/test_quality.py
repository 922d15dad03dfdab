"""The quality gate finds what the loader lets pass, at its file and line; the shipped tables pass it."""

from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import pytest

from service.coding.quality import defects
from tests.unit.coding.small import tables, write_tables

GERMAN = "terminology/labels/de.csv"
HEADER = "concept,label,status,source\n"
LABELS = {
    "an unknown concept": ("nowhere,nirgends,draft,a source\n", "no such concept"),
    "a side that is lost": ("left-hemisphere,Großhirnhemisphäre,draft,a source\n", "does not say left"),
    "a side that is turned": ("left-hemisphere,rechte Großhirnhemisphäre,draft,a source\n", "says right"),
    "a side that is added": ("frontal-lobe,linker Frontallappen,draft,a source\n", "says left"),
    "a number that is lost": ("t1-vertebra,Brustwirbel,draft,a source\n", "lacks 1"),
    "an unknown status": ("left,links,sure,a source\n", "status is one of"),
    "no source": ("left,links,draft,\n", "no source"),
    "no label": ("left,,draft,a source\n", "a display is empty"),
    "one label of two answers": ("stable,gleich,draft,a source\nresolved,gleich,draft,a source\n", "said of stable"),
    "a concept twice": ("left,links,draft,a source\nleft,linksseitig,draft,a source\n", "left is there twice"),
}


@dataclass
class One:
    """A concept, a word or a system of a fake release."""

    active: bool = True
    term: str = ""
    designator: str = ""


class FakeRelease:
    """RadLex with one code, and SNOMED CT with another, retired."""

    def systems(self) -> list[One]:
        return [One(designator="RADLEX"), One(designator="SCT")]

    def lookup(self, system: str, code: str) -> One | None:
        return {("RADLEX", "RID5231"): One(), ("SCT", "94225005"): One(active=False)}.get((system, code))

    def designations(self, system: str, code: str) -> list[One]:
        return [One(term=f"Metastatic Neoplasm ({system} {code})")]


def told(folder: Path, **changes: dict[str, str]) -> list[tuple[str, str]]:
    """Where and why tables are faulted."""
    return [(problem.pointer, problem.detail) for problem in defects(*write_tables(folder, **changes))]  # type: ignore[arg-type] # add only


def test_the_shipped_tables_pass() -> None:
    assert defects(files("terminology"), files("mappings")) == ()


def test_the_loaders_defects_are_told(tmp_path: Path) -> None:
    wrong = "left,SCT,7771001,Left,exact,,verified,a source\n"
    assert any("malformed" in why for _, why in told(tmp_path, add={"terminology/codings.csv": wrong}))


@pytest.mark.parametrize("what", LABELS)
def test_refuses_a_label_with(what: str, tmp_path: Path) -> None:
    lines, why = LABELS[what]

    found = told(tmp_path, add={GERMAN: HEADER + lines})

    assert (f"labels/de.csv:{1 + lines.count(chr(10))}") in [where for where, detail in found if why in detail], found


def test_takes_a_label_that_keeps_side_and_number(tmp_path: Path) -> None:
    lines = "left-hemisphere,linke Großhirnhemisphäre,draft,a source\nt1-vertebra,BWK 1,verified,a reader\n"
    assert not [where for where, _ in told(tmp_path, add={GERMAN: HEADER + lines}) if where.startswith("labels/")]


def test_refuses_a_dicom_code_that_the_standard_does_not_have(tmp_path: Path) -> None:
    line = tables()["terminology/codings.csv"].count("\n") + 1

    found = told(tmp_path, add={"terminology/codings.csv": "left,DCM,999999,Left,exact,,verified,a source\n"})

    assert (f"codings.csv:{line}", "left: DICOM has no code 999999") in found


def test_refuses_a_dicom_meaning_that_the_standard_does_not_have(tmp_path: Path) -> None:
    found = told(tmp_path, add={"terminology/codings.csv": "left,DCM,112040,Left,exact,,verified,a source\n"})

    assert any("112040 is 'Tracking Unique Identifier', not 'Left'" in why for _, why in found)


def test_a_side_has_its_counterpart(tmp_path: Path) -> None:
    found = told(tmp_path, add={"terminology/value_sets/left-sided-sites.csv": "left,a source\n"})

    assert any(where.startswith("value_sets/left-sided-sites.csv") and "counterpart" in why for where, why in found)


def test_holds_codes_against_a_loaded_release(tmp_path: Path) -> None:
    found = [problem.detail for problem in defects(*write_tables(tmp_path), release=FakeRelease())]

    assert "brain-metastasis: SCT 94225005 is retired" in found
    assert "left: SCT 7771000 is not in the loaded release" in found
    assert "brain-metastasis: 'metastasis' is no word of RADLEX RID5231" in found
    assert not [why for why in found if " I10C " in why]
