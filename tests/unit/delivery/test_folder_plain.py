"""A folder that others write to, too: what is no plain file is neither read nor written through."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from service.delivery import folder as module
from service.delivery.destination import Outcome
from tests.unit.delivery.test_folder import OUT, destination

SECRET = b"secret!"  # as long as the content


def link(place: Path) -> None:
    outside = place.parent.parent / "outside"
    outside.write_bytes(OUT.content)
    place.symlink_to(outside)


def dangling(place: Path) -> None:
    place.symlink_to(place.parent.parent / "nothing")


def device(place: Path) -> None:
    place.symlink_to("/dev/zero")


def listening(place: Path) -> None:
    with socket.socket(socket.AF_UNIX) as made:
        here = Path.cwd()
        os.chdir(place.parent)  # the path of a socket has 108 bytes at most
        try:
            made.bind(place.name)
        finally:
            os.chdir(here)


KINDS = (link, dangling, device, listening, os.mkfifo, os.mkdir)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "out"
    made.mkdir()
    return made


@pytest.mark.timeout(20)
@pytest.mark.parametrize("kind", KINDS)
def test_what_is_no_plain_file_is_never_the_content(kind: Callable[[Path], None], folder: Path) -> None:
    kind(folder / OUT.name)
    one = destination(folder)
    assert one.send(OUT).outcome is Outcome.MISMATCH
    assert one.verify(OUT).outcome is Outcome.MISMATCH
    assert [entry.name for entry in folder.iterdir()] == [OUT.name]
    assert not (folder.parent / "nothing").exists()


@pytest.mark.parametrize("kind", [dangling, os.mkfifo])
def test_nor_replaced_where_there_are_no_links(
    kind: Callable[[Path], None], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unknown(*_: object) -> None:
        raise OSError(95, "Operation not supported")

    def kind_comes(part: Path, content: bytes) -> None:
        write(part, content)
        kind(folder / OUT.name)

    write = module._write
    monkeypatch.setattr(os, "link", unknown)
    monkeypatch.setattr(module, "_write", kind_comes)
    assert destination(folder).send(OUT).outcome is Outcome.MISMATCH
    assert not (folder / OUT.name).is_file()
    assert os.path.lexists(folder / OUT.name)


def test_what_is_written_goes_through_no_link(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    outside = folder.parent / "outside"
    outside.write_bytes(SECRET)
    monkeypatch.setattr(os, "getpid", lambda: 7)
    monkeypatch.setattr("threading.get_ident", lambda: 8)
    (folder / ".d1.7.8.part").symlink_to(outside)
    assert destination(folder).send(OUT).outcome is Outcome.STORED
    assert outside.read_bytes() == SECRET
    assert {entry.name: entry.read_bytes() for entry in folder.iterdir()} == {OUT.name: OUT.content}
    (folder / ".lesionbridge-7.part").symlink_to(outside)
    assert destination(folder).probe()[0].passed
    assert outside.read_bytes() == SECRET
