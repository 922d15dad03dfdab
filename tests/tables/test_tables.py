"""The committed tables by themselves: nothing dangles, nothing is said twice, codes have their form.

The service's own loader checks the tables too; these tests read the files with nothing but the standard library, and
ask pydicom's dictionary for what DICOM says.
"""

import csv
import re
import tomllib
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import pytest
from pydicom.sr._concepts_dict import concepts as _dicom_keywords

from service.coding import vocabulary
from service.domain.uids import derive_uid, is_uid
from tests.tables.groups import SUPPLIED

DICOM_KEYWORDS: Any = _dicom_keywords
ROOT = Path(__file__).parents[2]
TERMINOLOGY = ROOT / "terminology"
MAPPINGS = ROOT / "mappings"
LOCAL = "99LESIONBRIDGE"
CODE_CHARACTERS = 16  # SH, PS3.5 6.2
MEANING_CHARACTERS = 64  # LO, PS3.5 6.2


def lines(name: str) -> list[dict[str, str]]:
    """The lines of a table by column."""
    with (TERMINOLOGY / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def toml(name: str) -> dict[str, dict[str, Any]]:
    """The rows of a mapping table."""
    with (MAPPINGS / name).open("rb") as file:
        return tomllib.load(file)


CONCEPTS = {line["key"]: line for line in lines("concepts.csv")}
CODINGS = lines("codings.csv")
DESIGNATIONS = lines("designations.csv")
SYSTEMS = {line["designator"]: line for line in lines("code_systems.csv")}
SETS = {path.stem: lines(f"value_sets/{path.name}") for path in sorted((TERMINOLOGY / "value_sets").glob("*.csv"))}
EVALUATIONS, MEASUREMENTS, MEMBERS = (toml(f"{name}.toml") for name in ("evaluations", "measurements", "report"))


def verhoeff(code: str) -> bool:
    """Whether the Verhoeff check digit is right, computed in the dihedral group D5 rather than by a table."""
    check = (0, 1)  # rotation and orientation
    for place, digit in enumerate(reversed(code)):
        value = int(digit)
        for _ in range(place % 8):
            value = (1, 5, 7, 6, 2, 8, 3, 0, 9, 4)[value]
        turn, sign = value % 5, 1 if value < 5 else -1
        check = ((check[0] + check[1] * turn) % 5, check[1] * sign)
    return check == (0, 1) and code[-3:-1] in ("00", "10")


def dicom_meanings() -> dict[tuple[str, str], set[str]]:
    """Every meaning that pydicom's dictionary has for a code, of any context group."""
    made: dict[tuple[str, str], set[str]] = defaultdict(set)
    for scheme, keywords in DICOM_KEYWORDS.items():
        for codes in keywords.values():
            for code, (meaning, _) in codes.items():
                made[scheme, code].add(meaning)
    return made


@pytest.mark.parametrize("name", ["concepts.csv", "codings.csv", "code_systems.csv", "spellings.csv", "zones.csv"])
def test_every_row_has_a_source(name: str) -> None:
    assert not [line for line in lines(name) if not line["source"].strip()]


def test_every_row_of_a_value_set_and_of_a_mapping_has_a_source() -> None:
    assert not [(name, line) for name, rows in SETS.items() for line in rows if not line["source"].strip()]
    for table in (EVALUATIONS, MEASUREMENTS, MEMBERS):
        assert not [key for key, row in table.items() if not row.get("source")]


def test_no_cell_has_blank_ends() -> None:
    for name in ("concepts.csv", "codings.csv", "designations.csv", "code_systems.csv", "spellings.csv", "zones.csv"):
        assert not [line for line in lines(name) if any(cell != cell.strip() for cell in line.values())]


def test_keys_are_unique_words_joined_by_hyphens() -> None:
    keys = [line["key"] for line in lines("concepts.csv")]
    assert len(keys) == len(set(keys))
    assert not [key for key in keys if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", key)]


def test_every_concept_has_exactly_one_preferred_english_word() -> None:
    preferred = Counter(
        line["concept"] for line in DESIGNATIONS if line["use"] == "preferred" and line["language"] == "en"
    )
    assert set(preferred) == set(CONCEPTS)
    assert not [key for key, count in preferred.items() if count > 1]


def test_a_british_spelling_that_is_preferred_stands_beside_the_american_one() -> None:
    british = {line["concept"] for line in DESIGNATIONS if line["use"] == "preferred" and line["language"] == "en-GB"}
    assert {"brain-metastasis", "edema", "primary-tumor"} & british == {"edema", "primary-tumor"}
    pairs = {line["british"] for line in lines("spellings.csv")}
    words = {
        word
        for line in DESIGNATIONS
        if line["language"] == "en"
        for word in re.findall(r"[a-z]+", line["term"].lower())
        if line["use"] == "preferred" and line["concept"] in british
    }
    assert not words & (pairs - {"disc"})


def test_every_coding_is_of_a_known_concept_and_system() -> None:
    assert not [line for line in CODINGS if line["concept"] not in CONCEPTS or line["system"] not in SYSTEMS]


def test_no_code_stands_twice_for_a_concept() -> None:
    counted = Counter((line["concept"], line["system"], line["code"]) for line in CODINGS)
    assert not [key for key, count in counted.items() if count > 1]


def test_codes_and_displays_fit_into_dicom() -> None:
    assert not [line for line in CODINGS if len(line["code"]) > CODE_CHARACTERS and line["system"] != "SCT"]
    assert not [line for line in CODINGS if not 0 < len(line["display"]) <= MEANING_CHARACTERS]


def test_a_code_has_one_display_whatever_concept_it_is_of() -> None:
    # C34.90 is any lung cancer: "small cell lung cancer" as its display would say more than it does. An ICD-O-3 code
    # stands for several tumors, each of which is a term of its own there.
    displays: dict[tuple[str, str], set[str]] = defaultdict(set)
    for line in CODINGS:
        if line["system"] != "ICDO3":
            displays[line["system"], line["code"]].add(line["display"])
    assert not {code: said for code, said in displays.items() if len(said) > 1}


def test_parts_are_numbered_from_one_and_each_says_less_than_the_concept() -> None:
    parts: dict[str, set[int]] = defaultdict(set)
    for line in CODINGS:
        if line["part"]:
            assert line["equivalence"] == "broader", line
            parts[line["concept"]].add(int(line["part"]))
    assert parts
    assert not {key: found for key, found in parts.items() if found != set(range(1, len(found) + 1)) or len(found) < 2}


def test_snomed_codes_have_their_check_digit() -> None:
    codes = [line["code"] for line in CODINGS if line["system"] == "SCT"]
    assert codes
    assert not [code for code in codes if not verhoeff(code)]


def test_displays_of_dcm_codes_are_those_of_the_standard() -> None:
    meanings = dicom_meanings()
    ours = [line for line in CODINGS if line["system"] in ("DCM", "IBSI")]
    assert ours
    assert not [line for line in ours if line["display"] not in meanings[line["system"], line["code"]]]


def test_snomed_displays_are_of_the_dicom_subset_or_our_own_words() -> None:
    meanings = dicom_meanings()
    tags = ("(disorder)", "(finding)", "(body structure)", "(morphologic abnormality)", "(procedure)", "(substance)")
    for line in CODINGS:
        if line["system"] == "SCT" and line["display"] not in meanings["SCT", line["code"]]:
            assert not line["display"].endswith(tags), line


@pytest.mark.parametrize("name", [*EVALUATIONS, *MEMBERS])
def test_no_word_names_two_concepts_within_a_field(name: str) -> None:
    shipped = vocabulary()
    field = shipped.field(name)
    assert field is not None
    scoped: dict[str, set[str]] = defaultdict(set)
    unscoped: dict[str, set[str]] = defaultdict(set)
    for line in DESIGNATIONS:
        abbreviation = line["use"] == "abbreviation"
        form = line["term"] if abbreviation else shipped.designations.words.normal(line["term"])
        if line["field"] == name:
            scoped[form].add(line["concept"])
        elif not line["field"] and (field.values is None or line["concept"] in field.values):
            unscoped[form].add(line["concept"])
    named = unscoped | scoped  # what a field says itself goes before what is said everywhere
    assert not {form: keys for form, keys in named.items() if len(keys) > 1}


def test_designations_name_known_concepts_and_fields() -> None:
    fields = {*EVALUATIONS, *MEMBERS, *MEASUREMENTS, "language"}
    assert not [line for line in DESIGNATIONS if line["concept"] not in CONCEPTS]
    assert not [line for line in DESIGNATIONS if line["field"] and line["field"] not in fields]


def test_value_sets_hold_known_concepts_once_and_each_is_used() -> None:
    for name, rows in SETS.items():
        keys = [line["concept"] for line in rows]
        assert keys, name
        assert len(keys) == len(set(keys)), name
        assert not set(keys) - set(CONCEPTS), name
    used = {row.get("values") for row in (*EVALUATIONS.values(), *MEMBERS.values())}
    assert set(SETS) - used == {"left-sided-sites", "right-sided-sites", "midline-sites"}
    assert used - {None} <= set(SETS)


def test_fields_name_known_concepts_and_what_has_no_code_fits_into_one() -> None:
    exact = {line["concept"] for line in CODINGS if line["equivalence"] == "exact" and not line["part"]}
    for table in (EVALUATIONS, MEASUREMENTS, MEMBERS):
        for key, row in table.items():
            assert row["concept"] in CONCEPTS, key
            assert row["concept"] in exact or len(row["concept"]) <= CODE_CHARACTERS, key


def test_no_two_fields_of_a_lesion_have_one_name_in_the_outputs() -> None:
    for table in (EVALUATIONS, MEASUREMENTS):
        named = Counter(row["concept"] for row in table.values())
        assert not [concept for concept, count in named.items() if count > 1]


def test_parts_that_fields_supply_are_those_of_the_reference() -> None:
    supplied = {key: row["supplies"] for key, row in EVALUATIONS.items() if row.get("supplies")}
    assert supplied == {key: [code.replace("#", "|")] for key, code in SUPPLIED.items()}


def test_units_of_measurements_are_unit_concepts() -> None:
    units = {line["code"] for line in CODINGS if line["system"] == "UCUM"}
    for key, row in MEASUREMENTS.items():
        assert row["units"], key
        assert not set(row["units"]) - units, key


def test_units_are_codes_of_nothing_but_units() -> None:
    assert not [line for line in CODINGS if line["system"] == "UCUM" and CONCEPTS[line["concept"]]["group"] != "unit"]


def test_a_limit_says_why() -> None:
    bounded = {key: row for key, row in MEASUREMENTS.items() if "implausible_above" in row}
    assert bounded
    assert not [key for key, row in bounded.items() if len(row["source"]) < 20]


def test_spellings_are_one_word_pairs_and_no_word_is_both() -> None:
    pairs = [(line["british"], line["american"]) for line in lines("spellings.csv")]
    british, american = {pair[0] for pair in pairs}, {pair[1] for pair in pairs}
    assert len(british) == len(pairs)
    assert not british & american
    assert not [pair for pair in pairs if not all(re.fullmatch(r"[a-z]+", word) for word in pair)]


def test_sides_are_mirrored() -> None:
    left = {line["concept"] for line in SETS["left-sided-sites"]}
    right = {line["concept"] for line in SETS["right-sided-sites"]}
    # The left lung has no middle lobe: the only site of one side alone.
    assert {key.replace("left-", "right-", 1) for key in left} | {"middle-lobe-of-lung"} == right
    assert not (left | right) & {line["concept"] for line in SETS["midline-sites"]}
    sites = {line["concept"] for line in SETS["sites"]}
    assert {key for key in sites if re.search(r"\b(left|right)\b", key.replace("-", " "))} == (left | right) - {
        "middle-lobe-of-lung"
    }


def test_the_projects_own_scheme_is_derived() -> None:
    uid = derive_uid("code-system", LOCAL)
    assert SYSTEMS[LOCAL]["oid"] == uid
    assert SYSTEMS[LOCAL]["uri"] == f"urn:oid:{uid}"


def test_code_systems_have_designators_that_fit_and_oids_that_are_oids() -> None:
    for designator, line in SYSTEMS.items():
        assert len(designator) <= CODE_CHARACTERS
        assert not line["oid"] or is_uid(line["oid"])
        assert line["name"]
        assert line["licence"]
    uris = [line["uri"] for line in SYSTEMS.values() if line["uri"]]
    assert len(uris) == len(set(uris))
