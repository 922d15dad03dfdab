"""Stages are timed, and told to who listens."""

import pytest

from service import stages
from service.stages import STAGES, Stage, listen


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, float]]:
    monkeypatch.setattr(stages, "_listeners", [])
    made: list[tuple[str, float]] = []

    def hear(name: str, seconds: float) -> None:
        made.append((name, seconds))

    listen(hear)
    listen(hear)
    return made


def test_a_stage_is_told_once_with_its_seconds(told: list[tuple[str, float]]) -> None:
    with Stage("read"):
        pass
    [(name, seconds)] = told
    assert name == "read"
    assert seconds >= 0


def test_a_stage_that_fails_is_told_too(told: list[tuple[str, float]]) -> None:
    with pytest.raises(ValueError, match="x"), Stage("code"):
        raise ValueError("x")
    assert [name for name, _ in told] == ["code"]


@pytest.mark.parametrize(("form", "stage"), [("sr", "write-sr"), ("fhir-r4", "write-fhir"), ("fhir-r5", "write-fhir")])
def test_the_releases_of_a_standard_are_one_stage(form: str, stage: str) -> None:
    assert Stage.writing(form).name == stage
    assert stage in STAGES
