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
from tests.certificates import Authority
from tests.conformance.generated import make
from tests.conftest import Missing
from tests.contract.benches import sr
from tests.faults import faulty, http
from tests.findings import make_findings
from tests.oracles import servers
from tests.oracles.complaint import NotInstalled

SCRIPT = Path(__file__).parents[2] / "plugins" / "orthanc" / "lesionbridge.py"
PLUGIN = Path("/usr/share/orthanc/plugins/libOrthancPython.so")
WAIT_S = 120
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
def pacs(
    port: int, missing: Missing, *, orthanc: dict[str, Any] | None = None, **settings: Any
) -> Iterator[servers.Pacs]:
    """Orthanc with the plugin, that becomes stable soon; `orthanc` is laid over its configuration."""
    if not PLUGIN.exists():
        missing.skip("orthanc-python", "its Python plugin is not installed")
    told = {
        "StableAge": 1,
        "Plugins": ["/usr/share/orthanc/plugins/libOrthancDicomWeb.so", str(PLUGIN)],
        "PythonScript": str(SCRIPT),
        "LesionBridge": {"Url": f"http://127.0.0.1:{port}", "FirstPauseS": 0.5, "LongestPauseS": 1, **settings},
        **(orthanc or {}),
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
    told = requests.post(f"{at.url}/instances", data=content, timeout=60).json()
    return str(told["ID"])


def kept_in(folder: Path) -> dict[str, Any]:
    """The configuration of an Orthanc whose database stays when it stops."""
    return {"StorageDirectory": str(folder), "IndexDirectory": str(folder)}


def changes(at: servers.Pacs) -> list[str]:
    """The kinds of changes that Orthanc has seen."""
    told = requests.get(f"{at.url}/changes?limit=1000", timeout=60).json()
    return [one["ChangeType"] for one in told["Changes"]]


def problem(at: servers.Pacs) -> str:
    """What the plugin says is wrong."""
    return str(requests.get(f"{at.url}/lesionbridge", timeout=60).json()["problem"])


def refusal(status: int, **told: Any) -> bytes:
    """An answer without success, of the service itself."""
    body = {"verdict": "refused", "retryable": False, "pointer": "", **told}
    return http(f"{status} No", json.dumps(body).encode())


def mark(at: servers.Pacs, instance: str) -> str:
    """What the plugin wrote at an instance."""
    answer = requests.get(f"{at.url}/instances/{instance}/metadata/4210", timeout=60)
    return answer.text if answer.ok else ""


def instances(at: servers.Pacs) -> list[str]:
    found: list[str] = requests.get(f"{at.url}/instances", timeout=60).json()
    return found


def test_the_sr_of_a_stable_study_goes_to_the_service_and_its_receipt_comes_back(
    tmp_path: Path, missing: Missing
) -> None:
    port = servers.free_port()
    with service(tmp_path, port) as store, pacs(port, missing) as at:
        instance = stored(at, sr(1).content)
        state = until(lambda: mark(at, instance))
        assert state.startswith("accepted: /v1/reports/")
        receipt = requests.get(f"{at.url}/instances/{instance}/attachments/4211/data", timeout=60).json()
        reference = sr(1).sr
        assert reference is not None
        assert receipt["sr"]["sopInstance"] == reference.sop_instance
        assert [one.sr.sop_instance for one in store.search({}, limit=10)] == [reference.sop_instance]
        # again by hand: nothing new
        study = requests.get(f"{at.url}/instances/{instance}/study", timeout=60).json()["ID"]
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
        made = dcmread(BytesIO(requests.get(f"{at.url}/instances/{other}/file", timeout=60).content))
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
        made = dcmread(BytesIO(requests.get(f"{at.url}/instances/{told.json()['orthanc']}/file", timeout=60).content))
        assert made.SOPInstanceUID == told.json()["sr"]["sopInstance"]
        refused = requests.post(route, data=json.dumps({}), timeout=60)
        assert refused.status_code == 422
        assert requests.get(route, timeout=60).status_code == 405


def test_what_becomes_stable_while_the_service_is_away_is_handed_in_later(tmp_path: Path, missing: Missing) -> None:
    port = servers.free_port()
    with pacs(port, missing) as at:
        instance = stored(at, sr(1).content)
        until(lambda: problem(at))
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
            refusal(401, rule="credentials"),
            refusal(403, rule="scope"),
            refusal(422, rule="destination", pointer="?deliver"),
        ]
        portal.answer = http("201 Created", receipt, Location="/v1/reports/R")
        instance = stored(at, sr(1).content)
        assert "TokenFile" in until(lambda: problem(at))
        token.write_text("T")
        assert until(lambda: mark(at, instance)) == "accepted: /v1/reports/R"
        assert len(portal.asked) == 9
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
        why = requests.get(f"{at.url}/instances/{instance}/attachments/4211/data", timeout=60).json()
        assert why["verdict"] == "refused"
        good = stored(at, sr(2).content)
        assert until(lambda: mark(at, good)).startswith("accepted: ")


def test_where_the_service_fails_at_one_sr_those_after_it_do_not_wait(tmp_path: Path, missing: Missing) -> None:
    with faulty() as faults, pacs(faults.port, missing) as at:
        faults.answers = [refusal(500, verdict="failed", instance="urn:lesionbridge:request:1")]
        faults.answer = http("201 Created", b'{"verdict": "accepted"}', Location="/v1/reports/R")
        first = stored(at, sr(1).content)
        assert until(lambda: mark(at, first)) == "failed: urn:lesionbridge:request:1"
        second = stored(at, sr(2).content)  # of the same study: it is stable once more, and the first is tried again
        assert until(lambda: mark(at, second)) == "accepted: /v1/reports/R"
        assert until(lambda: mark(at, first).startswith("accepted"))


def test_a_study_that_was_not_stable_when_orthanc_stopped_is_handed_in_by_the_next_one(
    tmp_path: Path, missing: Missing
) -> None:
    port, here = servers.free_port(), kept_in(tmp_path / "orthanc")
    with pacs(port, missing, orthanc={**here, "StableAge": 60}) as at:
        instance = stored(at, sr(1).content)
    with pacs(port, missing, orthanc=here) as at:  # the service is away, and Orthanc stopped once more
        until(lambda: problem(at))
        assert "StableStudy" not in changes(at)
    with service(tmp_path, port) as store, pacs(port, missing, orthanc=here) as at:
        assert until(lambda: mark(at, instance)).startswith("accepted: ")
        assert len(store.search({}, limit=10)) == 1


@pytest.mark.parametrize("history", [True, False])
def test_what_orthanc_had_before_the_plugin_goes_nowhere_unless_it_is_asked_for(
    tmp_path: Path, missing: Missing, history: bool
) -> None:
    port, here = servers.free_port(), kept_in(tmp_path / "orthanc")
    with pacs(port, missing, orthanc={**here, "Plugins": []}) as at:
        old = stored(at, sr(1).content)
        until(lambda: "StableStudy" in changes(at))
    with service(tmp_path, port), pacs(port, missing, orthanc=here, History=history) as at:
        elsewhere = make(make_findings(report__id="R-2", study__uid="1.2.3.4.5.6.7")).sr.content
        new = stored(at, elsewhere)
        assert until(lambda: mark(at, new)).startswith("accepted: ")
        assert bool(mark(at, old)) is history


def test_an_sr_of_ours_that_is_delivered_into_orthanc_is_the_report_that_it_was(
    tmp_path: Path, missing: Missing
) -> None:
    port = servers.free_port()
    with service(tmp_path, port) as store, pacs(port, missing) as at:
        made = requests.post(f"http://127.0.0.1:{port}/v1/reports", json=make_findings(), timeout=60)
        (report,) = store.search({}, limit=10)
        content = requests.get(f"http://127.0.0.1:{port}{made.headers['Location']}/sr", timeout=60).content
        instance = stored(at, content)
        assert until(lambda: mark(at, instance)) == f"accepted: {made.headers['Location']}"
        assert store.search({}, limit=10) == (report,)


def test_over_tls_the_plugin_believes_whom_its_authority_vouches_for_and_nobody_else(
    tmp_path: Path, missing: Missing
) -> None:
    authority = Authority(tmp_path)
    with ExitStack() as stack:
        good, named_otherwise = (
            stack.enter_context(faulty(authority.identity(name, name).server())) for name in ("127.0.0.1", "10.0.0.1")
        )
        for server in (good, named_otherwise):
            server.answer = http("201 Created", b'{"verdict": "accepted"}', Location="/v1/reports/R")
        for server, ca_file in ((named_otherwise, str(authority.certificate)), (good, "")):
            url = f"https://127.0.0.1:{server.port}"
            with pacs(server.port, missing, Url=url, CaFile=ca_file) as at:
                stored(at, sr(1).content)
                assert until(lambda: problem(at)).startswith("the service does not answer")
                assert server.asked == []
        with pacs(good.port, missing, Url=f"https://127.0.0.1:{good.port}", CaFile=str(authority.certificate)) as at:
            instance = stored(at, sr(1).content)
            assert until(lambda: mark(at, instance)) == "accepted: /v1/reports/R"
