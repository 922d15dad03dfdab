"""Levels of the spine: where a vertebra, two of them or the disc between may be meant it is said."""

import pytest

from service.coding import vocabulary
from service.coding.coder import code_report
from service.coding.given import resolve_code
from service.domain.codes import Code, Term
from tests.unit.coding.reports import make_lesion, make_report


def flagged(finding: str, site: str) -> list[str]:
    lesion = make_lesion(finding=finding, site=site, laterality=None)
    losses = code_report(make_report(lesion), vocabulary()).losses
    return [loss.where for loss in losses if loss.rule == "bone-at-disc-level"]


@pytest.mark.parametrize("site", ["T5-T6", "T5-6", "L4/L5", "L5-S1", "C7/T1"])
@pytest.mark.parametrize("finding", ["spine metastasis", "bone mets"])
def test_a_metastasis_of_bone_at_two_levels_is_flagged(finding: str, site: str) -> None:
    assert flagged(finding, site) == ["/lesions/0/site"]


@pytest.mark.parametrize(
    ("finding", "site"),
    [
        ("disc herniation", "L4-L5"),
        ("metastasis", "T5-T6"),
        ("spine metastasis", "T5"),
        ("spine metastasis", "T5-T6 disc"),
        ("spine metastasis", "T5/T6 disc level"),
    ],
)
def test_what_may_be_at_a_disc_or_is_of_one_level_is_not(finding: str, site: str) -> None:
    assert flagged(finding, site) == []


def test_every_level_between_two_vertebrae_has_such_a_key() -> None:
    levels = {key for key in vocabulary().concepts if "disc level" in vocabulary().concepts[key].label}

    assert len(levels) > 20
    assert all(key.endswith("-disc-level") for key in levels)


def test_a_spine_that_is_called_a_vertebra_is_flagged() -> None:
    # DICOM calls 51282000 Vertebra, SNOMED CT the bone of the spine: one vertebra may be meant.
    row = vocabulary().members["site"]

    found = resolve_code(vocabulary(), Term("Vertebra", Code("SCT", "51282000", "Vertebra"), "/x"), row)

    assert found.term is not None
    assert found.term.concept == "vertebral-column"
    assert found.verdict is not None
    assert found.verdict.rule == "display-contradicts-code"
