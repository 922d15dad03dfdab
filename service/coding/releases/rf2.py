"""SNOMED CT, RF2 snapshot: concepts and relationships first, then the words, then the reference sets.

Only active rows of the distribution (inferred) view are kept, and inactive concepts with their words, so that an old
code is recognised. Stated relationships and OWL axioms are not read.
"""

from array import array
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Final, NoReturn

from service.coding.releases import layouts
from service.coding.releases.build import Build
from service.coding.releases.refusing import mixed, truncated, wrong_layout
from service.coding.releases.rf2_files import Table, check_dependencies, check_row
from service.coding.releases.rows import tabbed
from service.coding.releases.store import Use
from service.coding.releases.structure import Cycle
from service.coding.shapes import is_sctid, verhoeff

DESIGNATOR: Final = "SCT"
URI: Final = "http://snomed.info/sct"
_USES: Final = {
    layouts.FULLY_SPECIFIED: int(Use.FULLY_SPECIFIED),
    layouts.SYNONYM: int(Use.SYNONYM),
    layouts.DEFINITION: int(Use.DEFINITION),
}
_MAX_DIALECTS: Final = 62  # bits of an SQLite integer
_DESCRIPTION_PARTITIONS: Final = ("01", "11")


class Rf2:
    """One import of one or several packages: an edition, or the international one with extensions."""

    def __init__(self, build: Build, found: Sequence[Table]) -> None:
        """Take the store to fill and the files, the largest package last so that extensions have the last word."""
        self._build = build
        sizes: dict[str, int] = {}
        for table in found:
            sizes[table.package] = sizes.get(table.package, 0) + table.entry.size
        self._tables = sorted(found, key=lambda table: sizes[table.package])
        self._base = max(sizes, key=lambda name: sizes[name])
        self._several = len(sizes) > 1
        self._numbers: dict[str, int] = {}

    def load(self) -> None:
        """Fill the store; raises Invalid or Unreadable for what does not fit the layout or together."""
        if not self._of("Concept"):
            truncated(self._base, 0, "no concepts in it: reference sets go with the edition they were made for")
        versions = check_dependencies(self._tables, lambda _: None)
        version = max((*versions.values(), *(table.date for table in self._tables)))
        self._build.once("concepts and relationships", partial(self._structure, version))
        self._numbers = dict(self._build.connection.execute("select code, n from concept"))
        for content, read in (
            ("Simple", self._members),
            ("Association", self._associations),
            ("AttributeValue", self._reasons),
        ):
            for table in self._of(content):
                self._build.once(table.entry.name, partial(read, table))
        left = [t for t in self._of("Description", "TextDefinition") if self._build.rows(t.entry.name) is None]
        if left:
            said = self._dialects()
            older = self._overridden(*left)
            for table in left:
                self._build.once(table.entry.name, partial(self._words, table, said, older))
        self._build.once("every concept is named", self._check_names)

    def _of(self, *contents: str) -> list[Table]:
        return [table for table in self._tables if table.content in contents]

    def _rows(self, table: Table, older: dict[str, str] | None = None) -> Iterator[tuple[int, list[str]]]:
        """The rows of a table; those that an extension has in a later version are left out of the base."""
        skip = older if older is not None and table.package == self._base else None
        heard = self._heard(table)
        for number, cells in tabbed(table.entry, table.columns, heard):
            if skip is not None and skip.get(cells[0], "") >= cells[1]:
                continue
            yield number, cells

    def _overridden(self, *found: Table) -> dict[str, str]:
        """Ids of rows that extensions have, with their dates."""
        made: dict[str, str] = {}
        contents = {table.content for table in found}
        for table in self._of(*contents) if self._several else ():
            if table.package != self._base:
                made.update((cells[0], cells[1]) for _, cells in tabbed(table.entry, table.columns, lambda _: None))
        return made

    def _heard(self, table: Table) -> Callable[[int], None]:
        return lambda done: self._build.progress(table.entry.base, done, table.entry.size)

    def _structure(self, version: str) -> int:
        """Concepts, is-a and attributes in one step: their numbers come from the whole hierarchy."""
        build = self._build
        system = build.system(DESIGNATOR, URI, "SNOMED CT", version)
        places: dict[str, int] = {}
        modules: dict[str, int] = {}
        concepts: list[tuple[object, ...]] = []
        older = self._overridden(*self._of("Concept"))
        for table in self._of("Concept"):
            for number, cells in self._rows(table, older):
                code, effective, active, module, status = cells
                if not is_sctid(code):
                    wrong_layout(table.entry.name, number, f"{code[:24]} is no concept id: check digit or partition")
                check_row(table, number, cells)
                if code in places:
                    mixed(table.entry.name, number, f"concept {code} is there twice: a snapshot has each once")
                if module not in modules:
                    modules[module] = build.module(module)
                places[code] = len(concepts)
                concepts.append(
                    (system, code, active == "1", status == layouts.DEFINED, int(effective), modules[module])
                )
        parents, attributes, concrete = self._relationships(places)
        self._check_parents(places, concepts, parents)
        try:
            numbers = build.structure(concepts, parents)
        except Cycle as cycle:
            mixed(self._base, 0, f"concept {concepts[cycle.index][1]} is its own ancestor")
        types = {place: build.property(str(concepts[place][1])) for place in {*attributes[2::4]}}
        build.insert(
            "insert into attribute values (?, ?, ?, ?, '')",
            (
                (numbers[attributes[at]], attributes[at + 3], types[attributes[at + 2]], numbers[attributes[at + 1]])
                for at in range(0, len(attributes), 4)
            ),
        )
        build.insert(
            "insert into attribute values (?, ?, ?, null, ?)",
            ((numbers[place], group, build.property(kind), value) for place, group, kind, value in concrete),
        )
        return len(concepts)

    def _relationships(
        self, places: dict[str, int]
    ) -> tuple[list[list[int]], "array[int]", list[tuple[int, int, str, str]]]:
        """Parents by place; attributes as fours (source, target, type, group); concrete values."""
        parents: list[list[int]] = [[] for _ in places]
        attributes = array("I")
        older = self._overridden(*self._of("Relationship"))
        for table in self._of("Relationship"):
            number = 0
            try:
                for number, cells in self._rows(table, older):
                    if cells[2] != "1" or cells[8] == layouts.STATED:
                        check_row(table, number, cells)
                        continue
                    source = places[cells[4]]
                    target = places[cells[5]]
                    if cells[7] == layouts.IS_A:
                        parents[source].append(target)
                    else:
                        attributes.extend((source, target, places[cells[7]], int(cells[6])))
            except KeyError as error:
                self._unknown(table, number, str(error.args[0]))
            except ValueError:
                wrong_layout(table.entry.name, number, "relationshipGroup is a number")
        concrete: list[tuple[int, int, str, str]] = []
        for table in self._of("RelationshipConcreteValues"):
            for number, cells in self._rows(table):
                if cells[2] == "1":
                    if cells[4] not in places:
                        self._unknown(table, number, cells[4])
                    if not cells[6].isdigit():
                        wrong_layout(table.entry.name, number, "relationshipGroup is a number")
                    concrete.append((places[cells[4]], int(cells[6]), cells[7], cells[5]))
        return parents, attributes, concrete

    def _check_parents(
        self, places: dict[str, int], concepts: Sequence[tuple[object, ...]], parents: Sequence[Sequence[int]]
    ) -> None:
        """Each active concept but the root is below another one (a cut relationship file shows here)."""
        root = places.get(layouts.ROOT)
        if root is None:
            why = f"the root concept {layouts.ROOT} is not there: an extension goes with the edition it was made for"
            truncated(self._base, 0, why)
        lost = [place for place, row in enumerate(concepts) if row[2] and not parents[place] and place != root]
        if lost:
            why = (
                f"{len(lost)} active concepts have no parent, {concepts[lost[0]][1]} is one: relationships are missing"
            )
            truncated(self._of("Relationship")[-1].entry.name, 0, why)

    def _unknown(self, table: Table, number: int, code: str) -> NoReturn:
        why = (
            f"concept {code[:24]} is in no concept file: a file was cut off, or the edition it belongs to is not given"
        )
        mixed(table.entry.name, number, why)

    def _members(self, table: Table) -> int:
        numbers = self._numbers
        rows = (
            (numbers[cells[4]], numbers[cells[5]])
            for _, cells in self._rows(table)
            if cells[2] == "1" and cells[4] in numbers and cells[5] in numbers
        )
        return self._build.insert("insert or ignore into member values (?, ?)", rows)

    def _associations(self, table: Table) -> int:
        numbers = self._numbers
        rows = (
            (numbers[cells[5]], layouts.ASSOCIATIONS.get(cells[4], cells[4]), cells[6])
            for _, cells in self._rows(table)
            if cells[2] == "1" and cells[5] in numbers
        )
        return self._build.insert("insert into association values (?, ?, ?)", rows)

    def _reasons(self, table: Table) -> int:
        numbers = self._numbers
        rows = (
            (numbers[cells[5]], cells[6])
            for _, cells in self._rows(table)
            if cells[2] == "1" and cells[4] == layouts.INACTIVATION_REFSET and cells[5] in numbers
        )
        return self._build.insert("insert or replace into reason values (?, ?)", rows)

    def _dialects(self) -> dict[str, int]:
        """By description: a bit for each language reference set where it is acceptable, and 32 higher preferred."""
        said: dict[str, int] = {}
        bits: dict[str, int] = {}
        older = self._overridden(*self._of("Language"))
        for table in self._of("Language"):
            for number, cells in self._rows(table, older):
                if cells[2] != "1":
                    continue
                bit = bits.get(cells[4])
                if bit is None:
                    bit = bits[cells[4]] = self._dialect(cells[4], len(bits))
                if cells[6] == layouts.PREFERRED:
                    bit <<= 32
                elif cells[6] != layouts.ACCEPTABLE:
                    wrong_layout(table.entry.name, number, "acceptabilityId is neither preferred nor acceptable")
                said[cells[5]] = said.get(cells[5], 0) | bit
        if not said:
            truncated(self._base, 0, "the language reference sets are empty")
        return said

    def _dialect(self, refset: str, place: int) -> int:
        if place >= _MAX_DIALECTS // 2:
            mixed(self._base, 0, f"more than {_MAX_DIALECTS // 2} language reference sets")
        name = layouts.DIALECTS.get(refset, refset)
        self._build.connection.execute("insert or ignore into dialect values (?, ?, ?)", (place, refset, name))
        return 1 << place

    def _words(self, table: Table, said: dict[str, int], older: dict[str, str]) -> int:
        """Active descriptions; each has an id with a check digit and a concept that is there."""

        def rows() -> Iterator[tuple[object, ...]]:
            numbers, name = self._numbers, table.entry.name
            for number, cells in self._rows(table, older):
                identity, _, active, _, code, language, kind, term, _ = cells
                if active != "1":
                    check_row(table, number, cells)
                    continue
                n = numbers.get(code)
                if n is None:
                    self._unknown(table, number, code)
                use = _USES.get(kind)
                if use is None or not term or not identity.isdigit() or identity[-3:-1] not in _DESCRIPTION_PARTITIONS:
                    wrong_layout(name, number, "an id of a description, a term and a known typeId are wanted")
                if not verhoeff(identity):
                    wrong_layout(name, number, f"{identity[:24]} has a wrong check digit")
                mask = said.get(identity, 0)
                yield n, language, use, term, mask >> 32, mask & 0xFFFFFFFF

        return self._build.insert("insert into designation values (?, ?, ?, ?, ?, ?)", rows())

    def _check_names(self) -> int:
        """Each concept has a fully specified name (a cut description file shows here)."""
        query = (
            "select code, count(*) from concept where n not in (select n from designation where use = ?)"
            " group by code is null"
        )
        row = self._build.connection.execute(query, (int(Use.FULLY_SPECIFIED),)).fetchone()
        if row is not None:
            why = f"{row[1]} concepts have no fully specified name, {row[0]} is one: descriptions are missing"
            truncated(self._of("Description")[-1].entry.name, 0, why)
        return 0
