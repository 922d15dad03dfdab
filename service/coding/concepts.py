"""Concepts built from their tables: label, codings, and which codes both formats emit.

Chosen are codes that stand alone (part 0), are verified and exact, the first of each system, in the order of `ORDER`.
Without one, the first verified broader code by the same order is kept apart: it is emitted together with the label.
Related and narrower codes are never emitted, and a unit (UCUM) only as the code of a unit.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Final

from service.coding.rows import CodeSystem
from service.coding.shapes import meaning_fault, shape_fault
from service.coding.tables import Defects, Line
from service.coding.units import UCUM
from service.domain.codes import Code, Coding, Concept, Equivalence

ORDER: Final = ("SCT", "DCM", "LN", "RADLEX", "UMLS", "NCIt", "ICDO3", "I10C")
"""Code systems by how well receivers know them; others follow in table order."""
PREFERRED: Final = "preferred"
USES: Final = (PREFERRED, "synonym", "abbreviation", "plural")
STATUSES: Final = ("verified", "draft")
_EQUIVALENCES: Final = {equivalence.value: equivalence for equivalence in Equivalence}
KEY: Final = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
_LANGUAGE = re.compile(r"[a-z]{2,3}(?:-[A-Z]{2})?")


def rank(system: str, order: tuple[str, ...] = ORDER) -> int:
    """The place of a code system in an order; unknown ones come last."""
    return order.index(system) if system in order else len(order)


def build_concepts(
    keys: Iterable[Line],
    codings: Mapping[str, tuple[Coding, ...]],
    labels: Mapping[str, str],
    defects: Defects,
) -> dict[str, Concept]:
    """The concepts by key, in table order."""
    concepts: dict[str, Concept] = {}
    for line in keys:
        key, group, _, source = line.cells
        if KEY.fullmatch(key) is None:
            defects.add(line.file, line.number, f"a key is lower-case words joined by hyphens, not {key!r}")
        if key in concepts:
            defects.add(line.file, line.number, f"{key} is there twice")
            continue
        if not group or not source:
            defects.add(line.file, line.number, f"{key} has no group or no source")
        if key not in labels:
            defects.add(line.file, line.number, f"{key} has no preferred designation in English")
        own = codings.get(key, ())
        exact = emitted(own, Equivalence.EXACT)
        # A broader code is only wanted where no exact one says it all.
        broader = next(iter(emitted(own, Equivalence.BROADER)), None) if not exact else None
        concepts[key] = Concept(key, group, labels.get(key, key), own, exact, broader)
    return concepts


def emitted(codings: tuple[Coding, ...], equivalence: Equivalence) -> tuple[Code, ...]:
    """The verified whole codes of one equivalence, the first of each system, in the order of `ORDER`."""
    first: dict[str, Code] = {}
    for coding in codings:
        if coding.equivalence is equivalence and coding.part == 0 and coding.verified:
            first.setdefault(coding.code.system, coding.code)
    if len(first) > 1:
        first.pop(UCUM, None)  # "Hounsfield unit" stands beside "CT attenuation" in the table, but does not mean it
    elif UCUM in first and any(coding.code.system != UCUM for coding in codings):
        return ()
    return tuple(sorted(first.values(), key=lambda code: rank(code.system)))


def read_codings(
    lines: Iterable[Line], systems: Mapping[str, CodeSystem], labels: Mapping[str, str], defects: Defects
) -> dict[str, tuple[Coding, ...]]:
    """The codings of each concept in table order; an empty display is the concept's label."""
    found: dict[str, list[Coding]] = {}
    seen: set[tuple[str, str, str]] = set()
    parted: dict[str, tuple[Line, set[str]]] = {}
    for line in lines:
        concept, system, code, display, equivalence, part, status, source = line.cells
        display = display or labels.get(concept, code)
        faults = [
            f"an unknown code system: {system}" if system not in systems else None,
            None if concept in labels else "no such concept, or one without a label",
            _wrong_shape(system, code),
            meaning_fault(display),
            None if equivalence in _EQUIVALENCES else f"equivalence is one of {', '.join(Equivalence)}",
            None if not part or part.isdecimal() else "part is a number",
            None if status in STATUSES else f"status is one of {', '.join(STATUSES)}",
            None if source else "no source",
            f"{system} {code} is there twice" if (concept, system, code) in seen else None,
        ]
        seen.add((concept, system, code))
        if part not in ("", "0"):
            parted.setdefault(concept, (line, set()))[1].add(part)
        wrong = [fault for fault in faults if fault]
        for fault in wrong:
            defects.add(line.file, line.number, f"{concept}: {fault}")
        if not wrong:
            made = Coding(
                Code(system, code, display), _EQUIVALENCES[equivalence], int(part or 0), status == STATUSES[0]
            )
            found.setdefault(concept, []).append(made)
    for concept, (line, parts) in parted.items():
        if len(parts) == 1:
            defects.add(line.file, line.number, f"{concept}: a single part; parts mean the concept only together")
    return {concept: tuple(codings) for concept, codings in found.items()}


def _wrong_shape(system: str, code: str) -> str | None:
    """A sentence on a code of the wrong shape."""
    wanted = shape_fault(system, code)
    return f"{system} {code} is malformed; wanted {wanted}" if wanted else None


def read_labels(lines: Iterable[Line], defects: Defects) -> dict[str, str]:
    """The preferred English designation of each concept; one that is scoped to a field serves where no other is."""
    whole: dict[str, str] = {}
    scoped: dict[str, str] = {}
    for line in lines:
        concept, language, use, field, term = line.cells
        if use not in USES:
            defects.add(line.file, line.number, f"use is one of {', '.join(USES)}, not {use!r}")
        if _LANGUAGE.fullmatch(language) is None:
            defects.add(line.file, line.number, f"not a language: {language!r}")
        if not term:
            defects.add(line.file, line.number, f"{concept} has an empty term")
        if use != PREFERRED or language != "en":
            continue
        if field:
            scoped.setdefault(concept, term)
        elif concept in whole:
            defects.add(line.file, line.number, f"{concept} has two preferred designations in English")
        else:
            whole[concept] = term
    return scoped | whole
