"""LOINC: Loinc.csv, with MapTo.csv and the LOINC/RSNA Radiology Playbook where they are beside it."""

import re
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Final

from service.coding.releases import layouts
from service.coding.releases.build import Build
from service.coding.releases.plain import PlainConcept, System, write
from service.coding.releases.refusing import mixed, wrong_layout
from service.coding.releases.rows import comma_separated
from service.coding.releases.sources import Entry
from service.coding.releases.store import Use
from service.coding.shapes import is_loinc

DESIGNATOR: Final = "LN"
URI: Final = "http://loinc.org"
TABLE: Final = "loinc.csv"
MAP_TO: Final = "mapto.csv"
PLAYBOOK: Final = "loincrsnaradiologyplaybook.csv"
_RETIRED: Final = "DEPRECATED"
_STATUSES: Final = frozenset({"ACTIVE", "TRIAL", "DISCOURAGED", _RETIRED})
_RADIOLOGY: Final = "RAD"
_PLAYBOOK_MAP: Final = "loinc-rsna-radiology-playbook"


def load(build: Build, files: Mapping[str, Entry], version: str) -> int:
    """Read the table and what is beside it; refuses wrong check digits, unknown statuses and what leads nowhere."""
    newest = [version]
    concepts = {concept.code: concept for concept in _concepts(build, files[TABLE], newest)}
    if MAP_TO in files:
        _map_to(build, files[MAP_TO], concepts)
    played = set(_playbook(build, files[PLAYBOOK], concepts)) if PLAYBOOK in files else set()
    count = write(build, System(DESIGNATOR, URI, "LOINC", newest[0], files[TABLE].name), concepts.values())
    build.insert(
        "insert into translation values (?, ?, ?, 'RADLEX', ?, 'equivalent')",
        ((_PLAYBOOK_MAP, DESIGNATOR, code, target) for code, target in sorted(played)),
    )
    return count


def _concepts(build: Build, entry: Entry, newest: list[str]) -> Iterator[PlainConcept]:
    """The terms; ``newest`` becomes the latest version that a term was changed in, unless one is said."""
    said = bool(newest[0])
    seen: set[str] = set()
    heard = partial(_tell, build, entry)
    for line, row in comma_separated(entry, heard, (*layouts.LOINC, *layouts.LOINC_NAMED)):
        code = row["LOINC_NUM"]
        if not is_loinc(code):
            wrong_layout(entry.name, line, f"{code[:16]} is no LOINC number: check digit")
        if code in seen:
            mixed(entry.name, line, f"{code} is there twice")
        if row["STATUS"] not in _STATUSES:
            wrong_layout(entry.name, line, f"a STATUS is one of {', '.join(sorted(_STATUSES))}")
        seen.add(code)
        concept = PlainConcept(code, active=row["STATUS"] != _RETIRED)
        concept.word(row["LONG_COMMON_NAME"] or row["COMPONENT"])
        concept.word(row.get("DisplayName", ""), Use.SYNONYM)
        concept.word(row["SHORTNAME"], Use.SYNONYM)
        concept.word(row.get("CONSUMER_NAME", ""), Use.SYNONYM)
        if row["CLASS"] == _RADIOLOGY:
            # Elsewhere the related names are ten to a term, mostly of the laboratory.
            for name in row.get("RELATEDNAMES2", "").split(";"):
                concept.word(name, Use.SYNONYM)
        concept.attributes = [(name, row[name]) for name in layouts.LOINC[1:] if row[name]]
        concept.attributes.append(("STATUS", row["STATUS"]))
        if not said:
            newest[0] = max(newest[0], row.get("VersionLastChanged", ""), key=_version)
        yield concept
    if not seen:
        wrong_layout(entry.name, 1, "there is no term in it")


def _version(text: str) -> tuple[int, ...]:
    """2.9 is before 2.78: version numbers count by part."""
    return tuple(int(part) for part in re.findall(r"[0-9]+", text))


def _tell(build: Build, entry: Entry, line: int) -> None:
    build.progress(entry.base, line, 0)


def _map_to(build: Build, entry: Entry, concepts: Mapping[str, PlainConcept]) -> None:
    """Where retired terms went: one target replaces, several are a choice."""
    targets: dict[str, list[str]] = {}
    for line, row in comma_separated(entry, partial(_tell, build, entry), layouts.LOINC_MAP_TO):
        for code in (row["LOINC"], row["MAP_TO"]):
            if code not in concepts:
                mixed(entry.name, line, f"{code[:16]} is not in the table: the two are of different releases")
        targets.setdefault(row["LOINC"], []).append(row["MAP_TO"])
    for code, found in targets.items():
        kind = "replaced-by" if len(found) == 1 else "possibly-replaced-by"
        concepts[code].went = [(kind, target) for target in found]


def _playbook(build: Build, entry: Entry, concepts: Mapping[str, PlainConcept]) -> Iterator[tuple[str, str]]:
    """The parts of each procedure become its attributes; gives its RPIDs."""
    for line, row in comma_separated(entry, partial(_tell, build, entry), layouts.PLAYBOOK):
        concept = concepts.get(row["LoincNumber"])
        if concept is None:
            mixed(entry.name, line, f"{row['LoincNumber'][:16]} is not in the table: the two are of different releases")
        part = (row["PartTypeName"], row["RID"] or row["PartName"])
        if all(part) and part not in concept.attributes:
            concept.attributes.append(part)
        if row["RPID"]:
            yield concept.code, row["RPID"]
