"""One release in an SQLite file, opened read-only by every worker.

The file is read through the system's page cache, which all workers share. It is not mapped into memory: measured on a
full SNOMED CT, mapping is no quicker, and each worker is then charged with every page it has touched (170 MB after a
thousand searches instead of 9).
"""

import os
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from service.coding.releases.schema import FORMAT
from service.coding.releases.store import (
    Association,
    Attribute,
    ReleaseConcept,
    ReleaseDesignation,
    ReleaseSystem,
    Translation,
    Use,
    ValueSetMember,
)
from service.coding.releases.structure import holds, unpack
from service.domain.errors import Problem, Unavailable

_CACHE_KIB: Final = 1024  # of pages, for each thread
_CONCEPT: Final = (
    "select c.n, s.designator, c.code, l.display, c.active, c.defined, c.effective, m.code, t.text from concept c"
    " join code_system s on s.id = c.system join label l on l.n = c.n join tag t on t.id = l.tag"
    " left join module m on m.id = c.module where "
)
_BATCH: Final = 500


class SqliteReleaseStore:
    """A ReleaseStore over one file. Connections are one a thread, so that none waits for another."""

    def __init__(self, path: Path, name: str = "") -> None:
        """Open the file; raises Unavailable when it is none of ours."""
        self.path = path
        self.name = name
        self._local = threading.local()
        try:
            found = self.rows("select value from meta where key = 'format'")
        except sqlite3.DatabaseError as error:
            raise Unavailable(Problem(path.name, "terminology", "the store can't be read: import it again")) from error
        if found != [(FORMAT,)]:
            raise Unavailable(Problem(path.name, "terminology", "the store has another format: import it again"))
        self._system_ids: dict[str, int] = {
            designator: number for number, designator in self.rows("select id, designator from code_system")
        }
        self._dialects = self.rows("select bit, name from dialect order by bit")

    @property
    def connection(self) -> sqlite3.Connection:
        """This thread's connection."""
        process = os.getpid()
        found: sqlite3.Connection | None = getattr(self._local, "connection", None)
        # A connection is not carried over a fork (SQLite, "How To Corrupt", 2.6).
        if found is None or self._local.process != process:
            # immutable: nobody writes the file, so neither locks nor a look for a journal are needed.
            found = sqlite3.connect(f"file:{self.path}?mode=ro&immutable=1", uri=True, check_same_thread=False)
            found.execute("pragma mmap_size = 0")
            found.execute(f"pragma cache_size = -{_CACHE_KIB}")
            found.execute("pragma query_only = on")
            self._local.connection, self._local.process = found, process
        return found

    def rows(self, query: str, *values: object) -> list[Any]:
        """The rows of a query."""
        return self.connection.execute(query, values).fetchall()

    @cached_property
    def _systems(self) -> tuple[ReleaseSystem, ...]:
        query = (
            "select designator, uri, name, version, (select count(*) from concept where system = id) from code_system"
            " order by id"
        )
        return tuple(
            ReleaseSystem(designator, uri, name, version, self.name, concepts)
            for designator, uri, name, version, concepts in self.rows(query)
        )

    def systems(self) -> tuple[ReleaseSystem, ...]:
        """The code systems that are loaded."""
        return self._systems

    def has(self, system: str) -> bool:
        """Whether the code system is in this store."""
        return system in self._system_ids

    def number(self, system: str, code: str) -> int | None:
        """The number of a concept: those of a hierarchy lie together (see structure)."""
        found = self.rows("select n from concept where code = ? and system = ?", code, self._system_ids.get(system, 0))
        return int(found[0][0]) if found else None

    def lookup(self, system: str, code: str) -> ReleaseConcept | None:
        """The concept of a code."""
        found = self.rows(f"{_CONCEPT} c.code = ? and c.system = ?", code, self._system_ids.get(system, 0))
        return _concept(found[0]) if found else None

    def concepts(self, numbers: Sequence[int]) -> dict[int, ReleaseConcept]:
        """The concepts of numbers."""
        made = {}
        for some in batched_by(numbers, _BATCH):
            marks = ",".join("?" * len(some))
            for row in self.rows(f"{_CONCEPT} c.n in ({marks})", *some):
                made[row[0]] = _concept(row)
        return made

    def designations(self, system: str, code: str) -> tuple[ReleaseDesignation, ...]:
        """All words for it."""
        number = self.number(system, code)
        query = "select term, language, use, preferred, acceptable from designation where n = ? order by rowid"
        return tuple(
            ReleaseDesignation(term, language, Use(use), self._said(preferred), self._said(acceptable))
            for term, language, use, preferred, acceptable in self.rows(query, number)
        )

    def _said(self, mask: int) -> tuple[str, ...]:
        return tuple(name for bit, name in self._dialects if mask >> bit & 1) if mask else ()

    def parents(self, system: str, code: str) -> tuple[str, ...]:
        """Codes of the concepts right above."""
        query = "select c.code from isa join concept c on c.n = parent where child = ? order by parent"
        return tuple(row[0] for row in self.rows(query, self.number(system, code)))

    def children(self, system: str, code: str) -> tuple[str, ...]:
        """Codes of the concepts right below."""
        query = "select c.code from isa join concept c on c.n = child where parent = ? order by child"
        return tuple(row[0] for row in self.rows(query, self.number(system, code)))

    def ancestors(self, system: str, code: str) -> tuple[str, ...]:
        """Codes of all concepts above, without itself."""
        found = self._closure("ancestors", self.number(system, code))
        return tuple(self.codes([(number, number) for number in found]))

    def descendants(self, system: str, code: str) -> Iterator[str]:
        """Codes of all concepts below, without itself."""
        number = self.number(system, code)
        return self.codes(self.below(number)) if number is not None else iter(())

    def below(self, number: int) -> list[tuple[int, int]]:
        """Numbers of all concepts below, as runs (first, last) in order."""
        found = self._closure("descendants", number)
        return list(zip(found[::2], found[1::2], strict=True))

    def codes(self, runs: Sequence[tuple[int, int]]) -> Iterator[str]:
        """Codes of the concepts with numbers in runs."""
        for first, last in runs:
            for row in self.connection.execute(
                "select code from concept where n between ? and ? order by n", (first, last)
            ):
                yield row[0]

    def subsumes(self, system: str, above: str, below: str) -> bool:
        """Whether ``below`` is ``above`` or one of its descendants."""
        query = (
            "select a.n, b.n, z.ancestors from concept a, concept b join closure z on z.n = b.n"
            " where a.code = ?1 and a.system = ?3 and b.code = ?2 and b.system = ?3"
        )
        found = self.rows(query, above, below, self._system_ids.get(system, 0))
        return bool(found) and (found[0][0] == found[0][1] or holds(found[0][2], found[0][0]))

    def _closure(self, column: str, number: int | None) -> Sequence[int]:
        found = self.rows(f"select {column} from closure where n = ?", number)  # noqa: S608 - the column is ours
        return unpack(found[0][0]) if found else ()

    def members(self, system: str, refset: str) -> Iterator[str]:
        """Codes of the concepts in a reference set."""
        query = "select c.code from member r join concept c on c.n = r.n where refset = ? order by r.n"
        for row in self.connection.execute(query, (self.number(system, refset),)):
            yield row[0]

    def attributes(self, system: str, code: str) -> tuple[Attribute, ...]:
        """The relationships other than is-a."""
        query = (
            "select p.code, coalesce(c.code, ''), value, grp from attribute a join property p on p.id = a.type"
            " left join concept c on c.n = target where a.n = ? order by grp, a.rowid"
        )
        return tuple(Attribute(*row) for row in self.rows(query, self.number(system, code)))

    def historical(self, system: str, code: str) -> tuple[Association, ...]:
        """Where an inactive code went."""
        query = "select kind, target from association where n = ? order by rowid"
        return tuple(Association(*row) for row in self.rows(query, self.number(system, code)))

    def translations(self, system: str, code: str, *, back: bool = False) -> tuple[Translation, ...]:
        """What concept maps say of a code: where it leads, or with ``back`` what leads to it."""
        where = "to_system = ? and to_code = ?" if back else "from_system = ? and from_code = ?"
        columns = "map, from_system, from_code, to_system, to_code, relationship"
        query = f"select {columns} from translation where {where} order by rowid"  # noqa: S608 - constants of ours
        return tuple(Translation(*row) for row in self.rows(query, system, code))

    def value_set(self, url: str) -> tuple[ValueSetMember, ...] | None:
        """The codes that a value set lists or was expanded to; None where there is none of this URL."""
        if not self.rows("select 1 from value_set where url = ?", url):
            return None
        query = (
            "select system, code, display from value_set_member join value_set on id = value_set where url = ?"
            " order by system, code"
        )
        return tuple(ValueSetMember(*row) for row in self.rows(query, url))


def _concept(row: Sequence[Any]) -> ReleaseConcept:
    _, system, code, display, active, defined, effective, module, tag = row
    return ReleaseConcept(system, code, display, bool(active), bool(defined), str(effective or ""), module or "", tag)


def batched_by(numbers: Sequence[int], size: int) -> Iterator[Sequence[int]]:
    """The numbers in pieces."""
    for start in range(0, len(numbers), size):
        yield numbers[start : start + size]
