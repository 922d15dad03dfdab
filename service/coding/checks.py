"""What must hold between the tables: every key leads somewhere, and no term of a field leads to two places."""

import re
from collections.abc import Iterable, Mapping
from itertools import combinations
from typing import Final

from service.coding.index import EVERYWHERE, Designations
from service.coding.rows import CodeSystem, EvaluationRow, Field, MeasurementRow, MemberRow
from service.coding.shapes import DESIGNATOR_CHARACTERS, meaning_fault, shape_fault
from service.coding.tables import Defects, Line, TomlRow
from service.coding.units import FIELD as UNIT
from service.coding.units import Units, commensurable
from service.coding.words import fold
from service.domain.codes import LOCAL_SCHEME, Concept

EQUIVALENT: Final = "equivalent"
RELATIONSHIPS: Final = (
    EQUIVALENT,
    "source-is-narrower-than-target",
    "source-is-broader-than-target",
    "related-to",
    "not-related-to",
)
"""FHIR R5's concept-map-relationship."""
OTHER_FIELDS: Final = (UNIT, "language")
"""Fields of designations that are no rows: the unit of a measurement, and the report's language."""
_OID = re.compile(r"[012](?:\.(?:0|[1-9][0-9]*))+")
_URI = re.compile(r"[a-z][a-z0-9+.-]*:[^\s]+")


def check_systems(lines: Iterable[Line], defects: Defects) -> dict[str, CodeSystem]:
    """The code systems by designator."""
    systems: dict[str, CodeSystem] = {}
    uris: set[str] = set()
    for line in lines:
        designator, uri, oid, name, licence, source = line.cells
        faults = [
            f"{designator} is there twice" if designator in systems else None,
            f"the URI {uri} is there twice" if uri in uris else None,
            None if 0 < len(designator) <= DESIGNATOR_CHARACTERS else "a designator has 1 to 16 characters",
            None if not uri or _URI.fullmatch(uri) else f"not a URI: {uri}",
            None if not oid or _OID.fullmatch(oid) else f"not an OID: {oid}",
            None if name and licence and source else "no name, licence or source",
        ]
        for fault in faults:
            if fault:
                defects.add(line.file, line.number, fault)
        if uri:
            uris.add(uri)
        systems.setdefault(designator, CodeSystem(designator, uri, oid, name))
    if LOCAL_SCHEME not in systems:
        defects.add("code_systems.csv", 1, f"{LOCAL_SCHEME} is missing")
    return systems


def check_value_sets(
    sets: Mapping[str, Iterable[Line]], concepts: Mapping[str, Concept], defects: Defects
) -> dict[str, frozenset[str]]:
    """The value sets by name."""
    made: dict[str, frozenset[str]] = {}
    for name, lines in sets.items():
        keys: set[str] = set()
        for line in lines:
            key, source = line.cells
            if key not in concepts:
                defects.add(line.file, line.number, f"no such concept: {key}")
            if key in keys:
                defects.add(line.file, line.number, f"{key} is there twice")
            if not source:
                defects.add(line.file, line.number, f"{key} has no source")
            keys.add(key)
        if not keys:
            defects.add(f"value_sets/{name}.csv", 1, "a value set is empty")
        made[name] = frozenset(keys)
    return made


def check_designations(
    lines: Iterable[Line],
    concepts: Mapping[str, Concept],
    fields: Mapping[str, Field],
    measurements: Mapping[str, MeasurementRow],
    defects: Defects,
) -> None:
    """Each designation names a concept that is there, within a field that takes it, once."""
    seen: set[tuple[str, str, str, str]] = set()
    for line in lines:
        concept, language, _, field, term = line.cells
        if concept not in concepts:
            defects.add(line.file, line.number, f"no such concept: {concept}")
        # Case and Unicode form may differ: "T1w" beside "T1W" costs nothing, and units need both.
        if (same := (concept, language, field, term)) in seen:
            defects.add(line.file, line.number, f"{concept} has {term!r} twice")
        seen.add(same)
        if field in fields:
            values = fields[field].values
            if values is not None and concept not in values:
                defects.add(line.file, line.number, f"{concept} is no value of the field {field}")
        elif field in measurements:
            if measurements[field].concept != concept:
                defects.add(line.file, line.number, f"{concept} is not what the field {field} measures")
        elif field not in ("", *OTHER_FIELDS):
            defects.add(line.file, line.number, f"no such field: {field}")


def check_ambiguity(
    lines: Iterable[Line],
    designations: Designations,
    concepts: Mapping[str, Concept],
    fields: Mapping[str, Field],
    defects: Defects,
) -> None:
    """No term names two concepts within one field; a field's own designation decides over one for everywhere."""
    for field, scope in designations.exact.items():
        for form, hits in scope.items():
            named = {concept for concept, _ in hits}
            if field == EVERYWHERE and form in concepts:
                named.add(form)
            if len(named) < 2:
                continue
            for pair in combinations(sorted(named), 2):
                where = _field_of(pair, form, field, designations, fields)
                if where:
                    # The later line is the one that made it ambiguous.
                    file, number = max(_line_of(lines, concept, form, field) for concept in pair)
                    defects.add(file, number, f"{form!r} names both {pair[0]} and {pair[1]} in the field {where}")


def _field_of(
    pair: tuple[str, ...], form: str, field: str, designations: Designations, fields: Mapping[str, Field]
) -> str | None:
    """A field in which both concepts of the pair answer to the term."""
    if field != EVERYWHERE:
        return field
    for key, row in fields.items():
        if row.values is not None and row.values.issuperset(pair) and form not in designations.exact.get(key, ()):
            return key
    return None


def _line_of(lines: Iterable[Line], concept: str, form: str, field: str) -> tuple[str, int]:
    """Where a designation stands."""
    for line in lines:
        if line.cells[0] == concept and line.cells[3] == field and fold(line.cells[4]) == form:
            return line.file, line.number
    return "designations.csv", 1


def check_field(row: TomlRow, concept: str, concepts: Mapping[str, Concept], defects: Defects) -> None:
    """A field's concept is there and can be written as a concept name: a code of its own, or our scheme's."""
    known = concepts.get(concept)
    if known is None:
        defects.add(row.file, row.line("concept"), f"[{row.key}] no such concept: {concept}")
    elif not known.codes:
        if len(concept) > DESIGNATOR_CHARACTERS:
            why = f"[{row.key}] {concept} has no exact code, and more than {DESIGNATOR_CHARACTERS} characters (SH)"
            defects.add(row.file, row.line("concept"), why)
        fault = meaning_fault(known.label)
        if fault:
            defects.add(row.file, row.line("concept"), f"[{row.key}] {fault}")


def check_evaluation(
    row: TomlRow,
    made: EvaluationRow,
    concepts: Mapping[str, Concept],
    systems: Mapping[str, CodeSystem],
    defects: Defects,
) -> None:
    """What the name of a field supplies is a part of one of its values' codes."""
    for supplied in made.supplies:
        system, _, code = supplied.partition("|")
        if system not in systems or shape_fault(system, code):
            defects.add(row.file, row.line("supplies"), f"[{row.key}] supplies no code of a known system: {supplied}")
        elif not any(
            coding.part and coding.code.system == system and coding.code.code == code
            for key in made.values or ()
            if key in concepts
            for coding in concepts[key].codings
        ):
            defects.add(row.file, row.line("supplies"), f"[{row.key}] {supplied} is no part of any of its values")


def check_measurement(row: TomlRow, made: MeasurementRow, units: Units, defects: Defects) -> None:
    """Units are UCUM codes of unit concepts and of one kind, limits in order."""
    for unit in made.units:
        if units.code(unit) != unit:
            defects.add(row.file, row.line("units"), f"[{row.key}] {unit} is not the UCUM code of a unit here")
        elif not commensurable(unit, made.units[0]):
            defects.add(row.file, row.line("units"), f"[{row.key}] {unit} and {made.units[0]} do not measure one thing")
    if made.at_least is not None and made.above is not None:
        defects.add(row.file, row.line("from"), f"[{row.key}] has both from and above")
    lowest = made.at_least if made.at_least is not None else made.above
    if lowest is not None and made.implausible_above is not None and made.implausible_above <= lowest:
        defects.add(row.file, row.line("implausible_above"), f"[{row.key}] is implausible wherever it is allowed")


def check_derived(
    written: Mapping[str, TomlRow],
    measurements: Mapping[str, MeasurementRow],
    members: Mapping[str, MemberRow],
    defects: Defects,
) -> None:
    """What a measurement's name says of its derivation is an answer to that field."""
    field = members.get("derivation")
    for key, row in measurements.items():
        for name, derivation in row.derived:
            if field is not None and field.values is not None and derivation not in field.values:
                line = written[key].line("derived")
                defects.add(written[key].file, line, f"[{key}] {name}: {derivation} is no value of derivation")


def check_translations(
    lines: Iterable[Line], systems: Mapping[str, CodeSystem], defects: Defects
) -> dict[tuple[str, str], tuple[str, str]]:
    """Codes that another code stands for, by (system, code): only those that mean the same."""
    made: dict[tuple[str, str], tuple[str, str]] = {}
    for line in lines:
        from_system, from_code, to_system, to_code, relationship, source = line.cells
        faults = [
            None if from_system in systems or from_system.startswith("99") else f"unknown code system: {from_system}",
            None if to_system in systems else f"unknown code system: {to_system}",
            f"{to_system} {to_code} is malformed" if shape_fault(to_system, to_code) else None,
            None if relationship in RELATIONSHIPS else f"relationship is one of {', '.join(RELATIONSHIPS)}",
            None if source else "no source",
        ]
        source_code, target = (from_system, from_code), (to_system, to_code)
        if relationship == EQUIVALENT and made.setdefault(source_code, target) != target:
            faults.append(f"{from_system} {from_code} is equivalent to two codes")
        for fault in faults:
            if fault:
                defects.add(line.file, line.number, fault)
    return made


def check_spellings(lines: Iterable[Line], defects: Defects) -> dict[str, str]:
    """American spellings by British ones; none is both."""
    made: dict[str, str] = {}
    for line in lines:
        british, american, source = line.cells
        if not british or not american or not source or british == american:
            defects.add(line.file, line.number, "a spelling wants two different words and a source")
        if british in made:
            defects.add(line.file, line.number, f"{british} is there twice")
        made[british] = american
    for line in lines:
        if line.cells[1] in made:
            defects.add(line.file, line.number, f"{line.cells[1]} is both American and British")
    return made
