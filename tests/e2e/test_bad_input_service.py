"""Documents that nobody should send, through the service: refused at their place, nothing stored, nothing active."""

import io
import json
import os
import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from copy import deepcopy
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pydicom
import pytest
import requests
from flask.testing import FlaskClient
from sqlalchemy import create_engine, inspect, text
from werkzeug.test import TestResponse

from service.api.problems import MAX_LISTED
from service.app import create_app
from service.config import Settings
from tests.bad_input import huge
from tests.bad_input.case import Case
from tests.bad_input.cases import CASES
from tests.documents import FULL, Json, as_bytes, make_document
from tests.e2e.test_service import Service, serving

ROUTES = ("/v1/convert", "/v1/reports")
FINDINGS = {"Content-Type": "application/vnd.lesionbridge.findings+json"}
HTML, FHIR, DICOM = ({"Accept": kind} for kind in ("text/html", "application/fhir+json", "application/dicom"))
MEGABYTE = huge.MEGABYTE
MOST_S = 30.0


class Running:
    """The service in this process, with its database."""

    def __init__(self, folder: Path) -> None:
        """Make the tables."""
        url = f"sqlite:///{folder / 'bad.sqlite3'}"
        app = create_app(Settings(database_url=url, log_level="error"))
        app.extensions["lesionbridge"].store.migrate()
        self.client: FlaskClient = app.test_client()
        self._engine = create_engine(url)

    def rows(self) -> dict[str, int]:
        """How many rows each table has."""
        return _rows(self._engine)

    def post(self, route: str, body: bytes, **headers: str) -> TestResponse:
        """POST findings."""
        return self.client.post(route, data=body, headers={**FINDINGS, **headers})


def _rows(engine: Any) -> dict[str, int]:
    with engine.connect() as connection:
        # The audit trail has an event for each request, without any of its content (docs/access.md).
        names = sorted({*inspect(engine).get_table_names()} - {"audit"})
        return {name: connection.execute(text(f'SELECT count(*) FROM "{name}"')).scalar_one() for name in names}


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Running:
    """One service for all: nothing that is refused may change it."""
    made = Running(tmp_path_factory.mktemp("bad"))
    stored = make_document(lesions=[{"id": "L1", "finding": "x"}])
    stored["report"]["id"] = "the one that is stored"
    assert made.post("/v1/reports", as_bytes(stored)).status_code == 201
    assert {name for name, number in made.rows().items() if number} >= {"reports", "versions", "outputs"}
    return made


def _assert_refused(answer: Any, body: dict[str, Any], *statuses: int) -> None:
    assert answer.status_code in statuses, body
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert (body["status"], body["retryable"]) == (answer.status_code, False)
    assert (body["pointer"], body["rule"]) == (body["errors"][0]["pointer"], body["errors"][0]["rule"])


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_refuses_with_place_and_rule_and_stores_nothing(running: Running, case: Case, route: str) -> None:
    before = running.rows()

    answer = running.post(route, case.body)

    body = json.loads(answer.data)
    _assert_refused(answer, body, case.error.status)
    assert {(one["pointer"], one["rule"]) for one in body["errors"]} == set(list(case.expected)[:MAX_LISTED])
    assert running.rows() == before


TERMS_THAT_CANNOT_BE: dict[str, tuple[Json, tuple[str, str]]] = {
    "a side in the midline": (
        {"site": "third ventricle", "laterality": "left"},
        ("/lesions/0/laterality", "laterality-midline"),
    ),
    "a unit of the wrong kind": (
        {"measurements": {"long axis": "3 mm2"}},
        ("/lesions/0/measurements/long axis", "unit-kind"),
    ),
    "a size below zero": (
        {"measurements": {"long axis": "-3 mm"}},
        ("/lesions/0/measurements/long axis", "value-range"),
    ),
    "a side that is none": ({"laterality": "upside"}, ("/lesions/0/laterality", "unknown-term")),
    "a field that is none": ({"descriptors": {"colour": "red"}}, ("/lesions/0/descriptors/colour", "unknown-field")),
}


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("name", TERMS_THAT_CANNOT_BE)
def test_refuses_what_cannot_be_coded_and_stores_nothing(running: Running, name: str, route: str) -> None:
    members, expected = TERMS_THAT_CANNOT_BE[name]
    before = running.rows()

    answer = running.post(route, as_bytes(make_document(lesions=[{"id": "L1", "finding": "metastasis", **members}])))

    body = json.loads(answer.data)
    _assert_refused(answer, body, 422)
    assert expected in {(one["pointer"], one["rule"]) for one in body["errors"]}
    assert running.rows() == before


# Markup that closes what it may stand in, in each of the three languages, and an element that nobody has.
HOSTILE = "]]>--></td></div><zzz onload=1>&lt;b&gt;<script>\"'</script>"


def _codable() -> Json:
    """The document with every member, and the measurements that its shapes show."""
    document = deepcopy(FULL)
    shown = [{"concept": name, "value": "9", "unit": unit} for name, unit in (("short axis", "mm"), ("area", "mm2"))]
    document["lesions"][0]["measurements"] += shown
    return document


def _texts(value: Any, place: str = "") -> Iterator[tuple[Any, Any, str]]:
    """Every string of a document: its holder, its key and its pointer."""
    for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
        if isinstance(inner, str):
            yield value, key, f"{place}/{key}"
        elif isinstance(inner, dict | list):
            yield from _texts(inner, f"{place}/{key}")


PLACES = [place for _, _, place in _texts(_codable())]


def _with(place: str, said: str) -> bytes:
    document = _codable()
    holder, key = next((holder, key) for holder, key, here in _texts(document) if here == place)
    holder[key] = said
    return as_bytes(document)


class _Tags(HTMLParser):
    """The elements and attributes of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: set[str] = set()
        self.attributes: set[str] = set()
        self.other: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.add(tag)
        self.attributes |= {name for name, _ in attrs}

    def handle_pi(self, data: str) -> None:
        self.other.append(data)

    def handle_comment(self, data: str) -> None:
        self.other.append(data)


def _assert_inert(running: Running, body: bytes) -> bool:
    """Whether it was taken; what came of it holds the markup as text only."""
    page = running.post("/v1/convert", body, **HTML)
    if page.status_code != 200:
        _assert_refused(page, json.loads(page.data), 422)
        return False
    tags = _Tags(page.get_data(as_text=True))
    assert not tags.elements & {"zzz", "script"}
    assert not [name for name in tags.attributes if name.startswith("on")]
    assert not [said for said in tags.other if "zzz" in said]
    bundle = json.loads(running.post("/v1/convert", body, **FHIR).data)
    for entry in bundle["entry"]:
        if "text" in entry["resource"]:
            root = ET.fromstring(entry["resource"]["text"]["div"])
            assert not [one for one in root.iter() if "zzz" in str(one.tag) or "script" in str(one.tag)]
    document = running.post("/v1/convert", body, **DICOM)
    # One text is one value: no backslash of it makes two, nothing of it becomes an item.
    for element in pydicom.dcmread(io.BytesIO(document.data)).iterall():
        assert "zzz" not in str(element.keyword)
        if element.VR in ("UT", "LT", "ST", "LO", "UC") and "zzz" in str(element.value):
            assert HOSTILE in element.value or HOSTILE.startswith(element.value), element.keyword
    return True


def test_markup_in_any_text_comes_out_as_text(running: Running) -> None:
    """Every text member of the schema: the full document has each of them."""
    taken = [place for place in PLACES if _assert_inert(running, _with(place, HOSTILE))]
    for name in ("impression", "findings", "text", "description", "organization", "finding", "site", "label"):
        assert any(f"/{name}" in place for place in taken), name


@pytest.mark.parametrize(
    ("said", "rule"), [("\\ud800", "character"), ("\\u0007", "character"), ("\\u202e", "character")]
)
def test_no_text_takes_what_is_no_character(running: Running, said: str, rule: str) -> None:
    before = running.rows()
    for place in PLACES:
        body = _with(place, "@@@").replace(b"@@@", said.encode())
        answer = running.post("/v1/reports", body)
        problems = json.loads(answer.data)
        _assert_refused(answer, problems, 422)
        assert (place, rule) in {(one["pointer"], one["rule"]) for one in problems["errors"]}
    assert running.rows() == before


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Service, Path]]:
    """A process with the limits that it is shipped with, and its database."""
    folder = tmp_path_factory.mktemp("served")
    with serving(folder, limit_body_bytes=str(Settings().limits.body_bytes)) as service:
        assert service.post("/v1/reports", as_bytes(make_document(lesions=[{"id": "L", "finding": "x"}]))).ok
        yield service, folder / "e2e.sqlite3"


def _group(pid: int) -> Iterator[tuple[Path, str]]:
    """A process and those that it has begun, each with its status (proc(5))."""
    for status in Path("/proc").glob("[0-9]*/status"):
        try:
            told = status.read_text(encoding="utf-8")
        except (FileNotFoundError, ProcessLookupError):
            continue
        parent = re.search(r"^PPid:\s+(\d+)", told, re.MULTILINE)
        if status.parent.name == str(pid) or (parent is not None and parent[1] == str(pid)):
            yield status.parent, told


def _peak(pid: int) -> int:
    """The most memory that the processes of a group ever had, in bytes (VmHWM)."""
    highs = [re.search(r"^VmHWM:\s+(\d+) kB", told, re.MULTILINE) for _, told in _group(pid)]
    return max(int(high[1]) * 1024 if high is not None else 0 for high in highs)


def _seconds(pid: int) -> float:
    """The time of the processor that the processes of a group have had: the machine may be busy with others."""
    ticks = [(place / "stat").read_text().rpartition(")")[2].split()[11:13] for place, _ in _group(pid)]
    return sum(int(one) for two in ticks for one in two) / os.sysconf("SC_CLK_TCK")


def _pieces(body: bytes) -> Iterator[bytes]:
    for start in range(0, len(body), 65_536):
        yield body[start : start + 65_536]


@pytest.mark.slow
@pytest.mark.parametrize("route", ROUTES)
def test_what_is_huge_is_refused_in_bounded_time_and_memory(served: tuple[Service, Path], route: str) -> None:
    service, database = served
    engine = create_engine(f"sqlite:///{database}")
    before, memory = _rows(engine), _peak(service.process.pid)

    for one in huge.HUGE:
        body = one.make()
        for sent in (body, _pieces(body)):
            began = _seconds(service.process.pid)
            answer = requests.post(f"{service.address}{route}", data=sent, headers=FINDINGS, timeout=600)
            assert _seconds(service.process.pid) - began < MOST_S
            problems = answer.json()
            _assert_refused(answer, problems, one.error.status)
            assert (one.pointer, one.rule) in {(said["pointer"], said["rule"]) for said in problems["errors"]}, one.name

    assert _rows(engine) == before
    # A few copies of the largest body that is read at all (16 MB), whatever was sent.
    assert _peak(service.process.pid) - memory < 250 * MEGABYTE
    assert service.get("/health/ready").status_code == 200


@pytest.mark.slow
def test_the_largest_report_that_is_taken_stays_in_bounded_memory(served: tuple[Service, Path]) -> None:
    service, _ = served
    memory = _peak(service.process.pid)
    body = huge.lesions(Settings().limits.lesions)

    answer = requests.post(f"{service.address}/v1/convert", data=body, headers={**FINDINGS, **DICOM}, timeout=120)

    assert answer.status_code == 200
    assert len(pydicom.dcmread(io.BytesIO(answer.content)).ContentSequence)
    assert _peak(service.process.pid) - memory < 500 * MEGABYTE
