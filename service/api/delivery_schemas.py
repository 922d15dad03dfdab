"""What the routes of deliveries take and answer."""

from marshmallow import Schema, fields, validate

from service.api.schemas import MAX_FOUND, Strict, page_language
from service.pipeline import BUNDLES, DIALECTS

STATES = ("queued", "sending", "stored", "verified", "refused", "dead", "dry-run")
"""The words of `service.store.delivery_rows.State`, which comes with the database; a test holds both together."""
_NAME = validate.Regexp(r"^[a-z][a-z0-9-]{0,31}$", error="is the name of a destination")


class ListQuery(Strict):
    """Which deliveries to list."""

    state = fields.String(validate=validate.OneOf(STATES))
    destination = fields.String(validate=_NAME)
    report = fields.UUID(metadata={"description": "Our id of a report's version."})
    cursor = fields.Integer(validate=validate.Range(1), metadata={"description": "`next` of the page before."})
    limit = fields.Integer(load_default=100, validate=validate.Range(1, MAX_FOUND))


class ComparisonQuery(Strict):
    """With what to compare."""

    other = fields.UUID(required=True, data_key="with", metadata={"description": "The id of another delivery."})


class Retry(Strict):
    """Which dead letters to send again; without conditions all of them."""

    state = fields.String(validate=validate.OneOf(["dead", "refused"]))
    destination = fields.String(validate=_NAME)
    backfill = fields.Boolean(
        metadata={
            "description": "Behind everything else, in the destination's window; `false`: at once. Absent: as it was."
        }
    )


class GiveUp(Strict):
    """Why a delivery that waits is given up."""

    reason = fields.String(
        required=True,
        metadata={
            "description": "For who looks at it later: one line of at most 200 characters, with nothing of the patient."
        },
    )


class GiveUpAll(GiveUp):
    """What waits for which destination is given up, and why."""

    destination = fields.String(
        required=True, validate=_NAME, metadata={"description": "One that is no longer set up may be named, too."}
    )


class Edit(Strict):
    """How to write a dead letter again."""

    destination = fields.String(validate=_NAME)
    dialect = fields.String(validate=validate.OneOf(DIALECTS))
    bundle = fields.String(validate=validate.OneOf(BUNDLES))
    language = page_language()


class TrySchema(Schema):
    """One try of one step."""

    number = fields.Integer(required=True)
    step = fields.String(required=True, validate=validate.OneOf(["send", "verify"]))
    started = fields.String(required=True)
    ended = fields.String(required=True, allow_none=True)
    outcome = fields.String(required=True, allow_none=True, metadata={"description": "null: it is under way."})
    status = fields.String(required=True, metadata={"description": "What the peer's protocol calls it."})
    reason = fields.String(required=True, metadata={"description": "What the peer said, as it said it."})
    detail = fields.Dict(keys=fields.String(), values=fields.String(), required=True)
    worker = fields.String(required=True)


class DeliverySchema(Schema):
    """One output on its way to one destination."""

    id = fields.String(required=True)
    report = fields.String(required=True)
    version = fields.Integer(required=True)
    destination = fields.String(required=True)
    format = fields.String(required=True)
    role = fields.String(required=True)
    state = fields.String(required=True, validate=validate.OneOf(STATES))
    settled = fields.String(required=True, allow_none=True)
    attempts = fields.Integer(required=True)
    created = fields.String(required=True)
    changed = fields.String(required=True)
    next = fields.String(required=True, allow_none=True, metadata={"description": "When it is due again."})
    status = fields.String(required=True)
    reason = fields.String(required=True)
    backfill = fields.Boolean(required=True)
    follows = fields.String(required=True, allow_none=True, metadata={"description": "The delivery it was made for."})
    links = fields.Dict(keys=fields.String(), values=fields.String(), required=True)
    tries = fields.List(fields.Nested(TrySchema))


class DeliveriesSchema(Schema):
    """A page of deliveries."""

    deliveries = fields.List(fields.Nested(DeliverySchema), required=True)
    next = fields.String(metadata={"description": "`cursor` of the next page; absent on the last."})


class RetriedSchema(Schema):
    """How many dead letters are sent again."""

    retried = fields.Integer(required=True)


class GivenUpSchema(Schema):
    """How many deliveries that waited are dead letters now."""

    givenUp = fields.Integer(required=True)  # noqa: N815 - the name in the answer


class DifferenceSchema(Schema):
    """One place in which two outputs differ; null: it is not there."""

    place = fields.String(required=True)
    this = fields.Raw(required=True, allow_none=True)
    other = fields.Raw(required=True, allow_none=True)


class SentComparisonSchema(Schema):
    """How two outputs differ."""

    same = fields.Boolean(required=True)
    mediaTypes = fields.List(fields.String(), required=True)  # noqa: N815 - the name in the answer
    digests = fields.List(fields.String(), required=True)
    differences = fields.List(fields.Nested(DifferenceSchema), required=True)
    more = fields.Integer(required=True, metadata={"description": "Differences beyond those listed."})
