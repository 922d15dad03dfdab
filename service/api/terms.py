"""GET /v1/terms: search for a term as it is typed, in the tables and in the releases that the site has loaded."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import orjson
from flask import Response
from marshmallow import Schema, fields, validate

from service.api.deployment import deployment
from service.api.openapi import Blueprint
from service.api.schemas import CodeSchema, Strict
from service.coding.releases.shelves import open_shelf
from service.coding.releases.site import SiteReleases
from service.coding.search import Asked, Match, Search
from service.domain.errors import Invalid, Problem
from service.pipeline import tables

blueprint = Blueprint("terms", __name__, url_prefix="/v1", description="Search for a term")
MOST = 100


class TermsQuery(Strict):
    """What is searched for, and where."""

    q = fields.String(
        required=True,
        validate=validate.Length(1, 256),
        metadata={"description": "Words or their beginnings, in any order; abbreviations and typing errors are met."},
    )
    field = fields.String(
        load_default="",
        metadata={"description": "A row of the mappings (`site`, `finding`, `t1`): its value set comes first."},
    )
    lang = fields.String(
        load_default="",
        validate=validate.Regexp(r"^([A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*)?$", error="a language tag (RFC 5646)"),
        metadata={"description": "A language tag; terms of that language are shown where a release has them."},
    )
    limit = fields.Integer(load_default=20, validate=validate.Range(1, MOST))


class TermSchema(Schema):
    """A concept that was found. It is proposed, never applied."""

    label = fields.String(required=True)
    concept = fields.String(
        required=True, allow_none=True, metadata={"description": "The project's key; null: only a release has it."}
    )
    codes = fields.List(fields.Nested(CodeSchema), required=True)
    term = fields.String(required=True, metadata={"description": "The designation that matched."})
    how = fields.String(required=True, validate=validate.OneOf(["exact", "words", "abbreviation", "spelling"]))
    inField = fields.Boolean(  # noqa: N815 - the name in the answer
        required=True, metadata={"description": "Whether the field's value set has it."}
    )
    source = fields.String(required=True, metadata={"description": "`lesionbridge`, or the slot of a release."})
    active = fields.Boolean(required=True, metadata={"description": "False: the release has retired the code."})
    tag = fields.String(required=True, metadata={"description": "SNOMED CT's semantic tag, or empty."})


class TermsSchema(Schema):
    """Concepts, best first."""

    terms = fields.List(fields.Nested(TermSchema), required=True)


@cache
def engine(issuers_file: str, folder: Path, database_url: str) -> Search:
    """The search over a deployment's tables and releases, made when it is first asked."""
    vocabulary = tables(issuers_file)
    return Search(vocabulary, SiteReleases(open_shelf(folder, database_url), vocabulary.designations.words))


@blueprint.get("/terms")
@blueprint.arguments(TermsQuery, location="query")
@blueprint.response(200, TermsSchema)
def search(query: Mapping[str, Any]) -> Response:
    """Search for a term as it is typed."""
    here = deployment().settings
    field = query["field"]
    vocabulary = tables(here.issuers_file)
    if field and vocabulary.field(field) is None:
        names = tuple(sorted((*vocabulary.members, *vocabulary.evaluations)))
        raise Invalid(Problem("?field", "parameter", "there is no such field", names))
    asked = Asked(query["q"], field, query["lang"], query["limit"])
    found = engine(here.issuers_file, here.terminology, here.terminology_database).find(asked)
    return Response(orjson.dumps({"terms": [_row(match) for match in found]}), content_type="application/json")


def _row(match: Match) -> dict[str, Any]:
    return {
        "label": match.label,
        "concept": match.concept,
        "codes": [{"system": one.system, "code": one.code, "display": one.display} for one in match.codes],
        "term": match.term,
        "how": match.how,
        "inField": match.in_field,
        "source": match.source,
        "active": match.active,
        "tag": match.tag,
    }
