"""Versions of those who number none, and what a site adds to what they send."""

from __future__ import annotations

import pytest

from service.api.deployment import Deployment
from service.app import create_app
from service.domain.errors import Conflict
from service.pipeline import Format
from service.receiving.reception import Reception
from tests.unit.receiving.conftest import Deploy
from tests.unit.receiving.test_hl7 import FOREIGN

PRELIMINARY = (
    FOREIGN.replace("|F\rOBX", "|P\rOBX")
    .replace("One lesion", "Perhaps a lesion")
    .replace("20260302101500", "20260302101000")
)
FINAL = FOREIGN
CORRECTED = (
    FOREIGN.replace("|F\rOBX", "|C\rOBX")
    .replace("One lesion", "Two lesions")
    .replace("20260302101500", "20260302111500")
)


def take(here: Deployment, *messages: str) -> list[str]:
    """The id of the report's version for each message."""
    reception = Reception(here, "hl7")
    site = here.receiving.sites["north"]
    return [str(reception.take(one.encode(), Format.HL7V2, site).id) for one in messages]


def test_preliminary_becomes_final_becomes_corrected(here: Deployment) -> None:
    ids = take(here, PRELIMINARY, FINAL, CORRECTED)
    kept = here.store.versions(ids[0])
    assert [(one.id, one.version, one.status) for one in kept] == [
        (ids[0], 1, "preliminary"),
        (ids[1], 2, "final"),
        (ids[2], 3, "corrected"),
    ]
    assert here.store.output(ids[1], "sr").content.count(kept[0].sr.sop_instance.encode()) >= 1


def test_each_of_them_again_is_the_version_it_was(here: Deployment) -> None:
    first = take(here, PRELIMINARY, FINAL, CORRECTED)
    assert take(here, FINAL, CORRECTED, PRELIMINARY) == [first[1], first[2], first[0]]
    assert len(here.store.versions(first[0])) == 3


@pytest.mark.parametrize(
    "late",
    [
        PRELIMINARY,
        CORRECTED.replace("20260302111500", "20260302080000"),
        PRELIMINARY.replace("20260302101000", "20260302120000"),
    ],
)
def test_nothing_is_taken_back(here: Deployment, late: str) -> None:
    ids = take(here, FINAL)
    with pytest.raises(Conflict) as refused:
        take(here, late)
    assert refused.value.problems[0].rule == "status-order"
    assert len(here.store.versions(ids[0])) == 1


def test_a_site_says_zone_and_issuers_where_its_sender_does_not(deploy: Deploy) -> None:
    site = '[sites.south]\nzone = "America/New_York"\npatient_issuer = "1.2.3.4.5"\naccession_issuer = "1.2.3.4.6"\n'
    here = deploy(site)
    bare = FOREIGN.replace("P1^^^NORTH^MR", "P1").encode()
    sent = Reception(here, "hl7").take(bare, Format.HL7V2, here.receiving.sites["south"])
    [kept] = here.store.search({"patient_id": "P1", "patient_issuer": "1.2.3.4.5"}, limit=9)
    assert (kept.id, kept.sender, kept.issued[:16]) == (sent.id, "south", "2026-03-02T15:15")
    assert b"urn:oid:1.2.3.4.5" in here.store.output(kept.id, "fhir").content
    assert b"site-issuer" in kept.receipt


def test_what_is_made_anew_has_its_version_and_its_zone(deploy: Deploy) -> None:
    here = deploy()
    client = create_app(here.settings).test_client()
    ids = take(here, PRELIMINARY, FINAL)
    for release in ("4.0", "5.0"):
        accept = {"Accept": f"application/fhir+json; fhirVersion={release}"}
        made = client.get(f"/v1/reports/{ids[1]}/fhir", headers=accept).data
        assert b"2026-03-02T10:15:00+01:00" in made
    assert b"|2|" in client.get(f"/v1/reports/{ids[1]}/hl7v2").data
