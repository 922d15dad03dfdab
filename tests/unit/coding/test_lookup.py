"""What of a concept's codes is emitted, and the look-ups that other rooms use."""

from pathlib import Path

import pytest

from service.coding import Vocabulary, vocabulary
from service.coding.concepts import ORDER, rank
from service.coding.lookup import coded
from service.domain.codes import LOCAL_SCHEME, Code, Equivalence, Resolution
from tests.unit.coding.small import load, write_tables

CODINGS = "terminology/codings.csv"


def codes_of(vocabulary: Vocabulary, key: str) -> list[str]:
    return [f"{code.system} {code.code}" for code in vocabulary.term(key).codes]


def test_exact_codes_come_in_order_of_systems_broader_ones_not_at_all(small: Vocabulary) -> None:
    assert codes_of(small, "brain-metastasis") == ["SCT 94225005", "I10C C79.31"]
    assert small.concept("brain-metastasis").broader is None


def test_the_first_code_of_a_system_is_taken(tmp_path: Path) -> None:
    vocabulary = load(tmp_path, add={CODINGS: "left,SCT,24028007,Right,exact,,verified,a source\n"})

    assert codes_of(vocabulary, "left") == ["SCT 7771000", "RADLEX RID5824"]


@pytest.mark.parametrize("equivalence", ["narrower", "related", "broader"])
def test_codes_that_are_not_exact_stay_home_beside_an_exact_one(tmp_path: Path, equivalence: str) -> None:
    vocabulary = load(tmp_path, add={CODINGS: f"left,LN,21889-1,x,{equivalence},,verified,a source\n"})

    assert codes_of(vocabulary, "left") == ["SCT 7771000", "RADLEX RID5824"]


@pytest.mark.parametrize("equivalence", ["narrower", "related"])
def test_narrower_and_related_codes_are_never_emitted(tmp_path: Path, equivalence: str) -> None:
    vocabulary = load(tmp_path, add={CODINGS: f"resolved,LN,21889-1,x,{equivalence},,verified,a source\n"})

    assert codes_of(vocabulary, "resolved") == []
    assert vocabulary.concept("resolved").broader is None


def test_a_draft_code_is_not_emitted(tmp_path: Path) -> None:
    vocabulary = load(tmp_path, add={CODINGS: "resolved,LN,21889-1,x,exact,,draft,a source\n"})

    assert codes_of(vocabulary, "resolved") == []


def test_the_best_broader_code_goes_with_the_label_where_no_exact_one_is(small: Vocabulary) -> None:
    term = small.term("intracranial-metastases")

    # SCT before RADLEX, though the table has it second.
    assert [code.system for code in term.codes] == ["SCT"]
    assert term.broader
    assert term.text == "intracranial metastases"


def test_a_concept_without_codes_is_text_only(small: Vocabulary) -> None:
    term = small.term("resolved")

    assert (term.text, term.codes, term.concept, term.broader) == ("resolved", (), "resolved", False)


def test_a_unit_beside_a_code_is_not_emitted(tmp_path: Path) -> None:
    vocabulary = load(
        tmp_path,
        add={CODINGS: "long-axis,UCUM,mm,mm,exact,,verified,s\nresolved,UCUM,cm,cm,exact,,verified,s\n"
             "resolved,LN,21889-1,x,related,,verified,s\n"},
    )  # fmt: skip

    assert codes_of(vocabulary, "long-axis") == ["SCT 103339001"]
    assert codes_of(vocabulary, "resolved") == []
    assert codes_of(vocabulary, "unit-mm") == ["UCUM mm"]


def test_a_member_may_prefer_a_system(small: Vocabulary) -> None:
    term = coded(small.concept("mri"), Resolution.KEY, small.members["modality"])

    assert [code.system for code in term.codes] == ["DCM", "SCT", "RADLEX"]
    assert [code.system for code in small.term("mri").codes] == ["SCT", "DCM", "RADLEX"]


def test_the_part_that_a_field_leaves_is_the_code(small: Vocabulary) -> None:
    field = small.evaluations["t1-signal"]

    term = coded(small.concept("t1-hypointense"), Resolution.KEY, field)

    assert term.codes == (Code("RADLEX", "RID35804", "hypointense"),)
    assert term.codes[0].display == "hypointense"
    assert (term.text, term.broader) == ("T1 hypointense", False)


def test_parts_left_open_are_text_only(small: Vocabulary) -> None:
    elsewhere = small.evaluations["bone-matrix"]

    assert coded(small.concept("t1-hypointense"), Resolution.KEY, elsewhere).codes == ()
    assert coded(small.concept("dwi-hypointense"), Resolution.KEY, small.evaluations["t1-signal"]).codes == ()


def test_parts_left_open_fall_back_on_a_broader_code(small: Vocabulary) -> None:
    term = small.term("t1-hyperintense")

    assert [(code.code, term.broader) for code in term.codes] == [("RID35806", True)]


def test_one_term_always_has_the_same_tuple_of_codes(small: Vocabulary) -> None:
    # Writers remember what they made of it by identity.
    assert small.term("left").codes is small.term("left").codes


def test_a_field_without_an_exact_code_is_named_by_its_key(small: Vocabulary) -> None:
    assert small.code("edema-type") == Code(LOCAL_SCHEME, "edema-type", "edema")
    assert small.name("edema-type").codes == (Code(LOCAL_SCHEME, "edema-type", "edema"),)
    assert small.name("long-axis").codes[0].code == "103339001"


def test_a_key_too_long_is_no_code(small: Vocabulary) -> None:
    with pytest.raises(ValueError, match="can't be one"):
        small.code("humerus-fracture-right")


def test_an_unknown_key_raises(small: Vocabulary) -> None:
    with pytest.raises(KeyError):
        small.concept("nothing")


@pytest.mark.parametrize(
    ("name", "designator"),
    [
        ("SCT", "SCT"),
        ("http://snomed.info/sct", "SCT"),
        ("http://snomed.info/sct/", "SCT"),
        ("2.16.840.1.113883.6.96", "SCT"),
        ("urn:oid:2.16.840.1.113883.6.96", "SCT"),
        ("http://radlex.org", "RADLEX"),
        ("http://www.radlex.org", "RADLEX"),
        ("https://radlex.org", "RADLEX"),
        ("https://radlex.org/", "RADLEX"),
        ("http://hl7.org/fhir/sid/icd-10-cm", "I10C"),
        ("ICD10CM", "I10C"),
        ("urn:ietf:bcp:47", "RFC5646"),
        ("urn:oid:2.25.1", LOCAL_SCHEME),
        ("2.25.1", LOCAL_SCHEME),
        ("http://example.org", None),
        ("sct", None),
        ("", None),
    ],
)
def test_finds_a_system_in_each_of_its_spellings(small: Vocabulary, name: str, designator: str | None) -> None:
    assert small.designator(name) == designator


def test_a_system_has_its_uri_and_oid(small: Vocabulary) -> None:
    system = small.system("LN")

    assert system is not None
    assert (system.uri, system.oid) == ("http://loinc.org", "2.16.840.1.113883.6.1")
    assert small.system("XX") is None


def test_a_sites_own_issuers_stand_beside_the_shipped_ones(tmp_path: Path) -> None:
    terminology, mappings = write_tables(tmp_path)
    own = tmp_path / "own.csv"
    own.write_text("key,uri,oid,source\nSITE,urn:oid:1.2.9,1.2.9,the site\nHOSP,urn:oid:1.2.8,1.2.8,the site\n")

    vocabulary = Vocabulary.load(terminology, mappings, own)

    assert vocabulary.issuers["SITE"].oid == "1.2.9"
    assert vocabulary.issuers["HOSP"].oid == "1.2.8"
    assert vocabulary.issuers["OIDONLY"].uri == "urn:oid:1.2.3.4.5"


def test_the_shipped_tables_have_no_defects_and_are_loaded_once() -> None:
    assert vocabulary() is vocabulary()
    assert len(vocabulary().concepts) > 680


def test_every_shipped_concept_emits_only_verified_exact_codes_in_order() -> None:
    for concept in vocabulary().concepts.values():
        exact = {
            (coding.code.system, coding.code.code)
            for coding in concept.codings
            if coding.verified and coding.equivalence is Equivalence.EXACT and not coding.part
        }
        systems = [code.system for code in concept.codes]
        assert {(code.system, code.code) for code in concept.codes} <= exact, concept.key
        assert len(set(systems)) == len(systems), concept.key
        assert [rank(system) for system in systems] == sorted(rank(system) for system in systems), concept.key
        assert not (concept.codes and concept.broader), concept.key


def test_every_system_of_the_order_is_there() -> None:
    assert [system for system in ORDER if vocabulary().system(system) is None] == []
