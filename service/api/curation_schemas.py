"""What the routes of overlays and unmapped terms take and answer."""

from marshmallow import ValidationError, fields, validate, validates_schema

from service.api.schemas import CodedItemSchema, FaultSchema, Strict
from service.coding.overlays.checking import MAX_COMMENT, MAX_TERM
from service.coding.overlays.rows import APPLIED
from service.curation import IGNORE

STATES = ("open", "resolved", "ignored")
MAX_LAST = 500
MAX_PAGE = 1000
_PRINTABLE = validate.Regexp(r"^[^\x00-\x1f\x7f]{1,256}$", error="1 to 256 characters without controls")
_AUTHOR = "Who decides it; kept with the version."


class UploadQuery(Strict):
    """Who uploads, and what the upload was made from."""

    author = fields.String(load_default="", validate=validate.Length(max=MAX_TERM), metadata={"description": _AUTHOR})
    after = fields.Integer(
        strict=False,
        validate=validate.Range(0, 1_000_000_000),
        metadata={"description": "The version this one was made from, 0 for none: 409 when another one is current."},
    )


class PreviewQuery(Strict):
    """Whose overlay it would be, and how many reports to look at."""

    sender = fields.String(required=True, validate=_PRINTABLE)
    last = fields.Integer(load_default=100, validate=validate.Range(1, MAX_LAST))


class RollBack(Strict):
    """The version that comes back, as a new one."""

    version = fields.Integer(required=True, strict=True, validate=validate.Range(1, 1_000_000_000))
    author = fields.String(load_default="", validate=validate.Length(max=MAX_TERM))


class UnmappedQuery(Strict):
    """Which terms; all conditions must hold."""

    sender = fields.String(validate=_PRINTABLE)
    field = fields.String(validate=validate.Length(max=MAX_TERM))
    state = fields.String(load_default="open", validate=validate.OneOf([*STATES, "any"]))
    min = fields.Integer(validate=validate.Range(1, 1_000_000_000), metadata={"description": "Least count."})
    limit = fields.Integer(load_default=100, validate=validate.Range(1, MAX_PAGE))
    offset = fields.Integer(load_default=0, validate=validate.Range(0, 1_000_000_000))
    format = fields.String(load_default="json", validate=validate.OneOf(["json", "csv"]))


class Resolve(Strict):
    """What a term is: a concept, a code of a known system, or nothing that is to be asked about again."""

    concept = fields.String(validate=_PRINTABLE, metadata={"description": "Its key or label."})
    system = fields.String(validate=_PRINTABLE)
    code = fields.String(validate=_PRINTABLE)
    display = fields.String(load_default="", validate=validate.Length(max=MAX_TERM))
    ignore = fields.Boolean(metadata={"description": "It stays text."})
    relationship = fields.String(load_default="equivalent", validate=validate.OneOf(APPLIED))
    author = fields.String(required=True, validate=_PRINTABLE, metadata={"description": _AUTHOR})
    comment = fields.String(load_default="", validate=validate.Length(max=MAX_COMMENT))

    @validates_schema
    def _decides_once(self, data: dict[str, object], **_: object) -> None:
        kinds = [bool(data.get("concept")), bool(data.get("system") or data.get("code")), bool(data.get("ignore"))]
        if sum(kinds) != 1 or bool(data.get("system")) != bool(data.get("code")):
            raise ValidationError("one of concept, system with code, and ignore")

    @staticmethod
    def said(data: dict[str, str]) -> str:
        """The decision in one word."""
        if data.get("ignore"):
            return IGNORE
        return data["concept"] if data.get("concept") else f"{data['system']}|{data['code']}"


class ResolveQuery(Strict):
    """Who decided the lines of a table."""

    author = fields.String(required=True, validate=_PRINTABLE, metadata={"description": _AUTHOR})


class OverlaySchema(Strict):
    """One version of an overlay, or a mounted file (version 0)."""

    sender = fields.String(required=True)
    version = fields.Integer(required=True)
    created = fields.String(required=True, allow_none=True)
    author = fields.String(required=True)
    origin = fields.String(required=True, metadata={"description": "upload, decision, mounted, or the version it was."})
    rows = fields.Integer(required=True)
    mediaType = fields.String(required=True)  # noqa: N815 - the name in the answer
    sha256 = fields.String(required=True)
    href = fields.String(required=True, allow_none=True)
    applied = fields.Integer(metadata={"description": "Rows that change what is coded."})
    notices = fields.List(fields.Nested(FaultSchema), metadata={"description": "What must be known of its rows."})
    problems = fields.List(fields.Nested(FaultSchema), metadata={"description": "Rows that are not applied."})


class OverlaysSchema(Strict):
    """Overlays, and what keeps mounted files from being taken up."""

    overlays = fields.List(fields.Nested(OverlaySchema), required=True)
    faults = fields.List(fields.Nested(FaultSchema))


class ChangeSchema(Strict):
    """A member that would be coded otherwise."""

    pointer = fields.String(required=True)
    old = fields.Nested(CodedItemSchema, required=True)
    new = fields.Nested(CodedItemSchema, required=True)


class ChangedReportSchema(Strict):
    """A stored report that would be coded otherwise; with ``problems`` it would be refused."""

    id = fields.String(required=True)
    href = fields.String(required=True)
    changes = fields.List(fields.Nested(ChangeSchema), required=True)
    problems = fields.List(fields.Nested(FaultSchema), required=True)


class PreviewSchema(Strict):
    """What an overlay would change."""

    examined = fields.Integer(required=True)
    skipped = fields.Integer(required=True, metadata={"description": "Can't be coded today either."})
    applied = fields.Integer(required=True)
    notices = fields.List(fields.Nested(FaultSchema), required=True)
    reports = fields.List(fields.Nested(ChangedReportSchema), required=True)


class UnmappedSchema(Strict):
    """A term that was kept as text."""

    id = fields.Integer(required=True)
    sender = fields.String(required=True)
    field = fields.String(required=True)
    system = fields.String(required=True)
    code = fields.String(required=True)
    term = fields.String(required=True)
    language = fields.String(required=True)
    count = fields.Integer(required=True)
    firstSeen = fields.String(required=True)  # noqa: N815 - the name in the answer
    lastSeen = fields.String(required=True)  # noqa: N815 - the name in the answer
    suggestions = fields.List(fields.String(), required=True)
    state = fields.String(required=True, validate=validate.OneOf(STATES))
    decision = fields.String(required=True)
    author = fields.String(required=True)
    decided = fields.String(required=True, allow_none=True)


class UnmappedListSchema(Strict):
    """A page of them."""

    terms = fields.List(fields.Nested(UnmappedSchema), required=True)
    total = fields.Integer(required=True)
    next = fields.String(required=True, allow_none=True)
