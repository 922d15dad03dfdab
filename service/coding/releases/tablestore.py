"""One release in tables, asked in SQL that SQLite and PostgreSQL read alike.

The values of a query stand for its question marks. What the two do differently (how words are matched, how many rows
are fetched at once) is a method of each.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any, Final, TypeVar

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

_CONCEPT: Final = (
    "select c.n, s.designator, c.code, l.display, c.active, c.defined, c.effective, m.code, t.text from concept c"
    " join code_system s on s.id = c.system join label l on l.n = c.n join tag t on t.id = l.tag"
    " left join module m on m.id = c.module where "
)
_BATCH: Final = 500
T = TypeVar("T")

Wanted = tuple[tuple[str, ...], tuple[tuple[str, ...], ...], bool]
"""Forms of a word, what it may be short for, and whether beginnings count."""


class TableStore(ABC):
    """A ReleaseStore over the tables of `schema`; ``key`` is the store's own name, ``name`` its slot."""

    def __init__(self, key: str, name: str) -> None:
        """Name it; whoever derives from it calls `prepare` once it can be asked."""
        self.key = key
        self.name = name
        self._system_ids: Mapping[str, int] = {}
        self._dialects: Sequence[tuple[int, str]] = ()
        self._active: dict[int, int] = {}  # concepts by system: counting reads them all
        self._masks: dict[int, tuple[str, ...]] = {0: ()}  # some dozen in a release

    def prepare(self) -> None:
        """Read what does not change; raises Unavailable for a store that another version made."""
        if self.rows("select value from meta where key = 'format'") != [(FORMAT,)]:
            raise Unavailable(Problem(self.key, "terminology", "the store has another format: import it again"))
        self._system_ids = {
            designator: number for number, designator in self.rows("select id, designator from code_system")
        }
        self._dialects = self.rows("select bit, name from dialect order by bit")

    @abstractmethod
    def rows(self, query: str, *values: object) -> list[Any]:
        """The rows of a query."""

    @abstractmethod
    def each(self, query: str, *values: object) -> Iterable[Any]:
        """The rows of a query that may have many, without holding all of them where that is possible."""

    @abstractmethod
    def codes(self, runs: Sequence[tuple[int, int]]) -> Iterator[str]:
        """Codes of the concepts with numbers in runs."""

    @abstractmethod
    def matching(self, tokens: Sequence[Wanted], limit: int) -> list[tuple[int, int]]:
        """Ranks and numbers of the best concepts that have every token, best first.

        A token is there as a whole word or as a beginning, or with all words of what it is short for.
        """

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

    def lookup_all(self, system: str, codes: Iterable[str]) -> dict[str, ReleaseConcept]:
        """The concepts of codes, as far as they are there."""
        made: dict[str, ReleaseConcept] = {}
        number = self._system_ids.get(system, 0)
        for some in batched_by(tuple(codes), _BATCH):
            marks = ",".join("?" * len(some))
            for row in self.rows(f"{_CONCEPT} c.code in ({marks}) and c.system = ?", *some, number):
                made[row[2]] = _concept(row)
        return made

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
        return self.designations_all(system, (code,)).get(code, ())

    def designations_all(self, system: str, codes: Iterable[str]) -> dict[str, tuple[ReleaseDesignation, ...]]:
        """All words of codes, as far as they are there."""
        made: dict[str, list[ReleaseDesignation]] = {}
        number = self._system_ids.get(system, 0)
        for some in batched_by(tuple(codes), _BATCH):
            marks = ",".join("?" * len(some))
            query = (
                "select code, term, language, use, preferred, acceptable from designation d join concept c on c.n = d.n"  # noqa: S608 - marks only
                f" where code in ({marks}) and system = ? order by d.rowid"
            )
            for code, term, language, use, preferred, acceptable in self.rows(query, *some, number):
                said = ReleaseDesignation(term, language, Use(use), self._said(preferred), self._said(acceptable))
                made.setdefault(code, []).append(said)
        return {code: tuple(words) for code, words in made.items()}

    def _said(self, mask: int) -> tuple[str, ...]:
        found = self._masks.get(mask)
        if found is None:
            found = self._masks[mask] = tuple(name for bit, name in self._dialects if mask >> bit & 1)
        return found

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

    def page_below(self, system: str, code: str, offset: int, count: int | None) -> tuple[int, tuple[str, ...]]:
        """How many concepts lie below one, and a page of them in the order of numbers; ``count`` None: all."""
        number = self.number(system, code)
        runs = self.below(number) if number is not None else []
        total = sum(last - first + 1 for first, last in runs)
        return total, tuple(self.codes(_cut(runs, offset, total if count is None else count)))

    def page_of_all(self, system: str, offset: int, count: int) -> tuple[int, tuple[str, ...]]:
        """How many active concepts a system has, and a page of them in the order of numbers."""
        number = self._system_ids.get(system, 0)
        if number not in self._active:
            query = "select count(*) from concept where system = ? and active = 1"
            self._active[number] = self.rows(query, number)[0][0]
        query = "select code from concept where system = ? and active = 1 order by n limit ? offset ?"
        return self._active[number], tuple(row[0] for row in self.rows(query, number, count, offset))

    def below(self, number: int) -> list[tuple[int, int]]:
        """Numbers of all concepts below, as runs (first, last) in order."""
        found = self._closure("descendants", number)
        return list(zip(found[::2], found[1::2], strict=True))

    def subsumes(self, system: str, above: str, below: str) -> bool:
        """Whether ``below`` is ``above`` or one of its descendants."""
        query = (
            "select a.n, b.n, z.ancestors from concept a, concept b join closure z on z.n = b.n"
            " where a.code = ? and a.system = ? and b.code = ? and b.system = ?"
        )
        number = self._system_ids.get(system, 0)
        found = self.rows(query, above, number, below, number)
        return bool(found) and (found[0][0] == found[0][1] or holds(found[0][2], found[0][0]))

    def _closure(self, column: str, number: int | None) -> Sequence[int]:
        found = self.rows(f"select {column} from closure where n = ?", number)  # noqa: S608 - the column is ours
        return unpack(found[0][0]) if found else ()

    def members(self, system: str, refset: str) -> Iterator[str]:
        """Codes of the concepts in a reference set."""
        query = "select c.code from member r join concept c on c.n = r.n where refset = ? order by r.n"
        for row in self.each(query, self.number(system, refset)):
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

    @cached_property
    def _maps(self) -> tuple[str, ...]:
        # `distinct` would look at every row of a large map.
        found: list[str] = []
        while row := self.rows("select min(map) from translation where map > ?", found[-1] if found else "")[0][0]:
            found.append(row)
        return tuple(found)

    def maps(self) -> tuple[str, ...]:
        """The URLs of the concept maps that have rows."""
        return self._maps

    def map_rows(self, url: str) -> Iterator[Translation]:
        """The rows of one concept map."""
        columns = "map, from_system, from_code, to_system, to_code, relationship"
        query = f"select {columns} from translation where map = ? order by rowid"  # noqa: S608 - constants of ours
        for row in self.each(query, url):
            yield Translation(*row)

    @cached_property
    def _value_sets(self) -> tuple[tuple[str, str, str], ...]:
        return tuple(tuple(row) for row in self.rows("select url, version, name from value_set order by id"))

    def value_sets(self) -> tuple[tuple[str, str, str], ...]:
        """URL, version and title of each value set."""
        return self._value_sets

    def value_set_body(self, url: str) -> bytes | None:
        """A value set as it came, JSON; None where there is none of this URL."""
        found = self.rows("select body from value_set where url = ? order by id limit 1", url)
        return bytes(found[0][0]) if found else None

    def all_codes(self, system: str) -> Iterator[str]:
        """The active codes of a system, in the order of numbers."""
        query = "select code from concept where system = ? and active = 1 order by n"
        for row in self.each(query, self._system_ids.get(system, 0)):
            yield row[0]

    def value_set(self, url: str) -> tuple[ValueSetMember, ...] | None:
        """The codes that a value set lists or was expanded to; None where there is none of this URL."""
        if not self.rows("select 1 from value_set where url = ?", url):
            return None
        query = (
            "select system, code, display from value_set_member join value_set on id = value_set where url = ?"
            " order by system, code"
        )
        return tuple(ValueSetMember(*row) for row in self.rows(query, url))


def _cut(runs: Iterable[tuple[int, int]], offset: int, count: int) -> list[tuple[int, int]]:
    """The runs of ``count`` numbers after the first ``offset``."""
    made = []
    for first, last in runs:
        start = first + offset
        if start <= last and count > 0:
            end = min(last, start + count - 1)
            made.append((start, end))
            count -= end - start + 1
        offset = max(0, offset - (last - first + 1))
    return made


def _concept(row: Sequence[Any]) -> ReleaseConcept:
    _, system, code, display, active, defined, effective, module, tag = row
    return ReleaseConcept(system, code, display, bool(active), bool(defined), str(effective or ""), module or "", tag)


def batched_by(listed: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    """A list in pieces."""
    for start in range(0, len(listed), size):
        yield listed[start : start + size]
