"""What the OpenAPI document says beside what the schemas say by themselves, and the Api with our errors."""

from collections.abc import Callable
from copy import deepcopy
from http import HTTPStatus
from threading import RLock
from typing import Any, TypeVar

import flask_smorest
from flask import Request, Response
from marshmallow import EXCLUDE, Schema
from webargs.flaskparser import FlaskParser
from werkzeug.exceptions import HTTPException

from service.api import openapi_access, problems
from service.api.curation_schemas import Resolve, RollBack
from service.api.delivery_schemas import Edit, GiveUp, GiveUpAll, Retry
from service.api.forms import FORM, REPORT, SEG
from service.api.merge_schemas import Merge
from service.api.negotiation import HL7V2, OFFERS
from service.api.present import present
from service.api.report_schemas import Search
from service.api.schemas import ProblemSchema
from service.doors import MEDIA_TYPES, RELEASES, Format
from service.formats.findings.schema import ReportSchema

View = TypeVar("View", bound=Callable[..., Response])

DESCRIPTION = (
    "Lesion findings in; one coded report; a FHIR R4 bundle and a DICOM SR (TID 1500) that say the same. "
    "Errors are RFC 9457 problem details with `pointer`, `rule` and `retryable`, "
    "or an OperationOutcome where FHIR was asked for."
)


def _reference(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}


_BINARY = {"schema": {"type": "string", "contentMediaType": "application/octet-stream"}}
_RESOURCE: dict[str, Any] = {
    "type": "object",
    "description": "A Bundle, or a DiagnosticReport with what it contains.",
    "properties": {"resourceType": {"enum": ["Bundle", "DiagnosticReport"]}},
    "required": ["resourceType"],
}


def _schema(form: Format) -> dict[str, Any]:
    if form in RELEASES:
        return {"schema": _RESOURCE}
    return {"schema": _reference("Report")} if form is Format.FINDINGS else _BINARY


FINDINGS_BODY: dict[str, Any] = {
    "required": True,
    "description": "A lesion report: findings JSON version 1, or another format that is read. "
    "May be sent with `Content-Encoding: gzip`.",
    "content": {media_type: _schema(form) for media_type, form in MEDIA_TYPES.items()},
}
_PART: dict[str, Any] = {"type": "string", "format": "binary"}
MEASURED_BODY: dict[str, Any] = FINDINGS_BODY | {
    "content": FINDINGS_BODY["content"]
    | {
        FORM: {
            "schema": {
                "type": "object",
                "properties": {REPORT: _PART, SEG: {"type": "array", "items": _PART}},
                "required": [REPORT],
            }
        }
    }
}
NDJSON = "application/x-ndjson"
NDJSON_BODY: dict[str, Any] = {
    "required": True,
    "description": "One JSON document a line: findings, FHIR or dcmqi. May be sent with `Content-Encoding: gzip`.",
    "content": {NDJSON: {"schema": {"type": "string"}}},
}
SEARCH_BODY: dict[str, Any] = {"required": True, "content": {"application/json": {"schema": _reference("Search")}}}
ERROR_CONTENT: dict[str, Any] = {
    problems.PROBLEM_JSON: {"schema": ProblemSchema},
    "application/fhir+json": {
        "schema": {
            "type": "object",
            "description": "A FHIR OperationOutcome, where Accept asks for FHIR.",
            "properties": {"resourceType": {"const": "OperationOutcome"}},
            "required": ["resourceType", "issue"],
        }
    },
}
CONVERTED: dict[str, Any] = {
    "description": "The output that Accept asks for; with `ack=always` it may be a problem, too.",
    "headers": {
        "Lesionbridge-Losses": {
            "description": "How many items were skipped, lost, left uncoded or flagged.",
            "schema": {"type": "integer"},
        }
    },
    "content": {offer.media_type: {} if "json" in offer.media_type else _BINARY for offer in OFFERS}
    | {problems.PROBLEM_JSON: ERROR_CONTENT[problems.PROBLEM_JSON]},
}
HL7V2_OUTPUT: dict[str, Any] = {"description": "The message, with a strong ETag.", "content": {HL7V2: _BINARY}}
FHIR_OUTPUT: dict[str, Any] = {
    "description": "The bundle, with a strong ETag.",
    "content": {"application/fhir+json": {}, "application/fhir+xml": _BINARY},
}
PAGE_OUTPUT: dict[str, Any] = {"description": "The page, with a strong ETag.", "content": {"text/html": _BINARY}}
OUTPUTS: dict[str, Any] = {
    "description": "The bytes as they were emitted, with a strong ETag.",
    "content": {
        name: {} if "json" in name else _BINARY
        for name in (
            "application/fhir+json",
            "application/dicom",
            "application/vnd.lesionbridge.findings+json",
        )
    },
}


DELIVERED: dict[str, Any] = {
    "description": "The bytes as they are delivered, with a strong ETag.",
    "content": {
        name: {} if "json" in name else _BINARY
        for name in ("application/fhir+json", "application/dicom", "text/html", "application/octet-stream")
    },
}
EDIT_BODY: dict[str, Any] = {"required": True, "content": {"application/json": {"schema": _reference("Edit")}}}
RETRY_BODY: dict[str, Any] = {"required": True, "content": {"application/json": {"schema": _reference("Retry")}}}
GIVE_UP_BODY: dict[str, Any] = {"required": True, "content": {"application/json": {"schema": _reference("GiveUp")}}}
GIVE_UP_ALL_BODY: dict[str, Any] = {
    "required": True,
    "content": {"application/json": {"schema": _reference("GiveUpAll")}},
}


class _Parser(FlaskParser):
    """Leaves unknown query parameters to the schema, which refuses them; headers may hold anything."""

    DEFAULT_UNKNOWN_BY_LOCATION = {"query": None, "headers": EXCLUDE}  # noqa: RUF012 - declared so by webargs

    def __init__(self) -> None:
        """Nothing is loaded yet."""
        super().__init__()
        self._of_nothing: dict[Schema, dict[str, Any]] = {}

    def parse(self, argmap: Any, req: Request | None = None, *, location: str | None = None, **said: Any) -> Any:
        """The arguments. Most requests have no query, and what a schema makes of none is found out once.

        It is the same each time, for the defaults of our queries are words, numbers and flags.
        """
        asked = req or present()
        if location != "query" or asked.query_string:
            return super().parse(argmap, asked, location=location, **said)
        if argmap not in self._of_nothing:
            self._of_nothing[argmap] = super().parse(argmap, asked, location=location, **said)
        return dict(self._of_nothing[argmap])


class Blueprint(flask_smorest.Blueprint):  # type: ignore[misc]  # flask-smorest ships no types
    """flask-smorest's Blueprint that refuses a parameter it does not know."""

    ARGUMENTS_PARSER = _Parser()
    # Types only: what the decorators of the untyped library are.
    response: Callable[..., Callable[[View], View]]
    alt_response: Callable[..., Callable[[View], View]]
    doc: Callable[..., Callable[[View], View]]
    get: Callable[..., Callable[[View], View]]
    post: Callable[..., Callable[[View], View]]
    put: Callable[..., Callable[[View], View]]

    def arguments(self, schema: type[Schema], **said: Any) -> Callable[[View], View]:
        """Take arguments by a schema, which is made once: webargs would make that of a class for each request."""
        taken: Callable[[View], View] = super().arguments(schema(), **said)
        return taken


class Api(flask_smorest.Api):  # type: ignore[misc]  # flask-smorest ships no types
    """flask-smorest's Api with this project's error answers.

    Its document is made when it is first asked for: a process that answers no such request starts in half the time.
    """

    ERROR_SCHEMA = ProblemSchema

    def __init__(self, *, guarded: bool, **said: Any) -> None:
        """Take what flask-smorest takes, and whether callers have to say who they are."""
        self._guarded = guarded
        self._making = RLock()
        self._unsaid: dict[str, Any] | None = None
        self._rooms: list[Blueprint] = []
        super().__init__(**said)

    def _init_spec(self, **said: Any) -> None:
        self._unsaid = said

    def register_blueprint(self, room: Blueprint) -> None:
        """Serve the routes of a room; the document will describe them."""
        self._app.extensions["flask-smorest"]["blp_name_to_api"][room.name] = self
        self._app.register_blueprint(room)
        self._rooms.append(room)

    @property
    def spec(self) -> Any:
        """The document; who asks while it is made waits for it."""
        with self._making:
            if self._unsaid is not None:
                said, self._unsaid = self._unsaid, None  # what makes it asks for it, too
                super()._init_spec(**said)
                _describe_bodies(self._spec)
                for room in self._rooms:
                    room.register_views_in_doc(self, self._app, self._spec, name=room.name, parameters=None)
                    self._spec.tag({"name": room.name, "description": room.description})
                if self._guarded:
                    openapi_access.describe(self._spec, self._app.url_map.iter_rules())
            return self._spec

    @spec.setter
    def spec(self, made: Any) -> None:
        self._spec = made

    def _register_responses(self) -> None:
        """Describe errors with the media types that they really have."""
        for status in HTTPStatus:
            if status >= HTTPStatus.BAD_REQUEST:
                response = {"description": status.phrase, "content": deepcopy(ERROR_CONTENT)}
                self.spec.components.response(status.name, response, lazy=True)
        response = {"description": "An error.", "content": deepcopy(ERROR_CONTENT)}
        self.spec.components.response(self.DEFAULT_ERROR_RESPONSE_NAME, response, lazy=True)

    def handle_http_exception(self, error: HTTPException) -> Response:
        """Answer as every other exception is answered."""
        return problems.answer(error)


def make_api(version: str, *, guarded: bool) -> Api:
    """The Api with the schemas of bodies that the views read themselves."""
    return Api(
        guarded=guarded,
        spec_kwargs={
            "title": "LesionBridge",
            "version": version,
            "openapi_version": "3.1.0",
            "info": {"description": DESCRIPTION, "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"}},
        },
    )


def _describe_bodies(spec: Any) -> None:
    """Register the schemas that request bodies refer to."""
    spec.components.schema("Report", schema=ReportSchema)
    spec.components.schema("Search", schema=Search)
    spec.components.schema("RollBack", schema=RollBack)
    spec.components.schema("Resolve", schema=Resolve)
    spec.components.schema("Edit", schema=Edit)
    spec.components.schema("Retry", schema=Retry)
    spec.components.schema("GiveUp", schema=GiveUp)
    spec.components.schema("GiveUpAll", schema=GiveUpAll)
    spec.components.schema("Merge", schema=Merge)
