"""A copy of the database in use, and putting it back."""

import shutil
import threading
from pathlib import Path

import pytest

from service.domain.errors import Conflict, Invalid, NotAvailable, NotFound
from service.store.backup import backup, restore
from service.store.reports import Store
from tests.unit.store.kept import ID, make_draft


@pytest.fixture
def url(tmp_path: Path) -> str:
    """An embedded database."""
    return f"sqlite:///{tmp_path / 'live.sqlite3'}"


@pytest.fixture
def live(url: str) -> Store:
    """Its store, in use."""
    store = Store(url)
    store.migrate()
    store.keep(make_draft(1))
    return store


def test_a_copy_put_back_holds_what_was_there_when_it_was_made(live: Store, url: str, tmp_path: Path) -> None:
    copy = tmp_path / "copy.sqlite3"
    assert backup(url, copy) > 0
    live.keep(make_draft(2, report_id="R2"))
    live.close()
    (tmp_path / "live-workflows.sqlite3").write_bytes(b"old")
    restore(url, copy, replace=True)
    again = Store(url)
    assert again.faults() == ()
    assert again.get(ID.format(1)) == make_draft(1).stored
    with pytest.raises(NotFound):
        again.get(ID.format(2))
    assert not (tmp_path / "live-workflows.sqlite3").exists()
    again.close()


def test_a_copy_made_while_others_write_is_whole(live: Store, url: str, tmp_path: Path) -> None:
    def write() -> None:
        for number in range(2, 60):
            live.keep(make_draft(number, id=f"{number:036d}", report_id=f"R{number}"))

    writer = threading.Thread(target=write)
    writer.start()
    copies = [tmp_path / f"copy-{number}.sqlite3" for number in range(5)]
    for copy in copies:
        backup(url, copy)
    writer.join()
    live.close()
    for copy in copies:
        restore(url, copy, replace=True)  # it is checked whole
        again = Store(url)
        for found in again.search({"sender": "local"}, limit=500):
            assert again.output(found.id, "sr").content == bytes(range(256))
        again.close()


def test_a_file_or_a_database_that_is_there_is_not_overwritten(live: Store, url: str, tmp_path: Path) -> None:
    copy = tmp_path / "copy.sqlite3"
    backup(url, copy)
    with pytest.raises(Conflict, match="file of this name"):
        backup(url, copy)
    live.close()
    with pytest.raises(Conflict, match="--replace"):
        restore(url, copy)


def test_a_database_in_use_is_not_replaced(live: Store, url: str, tmp_path: Path) -> None:
    copy = tmp_path / "copy.sqlite3"
    backup(url, copy)
    with pytest.raises(Conflict, match="in use"):
        restore(url, copy, replace=True)
    live.close()
    restore(url, copy, replace=True)


def test_a_database_that_is_lost_is_made_of_its_copy(live: Store, url: str, tmp_path: Path) -> None:
    copy = tmp_path / "copy.sqlite3"
    backup(url, copy)
    live.close()
    for file in tmp_path.glob("live*"):
        file.unlink()
    restore(url, copy)
    assert Store(url).get(ID.format(1)) == make_draft(1).stored


def test_a_damaged_copy_is_refused_and_the_database_stays(live: Store, url: str, tmp_path: Path) -> None:
    copy = tmp_path / "copy.sqlite3"
    backup(url, copy)
    shutil.copy(copy, tmp_path / "torn.sqlite3")
    with (tmp_path / "torn.sqlite3").open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * 8192)
    (tmp_path / "letter.sqlite3").write_bytes(b"this is a letter to the editor" * 100)
    live.close()
    for name in ("torn", "letter"):
        with pytest.raises(Invalid):
            restore(url, tmp_path / f"{name}.sqlite3", replace=True)
    assert Store(url).get(ID.format(1)) == make_draft(1).stored


def test_a_server_has_its_own_tools(tmp_path: Path) -> None:
    with pytest.raises(NotAvailable):
        backup("postgresql://h/d", tmp_path / "x")
    with pytest.raises(NotAvailable):
        restore("postgresql://h/d", tmp_path / "x")
