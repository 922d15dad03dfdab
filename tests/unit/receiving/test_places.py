"""A file that is moved within a watched folder takes the place of none that another listener moves just now."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from service.receiving import places

OTHER = b"of another listener"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A file that is to be moved."""
    made = tmp_path / "a.json"
    made.write_bytes(b"ours")
    (tmp_path / "done").mkdir()
    return made


def first(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Let another listener take a name of the folder once the free one is known."""
    free = places._free
    taken: list[Path] = []

    def overtaken(place: Path, beside: str = "") -> Path:
        found = free(place, beside)
        if not taken:
            taken.append(place.with_name(name))
            taken[0].write_bytes(OTHER)
        return found

    monkeypatch.setattr(places, "_free", overtaken)


def content(folder: Path) -> dict[str, bytes]:
    return {one.name: one.read_bytes() for one in folder.iterdir() if one.is_file()}


def test_a_name_that_another_listener_took_meanwhile_is_left_to_it(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done = file.parent / "done"
    first(monkeypatch, "a.json")
    assert places.moved(file, done / "a.json") == done / "a-2.json"
    assert content(done) == {"a.json": OTHER, "a-2.json": b"ours"}
    assert not file.exists()


@pytest.mark.parametrize("name", ["a.json", "a.json.reason.json"])
def test_so_is_one_of_which_it_took_the_name_of_the_reasons(
    file: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = file.parent / "done"
    first(monkeypatch, name)
    assert places.moved_with(file, done / "a.json", b"why") == done / "a-2.json"
    assert content(done) == {name: OTHER, "a-2.json": b"ours", "a-2.json.reason.json": b"why"}


def test_a_file_that_is_gone_leaves_no_name_behind(file: Path) -> None:
    done = file.parent / "done"
    file.unlink()
    with pytest.raises(FileNotFoundError):
        places.moved(file, done / "a.json")
    with pytest.raises(FileNotFoundError):
        places.moved_with(file, done / "a.json", b"why")
    assert content(done) == {}


def test_of_files_of_one_name_that_come_at_once_none_is_lost(tmp_path: Path) -> None:
    done = tmp_path / "done"
    done.mkdir()
    start = threading.Barrier(4)

    def move(number: int) -> None:
        start.wait()
        for turn in range(25):
            file = tmp_path / f"{number}-{turn}"
            file.write_bytes(f"{number}-{turn}".encode())
            places.moved(file, done / "a.json")

    threads = [threading.Thread(target=move, args=(number,)) for number in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert len(set(content(done).values())) == len(content(done)) == 100


def test_a_name_whose_file_never_came_is_known_for_what_it_is(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def killed(_file: Path, _made: Path) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(places, "_put", killed)
    with pytest.raises(KeyboardInterrupt):
        places.moved(file, file.parent / "done" / "a.json")
    assert places.is_placeholder((file.parent / "done" / "a.json").lstat())
    assert not places.is_placeholder(file.lstat())
    file.write_bytes(b"")
    assert not places.is_placeholder(file.lstat())
