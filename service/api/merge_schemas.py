"""What the route of merges takes and answers."""

from typing import Final

from marshmallow import Schema, fields, validate

from service.api.schemas import Strict

WORD: Final = r"[^\x00-\x1f\x7f]{1,256}"
_WORD = validate.Regexp(f"^{WORD}$", error="is empty, too long or holds control characters")


class PatientIdentifier(Strict):
    """An id and who issued it."""

    id = fields.String(required=True, validate=_WORD)
    issuer = fields.String(validate=_WORD, metadata={"description": "A key of the issuer table, a URI or an OID."})


class Merge(Strict):
    """Which id stays, and which goes into it."""

    survivor = fields.Nested(PatientIdentifier, required=True)
    prior = fields.Nested(PatientIdentifier, required=True)


class MergeQuery(Strict):
    """What may be asked of a merge."""

    dry_run = fields.Boolean(
        load_default=False, data_key="dry-run", metadata={"description": "Say what would be touched, change nothing."}
    )


class MergedReportSchema(Schema):
    """A report whose newest version says the prior id."""

    id = fields.String(required=True)
    sender = fields.String(required=True)
    reportId = fields.String(required=True)  # noqa: N815 - the name in the answer
    version = fields.Integer(required=True)
    status = fields.String(required=True)
    href = fields.String(required=True)


class MergedDeliverySchema(Schema):
    """A delivery of one of these reports."""

    id = fields.String(required=True)
    report = fields.String(required=True)
    destination = fields.String(required=True)
    state = fields.String(required=True)
    href = fields.String(required=True)


class MergeNoticeSchema(Schema):
    """Why nothing was moved."""

    pointer = fields.String(required=True)
    rule = fields.String(required=True)
    detail = fields.String(required=True)
    candidates = fields.List(
        fields.String(), required=True, metadata={"description": "The issuers with which reports have this id."}
    )


class MergedSchema(Schema):
    """What is found under the surviving id now, and says the prior one still: it has to come again as a new version."""

    resend = fields.List(fields.Nested(MergedReportSchema), required=True)
    deliveries = fields.List(fields.Nested(MergedDeliverySchema), required=True)
    notices = fields.List(
        fields.Nested(MergeNoticeSchema), metadata={"description": "That no report has the prior id with this issuer."}
    )
