"""What the tests of overlays and of unmapped terms send, and how they read what comes back."""

from typing import Any

import orjson
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.findings import make_findings
from tests.unit.api.conftest import FINDINGS
from tests.unit.coding.overlays.lines import line, table

CSV = {"Content-Type": "text/csv"}
WORD = "Stirnlappen"
SITE = line(field="site", term=WORD, concept="frontal-lobe")
SENDER = "local"


def publish(client: FlaskClient, report: str = "R1", word: str = WORD, **changes: Any) -> TestResponse:
    """Publish a report whose first site is a word of the sender's."""
    document = make_findings(**changes)
    document["report"]["id"] = report
    document["lesions"][0]["site"] = word
    return client.post("/v1/reports?check=full", data=orjson.dumps(document), headers=FINDINGS)


def body(response: TestResponse) -> dict[str, Any]:
    """The JSON of an answer."""
    made = response.json
    assert isinstance(made, dict), response.text
    return made


def site(response: TestResponse) -> dict[str, Any] | None:
    """How a receipt says the site was coded."""
    found = [item for item in body(response)["coded"] if item["pointer"] == "/lesions/0/site"]
    return found[0] if found else None


def put(client: FlaskClient, *lines: str, sender: str = SENDER, query: str = "") -> TestResponse:
    """Upload an overlay."""
    return client.put(f"/v1/overlays/{sender}{query}", data=table(*lines), headers=CSV)
