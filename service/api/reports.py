"""/v1/reports: keep a report with its outputs, and give them back as they were emitted."""

from collections.abc import Callable
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import UUID

from flask import Response, request

from service.amendments import Kind, amended, cancelled, destinations
from service.api import answers, body, deliveries, door, forms, negotiation
from service.api.delivery_schemas import DeliveriesSchema
from service.api.deployment import deployment
from service.api.openapi import (
    FHIR_OUTPUT,
    FINDINGS_BODY,
    HL7V2_OUTPUT,
    MEASURED_BODY,
    OUTPUTS,
    PAGE_OUTPUT,
    SEARCH_BODY,
    Blueprint,
)
from service.api.problems import PROBLEM_JSON
from service.api.report_schemas import ReceiptSchema, Search, VersionsSchema
from service.api.schemas import ProblemSchema
from service.api.writing_schemas import (
    AmendQuery,
    CancelQuery,
    CreateQuery,
    FhirQuery,
    MessageQuery,
    NextQuery,
    PageQuery,
    PublishHeaders,
)
from service.domain.emitted import Emitted
from service.domain.times import DateTime
from service.doors import encoded, suffix
from service.pipeline import Format, Options, Source
from service.publishing import Planner, publish
from service.versions import anew

if TYPE_CHECKING:
    # SQLAlchemy is imported when the first report is kept or asked for.
    from service.receiving.routing import Routed
    from service.store.versions import Stored
    from service.workflows.accepting import Plan

blueprint = Blueprint("reports", __name__, url_prefix="/v1/reports", description="Reports and what was made of them")
ALSO_OK = "It was there already, or a dry run; with `ack=always` every answer, a problem too."
_ID = "<uuid:id>"
View = TypeVar("View", bound=Callable[..., Response])


def _gives_a_receipt(view: View) -> View:
    """Say in the OpenAPI document what a publication answers."""
    problem = {"schema": ProblemSchema, "content_type": PROBLEM_JSON, "description": ALSO_OK}
    view = blueprint.alt_response(HTTPStatus.OK, **problem)(view)
    under_way = "Kept, with deliveries under way."
    view = blueprint.alt_response(HTTPStatus.ACCEPTED, schema=ReceiptSchema, description=under_way)(view)
    view = blueprint.alt_response(HTTPStatus.OK, schema=ReceiptSchema, description=ALSO_OK)(view)
    return blueprint.response(HTTPStatus.CREATED, ReceiptSchema)(view)


@blueprint.post("")
@blueprint.arguments(CreateQuery, location="query")
@blueprint.arguments(PublishHeaders, location="headers")
@_gives_a_receipt
@blueprint.doc(requestBody=MEASURED_BODY)
def create(query: dict[str, Any], headers: dict[str, Any]) -> Response:
    """Code a lesion report, write it in every format, keep all of it and deliver it.

    A form (multipart/form-data) has the document as file `report` and SEG instances as files `seg`, by which the
    lesions' segments are measured.
    """
    here = deployment()
    plan = deliveries.plan(query)
    content, form, sent = forms.received(request, here.settings.limits)
    masks = sent if query["measure"] else ()
    source = here.source(content, form, query.get("mapping"), masks=masks, validate="definitions" in query)
    options = CreateQuery.options(query)
    return _published(source, options, plan, query, headers)


@blueprint.post(f"/{_ID}/amend")
@blueprint.arguments(AmendQuery, location="query")
@blueprint.arguments(PublishHeaders, location="headers")
@_gives_a_receipt
@blueprint.doc(requestBody=FINDINGS_BODY)
def amend(query: dict[str, Any], headers: dict[str, Any], id: UUID) -> Response:  # noqa: A002 - the route's own word
    """Correct the report, add to it or change it: a new version in every format, and to where the one before went."""
    here = deployment()
    form = negotiation.reader(request.content_type)
    content = body.read(request, here.settings.limits.body_bytes)
    base = here.store.get(str(id))
    came = here.source(content, form, query.get("mapping"), validate="definitions" in query)
    source = amended(came, base, Kind(query["kind"]), here.store, reject=NextQuery.reason(query))
    plan = deliveries.plan(query, destinations(base, here.store))
    return _published(source, AmendQuery.options(query), plan, query, headers, base)


@blueprint.post(f"/{_ID}/cancel")
@blueprint.arguments(CancelQuery, location="query")
@blueprint.arguments(PublishHeaders, location="headers")
@_gives_a_receipt
def cancel(query: dict[str, Any], headers: dict[str, Any], id: UUID) -> Response:  # noqa: A002 - the route's own word
    """Withdraw the report in every format: cancelled where it never was final, else entered in error."""
    here = deployment()
    base = here.store.get(str(id))
    issued = DateTime(query["issued"]) if "issued" in query else None
    reason = NextQuery.reason(query)
    source = cancelled(here.source(b"", Format.FINDINGS), base, here.store, issued=issued, reject=reason)
    plan = deliveries.plan(query, destinations(base, here.store))
    return _published(source, CancelQuery.options(query), plan, query, headers, base)


def _published(
    source: Source,
    options: Options,
    plan: "Plan | Routed | None",
    query: dict[str, Any],
    headers: dict[str, Any],
    base: "Stored | None" = None,
) -> Response:
    """Keep it, and answer as the caller prefers; ``base`` is the version before, where it is named."""
    store, key = deployment().store, headers.get("key")
    planner: Planner | None = plan
    if base is not None and "reject" in query:
        from service.workflows.rejecting import Rejecting

        planner = Rejecting(plan, str(NextQuery.reason(query)), base, store)
    receipt = publish(source, options, store, key=key, dry_run=query["dry_run"], planner=planner)
    response = answers.published(receipt, always=query.get("ack") == "always")
    return (
        response
        if plan is None or receipt.id is None
        else deliveries.under_way(response, receipt, source, plan, options)
    )


@blueprint.post("/search")
@blueprint.response(HTTPStatus.OK, VersionsSchema)
@blueprint.doc(requestBody=SEARCH_BODY)
def search() -> Response:
    """Find stored reports. The conditions stand in the body: a URL would leave them in logs."""
    wanted = body.read_json(request, Search())
    limit = wanted.pop("limit")
    if not door.caller().speaks_for(wanted.get("sender", "")):
        wanted["sender"] = door.caller().sender
    return answers.versions(deployment().store.search(wanted, limit=limit))


@blueprint.get(f"/{_ID}")
@blueprint.response(HTTPStatus.OK, ReceiptSchema)
def receipt(id: UUID) -> Response:  # noqa: A002 - the route's own word
    """The receipt as it was answered first."""
    return answers.stored("application/json", deployment().store.get(str(id)).receipt)


@blueprint.get(f"/{_ID}/versions")
@blueprint.response(HTTPStatus.OK, VersionsSchema)
def versions(id: UUID) -> Response:  # noqa: A002 - the route's own word
    """All versions of the report that this is one of."""
    return answers.versions(deployment().store.versions(str(id)))


@blueprint.get(f"/{_ID}/deliveries")
@blueprint.response(HTTPStatus.OK, DeliveriesSchema)
def delivered(id: UUID) -> Response:  # noqa: A002 - the route's own word
    """Where it went, each attempt with its time and what the destination answered."""
    return deliveries.of_report(str(id))


@blueprint.get(f"/{_ID}/hl7v2")
@blueprint.arguments(MessageQuery, location="query")
@blueprint.doc(responses={"200": HL7V2_OUTPUT})
def message(query: dict[str, Any], id: UUID) -> Response:  # noqa: A002 - the route's own word
    """The report as ORU^R01, made anew of what the sender sent; it points to the SR that was kept."""
    here = deployment()
    kept = here.store.get(str(id))
    options = Options(reference=True, pdf=query["pdf"], language=query.get("language"))
    made = anew(here.source(b"", Format.FINDINGS), here.store, kept, Format.HL7V2, options)
    return answers.stored(made.media_type, made.content, name=f"{id}.hl7")


@blueprint.get(f"/{_ID}/fhir")
@blueprint.arguments(FhirQuery, location="query")
@blueprint.doc(responses={"200": FHIR_OUTPUT})
def bundle(query: dict[str, Any], id: UUID) -> Response:  # noqa: A002 - the route's own word
    """The bundle that was emitted; in another release, profile, kind or language made anew of what the sender sent."""
    here, offer = deployment(), negotiation.fhir(request.headers.get("Accept", ""))
    form, options = offer.targets[0], FhirQuery.options(query, offer.encoding)
    if form is Format.FHIR_R4 and not query:
        found = here.store.output(str(id), "fhir")
        made = encoded(form, Emitted(found.media_type, found.content), options)
    else:
        kept = here.store.get(str(id))
        made = anew(here.source(b"", Format.FINDINGS), here.store, kept, form, options)
    return answers.stored(made.media_type, made.content, name=f"{id}{suffix(form, options)}")


@blueprint.get(f"/{_ID}/html")
@blueprint.arguments(PageQuery, location="query")
@blueprint.doc(responses={"200": PAGE_OUTPUT})
def page(query: dict[str, Any], id: UUID) -> Response:  # noqa: A002 - the route's own word
    """The page that was emitted; with headings and labels in another language made anew of what the sender sent."""
    here = deployment()
    if not query:
        found = here.store.output(str(id), "html")
        made = Emitted(found.media_type, found.content)
    else:
        options = Options(language=query["language"])
        made = anew(here.source(b"", Format.FINDINGS), here.store, here.store.get(str(id)), Format.HTML, options)
    return answers.stored(made.media_type, made.content, name=f"{id}.html")


@blueprint.get(f"/{_ID}/<any(sr, findings, source, amendment, unmeasured, rejection):role>")
@blueprint.doc(responses={"200": OUTPUTS})
def output(id: str, role: str) -> Response:  # noqa: A002 - the route's own word
    """The bytes that were emitted: the SR; or what came (`source`, `amendment`, `unmeasured`: as it came)."""
    found = deployment().store.output(str(id), role)
    return answers.stored(found.media_type, found.content, name=f"{id}.{answers.suffix(role, found.media_type)}")
