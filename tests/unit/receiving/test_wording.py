"""Rules that nothing can meet: refused where that is sure, doubted aloud where it is likely."""

from __future__ import annotations

import pytest

from service.api import observe
from service.app import create_app
from service.coding import vocabulary
from service.coding.coder import code_report
from service.domain.errors import Problem, ReceivingError
from service.pipeline import Source, read
from service.receiving.routing import effective
from service.receiving.settings import Receiving, Route, Site
from service.receiving.wording import doubts
from tests.findings import make_body
from tests.unit.receiving.conftest import Deploy


def told(**condition: tuple[str, ...]) -> tuple[Problem, ...]:
    """What is doubted of one rule, with a site `north` beside the default sender."""
    rule = Route(name="one", deliver=(), **condition)
    return doubts(Receiving({"north": Site(name="north")}, (rule,)), vocabulary(), "local")


@pytest.mark.parametrize(
    "condition",
    [
        {"modality": ("MR", "ct", "magnetic-resonance-imaging", "Computed Tomography")},
        {"site": ("brain", "frontal-lobe", "12738006")},
        {"procedure": ("36051-1",)},
        {"sender": ("NORTH", "local", "the AI of another house")},
        {},
    ],
)
def test_what_a_report_can_say_is_not_doubted(condition: dict[str, tuple[str, ...]]) -> None:
    assert told(**condition) == ()


@pytest.mark.parametrize("word", sorted(vocabulary().members["modality"].values or ()))
def test_every_modality_that_a_report_may_have_is_met_by_its_key_codes_and_label(word: str) -> None:
    concept = vocabulary().concepts[word]
    assert told(modality=(word, concept.label, *(code.code for code in concept.codes))) == ()


@pytest.mark.parametrize(
    ("condition", "candidate"),
    [
        ({"modality": ("MRI",)}, "magnetic-resonance-imaging"),
        ({"modality": ("XY",)}, "MR"),
        ({"modality": ("mri-head-1",)}, "MR"),
        ({"site": ("frontal lobee",)}, "frontal-lobe"),
        ({"sender": ("nroth",)}, "north"),
    ],
)
def test_what_is_likely_misspelt_is_said_with_what_would_be_met(
    condition: dict[str, tuple[str, ...]], candidate: str
) -> None:
    (problem,) = told(**condition)
    assert problem.pointer == f"routes[0].{next(iter(condition))}"
    assert candidate in problem.candidates


def test_another_word_for_a_concept_is_doubted_since_no_report_is_met_by_it() -> None:
    report = code_report(read(Source(make_body(study__modality="MRI"))).report, vocabulary())
    assert report.study.modality.concept == "magnetic-resonance-imaging"
    assert effective((Route(name="one", deliver=(), modality=("MRI",)),), report, "rest") is None
    assert [one.candidates for one in told(modality=("MRI",))] == [("magnetic-resonance-imaging",)]


@pytest.mark.parametrize("word", ["MR, CT", "MR/CT", "MR\\CT", "magnetic rezonance imaging"])
def test_what_can_be_no_modality_at_all_is_refused(word: str) -> None:
    with pytest.raises(ReceivingError) as refused:
        told(modality=("MR", word))
    (problem,) = refused.value.problems
    assert (problem.pointer, "MR" in problem.candidates) == ("routes[0].modality", True)


def test_the_service_says_it_when_it_starts(deploy: Deploy, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[Problem] = []
    monkeypatch.setattr(observe, "doubt", said.append)
    here = deploy('[[routes]]\nname = "b"\nmodality = ["XY"]\ndeliver = []\n')
    create_app(here.settings)
    assert [one.pointer for one in said] == ["routes[2].modality"]
