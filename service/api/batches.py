"""/v1/batches: many reports at once, each line kept and delivered as if it came alone."""

from collections.abc import Iterator
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from uuid import UUID

import orjson
from flask import Request, Response, g, request

from service.api import door, observe
from service.api.batch_schemas import BatchErrorsSchema, BatchQuery, BatchSchema, LinesQuery
from service.api.body import CHUNK, Unzipped
from service.api.deployment import deployment
from service.api.openapi import NDJSON, NDJSON_BODY, Blueprint
from service.api.writing_schemas import PublishQuery
from service.domain.errors import NotFound, Problem, Unreadable, UnsupportedMedia
from service.domain.limits import Limits

if TYPE_CHECKING:
    # SQLAlchemy is imported when the database is first needed.
    from service.store.batches import Batch, Outcome

blueprint = Blueprint("batches", __name__, url_prefix="/v1/batches", description="Many reports at once")
_ID = "<uuid:batch>"


@blueprint.post("")
@blueprint.arguments(BatchQuery, location="query")
@blueprint.response(HTTPStatus.ACCEPTED, BatchSchema)
@blueprint.doc(requestBody=NDJSON_BODY)
def create(query: dict[str, Any]) -> Response:
    """Take many reports, one JSON document a line (NDJSON), to be kept and delivered one after the other.

    It is answered once all lines are on the disk; `Location` says how far they are. With `deliver` they go behind
    everything else, in the window of each destination.
    """
    from service.workflows.accepting import chosen
    from service.workflows.batching import Asked
    from service.workflows.taking import take

    here = deployment()
    if request.mimetype != NDJSON:
        raise UnsupportedMedia(Problem("", "content-type", "a batch is NDJSON", (NDJSON,)))
    if "deliver" in query:
        chosen(query["deliver"], here.destinations)
    options = PublishQuery.options({"reference": False, **query})
    asked = Asked(
        options,
        query.get("form", ""),
        query.get("deliver", ""),
        "definitions" in query,
        g.request_id,
        observe.trace_context(),
    )
    kept, limits = here.store.batches, here.settings.limits
    batch = take(kept, door.caller().sender, asked, _chunks(request, limits), limits)
    response = _json(_row(kept.get(batch)), HTTPStatus.ACCEPTED)
    response.headers["Location"] = f"/v1/batches/{batch}"
    return response


@blueprint.get(f"/{_ID}")
@blueprint.arguments(LinesQuery, location="query")
@blueprint.response(HTTPStatus.OK, BatchSchema)
def one(query: dict[str, Any], batch: UUID) -> Response:
    """How far a batch is, and what became of its lines, page by page."""
    found = _found(batch)
    lines, more = _page(found.id, query, None)
    return _json({**_row(found), "lines": [_line(line) for line in lines], **more})


@blueprint.get(f"/{_ID}/errors")
@blueprint.arguments(LinesQuery, location="query")
@blueprint.response(HTTPStatus.OK, BatchErrorsSchema)
def errors(query: dict[str, Any], batch: UUID) -> Response:
    """Why lines were refused, a row for each reason, page by page of lines."""
    from service.store.batches import REFUSED

    lines, more = _page(_found(batch).id, query, REFUSED)
    return _json({"errors": [{"line": at.line, **row} for at in lines for row in _faults(at)], **more})


@blueprint.post(f"/{_ID}/cancel")
@blueprint.response(HTTPStatus.OK, BatchSchema)
def cancel(batch: UUID) -> Response:
    """Take up no further line. What is kept stays, and is delivered."""
    return _json(_row(deployment().store.batches.cancel(_found(batch).id)))


def _found(batch: UUID) -> "Batch":
    """The batch; as if it were not there for a caller who speaks for another sender."""
    found = deployment().store.batches.get(str(batch))
    mine = door.caller().sender
    if mine and found.sender != mine:
        raise NotFound(Problem("", "stored", "nothing is stored under this id"))
    return found


def _chunks(asked: Request, limits: Limits) -> Iterator[bytes]:
    """The body as it comes, unpacked; raises TooLarge, Unreadable, UnsupportedMedia."""
    from service.workflows.taking import batch_too_large

    encoding = asked.headers.get("Content-Encoding", "identity").strip().lower()
    if encoding not in {"identity", "gzip", "x-gzip"}:
        raise UnsupportedMedia(Problem("", "content-encoding", "a body comes plain or as gzip", ("gzip", "identity")))
    most = limits.batch_bytes
    if (asked.content_length or 0) > most:
        raise batch_too_large()
    asked.max_content_length = most + 1
    unzipped = None if encoding == "identity" else Unzipped()
    came = given = 0
    while chunk := asked.stream.read(CHUNK):
        came += len(chunk)
        if came > most:
            raise batch_too_large()
        for content in (chunk,) if unzipped is None else unzipped.add(chunk):
            given += len(content)
            if given > most:
                raise batch_too_large()
            yield content
    if asked.content_length is not None and came != asked.content_length:
        raise Unreadable(Problem("", "content-length", "the body ends before its Content-Length"))
    if unzipped is not None:
        unzipped.end()


def _page(batch: str, query: dict[str, Any], outcome: str | None) -> "tuple[tuple[Outcome, ...], dict[str, str]]":
    limit = query["limit"]
    found = deployment().store.batches.outcomes(batch, limit=limit + 1, after=query["cursor"], outcome=outcome)
    page = found[:limit]
    return page, {"next": str(page[-1].line)} if len(found) > limit else {}


def _row(batch: "Batch") -> dict[str, Any]:
    here = f"/v1/batches/{batch.id}"
    return {
        "id": batch.id,
        "state": batch.state,
        "created": batch.created,
        "settled": batch.settled,
        "total": batch.lines,
        "done": batch.done,
        "kept": batch.kept,
        "known": batch.known,
        "refused": batch.refused,
        "rate": None if batch.rate is None else round(batch.rate, 3),
        "leftSeconds": None if batch.left_s is None else round(batch.left_s),
        "links": {"self": here, "errors": f"{here}/errors", "cancel": f"{here}/cancel"},
    }


def _line(at: "Outcome") -> dict[str, Any]:
    row: dict[str, Any] = {"line": at.line, "outcome": at.outcome}
    return {**row, "report": at.report} if at.report else {**row, "errors": _faults(at)}


def _faults(at: "Outcome") -> list[dict[str, Any]]:
    return [
        {"pointer": one.pointer, "rule": one.rule, "detail": one.detail, "candidates": list(one.candidates)}
        for one in at.problems
    ]


def _json(content: object, status: HTTPStatus = HTTPStatus.OK) -> Response:
    return Response(orjson.dumps(content), status=status, content_type="application/json")
