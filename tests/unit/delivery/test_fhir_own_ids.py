"""Servers that give out their own ids, name none, or take no batch."""

from __future__ import annotations

from pathlib import Path

import pytest

from service.delivery.destination import Outcome, Outgoing
from service.pipeline import Format, Options, Source, convert
from tests.contract.benches import bundle
from tests.unit.delivery.fhir_servers import (
    destination,
    find,
    refusing,
)


@pytest.mark.oracle("medplum server")
def test_a_server_that_gives_out_its_own_ids_is_served(medplum: str) -> None:
    outgoing = bundle(1)
    with refusing(medplum) as url:
        refused = destination(url, bundle="single").send(outgoing)
        assert (refused.outcome, "PUT" in refused.reason) == (Outcome.REFUSED, True), refused
        made = destination(url, update_as_create=False)
        counts = []
        for _ in range(2):
            answer = made.send(outgoing)
            assert answer.outcome is Outcome.STORED, answer
            counts.append(
                {kind: len(find(medplum, kind)) for kind in ("Patient", "Observation", "BodyStructure", "Provenance")}
            )
        assert counts[0] == counts[1]
        assert counts[0]["Provenance"] == counts[0]["BodyStructure"] == 1
        assert made.verify(outgoing).outcome is Outcome.VERIFIED


@pytest.mark.oracle("medplum server")
def test_each_provenance_of_a_report_stays_at_a_server_that_gives_out_its_own_ids(medplum: str) -> None:
    example = Path(__file__).parents[3] / "examples" / "bone-scan-ribs.json"
    made = convert(Source(example.read_bytes()), (Format.FHIR_R4,), Options()).outputs[Format.FHIR_R4]
    outgoing = Outgoing("delivery", made.media_type, made.content, "report.fhir.json")
    with refusing(medplum) as url:
        ehr = destination(url, update_as_create=False)
        for _ in range(2):
            assert ehr.send(outgoing).outcome is Outcome.STORED
            kinds = [one["agent"][0]["type"]["coding"][0]["code"] for one in find(medplum, "Provenance")]
            assert sorted(kinds) == ["author", "verifier"]
        assert ehr.verify(outgoing).outcome is Outcome.VERIFIED


@pytest.mark.oracle("medplum server")
@pytest.mark.parametrize(
    "issuer", ["", '"issuer": "NOT-IN-THE-TABLE", ', '"otherIds": [{"id": "P-2", "issuer": "HOSP"}], ']
)
def test_a_patient_whose_number_may_be_anothers_is_refused_there_with_what_to_do(medplum: str, issuer: str) -> None:
    example = Path(__file__).parents[3] / "examples" / "bone-scan-ribs.json"
    said = example.read_text().replace('"issuer": "HOSP", ', issuer)
    made = convert(Source(said.encode()), (Format.FHIR_R4,), Options()).outputs[Format.FHIR_R4]
    with refusing(medplum) as url:
        refused = destination(url, update_as_create=False).send(
            Outgoing("delivery", made.media_type, made.content, "report.fhir.json")
        )
        assert refused.outcome is Outcome.REFUSED
        assert "issuer that has a URI or an OID" in refused.reason
        assert find(medplum, "Patient") == []


@pytest.mark.oracle("medplum server")
def test_a_server_that_names_no_id_is_asked_for_it(medplum: str) -> None:
    outgoing = bundle(1)
    with refusing(medplum, tells=False) as url:
        ehr = destination(url, update_as_create=False)
        for _ in range(2):
            answer = ehr.send(outgoing)
            assert answer.outcome is Outcome.STORED, answer
        assert {kind: len(find(medplum, kind)) for kind in ("Patient", "BodyStructure", "Provenance")} == {
            "Patient": 1,
            "BodyStructure": 1,
            "Provenance": 1,
        }
        assert ehr.verify(outgoing).outcome is Outcome.VERIFIED


@pytest.mark.oracle("sekmet")
def test_the_ids_that_we_gave_out_need_no_answer_that_names_them(sekmet: str) -> None:
    outgoing = bundle(1)
    with refusing(sekmet, tells=False) as url:
        assert destination(sekmet).send(outgoing).outcome is Outcome.STORED  # from now on all are updates
        ehr = destination(url, bundle="single")
        answer = ehr.send(outgoing)
        assert answer.outcome is Outcome.STORED, answer
        assert ehr.verify(outgoing).outcome is Outcome.VERIFIED


@pytest.mark.oracle("sekmet")
def test_a_server_without_batches_is_asked_one_by_one(sekmet: str) -> None:
    outgoing = bundle(1)
    with refusing(sekmet, batches=False) as url:
        assert destination(sekmet).send(outgoing).outcome is Outcome.STORED
        assert destination(url).verify(outgoing).outcome is Outcome.VERIFIED
