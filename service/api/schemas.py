"""What the routes take beside the report and what they answer; marshmallow, for checking and for OpenAPI."""

from collections.abc import Mapping
from typing import Any, Final

from marshmallow import RAISE, Schema, ValidationError, fields, pre_load, validate, validates_schema

from service.amendments import REASONS, Kind, default_reason
from service.domain.codes import Resolution
from service.domain.loss import LossKind
from service.domain.report import Status
from service.domain.times import DateTime
from service.pipeline import BUNDLES, DIALECTS, IODS, LANGUAGES, PROFILES, Options

MAX_FOUND = 500


def _is_instant(text: str) -> None:
    """Hold a day, a time and a zone."""
    try:
        is_instant = DateTime(text).is_instant
    except ValueError as error:
        raise ValidationError(str(error)) from None
    if not is_instant:
        raise ValidationError("needs a day, a time and a zone")


class Strict(Schema):
    """Refuses what it does not know, so that a mistyped parameter is not ignored."""

    class Meta:
        """Unknown members are an error."""

        unknown = RAISE


def page_language() -> fields.String:
    """The language of headings and labels, wherever a page or a narrative is written."""
    said = "Of the headings and labels on the page and in the narrative; free texts stay."
    return fields.String(validate=validate.OneOf(LANGUAGES), metadata={"description": said})


class WritingQuery(Strict):
    """How to write the outputs."""

    dialect = fields.String(
        load_default="strict",
        validate=validate.OneOf(DIALECTS),
        metadata={"description": "For whom the SR is written."},
    )
    bundle = fields.String(
        load_default="transaction",
        validate=validate.OneOf(BUNDLES),
        metadata={"description": "The kind of FHIR bundle."},
    )
    profile = fields.String(
        validate=validate.OneOf(PROFILES),
        metadata={"description": "Whose FHIR profiles the bundle is shaped for; those that it keeps it claims."},
    )
    iod = fields.String(
        validate=validate.OneOf(IODS),
        metadata={"description": "The SR document class; chosen by need when absent."},
    )
    check = fields.String(
        validate=validate.OneOf(["full"]),
        metadata={
            "description": "`full`: SR and FHIR are read back and compared with the report before they are answered."
        },
    )
    mapping = fields.String(
        validate=validate.Regexp(r"^[a-z0-9][a-z0-9_-]{0,63}$"),
        metadata={"description": "The mapping file of a table, by its name in the deployment's folder."},
    )
    definitions = fields.String(
        data_key="validate",
        validate=validate.OneOf(["fhir"]),
        metadata={"description": "`fhir`: a FHIR document is held to FHIR's definitions (fhir.resources) first."},
    )
    reference = fields.Boolean(
        load_default=False, metadata={"description": "An HL7 v2 message points to the SR (OBX RP)."}
    )
    pdf = fields.Boolean(
        load_default=False, metadata={"description": "An HL7 v2 message holds the page of the report as PDF (OBX ED)."}
    )
    language = page_language()
    ack = fields.String(
        validate=validate.OneOf(["always"]),
        metadata={"description": "`always`: every answer has status 200 and the verdict is in its body."},
    )

    @staticmethod
    def options(query: Mapping[str, Any]) -> Options:
        """The writing options of a loaded query."""
        return Options(
            query["dialect"],
            query["bundle"],
            query.get("iod"),
            check=query.get("check") == "full",
            reference=query["reference"],
            pdf=query.get("pdf", False),
            profile=query.get("profile"),
            language=query.get("language"),
        )


class MessageQuery(Strict):
    """How to write the HL7 v2 message of a report that is kept."""

    pdf = fields.Boolean(
        load_default=False, metadata={"description": "It holds the page of the report as PDF (OBX ED)."}
    )
    language = page_language()


_MEASURE: Final = "The segments of lesions are measured by the SEG files of a form; `false`: these are left unread."


class ConvertQuery(WritingQuery):
    """How to convert."""

    measure = fields.Boolean(load_default=True, metadata={"description": _MEASURE})


class FhirQuery(Strict):
    """How to write the bundle of a report that is kept, other than it was emitted."""

    bundle = fields.String(
        validate=validate.OneOf(BUNDLES),
        metadata={"description": "The kind of FHIR bundle."},
    )
    profile = fields.String(
        validate=validate.OneOf(PROFILES),
        metadata={"description": "Whose FHIR profiles the bundle is shaped for."},
    )
    language = page_language()

    @staticmethod
    def options(query: Mapping[str, Any], encoding: str) -> Options:
        """The writing options of a loaded query."""
        return Options(
            bundle=query.get("bundle", "transaction"),
            profile=query.get("profile"),
            encoding=encoding,
            language=query.get("language"),
        )


class PublishQuery(WritingQuery):
    """How to write and whether to keep."""

    deliver = fields.String(metadata={"description": "Names of destinations, with commas between them."})
    backfill = fields.Boolean(
        load_default=False,
        metadata={"description": "Deliver behind everything else, in the window of each destination."},
    )
    dry_run = fields.Boolean(
        load_default=False, data_key="dry-run", metadata={"description": "Say what would be kept, keep nothing."}
    )


class CreateQuery(PublishQuery):
    """What a publication of a new document asks."""

    measure = fields.Boolean(load_default=True, metadata={"description": _MEASURE})


class NextQuery(PublishQuery):
    """What a publication asks, and whether the SRs of the versions before are rejected."""

    reject = fields.String(
        validate=validate.OneOf(["true", *REASONS]),
        metadata={"description": "Write a rejection note for the SRs before, with this reason (`true`: the first)."},
    )

    @staticmethod
    def reason(query: Mapping[str, Any]) -> str | None:
        """Why the SRs before are rejected; None where they are not."""
        return default_reason(query.get("reject"))


class AmendQuery(NextQuery):
    """How a report is amended, and what a publication asks."""

    kind = fields.String(
        required=True,
        validate=validate.OneOf([str(kind) for kind in Kind]),
        metadata={"description": "The status that the report gets: corrected, appended or amended."},
    )


class CancelQuery(NextQuery):
    """When a report is withdrawn, and what a publication asks."""

    issued = fields.String(
        validate=_is_instant, metadata={"description": "When it was withdrawn, with a zone. Default: now."}
    )


class PublishHeaders(Schema):
    """Headers of a publication."""

    key = fields.String(
        data_key="Idempotency-Key",
        validate=validate.Regexp(r"^[\x21-\x7e]{1,256}$", error="1 to 256 printable characters without blanks"),
        metadata={"description": "Same key and report: the same stored answer. Same key, other report: 422."},
    )


class Prefer:
    """The header Prefer (RFC 7240): `respond-async`, `wait=SECONDS`; what is not known is ignored, as it says."""

    MOST_WAIT_S = 30

    def __init__(self, header: str) -> None:
        """Read it; a preference that is said twice counts the first time (RFC 7240 2)."""
        said: dict[str, str] = {}
        for part in header.split(","):
            name, _, value = part.partition(";")[0].partition("=")
            said.setdefault(name.strip().lower(), value.strip().strip('"'))
        self.respond_async = "respond-async" in said
        wait = said.get("wait", "")
        self.wait_s = min(int(wait), self.MOST_WAIT_S) if wait.isascii() and wait.isdigit() else 0


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
