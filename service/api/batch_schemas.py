"""What the routes of batches take and answer."""

from marshmallow import Schema, fields, validate

from service.api.schemas import MAX_FOUND, FaultSchema, Strict
from service.api.writing_schemas import PublishQuery
from service.pipeline import READERS, Format

STATES = ("running", "done", "cancelled")
OUTCOMES = ("kept", "known", "refused")
"""The words of `service.store.batches`, which comes with the database; a test holds both together."""
OF_LINES = tuple(str(one) for one in READERS if one in {Format.FINDINGS, Format.FHIR_R4, Format.FHIR_R5, Format.DCMQI})
"""Formats of which a document stands in one line."""


class BatchQuery(PublishQuery):
    """How each line is written and delivered."""

    class Meta(PublishQuery.Meta):
        """Of one report only."""

        exclude = ("ack", "backfill", "dry_run", "mapping")

    form = fields.String(
        data_key="from",
        validate=validate.OneOf(OF_LINES),
        metadata={"description": "The format of every line; found out for each when absent."},
    )


class LinesQuery(Strict):
    """Which lines."""

    cursor = fields.Integer(
        load_default=0, validate=validate.Range(0), metadata={"description": "`next` of the page before."}
    )
    limit = fields.Integer(load_default=100, validate=validate.Range(1, MAX_FOUND))


class LineSchema(Schema):
    """What became of a line."""

    line = fields.Integer(required=True)
    outcome = fields.String(required=True, validate=validate.OneOf(OUTCOMES))
    report = fields.String(metadata={"description": "Our id of the report; not of a line that was refused."})
    errors = fields.List(fields.Nested(FaultSchema), metadata={"description": "Why it was refused."})


class BatchSchema(Schema):
    """A batch and how far it is, with a page of its lines that have an outcome."""

    id = fields.String(required=True)
    state = fields.String(required=True, validate=validate.OneOf(STATES))
    created = fields.String(required=True)
    settled = fields.String(required=True, allow_none=True)
    total = fields.Integer(required=True, metadata={"description": "Lines that are not blank."})
    done = fields.Integer(required=True)
    kept = fields.Integer(required=True)
    known = fields.Integer(required=True, metadata={"description": "Reports that were there already, the same."})
    refused = fields.Integer(required=True)
    rate = fields.Float(
        required=True,
        allow_none=True,
        metadata={"description": "Lines a second since the first was taken up; null where nothing is under way."},
    )
    left_s = fields.Integer(
        data_key="leftSeconds",
        required=True,
        allow_none=True,
        metadata={"description": "Seconds until all lines are done, at that rate."},
    )
    lines = fields.List(fields.Nested(LineSchema))
    next = fields.String(metadata={"description": "The cursor of the next page, where there is one."})
    links = fields.Dict(keys=fields.String(), values=fields.String(), required=True)


class BatchErrorSchema(FaultSchema):
    """One reason why a line was refused."""

    line = fields.Integer(required=True)


class BatchErrorsSchema(Schema):
    """Why lines were refused, in their order."""

    errors = fields.List(fields.Nested(BatchErrorSchema), required=True)
    next = fields.String(metadata={"description": "The cursor of the next page, where there is one."})
