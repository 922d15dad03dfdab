"""Third parties rule on everything that /fhir serves: its resources, its answers, in both releases."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from service.app import create_app
from service.coding import vocabulary
from service.coding.overlays.rows import BROADER, NO_MAP
from service.coding.releases.shelf import Shelf
from service.config import Settings
from service.domain.codes import LOCAL_SCHEME
from service.formats.fhir.terminology.release import Release
from tests.conftest import AskFhir
from tests.releases import Site
from tests.unit.coding.overlays.lines import line, table

LOCAL = vocabulary().systems[LOCAL_SCHEME].uri
SITES = "http://hospital.example/sites"
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


@pytest.fixture
def site(tmp_path: Path) -> FlaskClient:
    """A service whose site has an overlay and has imported a value set and a concept map."""
    rows = (
        line(system=SITES, code="FL", concept="frontal-lobe", field="site"),
        line(system=SITES, code="RM", concept="rib-metastasis"),
        line(system=SITES, code="XX", relationship=NO_MAP),
        line(system=SITES, code="YY", concept="brain", relationship=BROADER, comment="More than the brain."),
    )
    overlays = tmp_path / "overlays"
    overlays.mkdir()
    (overlays / "all.csv").write_bytes(table(*rows))
    target = {"code": "12738006", "equivalence": "equivalent"}
    group = {"source": SITES, "target": SNOMED, "element": [{"code": "B", "target": [target]}]}
    documents = (
        {"resourceType": "ConceptMap", "url": f"{SITES}/map", "status": "active", "group": [group]},
        {"resourceType": "ValueSet", "url": f"{SITES}/set", "status": "active", "version": "1"}
        | {"compose": {"include": [{"system": SNOMED, "concept": [{"code": "12738006"}]}]}},
    )
    releases = Site(Shelf(tmp_path / "releases"))
    for number, document in enumerate(documents):
        file = tmp_path / f"{number}.json"
        file.write_text(json.dumps(document))
        releases.load(file)
    settings = Settings(
        database_url=f"sqlite:///{tmp_path / 'x.sqlite3'}",
        terminology_folder=str(releases.folder),
        overlays_folder=str(overlays),
    )
    return create_app(settings).test_client()


@pytest.mark.slow
@pytest.mark.oracle("fhir")
@pytest.mark.parametrize("release", Release)
def test_what_a_site_brings_is_accepted(
    release: Release, site: FlaskClient, tmp_path: Path, fhir_complaints: AskFhir
) -> None:
    answer = site.get("/fhir/ConceptMap").get_json()
    ids = [f"ConceptMap/{entry['resource']['id']}" for entry in answer["entry"]]
    mapped = [name for name in ids if "overlay" in name or "release" in name]
    assert len(mapped) == 2
    (listed,) = site.get(f"/fhir/ValueSet?url={SITES}/set").get_json()["entry"]
    sets = (f"ValueSet?url={SITES}/set", f"ValueSet/{listed['resource']['id']}", f"ValueSet/$expand?url={SITES}/set")
    files = _ask(site, (*mapped, "ConceptMap", *sets), release, tmp_path)
    codes = ("FL", "RM", "XX", "B")
    name = "code" if release is Release.R4 else "sourceCode"
    told = _ask(site, tuple(f"ConceptMap/$translate?system={SITES}&{name}={code}" for code in codes), release, tmp_path)

    found = [
        *fhir_complaints(files, release=release.name),
        *fhir_complaints(told, release=release.name, skip=["walk"]),
    ]

    assert [one for one in found if not (one.oracle == "pyfhircheck" and COUNTS_TOGETHER.search(one.message))] == []
