"""/fhir: the terminology operations, and the project's own CodeSystem, ValueSets and ConceptMaps."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from importlib.resources import files
from typing import Any, Final, cast

from flask import Flask, Response, current_app, request

from service.api import door, fhir_exchange
from service.api.deployment import deployment
from service.api.fhir_terminology import Asked, Desk
from service.api.openapi import Blueprint
from service.coding.ecl import EclLimits
from service.coding.overlays.layers import Layer
from service.coding.overlays.served import overlay_maps
from service.coding.releases.shelves import open_shelf
from service.coding.releases.site import SiteReleases
from service.coding.remote import Client, RemoteFirst
from service.coding.server import ServerLimits, Terminology
from service.coding.server.maps import table_maps
from service.coding.server.released import Sources
from service.coding.server.released_maps import release_maps
from service.coding.server.released_sets import ReleaseSets
from service.coding.server.tables import table_sources
from service.coding.server.valuesets import table_value_sets
from service.config import Settings, terminology_client
from service.formats.fhir.terminology.capabilities import OPERATIONS, SEARCH
from service.formats.fhir.terminology.compose import read_stored
from service.formats.fhir.terminology.parameters import DEFINED, defined_as
from service.formats.fhir.terminology.release import Release
from service.pipeline import tables

blueprint = Blueprint("fhir", __name__, url_prefix="/fhir", description="FHIR terminology, R4 and R5")
blueprint.register_error_handler(Exception, fhir_exchange.outcome)
_EXTENSION: Final = "lesionbridge-terminology"
_RESOURCE: Final[dict[str, Any]] = {
    "type": "object",
    "properties": {"resourceType": {"type": "string"}},
    "required": ["resourceType"],
}
_ANSWER: Final = {
    "200": {"description": "A FHIR resource.", "content": {"application/fhir+json": {"schema": _RESOURCE}}}
}
_BODY: Final = {"required": True, "content": {name: {"schema": _RESOURCE} for name in fhir_exchange.JSON}}


class Served:
    """What one application serves; made when first asked for, so that a conversion does not pay for it."""

    def __init__(self, settings: Settings, terminology: Terminology | None) -> None:
        """Note when the program started: its capabilities are as old."""
        self._settings = settings
        self._started = _now()
        self._client = terminology_client(settings)
        self._terminology = terminology

    def _overlays(self) -> tuple[Layer, ...]:
        """The overlays in use, as a conversion sees them."""
        here = deployment()
        return here.site.layers(here.uploads).layers

    def desk(self, base: str) -> Desk:
        """Who answers under a base URL."""
        if self._terminology is None:
            self._terminology = _terminology(self._settings, self._client, self._overlays)
        return Desk(self._terminology, _version(), self._started, base, _now, self._settings.limits.items)


def install(app: Flask, settings: Settings, terminology: Terminology | None = None) -> None:
    """Give an application its own; ``terminology``: what to serve instead of tables, releases and remote server.

    Raises BadSetting for a remote server that can't be asked.
    """
    app.extensions[_EXTENSION] = Served(settings, terminology)


def _terminology(settings: Settings, client: Client | None, overlays: Callable[[], Sequence[Layer]]) -> Terminology:
    known = tables(settings.issuers_file)
    releases = SiteReleases(open_shelf(settings.terminology, settings.terminology_database), known.designations.words)
    sources = Sources(table_sources(known, files("terminology"), _version()), releases)
    bounds = settings.limits
    ecl = EclLimits(bounds.ecl_characters, bounds.depth, bounds.ecl_concepts)

    def uri_of(name: str) -> str:
        designator = known.designator(name)
        return name if designator is None else known.systems[designator].uri

    released = release_maps(releases, known, bounds.expansion)
    overlaid = overlay_maps(overlays, known)
    given = (
        sources,
        table_value_sets(known, _version()).values(),
        table_maps(known),
        ServerLimits(bounds.expansion, ecl),
        uri_of,
        lambda: (*(one for one in overlaid() if door.caller().may_see(one.sender)), *released()),
        ReleaseSets(releases, read_stored),
    )
    return Terminology(*given) if client is None else RemoteFirst(client, *given)


def _version() -> str:
    return version("lesionbridge")


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _desk() -> Desk:
    served = cast("Served", current_app.extensions[_EXTENSION])
    return served.desk(f"{request.url_root}fhir")


def _answer(path: str) -> Response:
    """The answer to the present request, by its path below /fhir."""
    spoken = fhir_exchange.release(request.headers.get("Accept", ""), request.content_type or "")
    body = None
    if request.method == "POST":
        body = fhir_exchange.resource(request, deployment().settings.limits.body_bytes)
    query = tuple(request.args.items(multi=True))
    return fhir_exchange.respond(_desk().answer(Asked(request.method, path, query, body), spoken), spoken)


def _query(names: dict[str, str]) -> list[dict[str, Any]]:
    """Query parameters for the OpenAPI document: those that are no structures."""
    kinds = {"boolean": "boolean", "integer": "integer"}
    return [
        {"in": "query", "name": name, "schema": {"type": kinds.get(kind.rstrip("*"), "string")}}
        for name, kind in names.items()
        if not kind[0].isupper()
    ]


@blueprint.post("", strict_slashes=False)
@blueprint.doc(requestBody=_BODY, responses=_ANSWER)
def batch() -> Response:
    """Answer a batch: a Bundle of GET and POST requests."""
    spoken = fhir_exchange.release(request.headers.get("Accept", ""), request.content_type or "")
    body = fhir_exchange.resource(request, deployment().settings.limits.body_bytes)
    return fhir_exchange.respond(_desk().batch(body, spoken), spoken)


@blueprint.get("/metadata")
@blueprint.doc(parameters=_query({"mode": "code"}), responses=_ANSWER)
def metadata() -> Response:
    """Say what this server can do: CapabilityStatement, or TerminologyCapabilities with `mode=terminology`."""
    return _answer("metadata")


def _route(path: str, name: str, summary: str, parameters: list[dict[str, Any]], *, posts: bool) -> None:
    """Register GET, and POST for an operation."""

    def view(**_: str) -> Response:
        return _answer(request.path.removeprefix("/fhir/"))

    for method in ("GET", "POST") if posts else ("GET",):
        said = {"requestBody": _BODY} if method == "POST" else {"parameters": parameters}
        made = blueprint.doc(summary=summary, responses=_ANSWER, **said)(_named(view, f"{name}_{method.lower()}"))
        blueprint.route(path, methods=[method])(made)


def _named(view: Any, name: str) -> Any:
    """A view of its own for each route: the OpenAPI document is written into it."""

    def own(**values: str) -> Response:
        return cast("Response", view(**values))

    own.__name__ = name
    return own


for _kind, _operations in OPERATIONS.items():
    for _operation in _operations:
        _parameters = _query(dict(DEFINED[Release.R4][defined_as(_kind, _operation)]))
        _base = f"{_kind.lower()}_{_operation.replace('-', '_')}"
        _said = f"{_kind} ${_operation}"
        _route(f"/{_kind}/${_operation}", _base, _said, _parameters, posts=True)
        _route(f"/{_kind}/<id>/${_operation}", f"{_base}_of", f"{_said} of one resource", _parameters, posts=True)
    _route(f"/{_kind}", f"{_kind.lower()}_search", f"Search {_kind}", _query(SEARCH), posts=False)
    _route(f"/{_kind}/<id>", f"{_kind.lower()}_read", f"Read a {_kind}", [], posts=False)
