"""Which spellings are one term, and which never are."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.coding.words import IRREGULAR, Words, fold, singular, squeeze

WORDS = Words({"tumour": "tumor", "oedema": "edema", "grey": "gray", "haemorrhage": "hemorrhage"})

SAME = [
    ("grey-white matter junction", "Gray/White matter junction"),
    ("peri-tumoural", "peri tumoural"),
    ("tumours", "tumor"),
    ("oedemas", "edema"),
    ("brain metastases", "brain metastasis"),
    ("vertebrae", "vertebra"),
    ("biopsies", "biopsy"),
    ("masses", "mass"),
    ("sinuses", "sinus"),
    ("axes", "axis"),
    ("Ewing's sarcoma", "Ewing sarcoma"),
    ("Ewing’s sarcoma", "Ewing's sarcomas"),
    ("bull's-eye", "bulls-eye"),
    ("astrocytoma, IDH-mutant", "astrocytoma IDH mutant"),
    ("uniform (homogeneous) enhancement", "uniform homogeneous enhancement"),
    ("metastasis - brain", "metastasis brain"),
    ("T2\u2013hyperintense", "t2 hyperintense"),
    ("ring\u00a0enhancement", "ring enhancement"),
    ("T₂ hyperintense", "T2 hyperintense"),
    ("haemor\u00adrhage", "hemorrhage"),
]
DIFFERENT = [
    ("T1 C+", "T1 C"),
    ("CT C-", "CT C+"),
    ("CT C-", "CT C"),
    ("T1", "T2"),
    ("L1", "L11"),
    ("hypointense", "hyperintense"),
    ("left", "right"),
    ("pelvis", "pelvi"),
    ("1.5", "15"),
    ("CNS", "CN"),
    ("< 10 mm", "> 10 mm"),
]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_spelling_variants_have_one_normal_form(one: str, other: str) -> None:
    assert WORDS.normal(one) == WORDS.normal(other)


@pytest.mark.parametrize(("one", "other"), DIFFERENT)
def test_what_differs_in_meaning_differs_in_form(one: str, other: str) -> None:
    assert WORDS.normal(one) != WORDS.normal(other)


@given(st.text(max_size=40) | st.text(alphabet="abeiorstuyx'- /", max_size=30))
def test_a_normal_form_is_its_own(text: str) -> None:
    once = WORDS.normal(text)

    assert WORDS.normal(once) == once


@given(st.text(max_size=40))
def test_a_folded_text_is_its_own(text: str) -> None:
    assert fold(fold(text)) == fold(text)


@given(st.from_regex(r"[a-z]{1,12}", fullmatch=True))
def test_case_never_counts(word: str) -> None:
    assert WORDS.normal(word.upper()) == WORDS.normal(word)


@pytest.mark.parametrize("single", sorted(set(IRREGULAR.values())))
def test_a_singular_stays(single: str) -> None:
    assert singular(single) == single


def test_squeeze_keeps_case() -> None:
    assert squeeze(" T1\u00a0 C+ ") == "T1 C+"
