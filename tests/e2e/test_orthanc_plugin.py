"""The Orthanc plugin in a real Orthanc with a real service: SRs of a stable study go out, receipts come back."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
import requests
from pydicom import dcmread
from werkzeug.serving import make_server

from service.app import create_app
from service.config import Settings
from service.store.reports import Store
from tests.conftest import Missing
from tests.contract.benches import sr
from tests.faults import faulty, http
from tests.findings import make_findings
from tests.oracles import servers
from tests.oracles.complaint import NotInstalled

SCRIPT = Path(__file__).parents[2] / "plugins" / "orthanc" / "lesionbridge.py"
PLUGIN = Path("/usr/share/orthanc/plugins/libOrthancPython.so")
WAIT_S = 40
pytestmark = [pytest.mark.slow, pytest.mark.oracle("orthanc"), pytest.mark.timeout(300)]


@contextmanager
def service(folder: Path, port: int) -> Iterator[Store]:
    """LesionBridge on a port, and its store."""
    settings = Settings(database_url=f"sqlite:///{folder / 'bridge.sqlite3'}", log_level="error")
    store = Store(settings.database_url)
    store.migrate()
    server = make_server("127.0.0.1", port, create_app(settings), threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield store
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
        store.close()


@contextmanager
def pacs(port: int, missing: Missing, **settings: Any) -> Iterator[servers.Pacs]:
    """Orthanc with the plugin, that becomes stable soon."""
    if not PLUGIN.exists():
        missing.skip("orthanc-python", "its Python plugin is not installed")
    told = {
        "StableAge": 1,
        "Plugins": ["/usr/share/orthanc/plugins/libOrthancDicomWeb.so", str(PLUGIN)],
        "PythonScript": str(SCRIPT),
        "LesionBridge": {"Url": f"http://127.0.0.1:{port}", "FirstPauseS": 0.5, "LongestPauseS": 1, **settings},
    }
    with ExitStack() as stack:
        try:
            yield stack.enter_context(servers.orthanc(settings=told))
        except NotInstalled as error:
            missing.skip("orthanc", str(error))


def until(found: Callable[[], Any]) -> Any:
    """Wait for something to be there."""
    end = time.monotonic() + WAIT_S
    while time.monotonic() < end:
        value = found()
        if value:
            return value
        time.sleep(0.2)
    raise AssertionError("it did not come in time")


def stored(at: servers.Pacs, content: bytes) -> str:
    """Give an object to Orthanc; its id there."""
    told = requests.post(f"{at.url}/instances", data=content, timeout=20).json()
    return str(told["ID"])


def mark(at: servers.Pacs, instance: str) -> str:
    """What the plugin wrote at an instance."""
    answer = requests.get(f"{at.url}/instances/{instance}/metadata/4210", timeout=20)
    return answer.text if answer.ok else ""


def instances(at: servers.Pacs) -> list[str]:
    found: list[str] = requests.get(f"{at.url}/instances", timeout=20).json()
    return found


def test_the_sr_of_a_stable_study_goes_to_the_service_and_its_receipt_comes_back(
    tmp_path: Path, missing: Missing
) -> None:
    port = servers.free_port()
    with service(tmp_path, port) as store, pacs(port, missing) as at:
        instance = stored(at, sr(1).content)
        state = until(lambda: mark(at, instance))
        assert state.startswith("accepted: /v1/reports/")
        receipt = requests.get(f"{at.url}/instances/{instance}/attachments/4211/data", timeout=20).json()
        reference = sr(1).sr
        assert reference is not None
        assert receipt["sr"]["sopInstance"] == reference.sop_instance
        assert [one.sr.sop_instance for one in store.search({}, limit=10)] == [reference.sop_instance]
        # again by hand: nothing new
        study = requests.get(f"{at.url}/instances/{instance}/study", timeout=20).json()["ID"]
        answer = requests.post(f"{at.url}/lesionbridge/studies/{study}", data=b"", timeout=30)
        assert answer.json() == [{"instance": instance, "state": state}]
        assert len(store.search({}, limit=10)) == 1


def test_an_sr_of_the_viewers_dialect_comes_into_the_study_and_is_not_handed_in_again(
    tmp_path: Path, missing: Missing
) -> None:
    port = servers.free_port()
    with service(tmp_path, port) as store, pacs(port, missing, Dialect="ohif") as at:
        first = stored(at, sr(1).content)
        until(lambda: mark(at, first))
        (other,) = set(instances(at)) - {first}
        made = dcmread(BytesIO(requests.get(f"{at.url}/instances/{other}/file", timeout=20).content))
        assert made.StudyInstanceUID == dcmread(BytesIO(sr(1).content)).StudyInstanceUID
        assert mark(at, other) == "made by LesionBridge"
        time.sleep(3)  # the study is stable once more by now
        assert len(instances(at)) == 2
        assert len(store.search({}, limit=10)) == 1


def test_findings_posted_to_orthanc_become_an_sr_in_it(tmp_path: Path, missing: Missing) -> None:
    port = servers.free_port()
    with service(tmp_path, port), pacs(port, missing) as at:
        route = f"{at.url}/lesionbridge/reports"
        told = requests.post(route, data=json.dumps(make_findings()), timeout=60)
        assert told.status_code == 200, told.text
        made = dcmread(BytesIO(requests.get(f"{at.url}/instances/{told.json()['orthanc']}/file", timeout=20).content))
        assert made.SOPInstanceUID == told.json()["sr"]["sopInstance"]
        refused = requests.post(route, data=json.dumps({}), timeout=60)
        assert refused.status_code == 422
        assert requests.get(route, timeout=20).status_code == 405


def test_what_becomes_stable_while_the_service_is_away_is_handed_in_later(tmp_path: Path, missing: Missing) -> None:
    port = servers.free_port()
    with pacs(port, missing) as at:
        instance = stored(at, sr(1).content)
        until(lambda: requests.get(f"{at.url}/lesionbridge", timeout=20).json()["problem"])
        assert mark(at, instance) == ""
        with service(tmp_path, port) as store:
            assert until(lambda: mark(at, instance)).startswith("accepted")
            assert len(store.search({}, limit=10)) == 1


def test_what_is_no_verdict_of_the_service_leaves_a_study_waiting(tmp_path: Path, missing: Missing) -> None:
    token = tmp_path / "token"
    with faulty() as portal, pacs(portal.port, missing, TokenFile=str(token)) as at:
        receipt = b'{"verdict": "accepted"}'
        portal.answers = [
            http("200 OK", b"<html>please log in</html>"),
            http("302 Found", b"", Location="https://portal.example.org/"),
            http("404 Not Found", b"<html>nothing here</html>"),
            http("201 Created", receipt[:-4], Content_Length="1000"),  # it ends in the middle
            http("400 Bad Request", b'{"verd', Content_Length="1000"),
        ]
        portal.answer = http("201 Created", receipt, Location="/v1/reports/R")
        instance = stored(at, sr(1).content)
        problem = until(lambda: requests.get(f"{at.url}/lesionbridge", timeout=20).json()["problem"])
        assert "TokenFile" in problem
        token.write_text("T")
        assert until(lambda: mark(at, instance)) == "accepted: /v1/reports/R"
        assert len(portal.asked) == 6
        assert all(b"Authorization: Bearer T\r\n" in one for one in portal.asked)


def test_an_sr_that_is_refused_says_why_and_stops_nothing(tmp_path: Path, missing: Missing) -> None:
    port = servers.free_port()
    with service(tmp_path, port), pacs(port, missing) as at:
        broken = dcmread(BytesIO(sr(1).content))
        for keyword in ("ContentSequence", "ValueType", "ConceptNameCodeSequence"):
            delattr(broken, keyword)
        file = BytesIO()
        broken.save_as(file)
        instance = stored(at, file.getvalue())
        assert until(lambda: mark(at, instance)).startswith("refused: ")
        why = requests.get(f"{at.url}/instances/{instance}/attachments/4211/data", timeout=20).json()
        assert why["verdict"] == "refused"
        good = stored(at, sr(2).content)
        assert until(lambda: mark(at, good)).startswith("accepted: ")
