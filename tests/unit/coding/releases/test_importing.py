"""Resuming, switching, and what a kill in mid-import leaves."""

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks import generated_rf2
from service.coding import vocabulary
from service.coding.releases.importing import Asked, import_release
from service.coding.releases.shelf import Placed, Shelf
from service.domain.errors import Invalid, NotFound, Unavailable, Unreadable
from service.domain.limits import Limits
from tests.releases import SHAPE, Generated, Site

ROOT = Path(__file__).parents[4]
IMPORT = """
import sys
from pathlib import Path
from service.coding import vocabulary
from service.coding.releases.importing import Asked, import_release
from service.coding.releases.shelf import Shelf
from service.domain.limits import Limits

def heard(step, done, total):
    print(step, flush=True)
    if sys.argv[3] in step:
        sys.stdin.read()

import_release(Shelf(Path(sys.argv[1])), Asked([Path(sys.argv[2])]), Limits(), vocabulary(), heard)
"""


def _killed(folder: Path, package: Path, at: str) -> None:
    """Import in another process and kill it with -9 once it comes to a step."""
    command = [sys.executable, "-c", IMPORT, str(folder), str(package), at]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if at in line:
                time.sleep(0.05)
                break
        os.kill(process.pid, signal.SIGKILL)
    assert process.returncode == -signal.SIGKILL


@pytest.mark.parametrize("step", ["Concept", "Relationship", "Simple", "Description", "designation", "search"])
def test_a_kill_leaves_the_running_release_and_the_next_import_goes_on(
    step: str, rf2: Generated, site: Site, tmp_path: Path
) -> None:
    newer = tmp_path / "newer.zip"
    made = generated_rf2.write(newer, replace(SHAPE, date="20270101", seed=2))
    site.load(rf2.path)

    _killed(site.folder, newer, step)

    assert [one.systems[0][1] for one in site.shelf.current()] == [SHAPE.date]
    assert site.releases.lookup("SCT", rf2.made.codes[-1]) is not None
    site.load(newer)
    assert [one.systems[0][1] for one in site.shelf.current()] == ["20270101"]
    assert all(site.releases.lookup("SCT", code) is not None for code in made.codes)
    assert site.releases.systems()[0].concepts == SHAPE.concepts


def test_what_was_read_is_not_read_again(rf2: Generated, site: Site) -> None:
    _killed(site.folder, rf2.path, "Description")
    steps: list[str] = []
    import_release(site.shelf, Asked([rf2.path]), Limits(), vocabulary(), lambda step, *_: steps.append(step))
    assert any("Description" in step for step in steps)
    assert not any("Concept" in step or "Relationship" in step for step in steps)


def test_a_resumed_store_is_the_same_as_one_made_at_once(rf2: Generated, site: Site, loaded_folder: Site) -> None:
    _killed(site.folder, rf2.path, "search")
    site.load(rf2.path)
    tables = ("concept", "label", "isa", "designation", "attribute", "association", "member", "word", "ranked", "form")
    (mine,), (other,) = site.releases.stores(), loaded_folder.releases.stores()
    for table in tables:
        assert mine.rows(f"select * from {table}") == other.rows(f"select * from {table}"), table


def test_a_reader_sees_the_new_release_at_its_next_question(rf2: Generated, site: Site, tmp_path: Path) -> None:
    site.load(rf2.path)
    releases = site.releases
    assert releases.systems()[0].version == SHAPE.date
    newer = tmp_path / "newer.zip"
    generated_rf2.write(newer, replace(SHAPE, date="20270101", concepts=100, descriptions=300, relationships=200))
    site.load(newer)
    assert releases.systems()[0].version == "20270101"


def test_a_reader_that_has_the_old_store_open_keeps_it(rf2: Generated, site: Site, tmp_path: Path) -> None:
    old = site.store(site.load(rf2.path))
    newer = tmp_path / "newer.zip"
    generated_rf2.write(newer, replace(SHAPE, date="20270101", seed=2))
    site.load(newer)
    assert old.lookup("SCT", rf2.made.codes[-1]) is not None


def test_a_switch_while_stores_are_opened_is_followed(
    rf2: Generated, site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.load(rf2.path)
    newer = tmp_path / "newer.zip"
    generated_rf2.write(newer, replace(SHAPE, date="20270101", concepts=100, descriptions=300, relationships=200))
    read = Shelf.current
    switched: list[str] = []

    def current(shelf: Shelf) -> tuple[Placed, ...]:
        found = read(shelf)
        if not switched:
            switched.append("once")
            site.load(newer)
        return found

    releases = site.releases
    monkeypatch.setattr(Shelf, "current", current)

    assert releases.systems()[0].version == "20270101"


def test_the_old_store_is_deleted_after_the_switch(rf2: Generated, site: Site, tmp_path: Path) -> None:
    site.load(rf2.path)
    newer = tmp_path / "newer.zip"
    generated_rf2.write(newer, replace(SHAPE, date="20270101"))
    placed = site.load(newer)
    assert [file.name for file in site.folder.glob("*.sqlite3")] == [placed.file]
    assert list(site.shelf.work.iterdir()) == []


def test_two_slots_stand_beside_each_other(rf2: Generated, site: Site) -> None:
    site.load(rf2.path, name="one")
    site.load(rf2.path, name="two")
    assert [one.name for one in site.shelf.current()] == ["one", "two"]
    assert len(site.releases.stores()) == 2


def test_refuses_a_second_import_at_the_same_time(rf2: Generated, site: Site) -> None:
    with site.shelf.importing(), pytest.raises(Unavailable, match="under way"):
        site.load(rf2.path)


def test_refuses_files_of_two_kinds(rf2: Generated, site: Site, tmp_path: Path) -> None:
    other = tmp_path / "codes.json"
    other.write_text('{"resourceType": "CodeSystem", "url": "http://example.org/a", "concept": []}')
    with pytest.raises(Invalid, match="several code systems"):
        site.load(rf2.path, other)


def test_refuses_a_file_that_no_loader_knows(site: Site, tmp_path: Path) -> None:
    other = tmp_path / "notes.txt"
    other.write_text("nothing of the kind\n")
    with pytest.raises(Invalid, match="no loader knows this file"):
        site.load(other)


def test_refuses_a_file_that_is_not_there(site: Site, tmp_path: Path) -> None:
    with pytest.raises(Unreadable, match="there is no such file"):
        site.load(tmp_path / "none.zip")


def test_a_pointer_that_cannot_be_read_is_said(site: Site) -> None:
    site.folder.mkdir(parents=True)
    (site.folder / "current.json").write_text("{")
    with pytest.raises(Unavailable):
        site.releases.systems()


def test_a_store_of_another_format_is_said(rf2: Generated, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    site.load(rf2.path)
    monkeypatch.setattr("service.coding.releases.tablestore.FORMAT", "0")
    with pytest.raises(Unavailable, match="import it again"):
        site.releases.systems()


def test_a_damaged_work_file_is_started_again(rf2: Generated, site: Site) -> None:
    _killed(site.folder, rf2.path, "Simple")
    (work,) = site.shelf.work.glob("*.sqlite3")
    work.write_bytes(b"no database at all" * 100)
    site.load(rf2.path)
    assert site.releases.systems()[0].concepts == SHAPE.concepts


def test_the_shelf_of_a_fresh_site_is_empty(tmp_path: Path) -> None:
    assert Shelf(tmp_path / "none").current() == ()


def test_a_release_is_removed_and_the_others_stay(rf2: Generated, site: Site) -> None:
    site.load(rf2.path, name="one")
    kept = site.load(rf2.path, name="two")
    reading = site.releases
    assert len(reading.stores()) == 2
    site.shelf.remove("one")
    assert [store.name for store in reading.stores()] == ["two"]
    assert [file.name for file in site.folder.glob("*.sqlite3")] == [kept.file]


def test_a_release_that_is_not_there_cannot_be_removed(site: Site) -> None:
    with pytest.raises(NotFound, match="no release 'sct'"):
        site.shelf.remove("sct")
