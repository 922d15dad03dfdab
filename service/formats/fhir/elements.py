"""What FHIR's types are made of: names, types and order of their elements (``mappings/fhir_elements.csv``)."""

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files


@dataclass(frozen=True, slots=True)
class Element:
    """One element of a type: ``kind`` is its type, ``many`` whether it may be there several times."""

    name: str
    kind: str
    many: bool

    @property
    def is_primitive(self) -> bool:
        """Whether its type is one of FHIR's primitive types, which begin with a small letter."""
        return self.kind[0].islower()


@cache
def elements(release: str) -> Mapping[str, Mapping[str, Element]]:
    """Of each type of a release ("R4", "R5"), its elements by name, in the order of XML (R4 xml.html)."""
    found: dict[str, Mapping[str, Element]] = {}
    table = files("mappings").joinpath("fhir_elements.csv").read_text(encoding="utf-8")
    for row in csv.DictReader(table.splitlines()):
        if release in row["releases"].split():
            found[row["type"]] = {one.name: one for one in map(_element, row["elements"].split())}
    return found


def _element(said: str) -> Element:
    name, _, kind = said.partition(":")
    return Element(name, kind.removesuffix("*"), kind.endswith("*"))
