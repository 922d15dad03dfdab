"""FHIR clients that others made ask the service: fhirpy, and fhirclient, whose classes hold what they read."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from fhirclient.client import FHIRClient
from fhirclient.models import bundle, capabilitystatement, codesystem, conceptmap, terminologycapabilities, valueset
from fhirclient.models.parameters import Parameters
from fhirpy import SyncFHIRClient
from fhirpy.base.exceptions import OperationOutcome, ResourceNotFound
from werkzeug.serving import make_server

from benchmarks import generated_rf2
from service.app import create_app
from service.coding import vocabulary
from service.coding.releases.shelf import Shelf
from service.config import Settings
from service.domain.codes import LOCAL_SCHEME
from tests.releases import SHAPE, Generated, Site

SNOMED = "http://snomed.info/sct"
LOCAL = vocabulary().systems[LOCAL_SCHEME].uri
BRAIN = "12738006"


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The service over HTTP, with its tables only."""
    folder = tmp_path_factory.mktemp("clients")
    yield from _serving(Settings(database_url=f"sqlite:///{folder / 'x.sqlite3'}", terminology_folder=str(folder)))


@pytest.fixture
def rf2(tmp_path: Path) -> Generated:
    """A generated SNOMED CT."""
    path = tmp_path / "SnomedCT_GeneratedRF2.zip"
    return Generated(path, generated_rf2.write(path, SHAPE))


@pytest.fixture
def loaded_url(rf2: Generated, tmp_path: Path) -> Iterator[str]:
    """The service over HTTP, with it in use."""
    folder = tmp_path / "site"
    Site(Shelf(folder)).load(rf2.path)
    settings = Settings(database_url=f"sqlite:///{tmp_path / 'x.sqlite3'}", terminology_folder=str(folder))
    yield from _serving(settings)


def _serving(settings: Settings) -> Iterator[str]:
    server = make_server("127.0.0.1", 0, create_app(settings), threaded=True)
    thread = Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/fhir"
    server.shutdown()
    thread.join()


def _values(parameters: Any, name: str) -> list[Any]:
    """The values of the parameters of a name."""
    return [
        next(value for key, value in one.items() if key.startswith("value"))
        for one in parameters["parameter"]
        if one["name"] == name
    ]


@pytest.fixture
def fhirpy(url: str) -> SyncFHIRClient:
    return SyncFHIRClient(url)


@pytest.fixture
def fhirclient(url: str) -> FHIRClient:
    return FHIRClient(settings={"app_id": "lesionbridge-test", "api_base": url})


def test_fhirpy_looks_up_a_code(fhirpy: SyncFHIRClient) -> None:
    found = fhirpy.execute("CodeSystem/$lookup", method="get", params={"system": LOCAL, "code": "brain"})
    assert _values(found, "display") == ["brain"]


@pytest.mark.parametrize("method", ["get", "post"])
def test_fhirpy_validates_a_code(fhirpy: SyncFHIRClient, method: str) -> None:
    asked = {"url": LOCAL, "code": "brain", "display": "brain"}
    listed = [{"name": "url", "valueUri": LOCAL}, {"name": "code", "valueCode": "brain"}]
    body = {"resourceType": "Parameters", "parameter": [*listed, {"name": "display", "valueString": "brain"}]}
    said: dict[str, Any] = {"params": asked} if method == "get" else {"data": body}
    found = fhirpy.execute("CodeSystem/$validate-code", method=method, **said)
    assert _values(found, "result") == [True]


def test_fhirpy_reads_expands_and_searches_value_sets(fhirpy: SyncFHIRClient) -> None:
    (sites,) = fhirpy.resources("ValueSet").search(_id="sites").fetch()
    assert sites["id"] == "sites"
    whole = fhirpy.reference("ValueSet", "sites").to_resource()
    assert whole["compose"]["include"]
    found = fhirpy.execute("ValueSet/sites/$expand", method="get", params={"filter": "frontal", "count": 5})
    assert 0 < len(found["expansion"]["contains"]) <= 5


def test_fhirpy_translates_both_ways(fhirpy: SyncFHIRClient) -> None:
    asked = {"system": LOCAL, "code": "brain", "targetsystem": SNOMED}
    there = fhirpy.execute("ConceptMap/$translate", method="get", params=asked)
    assert BRAIN in json.dumps(there)
    back = {"system": SNOMED, "code": BRAIN, "targetsystem": LOCAL, "reverse": "true"}
    assert '"brain"' in json.dumps(fhirpy.execute("ConceptMap/$translate", method="get", params=back))


def test_fhirpy_understands_what_is_not_there(fhirpy: SyncFHIRClient) -> None:
    with pytest.raises(ResourceNotFound):
        fhirpy.execute("CodeSystem/$lookup", method="get", params={"system": LOCAL, "code": "no-such-concept"})
    with pytest.raises(OperationOutcome, match="system"):
        fhirpy.execute("CodeSystem/$lookup", method="get", params={"code": "brain"})


def test_fhirclient_reads_what_the_server_can_do(fhirclient: FHIRClient) -> None:
    assert fhirclient.prepare()
    stated = fhirclient.server.capabilityStatement
    assert isinstance(stated, capabilitystatement.CapabilityStatement)
    assert stated.fhirVersion == "4.0.1"
    offered = {(of.type, one.name) for of in stated.rest[0].resource for one in of.operation or ()}
    assert {("CodeSystem", "lookup"), ("ValueSet", "expand"), ("ConceptMap", "translate")} <= offered
    told = fhirclient.server.request_json("metadata?mode=terminology")
    assert terminologycapabilities.TerminologyCapabilities(told).codeSystem


def test_fhirclient_holds_every_resource_that_is_listed(fhirclient: FHIRClient) -> None:
    kinds = {
        "CodeSystem": codesystem.CodeSystem,
        "ValueSet": valueset.ValueSet,
        "ConceptMap": conceptmap.ConceptMap,
    }
    for name, kind in kinds.items():
        listed = bundle.Bundle(fhirclient.server.request_json(name))
        assert listed.entry
        for entry in listed.entry:
            read = kind.read(entry.resource.id, fhirclient.server)
            assert (read.url, read.id) == (entry.resource.url, entry.resource.id)


@pytest.mark.parametrize(
    "question",
    [
        f"CodeSystem/$lookup?system={LOCAL}&code=brain",
        f"CodeSystem/$validate-code?url={LOCAL}&code=brain&display=liver",
        f"CodeSystem/$subsumes?system={LOCAL}&codeA=brain&codeB=brain",
        f"ValueSet/sites/$validate-code?system={LOCAL}&code=brain",
        f"ConceptMap/$translate?system={SNOMED}&code={BRAIN}&reverse=true",
    ],
)
def test_fhirclient_holds_every_answer(fhirclient: FHIRClient, question: str) -> None:
    answer = Parameters(fhirclient.server.request_json(question))
    assert answer.parameter
    assert answer.as_json()["resourceType"] == "Parameters"


def test_fhirclient_holds_an_expansion(fhirclient: FHIRClient) -> None:
    found = valueset.ValueSet(
        fhirclient.server.request_json("ValueSet/sites/$expand?count=30&includeDesignations=true")
    )
    assert len(found.expansion.contains) == 30
    assert found.expansion.total > 30
    assert any(one.designation for one in found.expansion.contains)


def test_fhirclient_sends_a_batch(fhirclient: FHIRClient) -> None:
    paths = [f"CodeSystem/$lookup?system={LOCAL}&code=brain", "ValueSet/none", "ValueSet/sites/$expand?count=1"]
    entries = [{"request": {"method": "GET", "url": path}} for path in paths]
    asked = bundle.Bundle({"resourceType": "Bundle", "type": "batch", "entry": entries})
    answer = bundle.Bundle(fhirclient.server.post_json("", asked.as_json()).json())
    assert [entry.response.status for entry in answer.entry] == ["200", "404", "200"]


def test_both_clients_ask_a_loaded_release(loaded_url: str, rf2: Generated) -> None:
    code = next(one for one, state in zip(rf2.made.codes[5:], rf2.made.active[5:], strict=True) if state)
    one = SyncFHIRClient(loaded_url)
    two = FHIRClient(settings={"app_id": "lesionbridge-test", "api_base": loaded_url})
    found = one.execute("CodeSystem/$lookup", method="get", params={"system": SNOMED, "code": code})
    assert _values(found, "display") == [rf2.made.names[rf2.made.codes.index(code)]]
    listed = two.server.request_json(f"ValueSet/$expand?url={SNOMED}?fhir_vs=isa/{code}&count=10")
    assert valueset.ValueSet(listed).expansion.total >= 1
    asked = {"system": SNOMED, "codeA": code, "codeB": code}
    assert _values(one.execute("CodeSystem/$subsumes", method="get", params=asked), "outcome") == ["equivalent"]
