"""The LDIF for dcm4chee: held to the archive's LDAP schema, and to what its STOW client sends."""

from __future__ import annotations

from pathlib import Path

import pytest
from flask.testing import FlaskClient

from service.app import create_app
from service.config import Settings
from service.pipeline import Format, Options, Source, convert
from service.store.reports import Store
from tests.findings import make_body

FILE = Path(__file__).parents[3] / "plugins" / "dcm4chee" / "lesionbridge.ldif"
SCHEMA: dict[str, tuple[set[str], set[str]]] = {
    "dcmQueue": (
        {"dcmQueueName"},
        {"dcmMaxRetries", "dcmRetryDelay", "dcmRetryOnWarning", "dcmPurgeQueueMessageCompletedDelay"},
    ),
    "dcmExporter": (
        {"dcmExporterID", "dcmURI", "dcmQueueName"},
        {"dcmExportPriority", "dicomDescription", "dicomAETitle", "dcmSchedule", "dcmProperty"},
    ),
    "dcmExportRule": (
        {"cn", "dcmEntity", "dcmExporterID"},
        {"dicomDeviceName", "dcmExportReoccurredInstances", "dcmProperty", "dcmSchedule", "dcmDuration"},
    ),
}
"""What an object class must and may have (of the latter those that matter here): dcm4chee-archive.schema of
dcm4che/dcm4chee-arc-light at 674a864, object classes 1.2.40.0.13.1.15.110.4.14, .15 and .16."""
ENTITIES = {"Patient", "Study", "Series", "Instance", "MPPS", "MWL"}
"""dcmEntity in the same schema."""
DEVICE = "dicomDeviceName=dcm4chee-arc,cn=Devices,cn=DICOM Configuration,dc=dcm4che,dc=org"
"""Where sample-export.ldif of the same sources has its exporter and its rule."""


def entries() -> list[dict[str, list[str]]]:
    """The entries of the file (RFC 2849), without its version line."""
    found = []
    for block in FILE.read_text(encoding="utf-8").split("\n\n"):
        lines = [line for line in block.splitlines() if line and not line.startswith(("#", "version:"))]
        made: dict[str, list[str]] = {}
        for line in lines:
            name, _, value = line.partition(": ")
            assert value, line
            made.setdefault(name, []).append(value)
        if made:
            found.append(made)
    return found


def test_every_entry_has_what_its_class_must_have_and_nothing_that_it_may_not() -> None:
    kinds = []
    for entry in entries():
        (kind,) = entry["objectClass"]
        must, may = SCHEMA[kind]
        said = entry.keys() - {"dn", "changetype", "objectClass"}
        assert must <= said <= must | may
        assert entry["changetype"] == ["add"]
        kinds.append(kind)
    assert kinds == ["dcmQueue", "dcmExporter", "dcmExportRule"]


def test_each_entry_is_named_by_its_own_attribute_below_the_device() -> None:
    for entry in entries():
        first, _, rest = entry["dn"][0].partition(",")
        name, _, value = first.partition("=")
        assert entry[name] == [value]
        assert rest == DEVICE


def test_the_rule_names_the_exporter_and_the_exporter_the_web_application_of_the_readme() -> None:
    _, exporter, rule = entries()
    assert rule["dcmExporterID"] == exporter["dcmExporterID"]
    assert rule["dcmEntity"][0] in ENTITIES
    assert exporter["dcmURI"] == ["stow:LESIONBRIDGE"]
    assert "web application named `LESIONBRIDGE`" in (FILE.parent / "README.md").read_text(encoding="utf-8")


def test_what_was_not_taken_is_tried_again_by_a_queue_that_the_file_brings_along() -> None:
    # StowExporter of the same sources: what failed is WARNING. TaskManagerEJB: that is retried on demand only, and a
    # queue has to be there. QueueDescriptor.getRetryDelayInSeconds: a multiplier of more than 100 % overflows.
    queue, exporter, _ = entries()
    assert exporter["dcmQueueName"] == queue["dcmQueueName"]
    assert queue["dcmRetryOnWarning"] == ["TRUE"]
    assert queue["dcmRetryDelay"] == ["PT5M"]
    assert int(queue["dcmMaxRetries"][0]) * 5 > 3 * 24 * 60
    assert "dcmRetryDelayMultiplier" not in queue


@pytest.fixture
def client(tmp_path: Path) -> FlaskClient:
    """A client of a service with nothing in it."""
    settings = Settings(database_url=f"sqlite:///{tmp_path / 'x.sqlite3'}", log_level="error")
    Store(settings.database_url).migrate()
    return create_app(settings).test_client()


def test_what_its_client_sends_is_taken(client: FlaskClient) -> None:
    # StowTaskImpl of the same sources: service URL and /studies, a part an object, its transfer syntax in the type.
    sr = convert(Source(make_body()), (Format.SR,), Options()).outputs[Format.SR].content
    part = b"--b0\r\nContent-Type: application/dicom;transfer-syntax=1.2.840.10008.1.2.1\r\n\r\n" + sr + b"\r\n"
    kind = 'multipart/related; type="application/dicom"; boundary=b0'
    answer = client.post("/dicom-web/studies", data=part + part + b"--b0--\r\n", content_type=kind)
    assert answer.status_code == 200, answer.text
