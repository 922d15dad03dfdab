"""Zones of the body: where a finding lies by its name, and where a site lies. Coarse, so that neighbours share one."""

from collections.abc import Iterable, Mapping
from typing import Final

from service.coding.tables import Defects, Line
from service.domain.codes import Concept

ZONES: Final = ("head", "neck", "chest", "abdomen", "pelvis", "upper-limb", "lower-limb")
"""The zones that ``zones.csv`` may name."""
Zones = Mapping[str, frozenset[str]]


def read_zones(
    lines: Iterable[Line], concepts: Mapping[str, Concept], located: frozenset[str], defects: Defects
) -> dict[str, frozenset[str]]:
    """The zones of each finding and site that lies in some only; ``located`` are the values of these two members."""
    made: dict[str, frozenset[str]] = {}
    for line in lines:
        concept, zone, source = line.cells
        if concept not in concepts:
            defects.add(line.file, line.number, f"no such concept: {concept}")
        elif concept not in located:
            defects.add(line.file, line.number, f"{concept} is no finding and no site")
        if zone not in ZONES:
            defects.add(line.file, line.number, f"a zone is one of {', '.join(ZONES)}")
        if not source:
            defects.add(line.file, line.number, f"{concept} has no source")
        before = made.get(concept, frozenset())
        if zone in before:
            defects.add(line.file, line.number, f"{concept} in {zone} is there twice")
        made[concept] = before | {zone}
    return made
