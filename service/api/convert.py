"""POST /v1/convert: a document in, another format out; nothing is kept."""

from typing import Any

from flask import Response

from service.api import answers, forms, negotiation, turns
from service.api.deployment import deployment
from service.api.openapi import CONVERTED, MEASURED_BODY, Blueprint
from service.api.present import present
from service.api.writing_schemas import ConvertQuery
from service.pipeline import convert as run

blueprint = Blueprint("convert", __name__, url_prefix="/v1", description="Stateless conversion")


@blueprint.post("/convert")
@blueprint.arguments(ConvertQuery, location="query")
@blueprint.doc(requestBody=MEASURED_BODY, responses={"200": CONVERTED})
def convert(query: dict[str, Any]) -> Response:
    """Convert a document.

    The input's format is named by Content-Type, the output's by Accept. Nothing is stored. A form (multipart/form-data)
    has the document as file `report` and SEG instances as files `seg`, by which the lesions' segments are measured.
    """
    here, asked = deployment(), present()
    offer = negotiation.wanted(asked.headers.get("Accept", ""))
    content, form, sent = forms.received(asked, here.settings.limits)
    masks = sent if query["measure"] else ()
    options = ConvertQuery.options(query, offer.encoding)
    said = here.source(content, form, query.get("mapping"), masks=masks, validate="definitions" in query)
    turns.take(asked.environ)
    outcome = run(said, offer.targets, options)
    return answers.converted(outcome, offer)
