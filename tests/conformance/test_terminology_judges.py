"""Third parties rule on everything that /fhir serves: its resources, its answers, in both releases."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from service.app import create_app
from service.coding import vocabulary
from service.config import Settings
from service.domain.codes import LOCAL_SCHEME
from service.formats.fhir.terminology.release import Release
from tests.conftest import AskFhir

LOCAL = vocabulary().systems[LOCAL_SCHEME].uri
SNOMED = vocabulary().systems["SCT"].uri
ANSWERS = (
    "metadata",
    "metadata?mode=terminology",
    "CodeSystem",
    "ConceptMap",
    "ConceptMap/radlex-snomed",
    f"CodeSystem/$lookup?system={SNOMED}&code=12738006",
    f"CodeSystem/$lookup?system={LOCAL}&code=brain",
    f"CodeSystem/$validate-code?url={LOCAL}&code=brain&display=x",
    f"CodeSystem/$subsumes?system={LOCAL}&codeA=brain&codeB=left-femur",
    "ValueSet/sites/$expand?count=20&includeDesignations=true&filter=l",
    "ValueSet/sites/$expand?count=0",
    "CodeSystem/$lookup?system=http://example.org/none&code=1",
)
TRANSLATE = {
    Release.R4: f"ConceptMap/$translate?system={SNOMED}&code=12738006&reverse=true",
    Release.R5: f"ConceptMap/$translate?system={SNOMED}&targetCode=12738006",
}
WHOLE = ("CodeSystem/lesionbridge", "ConceptMap/concepts")
QUICK = ("walk", "fhir.resources", "medplum")
"""Judges that take large resources in seconds."""
COUNTS_TOGETHER = re.compile(r"profile\.element\.cardinality\.max ")
"""pyfhircheck counts the children of all repetitions of an element together; no JSON object holds one of them twice."""


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> FlaskClient:
    folder = tmp_path_factory.mktemp("judged")
    settings = Settings(database_url=f"sqlite:///{folder / 'x.sqlite3'}", terminology_folder=str(folder / "none"))
    return create_app(settings).test_client()


def _ask(client: FlaskClient, paths: tuple[str, ...], release: Release, folder: Path) -> list[Path]:
    made = []
    for number, path in enumerate(paths):
        answer = client.get(f"/fhir/{path}", headers={"Accept": release.media_type})
        kind = answer.get_json()["resourceType"]
        file = folder / f"{number}-{kind}.json"
        file.write_bytes(answer.data)
        made.append(file)
    return made


@pytest.mark.slow
@pytest.mark.oracle("fhir")
@pytest.mark.parametrize("release", Release)
def test_every_judge_accepts_every_kind_of_answer(
    release: Release, client: FlaskClient, tmp_path: Path, fhir_complaints: AskFhir
) -> None:
    files = _ask(client, (*ANSWERS, TRANSLATE[release]), release, tmp_path)
    of_parameters = [file for file in files if file.name.endswith("-Parameters.json")]
    others = [file for file in files if file not in of_parameters]

    # The walk evaluates inv-1 without types, so that it finds no `value` in valueString: it is not asked of Parameters.
    found = [
        *fhir_complaints(others, release=release.name),
        *fhir_complaints(of_parameters, release=release.name, skip=["walk"]),
    ]

    assert [one for one in found if not (one.oracle == "pyfhircheck" and COUNTS_TOGETHER.search(one.message))] == []


@pytest.mark.slow
@pytest.mark.oracle("fhir")
def test_the_large_resources_are_accepted_too(client: FlaskClient, tmp_path: Path, fhir_complaints: AskFhir) -> None:
    sets = tuple(f"ValueSet/{name}" for name in vocabulary().value_sets)

    files = _ask(client, (*WHOLE, *sets), Release.R4, tmp_path)

    # HAPI's validator breaks on a ValueSet whose compose names a system by OID (HAPI-0650): it is not asked of these.
    assert fhir_complaints(files, only=QUICK) == []
