"""Concepts that are ours, not the reference's: each code means what its concept is called, by somebody else's list."""

import csv
from collections import defaultdict
from decimal import Decimal
from pathlib import Path

import pytest

from service.coding import vocabulary
from service.coding.loading import MIDLINE_SITES
from tests.tables import test_tables as tables
from tests.tables.reference import rows
from tests.tables.test_vocabulary import concept_of

OTHERWISE = {
    ("finding-category", "SCT", "276214006"): "Findings category type",
    ("source", "SCT", "260753009"): "Source (attribute)",
    ("qualitative-evaluations", "UMLS", "C0034375"): "PS3.16 TID 1500",
    ("time-point", "UMLS", "C2348792"): "PS3.16 TID 1502",
    ("activity-session", "NCIt", "C67447"): "PS3.16 TID 1501",
    ("radiology-category", "LN", "LP29684-5"): "US Core, category of a radiology report",
    ("order-section", "LN", "55115-0"): "Request",
    ("history-section", "LN", "11329-0"): "History",
    ("procedure-section", "LN", "55111-9"): "Current Procedure Descriptions",
    ("comparison-section", "LN", "18834-2"): "Previous Findings",
    ("irregular-margin", "SCT", "49608001"): "Irregular",
    ("irregular-margin", "RADLEX", "RID5809"): "irregular",
    ("tumor-size", "LN", "21889-1"): "mCODE TumorSize",
    ("tumor-longest-dimension", "LN", "33728-7"): "mCODE TumorSize: Size.maximum dimension in Tumor",
    ("tumor-other-dimension", "LN", "33729-5"): "mCODE TumorSize: Size additional dimension in Tumor",
    ("cancer-disease-progression", "LN", "97509-4"): "mCODE CancerDiseaseStatus",
    ("kidney-cancer", "SCT", "363518003"): "Malignant tumor of kidney",
    ("intracranial-meningioma", "SCT", "302820008"): "Intracranial meningioma",
    ("arm-pain", "I10C", "M79.603"): "Pain in arm, unspecified",
    ("cns-lymphoma", "NCIt", "C9301"): "central nervous system lymphoma",
    ("dexamethasone", "SCT", "372584003"): "Dexamethasone (substance)",
    ("mri-cervical-spine-without-contrast", "RADLEX", "RPID809"): "MR Cervical Spine wo IV Contrast",
    ("mri-cervical-spine-with-and-without-contrast", "RADLEX", "RPID487"): "MR Cervical Spine w and wo IV Contrast",
    ("mri-thoracic-spine-without-contrast", "RADLEX", "RPID542"): "MR Thoracic Spine wo IV Contrast",
    ("mri-thoracic-spine-with-and-without-contrast", "RADLEX", "RPID544"): "MR Thoracic Spine w and wo IV Contrast",
    ("mri-lumbar-spine-without-contrast", "RADLEX", "RPID541"): "MR Lumbar Spine wo IV Contrast",
    ("mri-lumbar-spine-with-and-without-contrast", "RADLEX", "RPID500"): "MR Lumbar Spine w and wo IV Contrast",
    ("mri-brain-without-contrast", "RADLEX", "RPID479"): "MR Head wo IV Contrast",
    ("mri-brain-with-and-without-contrast", "RADLEX", "RPID480"): "MR Head w and wo IV Contrast",
    ("ct-head", "LN", "24725-4"): "CT Head Report",
    ("ct-head-without-contrast", "RADLEX", "RPID22"): "CT Head wo IV Contrast",
    ("ct-chest", "LN", "24627-2"): "CT Chest Report",
    ("pet-brain", "LN", "44138-6"): "Brain PET",
    ("xr-pelvis-one-view", "RADLEX", "RPID2557"): "XR Pelvis 1 View",
    ("xr-hip-one-view", "RADLEX", "RPID2643"): "XR Hip 1 View",
    ("ct-attenuation", "RADLEX", "RID6037"): "attenuation characteristic",
    ("margin", "RADLEX", "RID5706"): "margin characteristic",
    ("distribution", "RADLEX", "RID5958"): "distribution pattern",
    ("response-method", "DCM", "112021"): "Response Evaluation Method",
    ("certainty", "DCM", "111012"): "Certainty of Finding",
    ("change", "RADLEX", "RID39449"): "change descriptor",
    (
        "solitary-fibrous-tumor",
        "SCT",
        "128736003",
    ): "Solitary fibrous tumor (morphologic abnormality); Hemangiopericytoma",
    ("cerebellar-hemisphere", "SCT", "6566002"): "Cerebellar hemisphere structure",
}
"""Codes that are called otherwise where they come from, as the reviewer read them there."""


def called_otherwise() -> dict[tuple[str, str, str], str]:
    """The same for the whole-body sites: ``called_otherwise.csv``, each name held to the reference."""
    with (Path(__file__).parent / "called_otherwise.csv").open(encoding="utf-8", newline="") as file:
        return {(line["concept"], line["system"], line["code"]): line["called"] for line in csv.DictReader(file)}


def meanings(reference: Path) -> dict[tuple[str, str], set[str]]:
    """What pydicom's dictionary, RadLex and the SNOMED CT sources of the reference call a code."""
    made = defaultdict(set, {code: set(said) for code, said in tables.dicom_meanings().items()})
    with (reference / "data" / "RadLex_tekram.csv").open(encoding="utf-8", errors="replace") as file:
        for line in file:
            parts = line.rstrip("\n").rsplit(",", 2)
            if len(parts) == 3:
                made["RADLEX", parts[1]].add(parts[0])
    with (reference / "data" / "snomed_ref.tsv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE):
            made["SCT", row["code"]].add(row["display"])
    return made


def test_every_exact_code_of_our_own_concepts_is_called_as_the_concept(reference: Path) -> None:
    shipped = vocabulary()
    normal, known = shipped.designations.words.normal, meanings(reference)
    theirs = {concept_of(row, shipped) for row in rows(reference)}
    own = [
        line
        for line in tables.CODINGS
        if line["equivalence"] == "exact"
        and line["concept"] not in theirs
        and line["system"] not in ("UCUM", "RFC5646")
    ]
    reviewed = OTHERWISE | called_otherwise()
    wrong = []
    for line in own:
        code = (line["system"], line["code"])
        said = {normal(meaning) for meaning in known[code]}
        if normal(shipped.concepts[line["concept"]].label) not in said and (line["concept"], *code) not in reviewed:
            wrong.append((line["concept"], code, known[code]))
    assert len(own) > 250
    assert not wrong


def test_a_code_that_is_called_otherwise_is_called_so_by_the_reference(reference: Path) -> None:
    known = meanings(reference)
    assert not {code: said for code, said in called_otherwise().items() if said not in known[code[1:]]}


def test_every_code_that_is_called_otherwise_is_shipped() -> None:
    shipped = {(line["concept"], line["system"], line["code"]) for line in tables.CODINGS}
    assert set(OTHERWISE | called_otherwise()) <= shipped


def test_a_side_is_refused_on_these_sites_only() -> None:
    # Sacrum, sternum, brainstem, cerebellum and corpus callosum have a left and a right part: a side on them is true.
    spinous = {key for key in vocabulary().concepts if key.endswith("-spinous-process")}
    assert len(spinous) == 6 + 12 + 5  # C1 has none
    assert vocabulary().value_sets[MIDLINE_SITES] == spinous | {
        "pineal-gland",
        "third-ventricle",
        "interthalamic-adhesion",
        "spinous-process-of-vertebra",
    }


@pytest.mark.parametrize(
    ("key", "lowest", "highest", "absurd"),
    [
        ("long-axis", "0.5", "300", "1000"),
        ("short-axis", "0.5", "300", "1000"),
        ("volume", "1", "2000000", "10000000"),
        ("midline-shift", "0", "25", "100"),
        ("ct-attenuation-value", "-1024", "3071", "10000"),
        ("apparent-diffusion-coefficient", "0.0002", "0.0035", "0.3"),
        ("standardized-uptake-value", "0", "100", "1000"),
        ("suvlbm", "0", "100", "1000"),
        ("metabolic-volume", "0", "3000", "10000"),
        ("total-lesion-glycolysis", "0", "20000", "200000"),
        ("number-of-lesions", "0", "200", "5000"),
        ("sins", "0", "18", "19"),
    ],
)
def test_limits_take_what_is_measured_in_patients_and_flag_what_is_not(
    key: str, lowest: str, highest: str, absurd: str
) -> None:
    row = vocabulary().measurements[key]

    assert row.at_least is None or row.at_least <= Decimal(lowest)
    assert row.above is None or row.above < Decimal(lowest)
    assert row.implausible_above is not None
    assert Decimal(highest) <= row.implausible_above < Decimal(absurd)
