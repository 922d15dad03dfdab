"""The Mirth channel: its script decides by the verdict as its README says, run by Node in the place of Mirth."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from flask.testing import FlaskClient
from lxml import etree

from service.access.keys import new_key
from service.app import create_app
from service.config import Settings
from service.store.access import KeptKey
from service.store.reports import Store
from tests.conftest import Missing
from tests.findings import make_body
from tests.oracles.complaint import NotInstalled, program

CHANNEL = etree.parse(str(Path(__file__).parents[3] / "plugins" / "mirth" / "lesionbridge-findings.xml"))
AROUND = """
const response = {getMessage: () => process.argv[1]}, SENT = 'SENT', ERROR = 'ERROR', QUEUED = 'QUEUED';
const sent = [], alerts = {sendAlert: text => sent.push(text)};
var responseStatus = '', responseStatusMessage = '', responseErrorMessage = '';
%s
console.log(JSON.stringify([responseStatus, responseErrorMessage, sent]));
"""
READ = """
const raw = Buffer.from(process.argv[1], 'hex'), type = process.argv[2];
const known = ['application/json', 'MLLP'].includes(type) || type.includes('charset=');
const message = raw.toString(known ? 'utf8' : 'latin1');  // as Mirth's HTTP Listener on Jetty 9.4 does
const sourceMap = new Map(type === 'MLLP' ? [] : [['headers', {getHeader: name => type || null}]]);
process.stdout.write(new Function('message', 'sourceMap', process.argv[3])(message, sourceMap));
"""


def node(missing: Missing, *arguments: str) -> str:
    """What a program of Node's writes."""
    try:
        tool = program("node")
    except NotInstalled as error:
        missing.skip("node", str(error))
        raise
    command = [str(tool), "-e", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=180, check=True, encoding="utf-8").stdout


def decided(body: str, missing: Missing) -> tuple[str, str, list[str]]:
    """What the response transformer makes of an answer: status, error, alerts."""
    script = AROUND % CHANNEL.findtext(".//responseTransformer//script")
    status, message, alerts = json.loads(node(missing, script, body))
    return status, message, alerts


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
    found, message, alerts = decided(answer.text, missing)
    assert found == status
    assert said in message
    assert alerts == ([message] if status == "ERROR" else [])


@pytest.mark.parametrize(
    "body", ["", "<html>Bad gateway</html>", "null", '{"verdict": "failed", "retryable": true}', "[]", "{}"]
)
def test_whatever_is_no_verdict_is_tried_again(missing: Missing, body: str) -> None:
    status, _, alerts = decided(body, missing)
    assert (status, alerts) == ("QUEUED", [])


def test_a_fault_of_the_service_that_this_message_would_meet_again_keeps_none_after_it_waiting(
    missing: Missing,
) -> None:
    told = {"verdict": "failed", "retryable": False, "rule": "internal", "pointer": "", "detail": "It failed."}
    assert decided(json.dumps(told), missing)[0] == "ERROR"


@pytest.mark.parametrize(
    ("scopes", "query", "said"),
    [
        ((), "", "credentials"),
        (("convert",), "", "scope"),
        (("report.write",), "&deliver=nowhere", "destination at ?deliver"),
    ],
)
def test_what_is_wrong_with_the_key_or_the_address_is_tried_again_until_it_is_mended(
    tmp_path: Path, missing: Missing, scopes: tuple[str, ...], query: str, said: str
) -> None:
    settings = Settings(database_url=f"sqlite:///{tmp_path / 'x.sqlite3'}", log_level="error", access="required")
    store, (key, identity, digest) = Store(settings.database_url), new_key()
    store.migrate()
    if scopes:
        store.keys.add(KeptKey(identity, "mirth", "", " ".join(scopes), digest, 0, 0, store.now()))
    url = urlsplit(str(CHANNEL.findtext(".//destinationConnectors//host")))
    answer = (
        create_app(settings)
        .test_client()
        .post(
            f"{url.path}?{url.query}{query}",
            data=make_body(),
            content_type="application/json",
            headers={"X-API-Key": key},
        )
    )
    status, message, alerts = decided(answer.text, missing)
    assert (status, alerts) == ("QUEUED", [])
    assert said in message
    # Else Mirth sends what waits to the old address with the old key.
    assert CHANNEL.findtext(".//destinationConnectorProperties/regenerateTemplate") == "true"


@pytest.mark.parametrize(
    "content_type",
    ["application/json", "application/json; charset=UTF-8", "application/vnd.lesionbridge.findings+json", "", "MLLP"],
)
def test_what_a_sender_says_beyond_ascii_stays_what_it_is_whatever_it_calls_its_json(
    missing: Missing, content_type: str
) -> None:
    body = '{"name": "M\u00fcller^J\u00fcrgen=\u5c71\u7530^\u592a\u90ce"}'
    script = str(CHANNEL.findtext("preprocessingScript"))
    assert node(missing, READ, body.encode().hex(), content_type, script) == body


def test_the_source_answers_as_one_with_a_queue_can() -> None:
    # SourceConnectorProperties.QUEUE_ON_RESPONSES of Mirth
    source = "sourceConnector/properties/sourceConnectorProperties"
    assert CHANNEL.findtext(f"{source}/respondAfterProcessing") == "false"
    assert CHANNEL.findtext(f"{source}/responseVariable") in ("None", "Auto-generate (Before processing)")


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
    for script in scripts:
        # Mirth runs each as the body of a function.
        assert node(missing, "new Function(process.argv[1])", str(script)) == ""
