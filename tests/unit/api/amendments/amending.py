"""A report with two lesions, and how it is amended."""

import json
from typing import Any

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.findings import make_body, make_findings
from tests.unit.api.conftest import FINDINGS

LATER = "2026-03-03T08:00:00+01:00"
SECOND = {"id": "L2", "finding": "brain metastasis", "site": "parietal lobe", "measurements": {"long axis": "7.0 mm"}}
TWO = [*make_findings()["lesions"], SECOND]


def said(answer: TestResponse, status: int = 201) -> Any:
    """The JSON of an answer with this status."""
    assert answer.status_code == status, answer.text
    assert answer.json is not None
    return answer.json


def publish(client: FlaskClient, query: str = "", **changes: Any) -> str:
    """A report with two lesions; our id."""
    body = make_body(**{"lesions": TWO, **changes})
    found: str = said(client.post(f"/v1/reports{query}", data=body, headers=FINDINGS))["id"]
    return found


def amend(
    client: FlaskClient, version: str, query: str, headers: dict[str, str] = FINDINGS, **changes: Any
) -> TestResponse:
    """Amend it by the example, which has one lesion."""
    body = make_body(**{"report__issued": LATER, **changes})
    return client.post(f"/v1/reports/{version}/amend?{query}", data=body, headers=headers)


def resources(client: FlaskClient, version: str, kind: str) -> list[dict[str, Any]]:
    """The resources of a type in the bundle of a version."""
    bundle = json.loads(client.get(f"/v1/reports/{version}/fhir").data)
    return [one["resource"] for one in bundle["entry"] if one["resource"]["resourceType"] == kind]
