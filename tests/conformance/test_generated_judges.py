"""Third parties rule on a seeded sample of reports over the whole schema, and on every example."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from service.domain.errors import Invalid
from tests.conformance.generated import SEED, Written, make, sample
from tests.conftest import AskFhir, AskSr
from tests.oracles.complaint import Complaint
from tests.strategies import Json

REPORTS = 40
EXAMPLES = sorted((Path(__file__).parents[2] / "examples").glob("*.json"))
# A judge of many files is slow on a busy machine.
pytestmark = [pytest.mark.slow, pytest.mark.timeout(3600)]


def _generated() -> Iterator[tuple[str, Json]]:
    for number, document in enumerate(sample(REPORTS)):
        yield f"seed-{SEED}-{number:02}", document


def _examples() -> Iterator[tuple[str, Json]]:
    for path in EXAMPLES:
        yield path.stem, json.loads(path.read_text(encoding="utf-8"))


DOCUMENTS = {"generated": _generated, "examples": _examples}


def _srs(folder: Path, source: str, dialect: str) -> list[Path]:
    paths = []
    for name, document in DOCUMENTS[source]():
        if dialect == "ohif" and not document.get("lesions"):
            continue  # nothing to hydrate
        try:
            made: Written = make(document, dialect=dialect)
        except Invalid as refused:
            if dialect != "ohif" or refused.problems[0].rule != "sr-nothing-remains":
                raise
            continue
        paths.append(folder / f"{name}.dcm")
        paths[-1].write_bytes(made.sr.content)
    return paths


def _assert_none(complaints: list[Complaint]) -> None:
    """All that was said, with the seed that makes the reports again."""
    if complaints:
        pytest.fail("\n".join([f"LESIONBRIDGE_SEED={SEED}", *map(str, complaints)]), pytrace=False)


@pytest.mark.oracle("sr")
@pytest.mark.parametrize("source", DOCUMENTS)
def test_no_sr_judge_objects(source: str, tmp_path: Path, sr_complaints: AskSr) -> None:
    paths = _srs(tmp_path, source, "strict")
    assert len(paths) >= min(REPORTS, len(EXAMPLES))
    _assert_none(sr_complaints(paths, skip=["ohif", "dcentvfy"], strict=source == "examples"))


@pytest.mark.oracle("sr")
@pytest.mark.parametrize("source", DOCUMENTS)
def test_every_group_of_the_dialect_ohif_hydrates(source: str, tmp_path: Path, sr_complaints: AskSr) -> None:
    paths = _srs(tmp_path, source, "ohif")
    assert paths
    _assert_none(sr_complaints(paths, skip=["dcentvfy"], strict=source == "examples"))


@pytest.mark.oracle("fhir")
@pytest.mark.parametrize("source", DOCUMENTS)
def test_no_fhir_judge_objects(source: str, tmp_path: Path, fhir_complaints: AskFhir) -> None:
    paths = []
    for number, (name, document) in enumerate(DOCUMENTS[source]()):
        # Every example in both; of the sample each second one as a document, which has all resources and one more.
        kinds = ("transaction", "document") if source == "examples" else (("transaction", "document")[number % 2],)
        for kind in kinds:
            paths.append(tmp_path / f"{name}.{kind}.json")
            paths[-1].write_bytes(make(document, bundle=kind).fhir.content)
    assert len(paths) >= min(REPORTS, len(EXAMPLES))
    _assert_none(fhir_complaints(paths))
