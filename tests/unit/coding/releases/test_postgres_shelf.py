"""Releases in PostgreSQL: the same rows as in a file, put into use whole or not at all."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from benchmarks import generated_rf2
from service.coding import vocabulary
from service.coding.releases.importing import Asked, import_release
from service.coding.releases.postgres import Database, PostgresReleaseStore, is_postgres
from service.coding.releases.postgres_schema import copied
from service.coding.releases.postgres_shelf import INTERVAL_S, PostgresShelf
from service.coding.releases.shelves import open_shelf
from service.domain.errors import Invalid, NotFound, Unavailable
from service.domain.limits import Limits
from tests.conftest import Missing
from tests.databases import another
from tests.releases import SHAPE, Generated, Site

ROOT = Path(__file__).parents[4]
NEWER = replace(SHAPE, date="20270101", concepts=100, descriptions=300, relationships=200)
IMPORT = """
import sys
from pathlib import Path
from service.coding import vocabulary
from service.coding.releases.importing import Asked, import_release
from service.coding.releases.postgres_shelf import PostgresShelf
from service.domain.limits import Limits

def heard(step, done, total):
    print(step, flush=True)
    if sys.argv[4] in step:
        sys.stdin.read()

import_release(PostgresShelf(sys.argv[1], Path(sys.argv[2])), Asked([Path(sys.argv[3])]), Limits(), vocabulary(), heard)
"""


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.now = 0.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)


@pytest.fixture
def url(postgres_url: str | None, missing: Missing) -> str:
    """An empty database."""
    if postgres_url is None:
        missing.skip("postgresql", "its server programs (initdb, pg_ctl) are not installed")
        raise AssertionError
    return another(postgres_url, "shelf")


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def site(url: str, clock: Clock, tmp_path: Path) -> Site:
    """An empty database to import into."""
    return Site(PostgresShelf(url, tmp_path / "building", clock=clock, sleep=clock.sleep), url)


@pytest.fixture
def newer(tmp_path: Path) -> Path:
    """The next release, a smaller one."""
    path = tmp_path / "newer.zip"
    generated_rf2.write(path, NEWER)
    return path


def _schemas(url: str) -> set[str]:
    with psycopg.connect(url) as connection:
        return {row[0] for row in connection.execute("select nspname from pg_namespace")}


def _rows(rows: list[tuple[object, ...]]) -> list[tuple[object, ...]]:
    return sorted(rows, key=repr)


def test_every_table_has_the_rows_of_the_file(loaded_folder: Site, loaded_database: Site | None, url: str) -> None:
    assert loaded_database is not None
    (file,), (database,) = loaded_folder.releases.stores(), loaded_database.releases.stores()
    compared = 0
    for table, columns, query in copied():
        if table != "posting":
            mine = [tuple(row) for row in database.rows(f"select {columns} from {table}")]
            other = [tuple(row) for row in file.rows(query)]
            assert _rows(mine) == _rows(other), table
            compared += bool(mine)
    assert compared > 12


@pytest.mark.parametrize("few", [25_000, -1])
def test_words_are_found_as_in_the_file(
    few: int, loaded_folder: Site, loaded_database: Site | None, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.coding.releases.postgres.FEW", few)
    assert loaded_database is not None
    (file,), (database,) = loaded_folder.releases.stores(), loaded_database.releases.stores()
    words = [row[0] for row in file.rows("select word from word")]
    assert len(words) > 100
    for first, second in zip(words, words[1:] + words[:1], strict=True):
        for beginning in (False, True):
            one = [((first,), (), beginning)]
            both = [*one, ((second[:2], second), ((first, second),), beginning)]
            assert database.matching(one, 50) == file.matching(one, 50), first
            assert database.matching(both, 50) == file.matching(both, 50), (first, second)


def test_an_import_is_put_into_use_and_its_file_deleted(site: Site, rf2: Generated) -> None:
    placed = site.load(rf2.path)
    assert site.shelf.current() == (placed,)
    assert placed.systems == (("SCT", SHAPE.date, SHAPE.concepts),)
    assert placed.bytes > 100_000
    assert list(site.shelf.work.iterdir()) == []


def test_nothing_is_loaded_in_a_fresh_database(site: Site) -> None:
    assert site.shelf.stamp() == (0, 0)
    assert site.shelf.current() == ()
    assert site.releases.systems() == ()


def test_a_reader_sees_the_new_release_within_a_second(site: Site, rf2: Generated, newer: Path, clock: Clock) -> None:
    site.load(rf2.path)
    reading = Site(PostgresShelf(site.database_url, site.folder, clock=clock), site.database_url).releases
    assert reading.systems()[0].version == SHAPE.date
    site.load(newer)
    clock.now += INTERVAL_S
    assert reading.systems()[0].version == NEWER.date


def test_the_old_release_is_dropped_after_every_reader_has_looked(
    site: Site, rf2: Generated, newer: Path, clock: Clock
) -> None:
    old = site.load(rf2.path)
    assert clock.slept == []
    new = site.load(newer)
    assert all(seconds > INTERVAL_S for seconds in clock.slept)
    assert len(clock.slept) == 1
    assert new.file in _schemas(site.database_url)
    assert old.file not in _schemas(site.database_url)


def test_a_question_about_a_dropped_release_is_refused_and_the_next_one_answered(
    site: Site, rf2: Generated, newer: Path
) -> None:
    old = site.store(site.load(rf2.path))
    site.load(newer)
    with pytest.raises(Unavailable, match="ask again"):
        old.lookup("SCT", rf2.made.codes[0])
    assert site.releases.systems()[0].version == NEWER.date


@pytest.mark.parametrize("step", ["Description", "copy designation", "indexes"])
def test_a_kill_leaves_the_running_release_and_the_next_import_goes_on(
    step: str, site: Site, rf2: Generated, newer: Path
) -> None:
    site.load(rf2.path)
    command = [sys.executable, "-c", IMPORT, site.database_url, str(site.folder), str(newer), step]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        assert process.stdout is not None
        assert any(step in line for line in process.stdout)
        os.kill(process.pid, signal.SIGKILL)
    assert [one.systems[0][1] for one in site.shelf.current()] == [SHAPE.date]

    steps: list[str] = []
    import_release(site.shelf, Asked([newer]), Limits(), vocabulary(), lambda said, *_: steps.append(said))

    assert [one.systems[0][1] for one in site.shelf.current()] == [NEWER.date]
    assert not any("Relationship" in one for one in steps)
    left = {one for one in _schemas(site.database_url) if one.startswith("lesionbridge_release_")}
    assert left == {one.file for one in site.shelf.current()}


def test_two_slots_stand_beside_each_other(site: Site, rf2: Generated, newer: Path) -> None:
    site.load(rf2.path, name="one")
    site.load(newer, name="two")
    assert [(one.name, one.systems[0][1]) for one in site.shelf.current()] == [
        ("one", SHAPE.date),
        ("two", NEWER.date),
    ]
    one, two = site.releases.stores()
    for code in rf2.made.codes[:3]:
        assert one.lookup("SCT", code) is not None
    assert (one.systems()[0].concepts, two.systems()[0].concepts) == (SHAPE.concepts, NEWER.concepts)


def test_refuses_a_second_import_at_the_same_time_from_another_folder(
    site: Site, rf2: Generated, tmp_path: Path
) -> None:
    other = PostgresShelf(site.database_url, tmp_path / "another machine")
    with other.importing(), pytest.raises(Unavailable, match="under way"):
        site.load(rf2.path)
    site.load(rf2.path)


def test_a_refused_release_leaves_the_database_as_it_is(site: Site, rf2: Generated, tmp_path: Path) -> None:
    site.load(rf2.path)
    bad = tmp_path / "codes.json"
    bad.write_text('{"resourceType": "CodeSystem", "url": "http://example.org/a", "concept": [{"code": "a\\u0000b"}]}')
    with pytest.raises(Invalid):
        site.load(bad)
    assert [one.name for one in site.shelf.current()] == ["sct"]


def test_a_store_of_another_format_is_said(site: Site, rf2: Generated, monkeypatch: pytest.MonkeyPatch) -> None:
    site.load(rf2.path)
    monkeypatch.setattr("service.coding.releases.tablestore.FORMAT", "0")
    with pytest.raises(Unavailable, match="import it again"):
        site.releases.systems()


def test_a_lost_connection_is_opened_again(site: Site, rf2: Generated) -> None:
    held = Database(site.database_url)
    store = PostgresReleaseStore(held, site.load(rf2.path).file, "sct")
    with psycopg.connect(site.database_url, autocommit=True) as connection:
        connection.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity"
            " where datname = current_database() and pid <> pg_backend_pid()"
        )
    assert store.lookup("SCT", rf2.made.codes[0]) is not None


def test_nothing_can_be_written_through_a_reader(site: Site, rf2: Generated) -> None:
    store = site.store(site.load(rf2.path))
    with pytest.raises(Unavailable):
        store.rows("delete from word returning word")
    assert store.rows("select count(*) from word") != [(0,)]


def test_a_database_that_is_away_is_said_without_its_url(tmp_path: Path) -> None:
    shelf = PostgresShelf("postgresql://someone:secret@127.0.0.1:9/none", tmp_path)
    with pytest.raises(Unavailable) as caught:
        shelf.current()
    assert "secret" not in str(caught.value)


@pytest.fixture
def ordinary(url: str) -> Iterator[str]:
    """The database seen by a user with no right but to make schemas in it."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("drop role if exists ordinary")
        connection.execute("create role ordinary login")
        connection.execute("grant create on database shelf to ordinary")
    yield url.replace("lesionbridge@", "ordinary@")
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("drop owned by ordinary cascade")
        connection.execute("drop role ordinary")


def test_an_ordinary_user_may_import(ordinary: str, rf2: Generated, tmp_path: Path) -> None:
    site = Site(PostgresShelf(ordinary, tmp_path / "building"), ordinary)
    site.load(rf2.path)
    assert site.releases.named(rf2.made.names[100])


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("postgresql://a@b/c", True),
        ("postgresql+psycopg://a@b/c", True),
        ("postgres://a@b/c", True),
        ("sqlite:///x", False),
    ],
)
def test_tells_a_postgresql(url: str, expected: bool) -> None:
    assert is_postgres(url) is expected


def test_a_folder_is_the_shelf_of_a_deployment_without_postgresql(tmp_path: Path) -> None:
    assert open_shelf(tmp_path).work == tmp_path / "work"
    assert isinstance(open_shelf(tmp_path, "postgresql://a@b/c"), PostgresShelf)


def test_a_release_is_removed_and_its_number_never_used_again(
    site: Site, rf2: Generated, newer: Path, clock: Clock
) -> None:
    site.load(rf2.path, name="one")
    two = site.load(newer, name="two")
    reading = site.releases
    assert len(reading.systems()) == 2
    site.shelf.remove("two")
    clock.now += INTERVAL_S
    assert [one.release for one in reading.systems()] == ["one"]
    assert two.file not in _schemas(site.database_url)
    assert site.load(newer, name="three").file != two.file


def test_a_release_that_is_not_there_cannot_be_removed(site: Site) -> None:
    with pytest.raises(NotFound, match="no release 'sct'"):
        site.shelf.remove("sct")
