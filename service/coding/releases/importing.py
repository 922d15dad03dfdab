"""From files to a store in use: find out what the files are, read them, index, check, switch.

The store is built beside those in use under a name that its sources give it, so that the same import, once killed, goes
on where it was. Nothing of the running releases is touched before the switch.
"""

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from service.coding.lookup import Vocabulary
from service.coding.releases.build import Build, Progress, silent
from service.coding.releases.indexing import finish
from service.coding.releases.kinds import Kind, find_kind
from service.coding.releases.refusing import mixed, truncated
from service.coding.releases.schema import FORMAT
from service.coding.releases.shelf import SUFFIX, Placed, ReleaseShelf
from service.coding.releases.sources import entries
from service.domain.limits import Limits


@dataclass(frozen=True, slots=True)
class Asked:
    """An import: files, the slot's name (by what the files are, when empty), and the time it is said to have."""

    files: Sequence[Path]
    name: str = ""
    now: str = ""


def import_release(
    shelf: ReleaseShelf,
    asked: Asked,
    limits: Limits,
    vocabulary: Vocabulary,
    progress: Progress = silent,
) -> Placed:
    """Read the files into a new store and put it into use; codes of the project's own concepts rank first in searches.

    Raises Invalid, Unreadable or TooLarge with file and
    line for a release that can't be taken, Unavailable while another import is under way.
    """
    for file in asked.files:
        if not file.is_file():
            truncated(str(file), 0, "is a folder: name its files" if file.is_dir() else "there is no such file")
    with shelf.importing():
        packages = [(file, entries(file, limits)) for file in asked.files]
        designators = {system.uri: system.designator for system in vocabulary.systems.values() if system.uri}
        kind = find_kind(packages, limits, designators)
        marks = sorted(entry.mark + entry.base for _, found in packages for entry in found)
        key = sha256(json.dumps([FORMAT, kind.name, marks]).encode()).hexdigest()[:16]
        work = shelf.work / f"{kind.name}-{key}{SUFFIX}"
        for other in shelf.work.glob(f"{kind.name}-*"):
            if not other.name.startswith(work.name):
                other.unlink()
        _build(work, kind, progress, vocabulary)
        return _place(shelf, work, kind, asked, progress)


def _build(work: Path, kind: Kind, progress: Progress, vocabulary: Vocabulary) -> None:
    """Fill the store; one that a power cut damaged is started again."""
    try:
        _fill(work, kind, progress, vocabulary)
    except sqlite3.DatabaseError as error:
        if error.sqlite_errorcode not in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
            raise
        for left in work.parent.glob(f"{work.name}*"):
            left.unlink()
        _fill(work, kind, progress, vocabulary)


def _fill(work: Path, kind: Kind, progress: Progress, vocabulary: Vocabulary) -> None:
    build = Build(work, progress)
    try:
        kind.load(build)
        finish(build, vocabulary.designations.words, vocabulary.by_code.keys())
        build.connection.execute("pragma journal_mode = delete")
    finally:
        build.close()


def _place(shelf: ReleaseShelf, work: Path, kind: Kind, asked: Asked, progress: Progress) -> Placed:
    """Put the finished store into use."""
    connection = sqlite3.connect(f"{work.absolute().as_uri()}?mode=ro", uri=True)
    try:
        systems = connection.execute(
            "select designator, version, (select count(*) from concept where system = id) from code_system order by id"
        ).fetchall()
    finally:
        connection.close()
    if not systems and not kind.may_be_empty:
        mixed(str(asked.files[0]), 0, "there is no concept in it")
    name = asked.name or kind.slot
    placed = Placed(
        name,
        f"{name}-{work.stem.rsplit('-', 1)[1]}{SUFFIX}",
        kind.name,
        tuple((designator, version, count) for designator, version, count in systems),
        asked.now,
        tuple(path.name for path in asked.files),
        0,
    )
    return shelf.place(work, placed, progress)
