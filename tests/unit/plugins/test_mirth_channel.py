"""The Mirth channel: its script decides by the verdict as its README says, run by Node in the place of Mirth."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from flask.testing import FlaskClient
from lxml import etree

from service.app import create_app
from service.config import Settings
from service.store.reports import Store
from tests.conftest import Missing
from tests.findings import make_body
from tests.oracles.complaint import NotInstalled, program

CHANNEL = etree.parse(str(Path(__file__).parents[3] / "plugins" / "mirth" / "lesionbridge-findings.xml"))
AROUND = """
const response = {getMessage: () => process.argv[1]}, SENT = 'SENT', ERROR = 'ERROR', QUEUED = 'QUEUED';
var responseStatus = '', responseErrorMessage = '';
%s
console.log(JSON.stringify([responseStatus, responseErrorMessage]));
"""


def decided(body: str, missing: Missing) -> tuple[str, str]:
    """What the response transformer makes of an answer."""
    try:
        node = program("node")
    except NotInstalled as error:
        missing.skip("node", str(error))
        raise
    script = AROUND % CHANNEL.findtext(".//responseTransformer//script")
    done = subprocess.run([str(node), "-e", script, body], capture_output=True, text=True, timeout=30, check=True)
    status, message = json.loads(done.stdout)
    return status, message


@pytest.fixture
def client(tmp_path: Path) -> FlaskClient:
    settings = Settings(database_url=f"sqlite:///{tmp_path / 'x.sqlite3'}", log_level="error")
    Store(settings.database_url).migrate()
    return create_app(settings).test_client()


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        (make_body(), "SENT", ""),
        (make_body(patient=None), "ERROR", "required at /patient"),
        (b"{", "ERROR", "json"),
    ],
)
def test_what_the_service_answers_is_understood(
    client: FlaskClient, missing: Missing, body: bytes, status: str, said: str
) -> None:
    url = urlsplit(str(CHANNEL.findtext(".//destinationConnectors//host")))
    content_type = str(CHANNEL.findtext(".//destinationConnectors//contentType"))
    answer = client.post(f"{url.path}?{url.query}", data=body, content_type=content_type)
    assert answer.status_code == 200
    found, message = decided(answer.text, missing)
    assert found == status
    assert said in message


@pytest.mark.parametrize(
    "body", ["", "<html>Bad gateway</html>", "null", '{"verdict": "failed", "retryable": true}', "[]"]
)
def test_whatever_is_no_verdict_is_tried_again(missing: Missing, body: str) -> None:
    assert decided(body, missing) == ("QUEUED", "")


def test_what_is_tried_again_has_a_queue_and_the_channel_comes_stopped() -> None:
    assert CHANNEL.findtext(".//destinationConnectorProperties/queueEnabled") == "true"
    assert CHANNEL.findtext("properties/initialState") == "STOPPED"
    assert CHANNEL.findtext(".//listenerConnectorProperties/host") == "127.0.0.1"


def test_every_script_of_the_channel_can_be_read_as_javascript(missing: Missing) -> None:
    scripts = [
        one.text
        for name in ("script", "preprocessingScript", "postprocessingScript", "deployScript", "undeployScript")
        for one in CHANNEL.iter(name)
    ]
    assert len(scripts) == 5
    try:
        node = program("node")
    except NotInstalled as error:
        missing.skip("node", str(error))
        raise
    for script in scripts:
        # Mirth runs each as the body of a function.
        command = [str(node), "-e", "new Function(process.argv[1])", str(script)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
        assert done.returncode == 0, done.stderr
