"""SNOMED CT RF2: what is read, and every kind of release that is refused, at its file and line."""

import re
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks import generated_rf2
from service.coding.releases import layouts
from service.coding.releases.store import ReleaseStore, Use
from service.domain.errors import Invalid, LesionBridgeError, Unreadable
from tests.releases import SHAPE, Generated, Site, changed

SCT = "SCT"


def test_every_concept_is_there_with_its_state(rf2: Generated, loaded: Site) -> None:
    for code, active, name, tag in zip(rf2.made.codes, rf2.made.active, rf2.made.names, rf2.made.tags, strict=True):
        found = loaded.releases.lookup(SCT, code)
        assert found is not None
        assert (found.active, found.display, found.tag, found.effective) == (active, name, tag, SHAPE.date)


def test_the_store_answers_the_whole_contract(loaded: Site) -> None:
    store: ReleaseStore = loaded.releases
    (system,) = store.systems()
    assert (system.designator, system.uri, system.version) == (SCT, "http://snomed.info/sct", SHAPE.date)
    assert system.concepts == SHAPE.concepts


def test_a_code_that_is_not_there_is_nothing(loaded: Site) -> None:
    releases = loaded.releases
    assert releases.lookup(SCT, "404684003") is None
    assert releases.lookup("RADLEX", "RID1") is None
    assert releases.designations(SCT, "404684003") == ()
    assert releases.parents(SCT, "404684003") == ()
    assert list(releases.descendants(SCT, "404684003")) == list(releases.members(SCT, "404684003")) == []
    assert not releases.subsumes(SCT, layouts.ROOT, "404684003")


def test_parents_and_children_are_those_of_the_package(rf2: Generated, loaded: Site) -> None:
    made = rf2.made
    children: dict[str, set[str]] = {code: set() for code in made.codes}
    for code, parents in zip(made.codes, made.parents, strict=True):
        names = {made.codes[parent] for parent in parents}
        assert set(loaded.releases.parents(SCT, code)) == names
        for name in names:
            children[name].add(code)
    for code, below in children.items():
        assert set(loaded.releases.children(SCT, code)) == below


def test_old_codes_say_where_they_went(rf2: Generated, loaded: Site) -> None:
    assert rf2.made.old
    for code, went in rf2.made.old.items():
        assert [(one.kind, one.target) for one in loaded.releases.historical(SCT, code)] == [went]


def test_reference_sets_have_their_members(rf2: Generated, loaded: Site) -> None:
    for refset, members in rf2.made.refsets.items():
        assert set(loaded.releases.members(SCT, refset)) == set(members)


def test_designations_say_their_use_and_dialects(rf2: Generated, loaded: Site) -> None:
    words = loaded.releases.designations(SCT, rf2.made.codes[100])
    assert [word.use for word in words][:2] == [Use.FULLY_SPECIFIED, Use.SYNONYM]
    assert words[1].preferred == ("en-US", "en-GB")


def test_text_definitions_are_kept_and_are_no_names(rf2: Generated, loaded: Site) -> None:
    words = loaded.releases.designations(SCT, rf2.made.codes[120])
    (definition,) = (word for word in words if word.use is Use.DEFINITION)
    assert definition.term == f"What {rf2.made.names[120]} is, said at length."
    assert loaded.releases.named(definition.term) == ()
    assert [one.code for one in loaded.releases.named(rf2.made.names[120].upper())] == [rf2.made.codes[120]]


def test_attributes_lead_to_concepts_or_values(rf2: Generated, loaded: Site) -> None:
    found = [one for code in rf2.made.codes for one in loaded.releases.attributes(SCT, code)]
    assert {bool(one.target) for one in found} == {True, False}
    assert all(one.target in rf2.made.codes or re.fullmatch("#[0-9]+", one.value) for one in found)


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_both_line_ends_and_quotes_in_terms_are_taken_as_written(end: str, site: Site, tmp_path: Path) -> None:
    path = tmp_path / "release.zip"
    made = generated_rf2.write(path, replace(SHAPE, concepts=100, descriptions=500, relationships=300, line_end=end))
    site.load(path)
    terms = [word.term for code in made.codes for word in site.releases.designations(SCT, code)]
    assert any(term.endswith('"type 3"') for term in terms)
    assert not any("\r" in term for term in terms)


def _replace(old: bytes, new: bytes, count: int = 1) -> Callable[[bytes], bytes]:
    def change(content: bytes) -> bytes:
        assert old in content
        return content.replace(old, new, count)

    return change


def _cut_cells(content: bytes) -> bytes:
    lines = content.split(b"\r\n")
    lines[20] = lines[20].rsplit(b"\t", 1)[0]
    return b"\r\n".join(lines)


def _wrong_digit(content: bytes) -> bytes:
    lines = content.split(b"\r\n")
    head, _, tail = lines[30].partition(b"\t")
    lines[30] = head[:-1] + str((int(head[-1:]) + 1) % 10).encode() + b"\t" + tail
    return b"\r\n".join(lines)


def _half(content: bytes) -> bytes:
    return content[: len(content) // 2]


def _half_of_the_lines(content: bytes) -> bytes:
    lines = content.split(b"\r\n")
    return b"\r\n".join(lines[: len(lines) // 2]) + b"\r\n"


def _first_lines(content: bytes) -> bytes:
    return b"\r\n".join(content.split(b"\r\n")[:100]) + b"\r\n"


REFUSED: list[tuple[str, Callable[[bytes], bytes], type[LesionBridgeError], str, str]] = [
    ("Concept_", _replace(b"definitionStatusId", b"statusId"), Invalid, "Concept_.*:1$", "the columns are"),
    ("Description_", _cut_cells, Invalid, "Description_.*:21$", "8 cells where the layout has 9"),
    ("Concept_", _wrong_digit, Invalid, "Concept_.*:31$", "check digit"),
    ("Description_", _wrong_digit, Invalid, "Description_.*:31$", "check digit"),
    ("Description_", _half, Unreadable, "Description_.*:[0-9]+$", "no line end"),
    ("Description_", _half_of_the_lines, Unreadable, "Description_", "no fully specified name"),
    ("Relationship_", _first_lines, Unreadable, "Relationship_", "have no parent"),
    ("Concept_", _half_of_the_lines, Invalid, ":[0-9]+$", "is in no concept file"),
    ("Description_", _replace(b"Structure of", b"\xff\xfe of"), Unreadable, "Description_", "not UTF-8"),
    ("Concept_", lambda content: content + content.split(b"\r\n")[5] + b"\r\n", Invalid, ":602$", "there twice"),
    ("Concept_", _replace(b"\t20260701\t1\t", b"\t2026-07-01\t1\t"), Invalid, "Concept_.*:2$", "effectiveTime"),
    ("Language", _replace(layouts.PREFERRED.encode(), b"1"), Invalid, "Language.*:2$", "acceptabilityId"),
]


@pytest.mark.parametrize(("part", "change", "error", "pointer", "why"), REFUSED)
def test_refuses_a_damaged_release_at_its_file_and_line(
    part: str,
    change: Callable[[bytes], bytes],
    error: type[LesionBridgeError],
    pointer: str,
    why: str,
    rf2: Generated,
    site: Site,
    tmp_path: Path,
) -> None:
    path = changed(rf2.path, tmp_path / "damaged.zip", part, change)
    with pytest.raises(error) as refused:
        site.load(path)
    problem = refused.value.problems[0]
    assert re.search(pointer, problem.pointer)
    assert re.search(why, problem.detail)
    assert site.shelf.current() == ()


@pytest.mark.parametrize("part", ["Concept_", "Description_", "Relationship_", "Language"])
def test_refuses_a_release_without_one_of_its_files(part: str, site: Site, tmp_path: Path) -> None:
    path = tmp_path / "missing.zip"
    generated_rf2.write(path, replace(SHAPE, concepts=100, descriptions=300, relationships=300), leave_out=[part])
    with pytest.raises(Unreadable, match="the snapshot has no"):
        site.load(path)


def _renamed(source: Path, target: Path, old: str, new: str, part: str = "") -> Path:
    with zipfile.ZipFile(source) as archive, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as made:
        for name in archive.namelist():
            made.writestr(name.replace(old, new) if part in name else name, archive.read(name))
    return target


def test_reference_sets_of_another_package_are_joined(rf2: Generated, site: Site, tmp_path: Path) -> None:
    refset, member = rf2.made.codes[30], rf2.made.codes[40]
    row = ("00000000-0000-4000-8000-000000000009", SHAPE.date, "1", layouts.CORE_MODULE, refset, member)
    with zipfile.ZipFile(tmp_path / "refsets.zip", "w") as archive:
        text = "".join("\t".join(cells) + "\r\n" for cells in (layouts.SIMPLE, row))
        archive.writestr("Snapshot/Refset/Content/der2_Refset_SimpleSnapshot_XX_20260801.txt", text)
    with pytest.raises(Unreadable, match="go with the edition"):
        site.load(tmp_path / "refsets.zip")

    site.load(rf2.path, tmp_path / "refsets.zip")

    assert list(site.releases.members(SCT, refset)) == [member]


def test_refuses_a_package_without_a_snapshot(rf2: Generated, site: Site, tmp_path: Path) -> None:
    path = _renamed(rf2.path, tmp_path / "full.zip", "Snapshot", "Full")
    with pytest.raises(Unreadable, match="no Snapshot files in it"):
        site.load(path)


def test_refuses_files_of_two_dates_in_one_package(rf2: Generated, site: Site, tmp_path: Path) -> None:
    path = _renamed(rf2.path, tmp_path / "two.zip", "INT_20260701", "INT_20260101", "Relationship_")
    with pytest.raises(Invalid, match="several releases in one package"):
        site.load(path)


def test_refuses_a_cycle(rf2: Generated, site: Site, tmp_path: Path) -> None:
    def turn(content: bytes) -> bytes:
        rows = [line.split(b"\t") for line in content.split(b"\r\n")]
        below = next(row for row in rows[1:] if row[5] != layouts.ROOT.encode() and row[7] == layouts.IS_A.encode())
        back = [*below]
        back[4], back[5] = below[5], below[4]
        return content + b"\t".join(back) + b"\r\n"

    path = changed(rf2.path, tmp_path / "cycle.zip", "Relationship_", turn)
    with pytest.raises(Invalid, match="its own ancestor"):
        site.load(path)


EXTENSION_MODULE = generated_rf2.sctid(1, "10", "1000999")


def _extension(path: Path, base: generated_rf2.Made, *, made_for: str = SHAPE.date) -> str:
    """A national extension: a module, and a concept with a German word; gives the concept."""

    def identity(item: int, partition: str) -> str:
        return generated_rf2.sctid(item, partition, "1000999")

    code, date, place = identity(2, "10"), "20260901", "XX1000999_20260901"
    head = (date, "1", EXTENSION_MODULE)
    end, is_a = (layouts.INFERRED, layouts.EXISTENTIAL), ("0", layouts.IS_A)
    member = "00000000-0000-4000-8000-00000000000"
    names = (
        (identity(1, "11"), EXTENSION_MODULE, "en", layouts.FULLY_SPECIFIED, "Module of XX (core metadata concept)"),
        (identity(2, "11"), code, "en", layouts.FULLY_SPECIFIED, "Local finding (finding)"),
        (identity(3, "11"), code, "de", layouts.SYNONYM, "Örtlicher Befund"),
    )
    needs = (layouts.MODULE_DEPENDENCY_REFSET, layouts.CORE_MODULE, date, made_for)
    said = (base.codes[60], identity(3, "11"), layouts.PREFERRED)
    rows: dict[str, tuple[tuple[str, ...], ...]] = {
        f"Terminology/sct2_Concept_Snapshot_{place}": (
            layouts.CONCEPT,
            *((one, *head, layouts.PRIMITIVE) for one in (EXTENSION_MODULE, code)),
        ),
        f"Terminology/sct2_Description_Snapshot-de_{place}": (
            layouts.DESCRIPTION,
            *((one[0], *head, *one[1:], layouts.CASE_INSENSITIVE) for one in names),
        ),
        f"Terminology/sct2_Relationship_Snapshot_{place}": (
            layouts.RELATIONSHIP,
            (identity(1, "12"), *head, EXTENSION_MODULE, layouts.ROOT, *is_a, *end),
            (identity(2, "12"), *head, code, base.codes[50], *is_a, *end),
        ),
        f"Refset/Language/der2_cRefset_LanguageSnapshot-de_{place}": (layouts.LANGUAGE, (f"{member}1", *head, *said)),
        f"Refset/Metadata/der2_ssRefset_ModuleDependencySnapshot_{place}": (
            layouts.MODULE_DEPENDENCY,
            (f"{member}2", *head, *needs),
        ),
    }
    with zipfile.ZipFile(path, "w") as archive:
        for file, lines in rows.items():
            text = "".join("\t".join(cells) + "\r\n" for cells in lines)
            archive.writestr(f"SnomedCT_XX_{date}/Snapshot/{file}.txt", text)
    return code


def test_an_extension_goes_with_its_edition(rf2: Generated, site: Site, tmp_path: Path) -> None:
    code = _extension(tmp_path / "extension.zip", rf2.made)
    site.load(rf2.path, tmp_path / "extension.zip")
    found = site.releases.lookup(SCT, code)
    assert found is not None
    assert (found.display, found.module) == ("Local finding", EXTENSION_MODULE)
    assert site.releases.subsumes(SCT, layouts.ROOT, code)
    assert [word.language for word in site.releases.designations(SCT, code)] == ["en", "de"]


def test_refuses_an_extension_without_its_edition(rf2: Generated, site: Site, tmp_path: Path) -> None:
    _extension(tmp_path / "extension.zip", rf2.made)
    with pytest.raises(LesionBridgeError, match="edition"):
        site.load(tmp_path / "extension.zip")


def test_refuses_an_extension_made_for_another_edition(rf2: Generated, site: Site, tmp_path: Path) -> None:
    _extension(tmp_path / "extension.zip", rf2.made, made_for="20260101")
    with pytest.raises(Invalid, match="was made for module 900000000000207008 of 20260101, and 20260701 is given"):
        site.load(rf2.path, tmp_path / "extension.zip")
