"""/docs: the OpenAPI document as a page to read, and what each error means."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, current_app, render_template
from markupsafe import Markup, escape

from service.api.problems import kinds, slug

blueprint = Blueprint("docs", __name__, template_folder="templates")
METHODS = ("get", "post", "put", "patch", "delete")


@dataclass(frozen=True, slots=True)
class Operation:
    """One route and method."""

    method: str
    path: str
    about: dict[str, Any]


@dataclass(frozen=True, slots=True)
class ErrorKind:
    """One class of the error tree."""

    anchor: str
    title: str
    status: int
    retryable: bool
    meaning: str


@blueprint.get("/docs")
def page() -> str:
    """The page, made from the document that /openapi.json serves."""
    spec = current_app.extensions["flask-smorest"]["apis"][""]["ext_obj"].spec.to_dict()
    return render_template(
        "docs.html",
        info=spec["info"],
        operations=list(_operations(spec)),
        schemas=sorted(spec["components"]["schemas"].items()),
        errors=list(_errors()),
        kind=_kind,
        marked=_marked,
    )


def _marked(text: str | None) -> Markup:
    """Text with what stands between backticks as code; everything else is escaped."""
    parts = (text or "").split("`")
    return Markup("").join(
        Markup("<code>{}</code>").format(part) if at % 2 else escape(part) for at, part in enumerate(parts)
    )


def _operations(spec: dict[str, Any]) -> Iterator[Operation]:
    for path, item in spec["paths"].items():
        for method in METHODS:
            if method in item:
                about = dict(item[method])
                about["parameters"] = [*item.get("parameters", ()), *about.get("parameters", ())]
                yield Operation(method.upper(), path, about)


def _errors() -> Iterator[ErrorKind]:
    for kind in kinds():
        meaning = (kind.__doc__ or "").strip().splitlines()[0]
        yield ErrorKind(slug(kind), kind.title, kind.status, kind.retryable, meaning)


def _kind(schema: dict[str, Any]) -> str:
    """A schema's type in a few words."""
    if "$ref" in schema:
        return str(schema["$ref"].rsplit("/", 1)[-1])
    if "enum" in schema:
        return " | ".join(str(value) for value in schema["enum"] if value is not None)
    for word in ("anyOf", "oneOf", "allOf"):
        if word in schema:
            return " or ".join(dict.fromkeys(_kind(one) for one in schema[word]))
    kind = schema.get("type", "any")
    if kind == "array" or (isinstance(kind, list) and "array" in kind):
        return f"list of {_kind(schema.get('items', {}))}"
    return " or ".join(str(one) for one in kind) if isinstance(kind, list) else str(kind)
