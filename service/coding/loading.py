"""All tables read, built and held against each other, once."""

from collections.abc import Iterable, Mapping
from importlib.resources.abc import Traversable
from typing import Final

from service.coding import checks, rows
from service.coding.concepts import KEY, build_concepts, read_codings, read_labels
from service.coding.index import EVERYWHERE, Designations, Names
from service.coding.rows import EvaluationRow, Field, MeasurementRow, MemberRow
from service.coding.side_words import LEFT, RIGHT, side_in
from service.coding.tables import Defects, Line, TomlRow, read_csv, read_toml, read_value_sets
from service.coding.units import Units
from service.coding.words import Words
from service.coding.zones import read_zones
from service.domain.report import Issuer

MEMBERS: Final = (
    "finding",
    "category",
    "site",
    "laterality",
    "topography",
    "certainty",
    "change",
    "conclusion",
    "differential",
    "negative",
    "modality",
    "procedure",
    "technique",
    "method",
    "derivation",
    "role",
    "time-point-type",
)
"""The coded members of a report: each has a row in ``report.toml``."""
URN_OID: Final = "urn:oid:"
SIDE: Final = "laterality"
"""The member that says the side."""
MIDLINE: Final = "midline"
BILATERAL: Final = "bilateral"
UNILATERAL: Final = "unilateral"
SIDES: Final = (LEFT, RIGHT, BILATERAL, MIDLINE, UNILATERAL)
"""Keys of concepts that `service.coding.sides` compares with."""
MIDLINE_SITES: Final = "midline-sites"
SIDED_SITES: Final = {LEFT: "left-sided-sites", RIGHT: "right-sided-sites"}
SETS: Final = (MIDLINE_SITES, *SIDED_SITES.values())
"""Value sets of sites that have no side, or only one."""


class Loaded:
    """What the tables say; raises TableError with every defect."""

    def __init__(self, terminology: Traversable, mappings: Traversable, issuers: Traversable | None = None) -> None:
        """Read the tables of two folders, and a site's own issuers beside the shipped ones."""
        self.defects = defects = Defects()
        self.systems = checks.check_systems(read_csv(terminology.joinpath("code_systems.csv"), defects), defects)
        designations = list(read_csv(terminology.joinpath("designations.csv"), defects))
        labels = read_labels(designations, defects)
        codings = read_codings(read_csv(terminology.joinpath("codings.csv"), defects), self.systems, labels, defects)
        keys = read_csv(terminology.joinpath("concepts.csv"), defects)
        self.concepts = build_concepts(keys, codings, labels, defects)
        self.value_sets = checks.check_value_sets(read_value_sets(terminology, defects), self.concepts, defects)
        for name in SETS:
            if name not in self.value_sets:
                defects.add(f"value_sets/{name}.csv", 1, "the value set is missing")
        for key in SIDES:
            if key not in self.concepts:
                defects.add("concepts.csv", 1, f"{key} is missing")
        self.sides = self._sides()
        translations = read_csv(terminology.joinpath("translations.csv"), defects)
        self.translations = checks.check_translations(translations, self.systems, defects)
        spellings = list(read_csv(terminology.joinpath("spellings.csv"), defects))
        self.words = Words(checks.check_spellings(spellings, defects))
        self.designations = Designations(designations, self.words)
        self.units = Units(designations, self.concepts, self.words)
        self._rows(mappings)
        placed = [self.members[key].values or frozenset() for key in ("finding", "site") if key in self.members]
        zones = read_csv(terminology.joinpath("zones.csv"), defects)
        self.zones = read_zones(zones, self.concepts, frozenset().union(*placed), defects)
        fields: dict[str, Field] = {**self.members, **self.evaluations}
        checks.check_designations(designations, self.concepts, fields, self.measurements, defects)
        checks.check_ambiguity(designations, self.designations, self.concepts, fields, defects)
        self.names = {
            "measurements": self._name(self.measurements, designations),
            "evaluations": self._name(self.evaluations, designations),
        }
        shipped = _issuers(read_csv(mappings.joinpath("issuers.csv"), defects), defects)
        if issuers is not None and not issuers.is_file():
            # Without them ids would get no issuer, and lesions other tracking UIDs.
            defects.add(issuers.name, 1, "there is no such file (setting issuers_file)")
        own = _issuers(read_csv(issuers, defects, columns="issuers.csv"), defects) if issuers is not None else {}
        self.issuers = shipped | own
        self.words.settle()
        defects.check()

    def _sides(self) -> dict[str, str]:
        """The side of each concept that has one: by its value set, or by the words of its label."""
        likely = (one for one in self.concepts.values() if LEFT in one.label.lower() or RIGHT in one.label.lower())
        named = ((concept.key, side_in(concept.label)) for concept in likely)
        sides = {key: side for key, side in named if side is not None}
        for side, name in SIDED_SITES.items():
            sides.update(dict.fromkeys(self.value_sets.get(name, ()), side))
        return sides

    def _rows(self, mappings: Traversable) -> None:
        """Read the three tables of rows."""
        self.measurements: dict[str, MeasurementRow] = {}
        self.evaluations: dict[str, EvaluationRow] = {}
        self.members: dict[str, MemberRow] = {}
        self._written: dict[str, TomlRow] = {}
        self._concepts: dict[str, tuple[str, str]] = {}
        for row in read_toml(mappings, "measurements.toml", self.defects):
            measured = self.measurements[row.key] = rows.measurement_row(row, self.defects)
            self._field(row, measured.concept)
            checks.check_measurement(row, measured, self.units, self.defects)
        for row in read_toml(mappings, "evaluations.toml", self.defects):
            answered = self.evaluations[row.key] = rows.evaluation_row(row, self.value_sets, self.defects)
            self._field(row, answered.concept)
            checks.check_evaluation(row, answered, self.concepts, self.systems, self.defects)
        for row in read_toml(mappings, "report.toml", self.defects):
            member = self.members[row.key] = rows.member_row(row, self.value_sets, self.defects)
            self._field(row, member.concept)
            for system in member.prefer:
                if system not in self.systems:
                    self.defects.add(row.file, row.line("prefer"), f"[{row.key}] prefers an unknown system: {system}")
        checks.check_derived(self._written, self.measurements, self.members, self.defects)
        for key in MEMBERS:
            if key not in self.members:
                self.defects.add("report.toml", 1, f"[{key}] is missing")

    def _field(self, row: TomlRow, concept: str) -> None:
        """Hold a row's key and concept."""
        if KEY.fullmatch(row.key) is None:
            self.defects.add(row.file, row.line(""), f"[{row.key}] is not lower-case words joined by hyphens")
        if row.key in self._written:
            why = f"[{row.key}] is also a row of {self._written[row.key].file}; fields have one namespace"
            self.defects.add(row.file, row.line(""), why)
        other = next(
            (key for key, (file, known) in self._concepts.items() if (file, known) == (row.file, concept)), None
        )
        if other is not None and row.file != "report.toml":
            # What is read back has only the concept's code to tell its row by.
            self.defects.add(row.file, row.line("concept"), f"[{row.key}] {concept} is the concept of [{other}], too")
        self._concepts[row.key] = (row.file, concept)
        self._written[row.key] = row
        checks.check_field(row, concept, self.concepts, self.defects)

    def _name(
        self, table: Mapping[str, MeasurementRow] | Mapping[str, EvaluationRow], designations: Iterable[Line]
    ) -> Names:
        """Index the names of a table's rows."""
        names = Names(self.words)
        for key, row in table.items():
            derived = row.derived if isinstance(row, MeasurementRow) else ()
            for name in (key, *row.names, *(name for name, _ in derived)):
                other = names.add(key, row.concept, name)
                if other is not None:
                    written = self._written[key]
                    why = f"{name!r} names both [{other}] and [{key}]"
                    self.defects.add(written.file, written.line("names"), why)
        for line in designations:
            concept, _, _, field, term = line.cells
            if field == EVERYWHERE and concept in names.by_concept:
                names.also(names.by_concept[concept], term)
        return names


def _issuers(lines: Iterable[Line], defects: Defects) -> dict[str, Issuer]:
    """The issuers by key; one that has only an OID has it as URI, too."""
    made: dict[str, Issuer] = {}
    for line in lines:
        key, uri, oid, source = line.cells
        if not key or key in made:
            defects.add(line.file, line.number, f"an issuer's key is empty or there twice: {key}")
        if not uri and not oid:
            defects.add(line.file, line.number, f"{key} has neither URI nor OID")
        if not source:
            defects.add(line.file, line.number, f"{key} has no source")
        made[key] = Issuer(key, uri or f"{URN_OID}{oid}", oid or None)
    return made
