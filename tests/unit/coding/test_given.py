"""Codes of the sender: which concept they are, or why they are passed on as they came."""

import subprocess
import sys
from pathlib import Path

import pytest

from service.coding import Vocabulary, vocabulary
from service.coding.resolve import ANYWHERE, resolve
from service.coding.rows import Field
from service.domain.codes import Code, Equivalence, Resolution, Term
from service.domain.errors import AmbiguousTerm, Contradiction, Invalid, UnknownTerm
from service.domain.loss import LossKind
from tests.unit.coding.reports import code
from tests.unit.coding.small import load


def field_of(vocabulary: Vocabulary, key: str) -> Field:
    field = vocabulary.field(key)
    assert field is not None
    return field


@pytest.mark.parametrize(
    ("system", "value"),
    [
        ("SCT", "83251001"),
        ("http://snomed.info/sct", "83251001"),
        ("urn:oid:2.16.840.1.113883.6.96", "83251001"),
        ("2.16.840.1.113883.6.96", " 83251001 "),
        ("RADLEX", "RID6440"),
        ("https://radlex.org", "RID6440"),
        ("http://www.radlex.org", "RID6440"),
        ("SRT", "T-A2200"),
        ("http://snomed.info/srt", "T-A2200"),
        ("99LESIONBRIDGE", "frontal-lobe"),
    ],
)
def test_a_code_in_any_spelling_of_its_system_is_its_concept(small: Vocabulary, system: str, value: str) -> None:
    found = resolve(small, code(system, value), field_of(small, "site"))

    assert found.verdict is None
    assert found.term is not None
    assert (found.term.concept, found.term.resolution) == ("frontal-lobe", Resolution.CODE)
    assert found.term.codes == small.concept("frontal-lobe").codes
    assert found.term.text == "frontal lobe"


def test_what_was_said_is_kept_where_it_is_not_what_is_emitted(small: Vocabulary) -> None:
    site = field_of(small, "site")

    said = [
        resolve(small, term, site).term
        for term in (code("SRT", "T-A2200"), code("SCT", "83251001"), code("SCT", "83251001", "Lobus frontalis"))
    ]

    assert [term.said if term else None for term in said] == ["SRT T-A2200", "", "Lobus frontalis"]


def test_a_code_mapped_by_the_site_is_local(small: Vocabulary) -> None:
    found = resolve(small, code("99HOSP", "FL", "Frontal L."), field_of(small, "site"))

    assert found.term is not None
    assert (found.term.concept, found.term.resolution) == ("frontal-lobe", Resolution.LOCAL)


def test_a_map_to_a_wider_code_is_not_applied(small: Vocabulary) -> None:
    found = resolve(small, code("99HOSP", "HEAD", "Head"), field_of(small, "site"))

    assert found.term is not None
    assert (found.term.concept, found.term.resolution) == (None, Resolution.GIVEN)


def test_the_part_that_is_left_is_read_back_within_its_field_only(small: Vocabulary) -> None:
    left = code("RADLEX", "RID35804", "hypointense")

    within = resolve(small, left, field_of(small, "t1-signal"))
    elsewhere = resolve(small, left, field_of(small, "bone-matrix"))

    assert within.term is not None
    assert within.term.concept == "t1-hypointense"
    assert within.verdict is None
    assert elsewhere.term is not None
    assert elsewhere.term.concept is None


def test_a_broader_code_alone_is_not_the_concept(small: Vocabulary) -> None:
    found = resolve(small, code("RADLEX", "RID5231"), field_of(small, "finding"))

    assert found.term is not None
    assert (found.term.concept, found.term.resolution) == (None, Resolution.GIVEN)
    assert found.term.codes[0].display == "metastasis"


def test_a_broader_code_with_the_label_is_read_back_as_the_concept(small: Vocabulary) -> None:
    emitted = small.term("intracranial-metastases")
    assert emitted.code is not None
    said = Term(emitted.text, emitted.code)

    found = resolve(small, said, field_of(small, "finding"))

    assert found.verdict is None
    assert found.term is not None
    assert (found.term.concept, found.term.codes, found.term.broader) == (emitted.concept, emitted.codes, True)


def test_a_code_that_no_concept_has_is_passed_on(small: Vocabulary) -> None:
    found = resolve(small, code("http://snomed.info/sct", "12738006", "Brain"), field_of(small, "site"))

    assert found.verdict is None
    assert found.term is not None
    assert (found.term.codes, found.term.text) == ((Code("SCT", "12738006", "Brain"),), "Brain")
    assert found.term.codes[0].display == "Brain"
    assert (found.term.concept, found.term.resolution) == (None, Resolution.GIVEN)


def test_a_private_code_needs_no_table(small: Vocabulary) -> None:
    found = resolve(small, code("99ACME", "X-1", "spiculated"), field_of(small, "finding"))

    assert found.verdict is None
    assert found.term is not None
    assert found.term.codes == (Code("99ACME", "X-1", "spiculated"),)


def test_a_missing_display_is_the_code(small: Vocabulary) -> None:
    found = resolve(small, code("99ACME", "X-1"), field_of(small, "finding"))

    assert found.term is not None
    assert (found.term.text, found.term.codes[0].display) == ("X-1", "X-1")


@pytest.mark.parametrize("system", ["http://example.org/codes", "ACME", "99ACMEACMEACMEACME", ""])
def test_a_code_of_a_system_without_designator_is_text(small: Vocabulary, system: str) -> None:
    found = resolve(small, code(system, "X-1", "frontal lobe"), field_of(small, "site"))

    assert found.term is not None
    # Never coded by its display: that is a meaning, not an identity.
    assert (found.term.text, found.term.codes, found.term.concept) == ("frontal lobe", (), None)
    assert found.verdict is not None
    assert (found.verdict.kind, found.verdict.rule) == (LossKind.UNCODED, "unknown-system")


def test_an_unknown_retired_code_is_text(small: Vocabulary) -> None:
    found = resolve(small, code("SRT", "T-XXXXX", "somewhere"), field_of(small, "site"))

    assert found.term is not None
    assert found.term.codes == ()


@pytest.mark.parametrize(
    ("system", "value"), [("SCT", "83251002"), ("LN", "21889-2"), ("RADLEX", "6440"), ("99ACME", "a\x00b")]
)
def test_refuses_a_malformed_code(small: Vocabulary, system: str, value: str) -> None:
    found = resolve(small, code(system, value, "frontal lobe"), field_of(small, "site"))

    assert found.term is None
    assert found.verdict is not None
    assert (found.verdict.kind, found.verdict.rule) == (Invalid, "code-shape")


def test_a_display_of_another_concept_is_flagged_and_the_code_counts(small: Vocabulary) -> None:
    found = resolve(small, code("SCT", "83251001", "corpus callosum"), field_of(small, "site"))

    assert found.term is not None
    assert found.term.concept == "frontal-lobe"
    assert found.verdict is not None
    assert (found.verdict.kind, found.verdict.rule) == (LossKind.FLAGGED, "display-contradicts-code")


@pytest.mark.parametrize("display", ["no brain metastasis", "Brain metastasis not seen", "Keine Hirnmetastase"])
def test_refuses_a_finding_whose_display_denies_it(small: Vocabulary, display: str) -> None:
    found = resolve(small, code("SCT", "94225005", display), field_of(small, "finding"))

    assert found.term is None
    assert found.verdict is not None
    assert (found.verdict.kind, found.verdict.rule) == (Contradiction, "display-contradicts-code")


def test_a_display_that_doubts_is_flagged_and_the_code_counts(small: Vocabulary) -> None:
    found = resolve(small, code("SCT", "94225005", "possible brain metastasis"), field_of(small, "finding"))

    assert found.term is not None
    assert found.term.concept == "brain-metastasis"
    assert found.verdict is not None
    assert (found.verdict.kind, found.verdict.rule) == (LossKind.FLAGGED, "display-contradicts-code")


def test_a_display_in_the_list_of_what_is_absent_may_say_so() -> None:
    tables = vocabulary()

    found = resolve(tables, code("SCT", "50960005", "No hemorrhage"), field_of(tables, "negative"))

    assert (found.term and found.term.concept, found.verdict) == ("hemorrhage", None)


@pytest.mark.parametrize("display", ["right", "Right", "RIGHT", "Right (qualifier value)"])
def test_refuses_a_side_whose_display_says_the_other(small: Vocabulary, display: str) -> None:
    found = resolve(small, code("SCT", "7771000", display), field_of(small, "laterality"))

    assert found.term is None
    assert found.verdict is not None
    assert (found.verdict.kind, found.verdict.rule) == (Contradiction, "display-contradicts-code")


def test_refuses_a_sided_site_whose_display_says_the_other_side(small: Vocabulary) -> None:
    site = field_of(small, "site")

    known = resolve(small, code("SCT", "72792008", "right cerebral hemisphere"), site)
    worded = resolve(small, code("SCT", "72792008", "Structure of right cerebral hemisphere (body structure)"), site)
    fitting = resolve(small, code("SCT", "72792008", "Structure of left cerebral hemisphere (body structure)"), site)

    assert [found.verdict.kind if found.verdict else None for found in (known, worded, fitting)] == [
        Contradiction,
        Contradiction,
        None,
    ]


def test_a_modality_whose_display_says_another_is_flagged_though_it_must_be_coded(tmp_path: Path) -> None:
    vocabulary = load(
        tmp_path,
        swap={"mappings/report.toml": ('"modalities"\nbinding = "extensible"', '"modalities"\nbinding = "required"')},
    )

    found = resolve(vocabulary, code("DCM", "MR", "computed tomography"), field_of(vocabulary, "modality"))

    assert found.term is not None
    assert found.term.concept == "mri"
    assert found.verdict is not None
    assert found.verdict.kind is LossKind.FLAGGED


@pytest.mark.parametrize("display", ["", "Left", "left", "LEFT", "Left (qualifier value)", "links", "L"])
def test_a_display_that_names_nothing_else_is_no_contradiction(small: Vocabulary, display: str) -> None:
    found = resolve(small, code("SCT", "7771000", display), field_of(small, "laterality"))

    assert found.verdict is None
    assert found.term is not None
    assert found.term.concept == "left"


def test_a_code_of_several_concepts_is_the_one_that_its_display_names(small: Vocabulary) -> None:
    modality = field_of(small, "modality")

    named = resolve(small, code("DCM", "NM", "nuclear medicine"), modality)
    unnamed = resolve(small, code("DCM", "NM"), modality)

    assert named.term is not None
    assert named.term.concept == "nuclear-medicine"
    assert unnamed.term is not None
    assert (unnamed.term.concept, unnamed.term.codes[0].code) == (None, "NM")
    assert unnamed.verdict is not None
    assert (unnamed.verdict.kind, unnamed.verdict.rule) == (LossKind.FLAGGED, "ambiguous-code")
    assert unnamed.verdict.candidates == ("bone scan", "nuclear medicine")


@pytest.mark.parametrize(
    ("value", "title", "concept"),
    [
        ("G93.5", "Compression of brain", "cerebral-herniation"),
        ("D18.09", "Hemangioma of other sites", "vertebral-hemangioma"),
        ("D33.3", "Benign neoplasm of cranial nerves", "vestibular-schwannoma"),
        ("C64.9", "Malignant neoplasm of unspecified kidney, except renal pelvis", "renal-cell-carcinoma"),
        ("C80.1", "Malignant (primary) neoplasm, unspecified", "cancer-of-unknown-primary"),
        ("Z98.1", "Arthrodesis status", "spinal-fusion"),
    ],
)
def test_a_class_that_holds_more_than_a_concept_is_that_concept_only_where_words_name_it(
    value: str, title: str, concept: str
) -> None:
    shipped = vocabulary()

    for display in ("", title):
        found = resolve(shipped, code("I10C", value, display), ANYWHERE)
        assert found.term is not None
        assert found.term.concept is None
        assert [(one.system, one.code) for one in found.term.codes] == [("I10C", value)]
        assert found.verdict is not None
        assert (found.verdict.kind, found.verdict.rule) == (LossKind.FLAGGED, "ambiguous-code")
    named = resolve(shipped, code("I10C", value, shipped.concept(concept).label), ANYWHERE).term
    assert named is not None
    assert named.concept == concept
    assert shipped.meant_by("I10C", value) == ()


@pytest.mark.parametrize(
    ("value", "concept"), [("C61", "prostate-cancer"), ("R51.9", "headache"), ("G95.20", "spinal-cord-compression")]
)
def test_a_class_whose_title_names_its_concept_means_it(value: str, concept: str) -> None:
    found = resolve(vocabulary(), code("I10C", value), ANYWHERE).term

    assert found is not None
    assert found.concept == concept


def test_a_code_of_several_concepts_is_refused_where_the_field_must_be_coded(tmp_path: Path) -> None:
    vocabulary = load(tmp_path, add={"terminology/codings.csv": "midline,RADLEX,RID5824,x,exact,,verified,a source\n"})

    found = resolve(vocabulary, code("RADLEX", "RID5824"), field_of(vocabulary, "laterality"))

    assert found.verdict is not None
    assert (found.verdict.kind, found.verdict.candidates) == (AmbiguousTerm, ("left", "midline"))


def test_a_code_of_another_field_is_passed_on_flagged_with_where_it_belongs(small: Vocabulary) -> None:
    found = resolve(small, code("SCT", "7771000", "Left"), field_of(small, "site"))

    assert found.term is not None
    assert (found.term.concept, found.term.codes[0].code) == (None, "7771000")
    assert found.verdict is not None
    assert (found.verdict.kind, found.verdict.rule) == (LossKind.FLAGGED, "outside-value-set")
    assert "laterality" in found.verdict.why


@pytest.mark.parametrize(
    "term", [code("SCT", "83251001", "Frontal lobe"), code("99ACME", "L"), code("http://x.y", "L")]
)
def test_refuses_any_other_code_where_the_field_must_be_coded(small: Vocabulary, term: Term) -> None:
    found = resolve(small, term, field_of(small, "laterality"))

    assert found.term is None
    assert found.verdict is not None
    assert found.verdict.kind is UnknownTerm


def test_a_draft_coding_is_no_identity(tmp_path: Path) -> None:
    vocabulary = load(tmp_path, add={"terminology/codings.csv": "left,LN,21889-1,x,exact,,draft,a source\n"})

    found = resolve(vocabulary, code("LN", "21889-1"), ANYWHERE)

    assert found.term is not None
    assert found.term.concept is None


def test_every_emitted_code_of_the_shipped_tables_is_read_back_as_its_concept_with_its_label() -> None:
    wrong = []
    rows: list[Field] = [*vocabulary().members.values(), *vocabulary().evaluations.values()]
    for row in rows:
        for key in row.values or ():
            concept = vocabulary().concept(key)
            for coding in concept.codings:
                if coding.equivalence is not Equivalence.EXACT or coding.part or not coding.verified:
                    continue
                found = resolve(vocabulary(), Term(concept.label, coding.code), row)
                if found.term is None or found.term.concept != key:
                    wrong.append((row.key, key, coding.code))
    assert wrong == []


def test_retired_codes_are_only_loaded_when_one_comes() -> None:
    program = "import service.coding, sys; service.coding.vocabulary(); sys.exit('pydicom' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_suggestions_are_only_loaded_when_one_is_needed() -> None:
    program = "import service.coding.coder, sys; service.coding.vocabulary(); sys.exit('rapidfuzz' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


@pytest.mark.parametrize(
    ("text", "concept"),
    [
        ("hemorrhagic metastasis", "hemorrhagic-metastasis"),
        ("Metastasis", "metastasis"),
        ("something else", "metastasis"),
        ("", "metastasis"),
    ],
)
def test_a_code_that_says_less_beside_the_words_of_a_concept_is_that_concept(text: str, concept: str) -> None:
    tables = vocabulary()
    said = Term(text, Code("SCT", "128462008", "Metastasis"))
    found = resolve(tables, said, field_of(tables, "finding")).term
    assert found is not None
    assert (found.concept, found.codes[0].code) == (concept, "128462008")
