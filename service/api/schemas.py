"""Schemas that routes of several subjects share, for checking and for OpenAPI (marshmallow)."""

from marshmallow import RAISE, Schema, fields, validate

from service.domain.codes import Resolution
from service.pipeline import LANGUAGES

MAX_FOUND = 500


class Strict(Schema):
    """Refuses what it does not know, so that a mistyped parameter is not ignored."""

    class Meta:
        """Unknown members are an error."""

        unknown = RAISE


def page_language() -> fields.String:
    """The language of headings and labels, wherever a page or a narrative is written."""
    said = "Of the headings and labels on the page and in the narrative; free texts stay."
    return fields.String(validate=validate.OneOf(LANGUAGES), metadata={"description": said})


class CodeSchema(Schema):
    """A code triple."""

    system = fields.String(required=True, metadata={"description": "DICOM Coding Scheme Designator."})
    code = fields.String(required=True)
    display = fields.String(required=True)


class CodedItemSchema(Schema):
    """A term that became a concept."""

    pointer = fields.String(required=True, metadata={"description": "JSON pointer into the sender's document."})
    said = fields.String(required=True)
    text = fields.String(required=True)
    concept = fields.String(required=True, allow_none=True)
    resolution = fields.String(required=True, validate=validate.OneOf([str(how) for how in Resolution]))
    broader = fields.Boolean(required=True)
    codes = fields.List(fields.Nested(CodeSchema), required=True)


class FaultSchema(Schema):
    """One reason in a problem."""

    pointer = fields.String(required=True, metadata={"description": "JSON pointer; `?name` is a query parameter."})
    rule = fields.String(required=True)
    detail = fields.String(required=True)
    candidates = fields.List(fields.String(), required=True)


class ProblemSchema(Schema):
    """RFC 9457 problem details."""

    type = fields.String(required=True)
    title = fields.String(required=True)
    status = fields.Integer(required=True)
    detail = fields.String(required=True)
    instance = fields.String(required=True)
    verdict = fields.String(required=True, validate=validate.OneOf(["refused", "failed"]))
    pointer = fields.String(required=True)
    rule = fields.String(required=True)
    retryable = fields.Boolean(required=True)
    problems = fields.Integer(
        required=True, metadata={"description": "How many there are; `errors` lists the first 100."}
    )
    errors = fields.List(fields.Nested(FaultSchema), required=True)


class HealthSchema(Schema):
    """Whether the service can work, and what keeps it from it."""

    status = fields.String(required=True, validate=validate.OneOf(["ok", "failing"]))
    faults = fields.List(fields.String())
    warnings = fields.List(
        fields.String(), metadata={"description": "What needs a look and keeps nothing from being accepted."}
    )
