"""The door: who asks, whether it may, how often; and the line in the audit trail once it is answered.

`SCOPES` is the one table from route to scope. A route that is not in it is not answered where access is required.
"""

import re
from typing import Final

import structlog
from flask import Flask, Request, Response, g, request

from service.access.keys import fits, parts
from service.access.principal import ANYBODY, OF_ALL_SENDERS, Principal, Scope, scopes_of
from service.access.rates import Rates
from service.access.tokens import Provider, Tokens, refused
from service.api import observe
from service.api.deployment import deployment
from service.api.present import carried, present
from service.coding.overlays.rows import EVERYONE
from service.config import Settings
from service.domain.errors import Forbidden, LesionBridgeError, NotFound, Problem, TooLarge, Unavailable

OPEN: Final = frozenset(
    {"operations.live", "operations.ready", "operations.metrics", "docs.page", "api-docs.openapi_json", "fhir.metadata"}
)
"""What anybody may ask: whether the service lives, and how it is to be asked."""
SCOPES: Final = {
    "convert.convert": Scope.CONVERT,
    "reports.create": Scope.REPORT_WRITE,
    "reports.amend": Scope.REPORT_WRITE,
    "reports.cancel": Scope.REPORT_WRITE,
    "reports": Scope.REPORT_READ,
    "stow": Scope.REPORT_WRITE,
    "batches.create": Scope.REPORT_WRITE,
    "batches.cancel": Scope.REPORT_WRITE,
    "batches": Scope.REPORT_READ,
    "patients": Scope.DELIVERY_ADMIN,
    "deliveries": Scope.DELIVERY_ADMIN,
    "terms": Scope.TERMINOLOGY_READ,
    "fhir": Scope.TERMINOLOGY_READ,
    "overlays.listed": Scope.TERMINOLOGY_READ,
    "overlays.current": Scope.TERMINOLOGY_READ,
    "overlays.versions": Scope.TERMINOLOGY_READ,
    "overlays.version": Scope.TERMINOLOGY_READ,
    "overlays": Scope.TERMINOLOGY_WRITE,
    "unmapped.listed": Scope.TERMINOLOGY_READ,
    "unmapped": Scope.TERMINOLOGY_WRITE,
    "audit": Scope.AUDIT_READ,
}
"""Scope by endpoint, or by the room that the endpoint is in."""
AUDITED: Final = frozenset(
    {Scope.REPORT_WRITE, Scope.REPORT_READ, Scope.TERMINOLOGY_WRITE, Scope.DELIVERY_ADMIN, Scope.AUDIT_READ}
)
"""What is done under these scopes stands in the trail, and so does every refusal at the door."""
_BEARER: Final = re.compile(r"Bearer ([A-Za-z0-9._~+/=-]+)", re.IGNORECASE)
_OF_REPORTS: Final = (Scope.REPORT_READ, Scope.REPORT_WRITE)
_THINGS: Final = {"reports": "report", "deliveries": "delivery", "batches": "batch", "unmapped": "term"}
"""What has the id in the address of a route, by the room that the route is in."""
_SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_NO_TOKEN: Final = frozenset({401, 403, 429})

_log = structlog.get_logger()


def guard(app: Flask, settings: Settings) -> None:
    """Put the door before every route of an application."""
    tokens = None
    if settings.oidc_issuer:
        tokens = Tokens(
            Provider(
                settings.oidc_issuer,
                settings.oidc_audience,
                settings.oidc_jwks,
                settings.oidc_sender_claim,
                settings.oidc_ca_file,
            )
        )
    rates = Rates(settings.rate_per_minute, _counted)

    def enter() -> None:
        asked, here = present(), carried()
        here.principal = ANYBODY
        endpoint = asked.endpoint
        if endpoint is None or endpoint in OPEN:
            return
        if settings.access == "required":
            here.principal = Principal("nobody")
            here.principal = _who(tokens)
            _may(endpoint, here.principal)
        else:
            _not_of_another_site(asked)
        name = here.principal.name if here.principal is not ANYBODY else f"address {asked.remote_addr}"
        rates.count(name, here.principal.rate_per_minute)
        most = here.principal.body_bytes
        length = asked.content_length
        if most and ((length or 0) > most or (length is None and "HTTP_TRANSFER_ENCODING" in asked.environ)):
            raise TooLarge(Problem("", "limit", f"this caller may send {most} bytes, with a Content-Length"))

    def leave(response: Response) -> Response:
        return _audited(response) if settings.audit else response

    app.before_request(enter)
    app.after_request(leave)


def _counted(name: str, most: int) -> float:
    """Count a request for all processes; the database is opened when the first caller with a bound comes."""
    return deployment().store.rates.take(name, most)


def caller() -> Principal:
    """Who asks."""
    found: Principal = g.get("principal", ANYBODY)
    return found


def concerns(kind: str, *ids: str) -> None:
    """Let the line in the trail name what a request is about, where its address does not."""
    g.setdefault("concerns", []).extend((kind, one) for one in ids)


def _concerned() -> tuple[tuple[str, str], ...]:
    """What the address of the request names, and what the view said besides."""
    named = request.view_args or {}
    kind = _THINGS.get((request.endpoint or "").partition(".")[0])
    found = named.get("id") or named.get("batch")
    own = [(kind, str(found))] if kind is not None and found is not None else []
    return (*own, *g.get("concerns", ()))


def scope_of(endpoint: str) -> Scope | None:
    """The scope that a route needs; None where no table says so."""
    return SCOPES.get(endpoint) or SCOPES.get(endpoint.partition(".")[0])


def _who(tokens: Tokens | None) -> Principal:
    """The caller by its key or token; raises Unauthenticated."""
    said = request.headers.get("X-API-Key", "")
    bearer = _BEARER.fullmatch(request.headers.get("Authorization", "").strip())
    if not said and bearer is not None:
        said = bearer[1]
    if not said:
        raise refused("say who you are: an API key (X-API-Key, or Authorization: Bearer) or a bearer token")
    found = parts(said)
    if found is not None:
        keys = deployment().store.keys
        kept = keys.find(found[0])
        if kept is None or not fits(found[1], kept.digest) or not kept.is_good(keys.now()):
            raise refused("the key is unknown, has ended or was revoked")
        return Principal(kept.name, kept.sender, scopes_of(kept.scopes), kept.rate_per_minute, kept.body_bytes)
    if tokens is None:
        raise refused("this is no API key, and this deployment takes no tokens")
    return tokens.principal(said)


def _not_of_another_site(asked: Request) -> None:
    """That no page of another site makes a browser ask, where nothing says who does; raises Forbidden.

    A form is sent without a question first, and so is what a script sends as one (Fetch 2.2.2). A browser says in each
    POST where it comes from; others who ask say nothing.
    """
    origin = asked.environ.get("HTTP_ORIGIN")
    if origin is not None and asked.method not in _SAFE and origin.partition("://")[2].lower() != asked.host.lower():
        raise Forbidden(Problem("headers:Origin", "origin", "a page of another site asks, and access is open"))


def _may(endpoint: str, principal: Principal) -> None:
    """That the caller has the scope of a route, and that what it names is its own; raises Forbidden, NotFound."""
    scope = scope_of(endpoint)
    if scope is None or not principal.may(scope):
        needed = (str(scope),) if scope is not None else ()
        raise Forbidden(Problem("", "scope", "this caller lacks the scope that the route needs", needed))
    if not principal.sender:
        return
    if principal.sender == EVERYONE:
        why = f"{EVERYONE} is the overlay of all senders, and no sender of its own: nobody speaks for it"
        raise Forbidden(Problem("", "sender", why))
    named = (request.view_args or {}).get("sender")
    if named is not None and named != principal.sender:
        raise Forbidden(Problem("", "sender", "this caller speaks for another sender"))
    if scope in OF_ALL_SENDERS:
        raise Forbidden(Problem("", "sender", "this is of all senders: it needs a caller without a sender"))
    report = (request.view_args or {}).get("id") if scope in _OF_REPORTS else None
    if report is not None and deployment().store.get(str(report)).sender != principal.sender:
        # As if it were not there: that it is, is somebody else's business.
        raise NotFound(Problem("", "stored", "nothing is stored under this id"))


def _audited(response: Response) -> Response:
    """The response, once the trail has the line; a line that can't be kept is a failure, for nothing is silent."""
    endpoint = present().endpoint
    scope = scope_of(endpoint) if endpoint else None
    if scope not in AUDITED and observe.status(response) not in _NO_TOKEN:
        return response
    from service.access.events import Done, event

    about = _concerned()
    if "Location" in response.headers:
        _, room, made = response.headers["Location"].rsplit("/", 2)
        about = (*about, (_THINGS.get(room, room), made))
    try:
        store = deployment().store
        done = Done(
            store.now(),
            g.request_id,
            request.method,
            request.url_rule.rule if request.url_rule is not None else "unmatched",
            observe.status(response),
            caller().name,
            caller().sender,
            request.remote_addr or "",
            about,
        )
        store.audit.add(event(done))
    except (LesionBridgeError, ValueError) as error:
        _log.error("not audited", error=type(error).__name__)
        if observe.status(response) < 300:
            from service.api.problems import answer

            why = "the audit trail can't be written: nothing is given out; ask again"
            if request.method != "GET":
                why = "the audit trail can't be written: what was asked for may be done; look before you ask again"
            return answer(Unavailable(Problem("", "audit", why)))
    return response
