"""How outputs are written and what a publication asks: what the routes take beside the report (marshmallow)."""

from collections.abc import Mapping
from typing import Any, Final

from marshmallow import Schema, ValidationError, fields, validate

from service.amendments import REASONS, Kind, default_reason
from service.api.schemas import Strict, page_language
from service.domain.times import DateTime
from service.pipeline import BUNDLES, DIALECTS, IODS, PROFILES, Options

_MEASURE: Final = "The segments of lesions are measured by the SEG files of a form; `false`: these are left unread."


def _is_instant(text: str) -> None:
    """Hold a day, a time and a zone."""
    try:
        is_instant = DateTime(text).is_instant
    except ValueError as error:
        raise ValidationError(str(error)) from None
    if not is_instant:
        raise ValidationError("needs a day, a time and a zone")


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
    def options(query: Mapping[str, Any], encoding: str = "json") -> Options:
        """The writing options of a loaded query."""
        return Options(
            query["dialect"],
            query["bundle"],
            query.get("iod"),
            check=query.get("check") == "full",
            reference=query["reference"],
            pdf=query.get("pdf", False),
            profile=query.get("profile"),
            encoding=encoding,
            language=query.get("language"),
        )


class MessageQuery(Strict):
    """How to write the HL7 v2 message of a report that is kept."""

    pdf = fields.Boolean(
        load_default=False, metadata={"description": "It holds the page of the report as PDF (OBX ED)."}
    )
    language = page_language()


class PageQuery(Strict):
    """How to write the page of a report that is kept, other than it was emitted."""

    language = page_language()


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
        self.wait_s = min(int(wait[:9]), self.MOST_WAIT_S) if wait.isascii() and wait.isdigit() else 0
