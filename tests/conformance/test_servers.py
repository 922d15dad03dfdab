"""Real servers take what is made of the examples and of generated reports, twice, and give back what they got."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from service.delivery.destination import Outcome, Outgoing
from service.delivery.opening import open_destination
from service.delivery.settings import Fhir
from service.pipeline import Format, Options, Source, convert
from tests.conformance.generated import SEED, Written, make, sample
from tests.conftest import Missing
from tests.oracles.complaint import NotInstalled
from tests.oracles.servers import Pacs, hapi_r5, post_twice

EXAMPLES = sorted((Path(__file__).parents[2] / "examples").glob("*.json"))
GENERATED = 12
TIMEOUT_S = 200
pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]


def _written() -> Iterator[tuple[str, Written]]:
    for path in EXAMPLES:
        yield path.stem, make(json.loads(path.read_text(encoding="utf-8")))
    for number, document in enumerate(sample(GENERATED)):
        yield f"seed {SEED}, {number}", make(document)


@pytest.mark.oracle("sekmet")
def test_a_fhir_server_takes_each_bundle_twice_with_the_same_ids(sekmet: str) -> None:
    wrong = [(name, line) for name, made in _written() for line in post_twice(sekmet, json.loads(made.fhir.content))]
    assert wrong == []


@pytest.mark.oracle("medplum server")
def test_medplum_takes_bundles_twice_with_the_same_ids(medplum: str) -> None:
    # It searches by looking at all it has, so it gets some: of each kind of example and of the generated ones.
    some = [one for number, one in enumerate(_written()) if number % 8 == 0]
    wrong = [(name, line) for name, made in some for line in post_twice(medplum, json.loads(made.fhir.content))]
    assert wrong == []


@pytest.mark.oracle("hapi r5 server")
@pytest.mark.parametrize("own_ids", [False, True])
def test_an_r5_server_takes_each_bundle_twice_and_has_it_as_it_was_written(missing: Missing, *, own_ids: bool) -> None:
    try:
        with hapi_r5(own_ids=own_ids) as url:
            settings = Fhir(name="ehr", url=url, takes="fhir-r5", bundle="single", update_as_create=not own_ids)
            made = open_destination(settings)
            for name, outgoing in _in_r5():
                kinds = ("Patient", "Observation", "BodyStructure", "ImagingSelection", "Provenance")
                counts = []
                for _ in range(2):
                    answer = made.send(outgoing)
                    assert answer.outcome is Outcome.STORED, (name, answer)
                    counts.append([_total(url, kind) for kind in kinds])
                assert counts[0] == counts[1], name
                assert made.verify(outgoing).outcome is Outcome.VERIFIED, name
    except NotInstalled as absent:
        missing.skip("hapi r5 server", str(absent))


def _total(url: str, kind: str) -> int:
    return int(requests.get(f"{url}/{kind}?_summary=count", timeout=TIMEOUT_S).json()["total"])


def _in_r5() -> Iterator[tuple[str, Outgoing]]:
    for path in EXAMPLES:
        made = convert(Source(path.read_bytes()), (Format.FHIR_R5,), Options()).outputs[Format.FHIR_R5]
        yield path.stem, Outgoing(path.stem, made.media_type, made.content, path.name)


def _part(content: bytes) -> tuple[bytes, dict[str, str]]:
    """One instance as STOW-RS wants it (PS3.18 10.5)."""
    boundary = "lesionbridge-boundary"
    body = b"--%b\r\nContent-Type: application/dicom\r\n\r\n%b\r\n--%b--\r\n" % (
        boundary.encode(),
        content,
        boundary.encode(),
    )
    return body, {"Content-Type": f'multipart/related; type="application/dicom"; boundary={boundary}'}


def _stored(pacs: Pacs, made: Written) -> bytes:
    """The instance as WADO-RS gives it back: the one part of the answer."""
    at = made.sr.reference
    place = f"{pacs.dicom_web}/studies/{at.study}/series/{at.series}/instances/{at.sop_instance}"
    accept = {"Accept": 'multipart/related; type="application/dicom"'}
    answer = requests.get(place, headers=accept, timeout=TIMEOUT_S)
    assert answer.status_code == 200, answer.text[:300]
    boundary = answer.headers["Content-Type"].partition("boundary=")[2].strip('"').partition(";")[0]
    part = answer.content.split(b"--" + boundary.encode())[1]
    return part.partition(b"\r\n\r\n")[2].removesuffix(b"\r\n")


@pytest.mark.oracle("orthanc")
def test_a_pacs_gives_back_the_bytes_that_it_took(pacs: Pacs) -> None:
    for name, made in _written():
        body, headers = _part(made.sr.content)
        for _ in range(2):
            answer = requests.post(f"{pacs.dicom_web}/studies", data=body, headers=headers, timeout=TIMEOUT_S)
            assert answer.status_code == 200, (name, answer.text[:300])
        assert _stored(pacs, made) == made.sr.content, name
