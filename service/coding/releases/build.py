"""A store while it is written: steps that are done once, each in one transaction, so that a killed import goes on.

A kill leaves the last step undone, and nothing half done: the rollback journal is kept. Only a machine that loses power
in mid-import may leave a damaged file, which is found by SQLite itself and started again.
"""

import sqlite3
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Final, Protocol

from service.coding.releases.schema import FORMAT, INDEXES, SEARCH, TABLES, WORD_INDEXES
from service.coding.releases.structure import arrange

_AT_ONCE: Final = 50_000


class Progress(Protocol):
    """Hears how far an import is."""

    def __call__(self, step: str, done: int, total: int) -> None:
        """``done`` of ``total`` bytes or rows of a step; total 0 when nobody knows."""


def silent(step: str, done: int, total: int) -> None:
    """Progress that nobody hears."""


class Build:
    """The SQLite file of one import."""

    def __init__(self, path: Path, progress: Progress = silent) -> None:
        """Open or make the file."""
        self.path = path
        self.progress = progress
        self.connection = sqlite3.connect(path, isolation_level=None)
        for pragma in ("synchronous = off", "journal_mode = truncate", "cache_size = -65536", "temp_store = file"):
            self.connection.execute(f"pragma {pragma}")
        self.connection.executescript(TABLES)
        self.connection.execute("insert or ignore into meta values ('format', ?)", (FORMAT,))

    def close(self) -> None:
        """Close the file; what is done stays done."""
        self.connection.close()

    def once(self, step: str, work: Callable[[], int]) -> bool:
        """Do a step unless it was done before; it is kept whole or not at all. Whether it was done now."""
        if self.rows(step) is not None:
            return False
        self.connection.execute("begin")
        try:
            rows = work()
            self.connection.execute("insert into done values (?, ?)", (step, rows))
            self.connection.execute("commit")
        except BaseException:
            self.connection.execute("rollback")
            raise
        return True

    def rows(self, step: str) -> int | None:
        """How many rows a step gave; None when it is not done."""
        found = self.connection.execute("select rows from done where step = ?", (step,)).fetchone()
        return None if found is None else int(found[0])

    def insert(self, statement: str, rows: Iterable[Sequence[object]]) -> int:
        """Insert rows in batches; how many there were."""
        source = iter(rows)
        count = 0
        while batch := list(islice(source, _AT_ONCE)):
            self.connection.executemany(statement, batch)
            count += len(batch)
        return count

    def meta(self, key: str, value: str) -> None:
        """Keep a fact about the release."""
        self.connection.execute("insert or replace into meta values (?, ?)", (key, value))

    def system(self, designator: str, uri: str, name: str, version: str) -> int:
        """The number of a code system; the version last said stands."""
        self.connection.execute(
            "insert into code_system (designator, uri, name, version) values (?, ?, ?, ?)"
            " on conflict (designator) do update set version = excluded.version",
            (designator, uri, name, version),
        )
        return self._id("code_system", "designator", designator)

    def module(self, code: str) -> int:
        """The number of a module."""
        self.connection.execute("insert or ignore into module (code) values (?)", (code,))
        return self._id("module", "code", code)

    def property(self, code: str) -> int:
        """The number of an attribute's type."""
        self.connection.execute("insert or ignore into property (code) values (?)", (code,))
        return self._id("property", "code", code)

    def _id(self, table: str, column: str, value: str) -> int:
        query = f"select id from {table} where {column} = ?"  # noqa: S608 - both names are ours
        return int(self.connection.execute(query, (value,)).fetchone()[0])

    def first_number(self) -> int:
        """The number that the next concept gets."""
        return int(self.connection.execute("select coalesce(max(n), 0) + 1 from concept").fetchone()[0])

    def structure(self, concepts: Sequence[tuple[object, ...]], parents: Sequence[Sequence[int]]) -> Sequence[int]:
        """Write concepts (system, code, active, defined, effective, module) with their hierarchy; their numbers.

        ``parents`` are places in ``concepts``. Raises structure.Cycle.
        """
        made = arrange(parents, self.first_number())
        numbers = made.numbers
        first = min(numbers, default=0)
        order = sorted(range(len(concepts)), key=numbers.__getitem__)
        self.insert(
            "insert into concept values (?, ?, ?, ?, ?, ?, ?)", ((numbers[index], *concepts[index]) for index in order)
        )
        self.insert(
            "insert into closure values (?, ?, ?)",
            ((first + place, made.ancestors[place], made.runs[place]) for place in range(len(order))),
        )
        self.insert(
            "insert into isa values (?, ?)",
            (
                (numbers[index], number)
                for index in order
                for number in sorted({numbers[parent] for parent in parents[index]})
            ),
        )
        return numbers

    def index(self) -> None:
        """Make what look-ups go by, once all rows are there."""
        for statement in filter(str.strip, INDEXES.split(";")):
            self.once(statement.strip(), partial(self._run, statement))

    def index_words(self) -> None:
        """Make what searching for misspelled words goes by."""
        for statement in filter(str.strip, WORD_INDEXES.split(";")):
            self._run(statement)

    def open_search(self) -> None:
        """Make the tables that words are found by."""
        for statement in filter(str.strip, SEARCH.split(";")):
            self._run(statement)

    def _run(self, statement: str) -> int:
        self.progress(statement.split()[-2], 0, 0)
        self.connection.execute(statement)
        return 0
