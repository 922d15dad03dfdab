"""ICD-10-CM (the order file of CMS) and ICD-O-3 (WHO's topography and morphology tables, and the 3.2 table as CSV)."""

import re
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Final

from service.coding.releases import layouts
from service.coding.releases.build import Build
from service.coding.releases.plain import PlainConcept, System, write
from service.coding.releases.refusing import mixed, truncated, wrong_layout
from service.coding.releases.rows import comma_separated
from service.coding.releases.sources import Entry, lines
from service.coding.releases.store import Use
from service.coding.shapes import shape_fault

ICD10CM: Final = "I10C"
ICD10CM_URI: Final = "http://hl7.org/fhir/sid/icd-10-cm"
ICDO3: Final = "ICDO3"
ICDO3_URI: Final = "http://terminology.hl7.org/CodeSystem/icd-o-3"
ORDER_LINE: Final = re.compile(r"[0-9]{5} [A-Z][0-9][0-9A-Z][0-9A-Z]{0,4} *[01] .*")
TOPOGRAPHY: Final = ("Kode", "Lvl", "Title")
MORPHOLOGY: Final = ("Code", "Struct", "Label")
ICDO32: Final = ("ICDO3.2", "Level", "Term")
_CATEGORY: Final = 3  # characters before the point
_LATIN: Final = "iso-8859-1"


def load_icd10cm(build: Build, entry: Entry, version: str) -> int:
    """Read the order file; the code above another is the longest that it begins with."""
    concepts: dict[str, PlainConcept] = {}
    last = 0
    for number, line in lines(entry, partial(_tell, build, entry)):
        if not ORDER_LINE.fullmatch(line):
            wrong_layout(entry.name, number, "not a line of the order file: number, code, 0 or 1, short and long name")
        place, bare = int(line[:5]), line[layouts.ICD10CM_CODE].strip()
        if place <= last:
            mixed(entry.name, number, f"order number {place} after {last}: two files in one, or lines out of order")
        last = place
        code = _dotted(bare)
        if shape_fault(ICD10CM, code):
            wrong_layout(entry.name, number, f"{code} is no ICD-10-CM code")
        if code in concepts:
            mixed(entry.name, number, f"{code} is there twice")
        concept = concepts[code] = PlainConcept(code)
        short, long = line[layouts.ICD10CM_SHORT].strip(), line[layouts.ICD10CM_LONG].strip()
        concept.word(long or short)
        concept.word(short, Use.SYNONYM)
        concept.attributes = [("billable", "true" if line[layouts.ICD10CM_FLAG] == "1" else "false")]
        above = next((a for end in range(len(bare) - 1, 2, -1) if (a := _dotted(bare[:end])) in concepts), None)
        concept.parents = [above] if above else []
        if above is None and len(bare) > _CATEGORY:
            truncated(entry.name, number, f"{code} has no category above it: lines are missing")
    if not concepts:
        truncated(entry.name, 1, "the file is empty")
    found = re.search(r"20[0-9]{2}", entry.base)
    system = System(ICD10CM, ICD10CM_URI, "ICD-10-CM", version or (found[0] if found else ""), entry.name)
    return write(build, system, concepts.values())


def _dotted(bare: str) -> str:
    return bare if len(bare) <= _CATEGORY else f"{bare[:_CATEGORY]}.{bare[_CATEGORY:]}"


def load_icdo3(build: Build, entries: Sequence[Entry], version: str) -> int:
    """Read topography and morphology together; the first term of a code is its preferred one."""
    concepts: dict[str, PlainConcept] = {}
    for entry in entries:
        rows = _comma(build, entry) if entry.base.lower().endswith(".csv") else _tabs(build, entry)
        for number, code, term, preferred in rows:
            if shape_fault(ICDO3, code):
                wrong_layout(entry.name, number, f"{code[:16]} is no ICD-O-3 topography or morphology")
            concept = concepts.setdefault(code, PlainConcept(code))
            first = preferred or not concept.words
            concept.word(term, Use.PREFERRED if first else Use.SYNONYM)
            above = code.partition(".")[0] if "." in code else ""
            concept.parents = [above] if above else []
    if not concepts:
        truncated(entries[0].name, 1, "there is no code in it")
    system = System(ICDO3, ICDO3_URI, "ICD-O-3", version, entries[0].name)
    return write(build, system, concepts.values())


def _tabs(build: Build, entry: Entry) -> Iterator[tuple[int, str, str, bool]]:
    """WHO's text files: code, level, term, in Latin-1, a term with commas in quotes."""
    source = lines(entry, partial(_tell, build, entry), _LATIN)
    header = tuple(next(source, (1, ""))[1].split("\t"))
    if header not in (TOPOGRAPHY, MORPHOLOGY):
        wrong_layout(entry.name, 1, f"the columns are neither {', '.join(TOPOGRAPHY)} nor {', '.join(MORPHOLOGY)}")
    for number, line in source:
        cells = line.split("\t")
        if len(cells) != len(header):
            wrong_layout(entry.name, number, f"{len(cells)} cells where the layout has {len(header)} columns")
        code, level, term = cells
        if re.fullmatch(r"[CM]?[0-9]{2,4}-[CM]?[0-9]{2,4}.*", code):
            continue  # a heading over a range
        yield number, code, term.strip('"'), level in ("3", "4", "title")


def _comma(build: Build, entry: Entry) -> Iterator[tuple[int, str, str, bool]]:
    """The ICD-O-3.2 table: code, level (Preferred, Synonym, Related), term."""
    for number, row in comma_separated(entry, partial(_tell, build, entry), ICDO32):
        if re.fullmatch(r"[0-9]{4}/[0-9]", row["ICDO3.2"].strip()):
            yield number, row["ICDO3.2"].strip(), row["Term"], row["Level"] == "Preferred"


def _tell(build: Build, entry: Entry, done: int) -> None:
    build.progress(entry.base, done, entry.size)
