"""Sites of the whole body and parts of each vertebra: what is near to another is not taken for it."""

import pytest

from service.coding import vocabulary
from service.coding.coder import code_report
from service.coding.resolve import resolve
from service.domain.codes import Term
from service.domain.errors import Contradiction
from service.domain.report import Lesion
from tests.unit.coding.reports import make_report

LEVELS = [
    f"{part}{n}" for part, first, last in (("C", 2, 7), ("T", 1, 12), ("L", 1, 5)) for n in range(first, last + 1)
]
PARTS = {
    "pedicle": "vertebra",
    "lamina": "vertebra",
    "spinous process": "vertebra",
    "transverse process": "vertebra",
    "superior endplate": "vertebral body",
    "inferior endplate": "vertebral body",
}
BONES = ("femur", "tibia", "fibula", "humerus", "radius", "ulna")


def coded(word: str, field: str) -> tuple[str | None, bool]:
    """The label of what a word names in a field, and whether its code says less."""
    shipped = vocabulary()
    row = shipped.field(field)
    assert row is not None
    term = resolve(shipped, Term(word), row).term
    assert term is not None
    return (shipped.concepts[term.concept].label if term.concept else None), term.broader


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("part", PARTS)
def test_a_part_of_a_vertebra_keeps_its_level_and_its_words(level: str, part: str) -> None:
    shipped = vocabulary()
    # No source has a code for the body of C2: its end plates are parts of the vertebra.
    of = PARTS[part] if level != "C2" else "vertebra"
    whole = shipped.concepts[f"{level.lower()}-{of.replace(' ', '-')}"]

    assert coded(f"{part} of {level}", "site") == (f"{level} {part}", True)
    made = shipped.concepts[f"{level.lower()}-{part.replace(' ', '-')}"]
    assert made.broader == whole.codes[0]


@pytest.mark.parametrize("bone", BONES)
def test_a_third_of_a_bone_is_that_bone_with_its_words(bone: str) -> None:
    shipped = vocabulary()
    for third in ("proximal", "middle", "distal"):
        assert coded(f"{third} third of {bone}", "site") == (f"{third} third of {bone}", True)
        assert shipped.concepts[f"{third}-third-of-{bone}"].broader == shipped.concepts[bone].codes[0]


@pytest.mark.parametrize(
    ("word", "field", "label"),
    [
        ("lung", "site", "lung"),
        ("lung", "primary-tumor", "lung cancer"),
        ("kidney", "site", "kidney"),
        ("kidney", "primary-tumor", "kidney cancer"),
        ("breast", "site", "breast"),
        ("thyroid", "site", "thyroid gland"),
        ("lung metastasis", "finding", "lung metastasis"),
        ("right middle lobe", "site", "middle lobe of right lung"),
        ("fibular shaft", "site", "shaft of fibula"),
        ("tibial shaft", "site", "shaft of tibia"),
        ("cranial nerve V", "site", "trigeminal nerve"),
        ("cranial nerve VI", "site", "abducens nerve"),
        ("cranial nerve VII", "site", "facial nerve"),
    ],
)
def test_a_word_means_this_in_its_field(word: str, field: str, label: str) -> None:
    assert coded(word, field)[0] == label


@pytest.mark.parametrize("word", ["renal metastasis", "thyroid metastasis", "breast metastasis", "ovarian metastasis"])
def test_a_word_that_may_mean_to_or_from_an_organ_is_not_coded(word: str) -> None:
    assert coded(word, "finding")[0] is None


@pytest.mark.parametrize("word", ["petrous apex", "middle cranial fossa", "proximal tibia", "head", "neck"])
def test_a_site_that_no_source_verifies_is_not_coded_as_its_neighbour(word: str) -> None:
    assert coded(word, "site")[0] is None


@pytest.mark.parametrize(
    ("site", "side"),
    [
        ("left lung", "right"),
        ("middle lobe of right lung", "left"),
        ("right lobe of liver", "left"),
        ("left adrenal gland", "right"),
        ("right tibia", "left"),
    ],
)
def test_refuses_a_side_against_the_site(site: str, side: str) -> None:
    lesion = Lesion("L1", Term("metastasis"), site=Term(site), laterality=Term(side))

    with pytest.raises(Contradiction):
        code_report(make_report(lesion), vocabulary())
