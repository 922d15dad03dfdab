"""Words that are near to a concept that says more: coded so they would say more than the sender did."""

import pytest

from service.coding import vocabulary
from service.coding.resolve import resolve
from service.domain.codes import Equivalence, Term


@pytest.mark.parametrize(
    ("field", "text", "concept"),
    [
        # Of any part of the body; it was the head.
        ("technique", "CECT", "contrast-enhanced-ct"),
        ("procedure", "CECT", "contrast-enhanced-ct"),
        # Of soft tissue, pleura and bone, too; it was the dura.
        ("finding", "hemangiopericytoma", "solitary-fibrous-tumor"),
        ("finding", "haemangiopericytoma", "solitary-fibrous-tumor"),
        # Ischemia or inflammation of the cord has it, too; it was compression.
        ("complication", "spinal cord syndrome", "spinal-cord-syndrome"),
        # Of bone or liver, too; it was written with a code that says of the brain.
        ("morphology", "bull's eye", "bulls-eye-appearance"),
        ("morphology", "target sign", "bulls-eye-appearance"),
        ("morphology", "target sign of brain", "target-sign-of-brain"),
    ],
)
def test_a_word_says_no_more_than_its_concept(field: str, text: str, concept: str) -> None:
    row = vocabulary().field(field)
    assert row is not None

    found = resolve(vocabulary(), Term(text), row).term

    assert found is not None
    assert found.concept == concept


def test_a_bulls_eye_of_bone_or_liver_is_not_coded_as_of_the_brain() -> None:
    concept = vocabulary().concepts["bulls-eye-appearance"]

    assert concept.codes == ()
    assert [coding.equivalence for coding in concept.codings] == [Equivalence.NARROWER]


def test_a_code_of_a_solitary_fibrous_tumor_says_no_place() -> None:
    assert vocabulary().meant_by("SCT", "128736003") == ("solitary-fibrous-tumor",)
    assert vocabulary().meant_by("RADLEX", "RID35611") == ("target-sign-of-brain",)
