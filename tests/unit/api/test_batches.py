"""/v1/batches: lines in, their outcomes out."""

import gzip
import io
import json
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text

from service.api import batch_schemas
from service.api.deployment import Deployment
from service.domain.limits import Limits
from service.store import batches as kept
from service.store.batches import Outcome
from service.workflows import taking
from service.workflows.batching import Asked, Clerk
from tests.findings import make_body

NDJSON = {"Content-Type": "application/x-ndjson"}


@pytest.fixture
def here(app: Flask) -> Deployment:
    """The deployment of the application."""
    made = app.extensions["lesionbridge"]
    assert isinstance(made, Deployment)
    return made


def lines(*names: str) -> bytes:
    """Reports, one a line."""
    return b"\n".join(make_body(report__id=name).replace(b"\n", b"") for name in names)


def work(here: Deployment) -> None:
    """What a worker does with the parts that are there."""
    from threading import Event

    from service.pipeline import Source
    from service.workflows.batching import Opening

    clerk = Clerk(here.store, here.destinations, lambda: Opening(Source(b"")), Event())
    while claimed := here.store.batches.claim(1):
        clerk.publish(claimed[0])


def rows(here: Deployment, table: str) -> int:
    """How many rows a table has."""
    with here.store._engine.connect() as connection:
        return int(connection.execute(text(f"SELECT count(*) FROM {table}")).scalar() or 0)


def test_a_batch_is_taken_worked_on_and_told(client: FlaskClient, here: Deployment) -> None:
    answer = client.post("/v1/batches", data=lines("a", "b") + b"\n\nnonsense\n" + lines("a"), headers=NDJSON)
    assert answer.status_code == 202
    where = answer.headers["Location"]
    assert (answer.json["state"], answer.json["total"], answer.json["done"]) == ("running", 4, 0)  # type: ignore[index]
    assert (answer.json["rate"], answer.json["leftSeconds"]) == (None, None)  # type: ignore[index]
    work(here)
    told = client.get(where).json
    assert told is not None
    assert [told[name] for name in ("state", "done", "kept", "known", "refused")] == ["done", 4, 2, 1, 1]
    assert [(one["line"], one["outcome"]) for one in told["lines"]] == [
        (1, "kept"),
        (2, "kept"),
        (4, "refused"),
        (5, "known"),
    ]
    receipt = client.get(f"/v1/reports/{told['lines'][1]['report']}").json
    assert receipt is not None
    assert receipt["report"]["id"] == "b"


def test_a_line_is_kept_as_if_it_came_alone(client: FlaskClient, here: Deployment) -> None:
    alone = client.post("/v1/reports", data=lines("a"), headers={"Content-Type": "application/json"})
    where = client.post("/v1/batches", data=lines("a"), headers=NDJSON).headers["Location"]
    work(here)
    told: Any = client.get(where).json
    assert told["known"] == 1
    assert told["lines"][0]["report"] == alone.json["id"]  # type: ignore[index]


def test_errors_are_listed_page_by_page(client: FlaskClient, here: Deployment) -> None:
    where = client.post("/v1/batches", data=b'{"a":1}\n' + lines("a") + b"\n{}\n[]", headers=NDJSON).headers["Location"]
    work(here)
    found, cursor = [], "0"
    while cursor:
        page: Any = client.get(f"{where}/errors?limit=1&cursor={cursor}").json
        found += page["errors"]
        cursor = page.get("next", "")
    assert {one["line"] for one in found} == {1, 3, 4}
    assert all({"pointer", "rule", "detail"} <= set(one) for one in found)


def test_lines_are_paged_in_their_order(client: FlaskClient, here: Deployment) -> None:
    where = client.post("/v1/batches", data=lines("a", "b", "c"), headers=NDJSON).headers["Location"]
    work(here)
    first: Any = client.get(f"{where}?limit=2").json
    rest: Any = client.get(f"{where}?limit=2&cursor={first['next']}").json
    assert [one["line"] for one in first["lines"] + rest["lines"]] == [1, 2, 3]
    assert "next" not in rest


def test_a_batch_is_cancelled(client: FlaskClient, here: Deployment) -> None:
    where = client.post("/v1/batches", data=lines("a"), headers=NDJSON).headers["Location"]
    answer: Any = client.post(f"{where}/cancel").json
    assert answer["state"] == "cancelled"
    work(here)
    assert rows(here, "versions") == 0
    done = client.post("/v1/batches", data=lines("a"), headers=NDJSON).headers["Location"]
    work(here)
    assert client.post(f"{done}/cancel").status_code == 409


@pytest.mark.parametrize("size", [1, 1000, 300_000])
def test_a_packed_batch_is_unpacked_as_it_comes(client: FlaskClient, here: Deployment, size: int) -> None:
    body = lines("a") + b"\n" + b" " * size + b"\n" + lines("b")
    answer = client.post("/v1/batches", data=gzip.compress(body), headers={**NDJSON, "Content-Encoding": "gzip"})
    assert answer.json["total"] == 2  # type: ignore[index]
    work(here)
    assert rows(here, "versions") == 2


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (b"", NDJSON, 422),
        (b"\n \n", NDJSON, 422),
        (b"{}", {"Content-Type": "application/json"}, 415),
        (b"{}", {**NDJSON, "Content-Encoding": "br"}, 415),
        # mtime=0: the bytes are part of the test's name, which must not change with the clock.
        (b"{}", {**NDJSON, "Content-Encoding": "gzip"}, 400),
        (gzip.compress(b"{}", mtime=0)[:-3], {**NDJSON, "Content-Encoding": "gzip"}, 400),
        (gzip.compress(b"{}", mtime=0) + b"x", {**NDJSON, "Content-Encoding": "gzip"}, 400),
    ],
)
def test_what_is_no_batch_is_refused_and_leaves_nothing(
    client: FlaskClient, here: Deployment, body: bytes, headers: dict[str, str], status: int
) -> None:
    assert client.post("/v1/batches", data=body, headers=headers).status_code == status
    assert rows(here, "batches") == 0
    assert rows(here, "batch_parts") == 0


@pytest.mark.parametrize("limits", [{"batch_bytes": 4_000}, {"batch_lines": 2}, {"body_bytes": 100}])
def test_a_batch_over_a_limit_is_refused_and_leaves_nothing(
    client: FlaskClient, here: Deployment, limits: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(taking, "PART_LINES", 1)
    here.settings = replace(here.settings, limits=Limits(**limits))
    body = lines("a", "b", "c", "d")
    for headers, sent in ((NDJSON, body), ({**NDJSON, "Content-Encoding": "gzip"}, gzip.compress(body))):
        answer = client.post("/v1/batches", data=sent, headers=headers)
        assert answer.status_code == 413
        assert f"limits.{next(iter(limits))}" in answer.json["detail"]  # type: ignore[index]
    assert rows(here, "batches") == 0


def test_a_body_that_ends_early_leaves_nothing(client: FlaskClient, here: Deployment) -> None:
    body = lines("a")
    environ = {"CONTENT_LENGTH": str(len(body) + 10), "wsgi.input": io.BytesIO(body)}
    assert client.post("/v1/batches", headers=NDJSON, environ_overrides=environ).status_code == 400
    assert rows(here, "batches") == 0


def test_a_batch_is_larger_than_a_document_may_be(client: FlaskClient, here: Deployment) -> None:
    here.settings = replace(here.settings, limits=Limits(body_bytes=4_000))
    client.application.config["MAX_CONTENT_LENGTH"] = 4_001
    body = lines(*(f"r{number}" for number in range(20)))
    assert len(body) > 5 * 4_000
    assert client.post("/v1/batches", data=body, headers=NDJSON).status_code == 202


def test_options_go_with_every_line(client: FlaskClient, here: Deployment) -> None:
    answer = client.post("/v1/batches?dialect=ohif&from=findings&check=full", data=lines("a"), headers=NDJSON)
    work(here)
    told: Any = client.get(answer.headers["Location"]).json
    receipt: Any = client.get(f"/v1/reports/{told['lines'][0]['report']}").json
    assert receipt["checks"]
    alone = client.post("/v1/reports", data=lines("a"), headers={"Content-Type": "application/json"})
    assert alone.status_code == 409  # the same report was kept with other options


@pytest.mark.parametrize("query", ["deliver=nowhere", "dry-run=true", "mapping=x", "nonsense=1"])
def test_a_wrong_wish_is_refused_before_anything_is_kept(client: FlaskClient, here: Deployment, query: str) -> None:
    assert client.post(f"/v1/batches?{query}", data=lines("a"), headers=NDJSON).status_code == 422
    assert rows(here, "batches") == 0


def test_an_unknown_batch_is_not_found(client: FlaskClient) -> None:
    here = "/v1/batches/00000000-0000-4000-8000-000000000000"
    for answer in (client.get(here), client.get(f"{here}/errors"), client.post(f"{here}/cancel")):
        assert answer.status_code == 404


def test_the_words_of_the_answers_are_those_of_the_store() -> None:
    assert batch_schemas.STATES == kept.STATES
    assert batch_schemas.OUTCOMES == kept.OUTCOMES


def test_what_is_asked_of_a_batch_survives_being_kept(client: FlaskClient, here: Deployment) -> None:
    where = client.post("/v1/batches?bundle=document&validate=fhir", data=lines("a"), headers=NDJSON).headers[
        "Location"
    ]
    asked = Asked.of(here.store.batches.get(where.rpartition("/")[2]).asked)
    assert (asked.options.bundle, asked.validate) == ("document", True)
    assert Asked.of(json.loads(json.dumps(asked.row()))) == asked


def test_candidates_of_a_refusal_are_told(client: FlaskClient, here: Deployment) -> None:
    body = make_body(study__modality="XY").replace(b"\n", b"")
    where = client.post("/v1/batches", data=body, headers=NDJSON).headers["Location"]
    work(here)
    [told] = here.store.batches.outcomes(where.rpartition("/")[2], limit=10)
    assert isinstance(told, Outcome)
    page: Any = client.get(f"{where}/errors").json
    assert page["errors"][0]["candidates"] == list(told.problems[0].candidates)
