"""What files are, by what is in them, and the loader for each kind."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from service.coding.releases import icd, layouts, loinc, radlex
from service.coding.releases.build import Build
from service.coding.releases.fhir import Fhir
from service.coding.releases.refusing import mixed, truncated, wrong_layout
from service.coding.releases.rf2 import Rf2
from service.coding.releases.rf2_files import Table, is_rf2, tables
from service.coding.releases.rows import header
from service.coding.releases.sources import Entry, unpacked, whole
from service.domain.limits import Limits

Package = tuple[Path, list[Entry]]
_VERSION: Final = re.compile(r"(?<![0-9.])([0-9]{1,2}\.[0-9]{1,3})(?![0-9])")
_PACKAGES: Final = (".tgz", ".tar.gz")
_SUFFIX: Final = re.compile(r"(?:-[0-9][0-9a-z.]*)?\.(?:json|tgz|tar\.gz|zip)$")


@dataclass(frozen=True, slots=True)
class Kind:
    """How a release is read: ``slot`` is the name it has when none is given."""

    name: str
    slot: str
    load: Callable[[Build], None]
    may_be_empty: bool = False


def find_kind(packages: Sequence[Package], limits: Limits, designators: Mapping[str, str]) -> Kind:
    """The kind that all files have; refuses unknown ones and files of several kinds."""
    kinds = {path: _kind_of(path, members) for path, members in packages}
    if len(set(kinds.values())) > 1:
        said = ", ".join(f"{path.name} is {kind}" for path, kind in kinds.items())
        mixed(packages[0][0].name, 0, f"files of several code systems: {said}. Import them one by one")
    kind = kinds[packages[0][0]]
    members = [entry for _, found in packages for entry in found]
    version = next((match[1] for path, _ in packages if (match := _VERSION.search(path.name))), "")
    if kind == "rf2":
        found = [table for path, entries in packages for table in tables(path.name, entries)]
        return Kind(kind, "sct", partial(_rf2, found))
    if kind == "fhir":
        slot = re.sub(r"[^a-z0-9.-]+", "-", _SUFFIX.sub("", packages[0][0].name.lower())).strip("-.") or "fhir"
        load = partial(_fhir, packages, limits, designators)
        return Kind(kind, f"fhir-{slot}", load, may_be_empty=True)
    if kind == "loinc":
        return Kind(kind, "ln", partial(_loinc, members, version))
    if kind == "icdo3":
        return Kind(kind, "icdo3", partial(_once, "ICD-O-3", partial(_icdo3, members, version)))
    entry = next(entry for entry in members if _file_kind(entry) == kind)
    load_one = {"radlex-owl": radlex.load_owl, "radlex-csv": radlex.load_csv, "icd10cm": icd.load_icd10cm}[kind]
    slot = "i10c" if kind == "icd10cm" else "radlex"
    said = "" if kind == "icd10cm" else version
    return Kind(kind, slot, partial(_once, entry.name, partial(_one, load_one, entry, said)))


def _kind_of(path: Path, members: Sequence[Entry]) -> str:
    """The kind of one file, by its members' names and first lines."""
    if is_rf2(members):
        return "rf2"
    if path.name.lower().endswith(_PACKAGES):
        return "fhir"
    kind = next(filter(None, map(_file_kind, members)), None)
    if kind is None:
        wrong_layout(path.name, 0, "no loader knows this file: see docs/terminology.md for what can be read")
    return kind


def _file_kind(entry: Entry) -> str:
    name = entry.base.lower()
    if name in (loinc.TABLE, loinc.MAP_TO, loinc.PLAYBOOK):
        return "loinc"
    if name.endswith(".json"):
        return "fhir"
    if name.endswith((".owl", ".rdf")):
        return "radlex-owl"
    if not name.endswith((".csv", ".txt")):
        return ""
    first = header(entry, "\n", "iso-8859-1")[0]
    columns = tuple(cell.strip('"\ufeff\u00ef\u00bb\u00bf') for cell in first.split(","))
    if columns[:2] == layouts.RADLEX_CSV[:2]:
        return "radlex-csv"
    if set(icd.ICDO32) <= set(columns) or tuple(first.split("\t")) in (icd.TOPOGRAPHY, icd.MORPHOLOGY):
        return "icdo3"
    return "icd10cm" if icd.ORDER_LINE.fullmatch(first) and "addenda" not in name else ""


def _once(step: str, load: Callable[[Build], int], build: Build) -> None:
    build.once(step, partial(load, build))


def _one(load: Callable[[Build, Entry, str], int], entry: Entry, version: str, build: Build) -> int:
    return load(build, entry, version)


def _icdo3(members: Sequence[Entry], version: str, build: Build) -> int:
    return icd.load_icdo3(build, [entry for entry in members if _file_kind(entry) == "icdo3"], version)


def _rf2(found: Sequence[Table], build: Build) -> None:
    Rf2(build, found).load()


def _loinc(members: Sequence[Entry], version: str, build: Build) -> None:
    files = {entry.base.lower(): entry for entry in members if _file_kind(entry) == "loinc"}
    if loinc.TABLE not in files:
        truncated(members[0].name, 0, "Loinc.csv is missing: the playbook and MapTo.csv go with it")
    build.once("LOINC", partial(loinc.load, build, files, version))


def _fhir(packages: Sequence[Package], limits: Limits, designators: Mapping[str, str], build: Build) -> None:
    def documents() -> Iterator[tuple[str, bytes]]:
        for path, members in packages:
            if path.name.lower().endswith(_PACKAGES):
                yield from unpacked(path, limits)
            else:
                for entry in members:
                    if entry.base.lower().endswith(".json"):
                        yield entry.name, whole(entry, limits)

    build.once("FHIR resources", lambda: Fhir(build, designators).load(documents()))
