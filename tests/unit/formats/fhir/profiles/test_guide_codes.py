"""Codes that only a guide fixes: each has its source, and is one that a rule of the guide demands."""

import csv
from pathlib import Path

import pytest

from service.coding import vocabulary
from service.formats.fhir.profiles.guide_codes import of_concept, of_guide
from tests.fhir_profiles import ROWS

TABLE = Path(__file__).parents[5] / "mappings" / "fhir_guide_codes.csv"
CODES = list(csv.DictReader(TABLE.read_text(encoding="utf-8").splitlines()))


@pytest.mark.parametrize("row", CODES, ids=lambda row: row["key"])
def test_a_guide_demands_each_code_and_it_is_no_concept_of_ours(row: dict[str, str]) -> None:
    code = of_guide(row["key"])
    assert code == f"{row['system']}|{row['code']}"
    assert row["source"].startswith("HL7 EU Imaging ")
    assert [rule for _, _, rule in ROWS if rule.kind == "has" and code in rule.value.split()]
    designator = vocabulary().designator(row["system"]) or row["system"]
    assert vocabulary().meant_by(designator, row["code"]) == ()


def test_a_code_of_a_concept_is_that_of_the_tables() -> None:
    assert vocabulary().meant_by("DCM", "110180") == ("study-instance-uid",)
    assert of_concept("study-instance-uid", "DCM") == "http://dicom.nema.org/resources/ontology/DCM|110180"
