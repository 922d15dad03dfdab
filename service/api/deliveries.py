"""/v1/deliveries: where reports went, the dead letters, sending them again, and giving up what waits."""

import time
from collections.abc import Sequence
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from uuid import UUID

import orjson
from flask import Response, g, request

from service.api import answers, body, door, observe
from service.api.delivery_schemas import (
    ComparisonQuery,
    DeliveriesSchema,
    DeliverySchema,
    Edit,
    GivenUpSchema,
    GiveUp,
    GiveUpAll,
    ListQuery,
    RetriedSchema,
    Retry,
    SentComparisonSchema,
)
from service.api.deployment import deployment
from service.api.openapi import DELIVERED, EDIT_BODY, GIVE_UP_ALL_BODY, GIVE_UP_BODY, RETRY_BODY, Blueprint
from service.api.writing_schemas import Prefer
from service.domain.emitted import REJECTION
from service.doors import Format, Options, kept_suffix
from service.pipeline import Source
from service.publishing import Receipt

if TYPE_CHECKING:
    # SQLAlchemy is imported when the first report is kept or asked for.
    from service.receiving.routing import Routed
    from service.store.delivery_rows import Attempt, Delivery
    from service.workflows.accepting import Plan

blueprint = Blueprint("deliveries", __name__, url_prefix="/v1/deliveries", description="Where reports went")
_ID = "<uuid:id>"
_LOOK_S = 0.1
DELIVERIES_HEADER = "Lesionbridge-Deliveries"


@blueprint.get("")
@blueprint.arguments(ListQuery, location="query")
@blueprint.response(HTTPStatus.OK, DeliveriesSchema)
def list_(query: dict[str, Any]) -> Response:
    """Deliveries, the newest first; `state=dead` and `state=refused` are the dead letters."""
    wanted: dict[str, str] = {name: str(query[name]) for name in ("state", "destination", "report") if name in query}
    limit = query["limit"]
    found = deployment().store.deliveries.list(wanted, limit=limit + 1, before=query.get("cursor"))
    page = found[:limit]
    more = {"next": str(page[-1].position)} if len(found) > limit else {}
    return _json({"deliveries": [row(one) for one in page], **more})


@blueprint.get(f"/{_ID}")
@blueprint.response(HTTPStatus.OK, DeliverySchema)
def one(id: UUID) -> Response:  # noqa: A002 - the route's own word
    """One delivery with each attempt: when, what the destination answered."""
    kept = deployment().store.deliveries
    found = kept.get(str(id))
    return _json(row(found, kept.attempts([found.id])[found.id]))


@blueprint.get(f"/{_ID}/content")
@blueprint.doc(responses={"200": DELIVERED})
def content(id: UUID) -> Response:  # noqa: A002 - the route's own word
    """The bytes that are sent, unchanged over all attempts."""
    store = deployment().store
    found = store.deliveries.get(str(id))
    kept = store.output(found.version, found.role)
    name = f"{found.id}{kept_suffix(Format(found.format), kept.media_type)}"
    return answers.stored(kept.media_type, kept.content, name=name)


@blueprint.get(f"/{_ID}/comparison")
@blueprint.arguments(ComparisonQuery, location="query")
@blueprint.response(HTTPStatus.OK, SentComparisonSchema)
def comparison(query: dict[str, Any], id: UUID) -> Response:  # noqa: A002 - the route's own word
    """What was sent with this delivery against what was sent with another: every place that differs."""
    from service.workflows.comparing import compare

    store = deployment().store
    pair = [store.deliveries.get(str(one)) for one in (id, query["other"])]
    outputs = [store.output(one.version, one.role) for one in pair]
    return _json(compare(outputs[0], outputs[1]))


@blueprint.post(f"/{_ID}/retry")
@blueprint.response(HTTPStatus.ACCEPTED, DeliverySchema)
def retry(id: UUID) -> Response:  # noqa: A002 - the route's own word
    """Send a dead letter again, the same bytes."""
    kept = deployment().store.deliveries
    found = kept.retry(str(id))
    return _json(row(found, kept.attempts([found.id])[found.id]), HTTPStatus.ACCEPTED)


@blueprint.post(f"/{_ID}/edit")
@blueprint.response(HTTPStatus.CREATED, DeliverySchema)
@blueprint.doc(requestBody=EDIT_BODY)
def edit(id: UUID) -> Response:  # noqa: A002 - the route's own word
    """Write a dead letter again, for another destination or with other options: a new delivery, linked to the old."""
    from service.workflows.again import edit as written_again

    here = deployment()
    said = body.read_json(request, Edit(), "edit")
    made = written_again(here.store, str(id), here.source(b"", Format.FINDINGS), here.destinations, said)
    response = _json(row(made, ()), HTTPStatus.CREATED)
    response.headers["Location"] = f"/v1/deliveries/{made.id}"
    return response


@blueprint.post("/retry")
@blueprint.response(HTTPStatus.ACCEPTED, RetriedSchema)
@blueprint.doc(requestBody=RETRY_BODY)
def retry_all() -> Response:
    """Send all dead letters again that meet the conditions; `backfill`: behind everything else, in its window."""
    from service.store.delivery_rows import rank

    said = body.read_json(request, Retry(), "retry")
    priority = rank(said.pop("backfill", None))
    return _json({"retried": deployment().store.deliveries.retry_all(said, priority=priority)}, HTTPStatus.ACCEPTED)


@blueprint.post(f"/{_ID}/give-up")
@blueprint.response(HTTPStatus.OK, DeliverySchema)
@blueprint.doc(requestBody=GIVE_UP_BODY)
def give_up(id: UUID) -> Response:  # noqa: A002 - the route's own word
    """Make a delivery that is queued a dead letter, for a reason; it may be sent again later."""
    kept = deployment().store.deliveries
    found = kept.give_up(str(id), body.read_json(request, GiveUp(), "give-up")["reason"])
    return _json(row(found, kept.attempts([found.id])[found.id]))


@blueprint.post("/give-up")
@blueprint.response(HTTPStatus.OK, GivenUpSchema)
@blueprint.doc(requestBody=GIVE_UP_ALL_BODY)
def give_up_all() -> Response:
    """Make all that is queued for a destination dead letters, for a reason; what is being sent or verified goes on."""
    said = body.read_json(request, GiveUpAll(), "give-up")
    number = deployment().store.deliveries.give_up_all(said["destination"], said["reason"])
    if number:  # a name that nothing waits under may be anybody's
        door.concerns("destination", said["destination"])
    return _json({"givenUp": number})


def plan(query: dict[str, Any], before: Sequence[str] = ()) -> "Plan | Routed | None":
    """What a publication asks to deliver, else what the rules say and where the versions before went; None for nowhere.

    ``before`` is where the versions that it amends went. Raises Invalid for a destination that is not there.
    """
    here = deployment()
    names = query.get("deliver")
    if names is None and not (before or here.receiving.routes or here.destinations):
        return None
    from service.receiving.routing import Routed
    from service.store.delivery_rows import BACKFILL, Origin
    from service.workflows.accepting import Plan, chosen

    origin, priority = Origin(g.request_id, observe.trace_context()), BACKFILL if query["backfill"] else 0
    if names is None:
        if before:
            chosen(",".join(before), here.destinations)
        return Routed(here.receiving.routes, here.destinations, "rest", origin, priority)
    return Plan(chosen(names, here.destinations), priority, origin)


def under_way(
    response: Response, receipt: Receipt, source: Source, plan: "Plan | Routed", options: Options
) -> Response:
    """The answer to a publication with deliveries, as the caller prefers it (RFC 7240).

    A report that was there already may be asked for by more destinations: they get it now. A rule speaks once, when
    the report comes.
    """
    from service.workflows.accepting import Plan
    from service.workflows.again import deliver_more

    version = str(receipt.id)
    if not receipt.fresh and isinstance(plan, Plan):
        deliver_more(deployment().store, version, source, plan, options)
    prefer = Prefer(request.headers.get("Prefer", ""))
    if prefer.wait_s:
        states = settled(version, prefer.wait_s)
        response.headers[DELIVERIES_HEADER] = ", ".join(f"{name}={state}" for name, state in states.items())
        response.headers["Preference-Applied"] = f"wait={prefer.wait_s}"
    elif prefer.respond_async and response.status_code == HTTPStatus.CREATED:
        response.status_code = HTTPStatus.ACCEPTED
        response.headers["Preference-Applied"] = "respond-async"
    return response


def of_report(version: str) -> Response:
    """The deliveries of a report's version, each with its attempts."""
    kept = deployment().store.deliveries
    found = kept.of(version)
    tries = kept.attempts([one.id for one in found])
    return _json({"deliveries": [row(one, tries[one.id]) for one in found]})


def settled(version: str, wait_s: float) -> dict[str, str]:
    """The state of each destination's delivery, once all are at an end or the time is over."""
    kept = deployment().store.deliveries
    until = time.monotonic() + wait_s
    while True:
        found = kept.of(version)
        if not any(one.is_open for one in found) or time.monotonic() >= until:
            return {_named(one): str(one.state) for one in found}
        time.sleep(_LOOK_S)


def _named(at: "Delivery") -> str:
    """A destination may have two deliveries of a version: the SR, and the note that rejects those before."""
    return f"{at.destination}-rejection" if at.role.startswith(REJECTION) else at.destination


def row(at: "Delivery", tries: "Sequence[Attempt] | None" = None) -> dict[str, Any]:
    """A delivery as it is answered."""
    said: dict[str, Any] = {
        "id": at.id,
        "report": at.version,
        "version": at.number,
        "destination": at.destination,
        "format": at.format,
        "role": at.role,
        "state": str(at.state),
        "settled": at.settled,
        "attempts": at.attempts,
        "created": at.created,
        "changed": at.changed,
        "next": at.next_at if at.is_open else None,
        "status": at.status,
        "reason": at.reason,
        "backfill": at.priority > 0,
        "follows": at.parent,
        "links": {
            "self": f"/v1/deliveries/{at.id}",
            "content": f"/v1/deliveries/{at.id}/content",
            "report": f"/v1/reports/{at.version}",
        },
    }
    if tries is not None:
        said["tries"] = [
            {
                "number": one.number,
                "step": one.step,
                "started": one.started,
                "ended": one.ended,
                "outcome": one.outcome or None,
                "status": one.status,
                "reason": one.reason,
                "detail": dict(one.detail),
                "worker": one.worker,
            }
            for one in tries
        ]
    return said


def _json(content: object, status: HTTPStatus = HTTPStatus.OK) -> Response:
    return Response(orjson.dumps(content), status=status, content_type="application/json")
