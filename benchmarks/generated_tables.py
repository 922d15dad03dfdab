"""RadLex, LOINC and ICD-10-CM as nobody licensed them: true size and shape, every word and code made up here."""

from collections.abc import Iterator
from pathlib import Path
from random import Random

from benchmarks.generated_rf2 import CHANGES, MANNERS, SITES, words
from service.coding.releases import layouts

RID = "http://www.radlex.org/RID/"
_HEAD = f"""<?xml version="1.0"?>
<rdf:RDF xmlns:RID="{RID}" xmlns:owl="http://www.w3.org/2002/07/owl#"
  xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns:rdfs="http://www.w3.org/2000/01/rdf-schema#">
<owl:Ontology rdf:about="{RID}"><owl:versionInfo>4.9</owl:versionInfo></owl:Ontology>
"""
_FIRST_RID = 100_000  # above those that RadLex has given


def radlex(path: Path, count: int = 46_000, seed: int = 1) -> None:
    """An OWL file: each class below an earlier one, with a German name, synonyms, parts, and some replaced."""
    random = Random(seed)
    rare = words(random, 8_000)
    with path.open("w", encoding="utf-8") as file:
        file.write(_HEAD)
        for number in range(count):
            rid = _FIRST_RID + number
            name = f"{random.choice(rare)} {random.choice(SITES)} {number}"
            lines = [f'<owl:Class rdf:about="{RID}RID{rid}">', f'<rdfs:label xml:lang="en">RID{rid}</rdfs:label>']
            if number:
                above = _FIRST_RID + int(number * random.random() ** 1.4)
                lines.append(f'<rdfs:subClassOf rdf:resource="{RID}RID{above}"/>')
                lines.append(f'<RID:Part_Of rdf:resource="{RID}RID{_FIRST_RID + random.randrange(number)}"/>')
            if number % 50 == 49:
                lines.append(f"<RID:Preferred_Name_for_Obsolete>{name}</RID:Preferred_Name_for_Obsolete>")
                lines.append(f'<RID:Replaced_by rdf:resource="{RID}RID{rid - 1}"/>')
            else:
                lines.append(f'<RID:Preferred_name xml:lang="en">{name}</RID:Preferred_name>')
                lines.append(f'<RID:Preferred_name_German xml:lang="de">{name} de</RID:Preferred_name_German>')
                lines += [f"<RID:Synonym>{name} {random.choice(MANNERS)}</RID:Synonym>"] * (number % 3)
            file.write("\n".join([*lines, "</owl:Class>\n"]))
        file.write("</rdf:RDF>\n")


def loinc_number(item: int) -> str:
    """A LOINC number with its mod 10 check digit."""
    total = 0
    for place, digit in enumerate(reversed(str(item))):
        doubled = int(digit) * (2 if place % 2 == 0 else 1)
        total += doubled // 10 + doubled % 10
    return f"{item}-{(10 - total % 10) % 10}"


def loinc(path: Path, count: int = 105_000, seed: int = 1) -> None:
    """Loinc.csv with the columns that are read."""
    random = Random(seed)
    rare = words(random, 20_000)
    columns = (*layouts.LOINC, "VersionLastChanged", *layouts.LOINC_NAMED, "RELATEDNAMES2", "DisplayName")
    with path.open("w", encoding="utf-8", newline="") as file:
        file.write(",".join(f'"{name}"' for name in columns) + "\r\n")
        for number in range(count):
            site, part = random.choice(SITES), random.choice(rare)
            radiology = number % 15 == 0
            name = f"{'MR' if radiology else part} {site} {random.choice(MANNERS)} {number}"
            status = "DEPRECATED" if number % 40 == 39 else "ACTIVE"
            axes = (part, "Find", "Pt", site, "Doc", "MR", "RAD" if radiology else "CHEM")
            cells = (loinc_number(200_000 + number), *axes, "2.80", status, f"{name} short", name, f"{part}; MRI", name)
            file.write(",".join(f'"{cell}"' for cell in cells) + "\r\n")


def icd10cm(path: Path, count: int = 98_000, seed: int = 1) -> None:
    """An order file: categories, and the codes below them, one digit at a time."""
    random = Random(seed)
    with path.open("w", encoding="ascii", newline="") as file:
        for place, code in zip(range(1, count + 1), _codes(), strict=False):
            name = f"{random.choice(MANNERS)} {random.choice(CHANGES)} of {random.choice(SITES)}".capitalize()
            billable = int(len(code) > 4)
            file.write(f"{place:05d} {code:<7} {billable} {name[:60]:<60} {name} {code}\r\n")


def _codes() -> Iterator[str]:
    for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZ":
        for number in range(100):
            yield f"{letter}{number:02d}"
            for fourth in range(6):
                yield f"{letter}{number:02d}{fourth}"
                yield from (f"{letter}{number:02d}{fourth}{fifth}" for fifth in range(6))
