"""Every kind of defect in the tables is found at load, at its file and line."""

from pathlib import Path

import pytest

from service.domain.errors import TableError
from tests.unit.coding.small import load, tables, write_tables

CODINGS = "terminology/codings.csv"
WORDS = "terminology/designations.csv"
CONCEPTS = "terminology/concepts.csv"
ZONES = "terminology/zones.csv"
SYSTEMS = "terminology/code_systems.csv"
MEASUREMENTS = "mappings/measurements.toml"
EVALUATIONS = "mappings/evaluations.toml"
REPORT = "mappings/report.toml"

ADDED = {
    "two concepts of one key": (CONCEPTS, "left,laterality,,a source\n", "left is there twice"),
    "a key of capitals": (CONCEPTS, "Left-Side,laterality,,a source\n", "lower-case words"),
    "a concept without source": (CONCEPTS, "lone,laterality,,\n", "no source"),
    "a concept without label": (CONCEPTS, "lone,laterality,,a source\n", "no preferred designation"),
    "a row too short": (CONCEPTS, "lone,laterality\n", "2 cells"),
    "an unknown code system": (CODINGS, "left,XYZ,1,Left,exact,,verified,a source\n", "unknown code system: XYZ"),
    "a wrong check digit": (CODINGS, "left,SCT,7771001,Left,exact,,verified,a source\n", "SCT 7771001 is malformed"),
    "a wrong LOINC digit": (CODINGS, "left,LN,21889-2,Left,exact,,verified,a source\n", "LN 21889-2 is malformed"),
    "a wrong RadLex id": (CODINGS, "left,RADLEX,5824,Left,exact,,verified,a source\n", "RADLEX 5824 is malformed"),
    "a coding twice": (CODINGS, "left,SCT,7771000,Left,exact,,verified,a source\n", "SCT 7771000 is there twice"),
    "an unknown equivalence": (CODINGS, "left,LN,21889-1,Left,equal,,verified,a source\n", "equivalence is one of"),
    "an unknown status": (CODINGS, "left,LN,21889-1,Left,exact,,sure,a source\n", "status is one of"),
    "a part that is no number": (CODINGS, "left,LN,21889-1,Left,exact,x,verified,a source\n", "part is a number"),
    "a single part": (CODINGS, "stable,LN,21889-1,Stable,exact,1,verified,a source\n", "a single part"),
    "a coding without source": (CODINGS, "left,LN,21889-1,Left,exact,,verified,\n", "no source"),
    "a coding of nothing": (CODINGS, "nothing,LN,21889-1,Left,exact,,verified,a source\n", "no such concept"),
    "a display too long": (CODINGS, f"left,LN,21889-1,{'x' * 65},exact,,verified,a source\n", "65 characters"),
    "a designation of nothing": (WORDS, "nothing,en,synonym,,naught\n", "no such concept: nothing"),
    "an unknown use": (WORDS, "left,en,nickname,,sinister\n", "use is one of"),
    "an unknown language": (WORDS, "left,English,synonym,,sinister\n", "not a language"),
    "an empty term": (WORDS, "left,en,synonym,,\n", "empty term"),
    "a term twice": (WORDS, "stable,en,synonym,,unchanged\n", "'unchanged' twice"),
    "two labels": (WORDS, "left,en,preferred,,sinister\n", "two preferred"),
    "a term in no field": (WORDS, "left,en,synonym,nowhere,sinister\n", "no such field: nowhere"),
    "a term outside its field": (WORDS, "left,en,synonym,t1-signal,sinister\n", "left is no value of"),
    "a term of another measure": (WORDS, "volume,en,synonym,long-axis,size\n", "not what the field long-axis"),
    "one term, two concepts": (WORDS, "right,en,synonym,,Left\n", "'left' names both left and right"),
    "one term of a field, two concepts": (
        WORDS,
        "t1-hyperintense,en,synonym,t1-signal,hypointense\n",
        "'hypointense' names both t1-hyperintense and t1-hypointense",
    ),
    "a key that another concept is called": (WORDS, "right,en,synonym,,left\n", "names both left and right"),
    "a code system twice": (SYSTEMS, "SCT,http://else,1.2,n,l,s\n", "SCT is there twice"),
    "a URI twice": (SYSTEMS, "ELSE,http://loinc.org,1.2,n,l,s\n", "http://loinc.org is there twice"),
    "a designator too long": (SYSTEMS, "ABCDEFGHIJKLMNOPQ,http://else,1.2,n,l,s\n", "1 to 16 characters"),
    "a URI that is none": (SYSTEMS, "ELSE,else,1.2,n,l,s\n", "not a URI"),
    "an OID that is none": (SYSTEMS, "ELSE,http://else,1.02,n,l,s\n", "not an OID"),
    "a system without licence": (SYSTEMS, "ELSE,http://else,1.2,n,,s\n", "no name, licence or source"),
    "a value of nothing": ("terminology/value_sets/sites.csv", "nothing,a source\n", "no such concept: nothing"),
    "a value twice": ("terminology/value_sets/sites.csv", "frontal-lobe,a source\n", "frontal-lobe is there twice"),
    "a value without source": ("terminology/value_sets/sites.csv", "brain-metastasis,\n", "no source"),
    "a zone of nothing": (ZONES, "nothing,head,s\n", "no such concept: nothing"),
    "a zone of a side": (ZONES, "left,head,s\n", "left is no finding and no site"),
    "an unknown zone": (ZONES, "frontal-lobe,top,s\n", "a zone is one of head, neck"),
    "a zone twice": (ZONES, "frontal-lobe,head,s\n", "frontal-lobe in head is there twice"),
    "a zone without source": (ZONES, "frontal-lobe,neck,\n", "frontal-lobe has no source"),
    "a spelling both ways": ("terminology/spellings.csv", "swelling,tumour,a source\n", "both American and British"),
    "a spelling twice": ("terminology/spellings.csv", "tumour,tumor,a source\n", "tumour is there twice"),
    "a spelling of no difference": ("terminology/spellings.csv", "x,x,a source\n", "two different words"),
    "an unknown relationship": (
        "terminology/translations.csv",
        "99A,1,SCT,83251001,same,a source\n",
        "relationship is one of",
    ),
    "a translation into nowhere": ("terminology/translations.csv", "99A,1,XX,1,equivalent,s\n", "unknown code system"),
    "a translation of a malformed code": (
        "terminology/translations.csv",
        "99A,1,SCT,83251002,equivalent,s\n",
        "malformed",
    ),
    "a code of two meanings": (
        "terminology/translations.csv",
        "99HOSP,FL,SCT,7771000,equivalent,s\n",
        "equivalent to two codes",
    ),
    "an issuer twice": ("mappings/issuers.csv", "HOSP,urn:x,1.2,s\n", "there twice: HOSP"),
    "an issuer without id": ("mappings/issuers.csv", "LONE,,,s\n", "neither URI nor OID"),
    "an issuer without source": ("mappings/issuers.csv", "LONE,urn:x,,\n", "no source"),
    "broken CSV": (CODINGS, 'left,"SCT"x,1\n', "not CSV"),
    "broken TOML": (MEASUREMENTS, "[broken\n", "not TOML"),
    "an unknown member": (EVALUATIONS, '[more]\nconcept = "response"\nsource = "s"\nvalue = "x"\n', "unknown member"),
    "a member of the wrong type": (
        EVALUATIONS,
        '[more]\nconcept = "response"\nsource = "s"\nmany = "yes"\n',
        "wrong type",
    ),
    "a list of numbers": (
        EVALUATIONS,
        '[more]\nconcept = "response"\nsource = "s"\nnames = [1]\n',
        "no list of strings",
    ),
    "a row without source": (EVALUATIONS, '[more]\nconcept = "response"\n', "no source"),
    "a row without concept": (EVALUATIONS, '[more]\nsource = "s"\n', "no concept"),
    "a row of nothing": (EVALUATIONS, '[more]\nconcept = "nothing"\nsource = "s"\n', "no such concept: nothing"),
    "a value set of nothing": (
        EVALUATIONS,
        '[more]\nconcept = "response"\nvalues = "nothing"\nsource = "s"\n',
        "value set that is not there",
    ),
    "an unknown binding": (
        EVALUATIONS,
        '[more]\nconcept = "response"\nbinding = "loose"\nsource = "s"\n',
        "neither required nor extensible",
    ),
    "an unknown level": (
        EVALUATIONS,
        '[more]\nconcept = "response"\nlevels = ["series"]\nsource = "s"\n',
        "levels are of",
    ),
    "a name of two rows": (
        EVALUATIONS,
        '[more]\nconcept = "stable"\nnames = ["T1"]\nsource = "s"\n',
        "names both [t1-signal] and [more]",
    ),
    "a concept of two rows": (
        EVALUATIONS,
        '[more]\nconcept = "response"\nsource = "s"\n',
        "response is the concept of",
    ),
    "a field's name that is no code": (
        EVALUATIONS,
        '[more]\nconcept = "humerus-fracture-right"\nsource = "s"\n',
        "more than 16 characters",
    ),
    "supplied parts of nothing": (
        EVALUATIONS,
        '[more]\nconcept = "response"\nvalues = "degrees"\nsupplies = ["RADLEX|RID10794"]\nsource = "s"\n',
        "no part of any",
    ),
    "supplied parts of no system": (
        EVALUATIONS,
        '[more]\nconcept = "response"\nvalues = "degrees"\nsupplies = ["XX|1"]\nsource = "s"\n',
        "no code of a known system",
    ),
    "a row of two tables": (REPORT, '["long-axis"]\nconcept = "finding"\nsource = "s"\n', "also a row of"),
    "a preference for nothing": (
        REPORT,
        '[more]\nconcept = "finding"\nprefer = ["XX"]\nsource = "s"\n',
        "prefers an unknown system",
    ),
    "a row's key of capitals": (REPORT, '[More]\nconcept = "finding"\nsource = "s"\n', "lower-case words"),
    "a measurement without unit": (MEASUREMENTS, '[more]\nconcept = "stable"\nsource = "s"\n', "has no unit"),
    "a unit that is none": (
        MEASUREMENTS,
        '[more]\nconcept = "stable"\nunits = ["HU"]\nsource = "s"\n',
        "HU is not the UCUM code",
    ),
    "units of two kinds": (
        MEASUREMENTS,
        '[more]\nconcept = "stable"\nunits = ["mm", "mm3"]\nsource = "s"\n',
        "do not measure one thing",
    ),
    "two lower limits": (
        MEASUREMENTS,
        '[more]\nconcept = "stable"\nunits = ["mm"]\nfrom = 0\nabove = 0\nsource = "s"\n',
        "both from and above",
    ),
    "limits that leave nothing": (
        MEASUREMENTS,
        '[more]\nconcept = "stable"\nunits = ["mm"]\nfrom = 5\nimplausible_above = 5\nsource = "s"\n',
        "implausible wherever",
    ),
}
SWAPPED = {
    "another header": (CODINGS, "concept,system", "system,concept", "codings.csv:1", "columns are not"),
    "a member's row missing": (REPORT, "[finding]", "[findings]", "report.toml:1", "[finding] is missing"),
    "our own scheme missing": (SYSTEMS, "99LESIONBRIDGE", "99OTHER", "code_systems.csv:1", "99LESIONBRIDGE is missing"),
    "a line inside the file": (CONCEPTS, "left,laterality,,a source", "left,,,a source", "concepts.csv", "no group"),
    "a row's member line": (EVALUATIONS, 'values = "signals"', 'values = "signal"', "evaluations.toml:5", "not there"),
}


def problems(folder: Path, **changes: dict[str, object]) -> list[tuple[str, str]]:
    """Where and why the changed tables are refused."""
    with pytest.raises(TableError) as refused:
        load(folder, **changes)  # type: ignore[arg-type]  # the two forms of change differ only in their values
    return [(problem.pointer, problem.detail) for problem in refused.value.problems]


@pytest.mark.parametrize("what", ADDED)
def test_finds_a_defect_at_its_line(tmp_path: Path, what: str) -> None:
    path, line, why = ADDED[what]
    name = path.split("/", 1)[1]
    lines = tables()[path].count("\n")

    found = problems(tmp_path, add={path: line})

    told = [where for where, detail in found if why in detail]
    assert told, found
    assert told[0].startswith(f"{name}:")
    if path.endswith(".csv") and "not CSV" not in why and told[0] != f"{name}:1":
        assert told[0] == f"{name}:{lines + 1}"
    if path.endswith(".toml"):
        assert int(told[0].rpartition(":")[2]) > lines


@pytest.mark.parametrize("what", SWAPPED)
def test_finds_a_change_at_its_line(tmp_path: Path, what: str) -> None:
    path, old, new, where, why = SWAPPED[what]

    found = problems(tmp_path, swap={path: (old, new)})

    assert any(place.startswith(where) and why in detail for place, detail in found), found


def test_tells_all_defects_at_once(tmp_path: Path) -> None:
    found = problems(tmp_path, add={CONCEPTS: "left,laterality,,a source\n", WORDS: "nothing,en,synonym,,naught\n"})

    assert len(found) == 2


@pytest.mark.parametrize("name", ["midline-sites", "left-sided-sites", "right-sided-sites"])
def test_asks_for_the_value_sets_that_sides_are_checked_by(tmp_path: Path, name: str) -> None:
    terminology, mappings = write_tables(tmp_path)
    (terminology / "value_sets" / f"{name}.csv").unlink()

    found = problems_of(terminology, mappings)

    assert (f"value_sets/{name}.csv:1", "the value set is missing") in found


def problems_of(terminology: Path, mappings: Path) -> list[tuple[str, str]]:
    """Where and why two folders are refused."""
    from service.coding import Vocabulary

    with pytest.raises(TableError) as refused:
        Vocabulary.load(terminology, mappings)
    return [(problem.pointer, problem.detail) for problem in refused.value.problems]


def test_empty_folders_are_refused_with_what_is_missing(tmp_path: Path) -> None:
    found = problems_of(tmp_path, tmp_path)

    assert ("report.toml:1", "[finding] is missing") in found


def test_a_hand_over_of_the_same_word_to_another_field_is_no_defect(tmp_path: Path) -> None:
    vocabulary = load(tmp_path, add={WORDS: "severe,en,synonym,,grave\nlytic,en,synonym,,grave\n"})

    assert vocabulary.concept("severe").label == "severe"
