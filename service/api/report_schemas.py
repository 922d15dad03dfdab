"""How reports are searched for, the receipt of one, and lists of versions (marshmallow)."""

from collections.abc import Mapping
from typing import Any

from marshmallow import Schema, ValidationError, fields, pre_load, validate, validates_schema

from service.api.schemas import MAX_FOUND, CodedItemSchema, Strict
from service.domain.loss import LossKind
from service.domain.report import Status


class Search(Strict):
    """Conditions that must all hold; at least one."""

    sender = fields.String()
    report_id = fields.String(data_key="reportId", metadata={"description": "The sender's own id of the report."})
    accession = fields.String()
    study_uid = fields.String(data_key="studyUid")
    patient_id = fields.String(data_key="patientId")
    patient_issuer = fields.String(data_key="patientIssuer")
    status = fields.String(validate=validate.OneOf([str(status) for status in Status]))
    issued_from = fields.AwareDateTime(format="iso", data_key="issuedFrom")
    issued_before = fields.AwareDateTime(format="iso", data_key="issuedBefore")
    limit = fields.Integer(load_default=100, strict=True, validate=validate.Range(1, MAX_FOUND))

    @pre_load
    def _holds_a_condition(self, data: Any, **_: Any) -> Any:
        if isinstance(data, dict) and not set(data) - {"limit"}:
            raise ValidationError("a search needs at least one condition")
        return data

    @validates_schema
    def _holds_no_control_characters(self, data: Mapping[str, Any], **_: Any) -> None:
        for name, value in data.items():
            if isinstance(value, str) and (not value.isprintable() or not value):
                raise ValidationError("is empty or holds control characters", name)


class UncodedItemSchema(Schema):
    """A term kept as text."""

    pointer = fields.String(required=True)
    text = fields.String(required=True)
    concept = fields.String(
        required=True, allow_none=True, metadata={"description": "Of a concept that no code system has."}
    )
    suggestions = fields.List(fields.String(), required=True)


class LossSchema(Schema):
    """Something skipped, lost, left uncoded or flagged."""

    kind = fields.String(required=True, validate=validate.OneOf([str(kind) for kind in LossKind]))
    where = fields.String(required=True)
    what = fields.String(required=True)
    why = fields.String(required=True)
    rule = fields.String()
    suggestions = fields.List(fields.String())


class ReportNameSchema(Schema):
    """Which report of the sender it is."""

    id = fields.String(required=True)
    sender = fields.String(required=True)
    version = fields.Integer(required=True)
    status = fields.String(required=True)
    issued = fields.String(required=True)


class OutputSchema(Schema):
    """Bytes that were emitted and kept."""

    role = fields.String(required=True)
    mediaType = fields.String(required=True)  # noqa: N815 - the name in the answer
    bytes = fields.Integer(required=True)
    sha256 = fields.String(required=True)
    href = fields.String(required=True)


class SrSchema(Schema):
    """The identity of the SR."""

    sopClass = fields.String(required=True)  # noqa: N815 - the name in the answer
    sopInstance = fields.String(required=True)  # noqa: N815 - the name in the answer
    series = fields.String(required=True)
    study = fields.String(required=True)


class ConsignedSchema(Schema):
    """A delivery as it was planned. A dry run's has neither id nor href."""

    id = fields.String()
    destination = fields.String(required=True)
    format = fields.String(required=True)
    role = fields.String(required=True)
    dryRun = fields.Boolean()  # noqa: N815 - the name in the answer
    earlier = fields.Integer(metadata={"description": "The last version before this one that was sent there."})
    href = fields.String()


class FollowsSchema(Schema):
    """The version that an SR goes on from, by the predecessor that it names (PS3.3 C.17.2)."""

    id = fields.String(required=True)
    version = fields.Integer(required=True)
    sr = fields.String(required=True, metadata={"description": "The predecessor's SOP Instance UID."})
    href = fields.String(required=True)


class NoticeSchema(Schema):
    """A destination that was sent a version before and is not sent this one."""

    rule = fields.String(required=True, validate=validate.OneOf(["older-version"]))
    destination = fields.String(required=True)
    version = fields.Integer(required=True, metadata={"description": "The last one that was sent there."})
    href = fields.String(required=True)
    detail = fields.String(required=True)


class ReceiptSchema(Schema):
    """What became of a report. A dry run has neither id nor outputs nor links."""

    verdict = fields.String(required=True, validate=validate.OneOf(["accepted"]))
    dryRun = fields.Boolean()  # noqa: N815 - the name in the answer
    id = fields.String()
    received = fields.String()
    report = fields.Nested(ReportNameSchema, required=True)
    lesions = fields.Integer(required=True)
    coded = fields.List(fields.Nested(CodedItemSchema), required=True)
    uncoded = fields.List(fields.Nested(UncodedItemSchema), required=True)
    losses = fields.List(fields.Nested(LossSchema), required=True)
    checks = fields.List(fields.String(), required=True)
    sr = fields.Nested(SrSchema, required=True)
    outputs = fields.List(fields.Nested(OutputSchema))
    deliveries = fields.List(
        fields.Nested(ConsignedSchema), metadata={"description": "Where it goes; `links.deliveries` says how it went."}
    )
    follows = fields.Nested(
        FollowsSchema, metadata={"description": "An SR came, and it is the next version of a report that is kept."}
    )
    route = fields.String(metadata={"description": "The rule that chose the destinations, where the request did not."})
    notices = fields.List(
        fields.Nested(NoticeSchema), metadata={"description": "Who has an older version and does not get this one."}
    )
    overlays = fields.List(fields.String(), metadata={"description": "The site's overlays that it was coded with."})
    links = fields.Dict(keys=fields.String(), values=fields.String())


class VersionSchema(Schema):
    """One version in a list."""

    id = fields.String(required=True)
    sender = fields.String(required=True)
    reportId = fields.String(required=True)  # noqa: N815 - the name in the answer
    version = fields.Integer(required=True)
    status = fields.String(required=True)
    issued = fields.String(required=True)
    received = fields.String(required=True)
    srInstance = fields.String(required=True)  # noqa: N815 - the name in the answer
    href = fields.String(required=True)


class VersionsSchema(Schema):
    """A list of versions."""

    versions = fields.List(fields.Nested(VersionSchema), required=True)
