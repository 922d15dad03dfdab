"""LesionBridge in Orthanc: the SRs of a stable study go to the service, receipts and new SRs come back into the study.

For Orthanc 1.10.1 or later with its Python plugin; standard library only. README.md tells how it is set up.

The plugin follows Orthanc's own log of changes and remembers in Orthanc's database how far it came. So a study that
became stable while the service was away, or before Orthanc was restarted, is not forgotten, nor is one that was not yet
stable when Orthanc was stopped. The service answers the same SR with the same receipt, so a study that is seen twice
changes nothing.
"""

from __future__ import annotations

import http.client
import json
import ssl
import threading
import urllib.error
import urllib.parse
import urllib.request
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import orthanc

SR_CLASSES = {
    "1.2.840.10008.5.1.4.1.1.88.11",  # Basic Text SR
    "1.2.840.10008.5.1.4.1.1.88.22",  # Enhanced SR
    "1.2.840.10008.5.1.4.1.1.88.33",  # Comprehensive SR
    "1.2.840.10008.5.1.4.1.1.88.34",  # Comprehensive 3D SR
    "1.2.840.10008.5.1.4.1.1.88.35",  # Extensible SR
}
MARK = "4210"  # metadata of an instance: what became of it
RECEIPT = "4211"  # attachment of an instance: the receipt, or why it was refused
PROGRESS = 4212  # global property: the last change that was dealt with
UNFINISHED = 4213  # global property: studies that were not stable when Orthanc was stopped, until they are dealt with
MADE = "made by LesionBridge"
FAILED = "failed: "
NOT_FOLLOWED = "Orthanc's changes can't be followed"
DEFAULTS: dict[str, Any] = {
    "Url": "http://127.0.0.1:8080",
    "TokenFile": "",
    "CaFile": "",
    "TimeoutS": 60,
    "Deliver": [],
    "Manufacturers": [],
    "Dialect": "",
    "FirstPauseS": 2.0,
    "LongestPauseS": 300.0,
    "Attempts": 0,
    "History": False,
}
MOST_BYTES = 64 * 1024 * 1024
TOO_LARGE = 413
FAULT = 500
PAGE = 1000  # changes that are asked for at once, backwards


class Away(Exception):
    """The service gave no verdict on the document: the study is tried again."""


class Reply(NamedTuple):
    """Status, headers and body of an answer of the service."""

    status: int
    headers: Any
    body: bytes


class Service:
    """The REST interface of LesionBridge."""

    def __init__(self, settings: dict[str, Any]) -> None:
        """Take the settings; nothing is connected yet."""
        self._url = settings["Url"].rstrip("/")
        if urllib.parse.urlsplit(self._url).scheme not in ("http", "https"):
            raise ValueError("LesionBridge.Url is http(s)://host")
        self._timeout_s = settings["TimeoutS"]
        self._token_file = settings["TokenFile"]
        self._deliver = ",".join(settings["Deliver"])
        handlers: list[Any] = [urllib.request.ProxyHandler({}), _NoRedirect()]
        if self._url.startswith("https:"):
            try:
                context = ssl.create_default_context(cafile=settings["CaFile"] or None)
            except OSError as error:
                raise ValueError("LesionBridge.CaFile is no file of certificates that can be read") from error
            handlers.append(urllib.request.HTTPSHandler(context=context))
        self._opener = urllib.request.build_opener(*handlers)

    def publish(self, content: bytes, media_type: str) -> Reply:
        """Hand a document in; the same one again has the same answer. Raises Away where there is no verdict on it."""
        query = "?" + urllib.parse.urlencode({"deliver": self._deliver}) if self._deliver else ""
        reply = self._ask("POST", "/v1/reports" + query, content, {"Content-Type": media_type})
        # A proxy or a portal between us answers with pages of its own. That a document is too large may be its word.
        verdict = "accepted" if reply.status in (200, 201, 202) else "failed" if reply.status == FAULT else "refused"
        if _json(reply.body).get("verdict") != verdict and reply.status != TOO_LARGE:
            raise Away(f"status {reply.status}, and no verdict of the service: is Url right, and what is in between?")
        return reply

    def convert(self, content: bytes, media_type: str, dialect: str) -> Reply:
        """A document as an SR of a dialect."""
        query = "?" + urllib.parse.urlencode({"dialect": dialect})
        headers = {"Content-Type": media_type, "Accept": "application/dicom"}
        return self._ask("POST", "/v1/convert" + query, content, headers)

    def sr(self, location: str) -> Reply:
        """The SR of a kept report."""
        return self._ask("GET", location + "/sr", None, {})

    def _ask(self, method: str, path: str, content: bytes | None, headers: dict[str, str]) -> Reply:
        """One request; raises Away where there is no verdict."""
        if self._token_file:
            try:
                token = Path(self._token_file).read_text().strip()
            except (OSError, ValueError) as error:
                raise Away(f"TokenFile can't be read ({type(error).__name__})") from error
            headers = {**headers, "Authorization": "Bearer " + token}
        request = urllib.request.Request(self._url + path, data=content, headers=headers, method=method)  # noqa: S310 - the scheme is held above
        try:
            with self._opener.open(request, timeout=self._timeout_s) as answer:
                reply = Reply(answer.status, answer.headers, answer.read(MOST_BYTES))
        except urllib.error.HTTPError as error:
            with error:
                reply = Reply(error.code, error.headers, _body(error))
        except (OSError, ValueError, http.client.HTTPException) as error:
            raise Away(f"the service does not answer ({type(error).__name__})") from error
        told = _json(reply.body)
        # A fault of the service's own, which the same document would meet again, must not keep all others waiting.
        failed = reply.status == FAULT and told.get("verdict") == "failed" and told.get("retryable") is False
        if (reply.status >= 500 and not failed) or reply.status in (401, 408, 429):
            raise Away(f"the service answers with status {reply.status}")
        # Refused is not the document but how this plugin is set up: its key, `Deliver`, `Dialect`.
        if told.get("rule") == "scope" or str(told.get("pointer", "")).startswith("?"):
            raise Away(
                "the service refuses the request: rule {rule} {pointer}".format(**{"rule": "", "pointer": "", **told})
            )
        return reply


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A report is sent nowhere but to the service."""

    def redirect_request(self, *_: Any) -> None:
        """Do not follow."""
        return


class Bridge:
    """What is done with studies; the same from the log of changes and from the REST routes."""

    def __init__(self, settings: dict[str, Any]) -> None:
        """Take the settings."""
        self.settings = settings
        self.service = Service(settings)

    def study(self, study: str) -> list[dict[str, str]]:
        """Hand in every SR of a study that was not yet, and say what became of each; raises Away."""
        told: list[dict[str, str] | None] = []
        for series in json.loads(orthanc.RestApiGet(f"/studies/{study}/series")):
            if series["MainDicomTags"].get("Modality") == "SR" and self._wanted(series["MainDicomTags"]):
                told.extend(self._instance(one) for one in series["Instances"])
        return [one for one in told if one is not None]

    def findings(self, content: bytes) -> tuple[int, dict[str, Any]]:
        """Hand in findings JSON; its SR is stored in Orthanc. The status and what to answer."""
        reply = self.service.publish(content, "application/json")
        told = _json(reply.body)
        location = reply.headers.get("Location")
        if reply.status in (200, 201, 202) and location:
            made = self.service.sr(str(location))
            if made.status == 200:
                told["orthanc"] = _kept(made.body)
        return reply.status, told

    def _wanted(self, tags: dict[str, str]) -> bool:
        names = self.settings["Manufacturers"]
        return not names or tags.get("Manufacturer", "") in names

    def _instance(self, instance: str) -> dict[str, str] | None:
        """Hand in one SR; None for what is none, or was made by us."""
        place = "/instances/" + instance
        marked = _text(f"{place}/metadata/{MARK}")
        if marked == MADE or _text(place + "/metadata/SopClassUid") not in SR_CLASSES:
            return None
        if marked and not marked.startswith(FAILED):
            return {"instance": instance, "state": marked}
        content = orthanc.RestApiGet(place + "/file")
        reply = self.service.publish(content, "application/dicom")
        orthanc.RestApiPut(f"{place}/attachments/{RECEIPT}", reply.body)
        if reply.status == FAULT:
            state = FAILED + str(_json(reply.body).get("instance", ""))
            orthanc.LogError(f"LesionBridge: the service failed at instance {instance}, which is left out: {state}")
        elif reply.status not in (200, 201, 202):
            state = "refused: {}".format(_json(reply.body).get("rule", reply.status))
        else:
            state = "accepted: {}".format(reply.headers.get("Location", ""))
            if self.settings["Dialect"]:
                self._again(content)
        orthanc.RestApiPut(f"{place}/metadata/{MARK}", state.encode())
        return {"instance": instance, "state": state}

    def _again(self, content: bytes) -> None:
        """Store the same report as an SR of the dialect that the viewer reads."""
        made = self.service.convert(content, "application/dicom", self.settings["Dialect"])
        if made.status == 200:
            _kept(made.body)
        else:
            orthanc.LogWarning(
                "LesionBridge: no SR of this dialect: {}".format(_json(made.body).get("rule", made.status))
            )


class Follower(threading.Thread):
    """Follows the log of changes, one study after the other."""

    def __init__(self, bridge: Bridge) -> None:
        """Begin where the last one stopped."""
        super().__init__(name="lesionbridge", daemon=True)
        self.bridge = bridge
        self.wake = threading.Event()
        self.over = threading.Event()
        self.done = 0
        self.problem = ""

    def run(self) -> None:
        """Until Orthanc stops."""
        begun = False
        while not self.over.is_set():
            self.wake.clear()
            try:
                begun = begun or self._begin()
                while not self.over.is_set() and self._some():
                    continue
                if self.problem == NOT_FOLLOWED:
                    self.problem = ""
            except Exception as error:  # noqa: BLE001 - whatever Orthanc's database has, what comes later is dealt with later
                self.problem = NOT_FOLLOWED
                orthanc.LogError(f"LesionBridge: {NOT_FOLLOWED}: {type(error).__name__}")
                self.over.wait(self.bridge.settings["LongestPauseS"])
                continue
            self.wake.wait(60)

    def stop(self) -> None:
        """End soon."""
        self.over.set()
        self.wake.set()

    def _begin(self) -> bool:
        """Go on where the last one stopped, first with what Orthanc itself has forgotten; True once that is done."""
        last = int(json.loads(orthanc.RestApiGet("/changes?last"))["Last"])  # the database is not open any sooner
        known = orthanc.GetGlobalProperty(PROGRESS, "")
        if not known:
            # What was here before the plugin goes nowhere unasked.
            known = "0" if self.bridge.settings["History"] else str(last)
            orthanc.SetGlobalProperty(PROGRESS, known)
        self.done = int(known)
        waiting = json.loads(orthanc.GetGlobalProperty(UNFINISHED, "") or "[]")
        waiting += [study for study in self._unfinished(last) if study not in waiting]
        orthanc.SetGlobalProperty(UNFINISHED, json.dumps(waiting))
        if not all(self._dealt_with(study) for study in waiting):
            return False
        orthanc.SetGlobalProperty(UNFINISHED, "[]")
        return True

    def _unfinished(self, last: int) -> list[str]:
        """Studies that had an instance shortly before Orthanc was stopped: it calls none of them stable any more."""
        changes: list[dict[str, Any]] = []
        while last > 0:
            since = max(0, last - PAGE)
            page = json.loads(orthanc.RestApiGet(f"/changes?since={since}&limit={PAGE}"))["Changes"]
            page = [one for one in page if one["Seq"] <= last]
            changes = page + changes
            if not page or _when(page[0]) < _when(changes[-1]) - timedelta(seconds=STABLE_AGE_S + 60):
                break
            last = since
        found: dict[str, None] = {}
        for change in changes:
            if change["ChangeType"] == "NewInstance":
                study = _text("/instances/{}/study".format(change["ID"]))
                if study:
                    found[json.loads(study)["ID"]] = None
            elif change["ChangeType"] == "StableStudy":
                found.pop(change["ID"], None)
        return list(found)

    def _some(self) -> bool:
        """Deal with the next changes; False where there are none."""
        told = json.loads(orthanc.RestApiGet(f"/changes?since={self.done}&limit=100"))
        for change in told["Changes"]:
            if change["ChangeType"] == "StableStudy" and not self._dealt_with(change["ID"]):
                return False
            self.done = change["Seq"]
        if told["Changes"]:
            orthanc.SetGlobalProperty(PROGRESS, str(self.done))
        return bool(told["Changes"])

    def _dealt_with(self, study: str) -> bool:
        """Try a study until there is a verdict; False where Orthanc stops before."""
        pause, attempt = self.bridge.settings["FirstPauseS"], 0
        while not self.over.is_set():
            attempt += 1
            try:
                self.bridge.study(study)
            except Away as away:
                self.problem = str(away)
                if 0 < self.bridge.settings["Attempts"] <= attempt:
                    orthanc.LogError(f"LesionBridge: study {study} given up: {away}")
                    return True
                orthanc.LogWarning(f"LesionBridge: {away}; tried again in {pause:.0f} s")
                self.over.wait(pause)
                pause = min(pause * 2, self.bridge.settings["LongestPauseS"])
            except Exception as error:  # noqa: BLE001 - one odd study must not stop all that come after it
                # A deleted study ends here too. The text of an exception may hold a patient: its class is said.
                self.problem = type(error).__name__
                orthanc.LogError(f"LesionBridge: study {study} left out: {type(error).__name__}")
                return True
            else:
                self.problem = ""
                return True
        return False


def _kept(content: bytes) -> str:
    """Store an SR of ours, marked, so that it is not handed in again; its id in Orthanc."""
    stored = json.loads(orthanc.RestApiPost("/instances", content))
    instance = str(stored["ID"])
    if not _text(f"/instances/{instance}/metadata/{MARK}"):
        orthanc.RestApiPut(f"/instances/{instance}/metadata/{MARK}", MADE.encode())
    return instance


def _when(change: dict[str, Any]) -> datetime:
    return datetime.strptime(change["Date"][:15], "%Y%m%dT%H%M%S")  # noqa: DTZ007 - compared with others of this Orthanc only


def _text(place: str) -> str:
    """What stands at a place of Orthanc's REST interface; empty where nothing does."""
    try:
        return bytes(orthanc.RestApiGet(place)).decode("utf-8", "replace")
    except orthanc.OrthancException:
        return ""


def _body(error: urllib.error.HTTPError) -> bytes:
    """The body of an answer without success, as far as it came."""
    try:
        return error.read(MOST_BYTES)
    except http.client.IncompleteRead as broken:
        return broken.partial
    except OSError:
        return b""


def _json(body: bytes) -> dict[str, Any]:
    try:
        told = json.loads(body)
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}


def _answer(output: Any, told: Any) -> None:
    output.AnswerBuffer(json.dumps(told, indent=1), "application/json")


def _fail(output: Any, status: int, told: Any) -> None:
    body = json.dumps(told)
    output.SendHttpStatus(status, body, len(body))


def on_status(output: Any, _: str, **request: Any) -> None:
    """GET /lesionbridge: how it goes."""
    if request["method"] != "GET":
        output.SendMethodNotAllowed("GET")
        return
    told = {"service": SETTINGS["Url"], "lastChange": FOLLOWER.done, "problem": FOLLOWER.problem}
    _answer(output, told)


def on_reports(output: Any, _: str, **request: Any) -> None:
    """POST /lesionbridge/reports: findings JSON goes to the service, its SR into Orthanc."""
    if request["method"] != "POST":
        output.SendMethodNotAllowed("POST")
        return
    try:
        status, told = BRIDGE.findings(request["body"])
    except Away as away:
        _fail(output, 503, {"problem": str(away)})
        return
    if status in (200, 201, 202):
        _answer(output, told)
    else:
        _fail(output, status, told)


def on_study(output: Any, _: str, **request: Any) -> None:
    """POST /lesionbridge/studies/ID: hand its SRs in now."""
    if request["method"] != "POST":
        output.SendMethodNotAllowed("POST")
        return
    try:
        _answer(output, BRIDGE.study(request["groups"][0]))
    except Away as away:
        _fail(output, 503, {"problem": str(away)})
    except orthanc.OrthancException:
        output.SendHttpStatusCode(404)


def on_change(change: int, _: int, __: str) -> None:
    """Wake the follower: Orthanc's own threads must not wait for the service."""
    if change == orthanc.ChangeType.ORTHANC_STARTED:
        FOLLOWER.start()
    elif change == orthanc.ChangeType.ORTHANC_STOPPED:
        FOLLOWER.stop()
    elif change == orthanc.ChangeType.STABLE_STUDY:
        FOLLOWER.wake.set()


def _settings(said: dict[str, Any]) -> dict[str, Any]:
    """The settings, each of the kind of its default; raises ValueError, which stops Orthanc."""
    unknown = sorted(set(said) - set(DEFAULTS))
    if unknown:
        raise ValueError("there is no such setting of LesionBridge: {}".format(", ".join(unknown)))
    for name, value in said.items():
        default = DEFAULTS[name]
        if isinstance(default, list):
            kind, good = "a list of texts", isinstance(value, list) and all(isinstance(one, str) for one in value)
        elif isinstance(default, str):
            kind, good = "a text", isinstance(value, str)
        elif isinstance(default, bool):
            kind, good = "true or false", isinstance(value, bool)
        elif default == 0:
            kind, good = "a whole number, or 0", type(value) is int and value >= 0
        else:
            kind, good = "a number of seconds above 0", type(value) in (int, float) and value > 0
        if not good:
            raise ValueError(f"LesionBridge.{name} is {kind}")
    return {**DEFAULTS, **said}


CONFIGURATION: dict[str, Any] = json.loads(orthanc.GetConfiguration())
STABLE_AGE_S = int(CONFIGURATION.get("StableAge", 60))
SETTINGS = _settings(CONFIGURATION.get("LesionBridge", {}))
BRIDGE = Bridge(SETTINGS)
FOLLOWER = Follower(BRIDGE)
orthanc.RegisterOnChangeCallback(on_change)
orthanc.RegisterRestCallback("/lesionbridge", on_status)
orthanc.RegisterRestCallback("/lesionbridge/reports", on_reports)
orthanc.RegisterRestCallback("/lesionbridge/studies/([0-9a-f-]+)", on_study)
