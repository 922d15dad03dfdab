"""A next version that changes what none should is kept as its sender numbered it, and flagged."""

import json
from io import BytesIO
from typing import Any

import pytest
from pydicom import dcmread

from service.amendments import cancelled
from service.doors import Options
from service.pipeline import Source
from service.publishing import publish
from service.store.reports import Store
from tests.findings import make_body

ACCESSION = {"study__accession": "A900"}
AT = "2026-03-05T10:00:00+01:00"


def verified(at: str) -> dict[str, Any]:
    """Changes: issued on the 5th, and verified by a person."""
    return {"report__issued": AT, "observer": {"person": {"name": "Roe^Richard", "verifiedAt": at}}}


def flags(store: Store, *versions: dict[str, Any]) -> set[str]:
    """The rules about versions in the receipt of the last one."""
    content = b""
    for number, changes in enumerate(versions, 1):
        content = publish(Source(make_body(report__version=number, **changes)), Options(), store).content
    return {loss["rule"] for loss in json.loads(content)["losses"] if loss.get("rule", "").startswith("version-")}


@pytest.mark.parametrize(
    ("first", "second", "rules"),
    [
        ({}, {"report__status": "corrected"}, set()),
        ({"report__status": "preliminary"}, {}, set()),
        ({"report__status": "preliminary"}, {"report__status": "cancelled"}, set()),
        ({}, {"report__status": "preliminary"}, {"version-status"}),
        ({"report__status": "entered-in-error"}, {}, {"version-status"}),
        ({"report__status": "cancelled"}, {"report__status": "preliminary"}, {"version-status"}),
        ({}, {"report__issued": "2026-03-02T10:40:59+01:00"}, {"version-issued"}),
        ({}, {"study__uid": "1.2.3.99"}, {"version-study"}),
        ({}, ACCESSION, {"version-accession"}),
        ({}, verified("2026-03-05T09:00:00+01:00"), set()),
        ({}, verified("2026-03-02"), set()),
        ({}, verified("2026-03-02T10:40:59+01:00"), {"version-verified"}),
        ({}, verified("2026-03-01"), {"version-verified"}),
        ({"study__accession": None}, {}, {"version-accession"}),
    ],
)
def test_what_no_next_version_should_change_is_flagged(
    store: Store, first: dict[str, Any], second: dict[str, Any], rules: set[str]
) -> None:
    assert flags(store, first, second) == rules


def test_it_is_said_of_a_dry_run_and_again_where_it_is_coded_again(store: Store) -> None:
    publish(Source(make_body()), Options(), store)
    said = publish(Source(make_body(report__version=2, **ACCESSION)), Options(), store, dry_run=True).content
    assert b"version-accession" in said


def test_nobody_has_verified_that_a_report_is_withdrawn(store: Store) -> None:
    said = publish(Source(make_body(**verified(AT))), Options(), store)
    withdrawn = publish(cancelled(Source(b""), store.get(str(said.id)), store), Options(), store)
    flagged = {loss.get("rule") for loss in json.loads(withdrawn.content)["losses"]}
    assert "withdrawn-verified" in flagged
    assert "version-verified" not in flagged
    before, after = (dcmread(BytesIO(store.output(str(one.id), "sr").content)) for one in (said, withdrawn))
    assert (before.VerificationFlag, after.VerificationFlag) == ("VERIFIED", "UNVERIFIED")
    assert "VerifyingObserverSequence" not in after
    assert "Richard Roe" in store.output(str(withdrawn.id), "html").content.decode()
    bundle = store.output(str(withdrawn.id), "fhir").content
    assert b'"code":"verifier"' not in bundle.replace(b" ", b"")
    assert b'"code":"verifier"' in store.output(str(said.id), "fhir").content.replace(b" ", b"")
