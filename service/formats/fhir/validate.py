"""Incoming FHIR held to its definitions by fhir.resources, where somebody asks for it: it is only imported then.

R4 is held by the classes of R4B: the resources that are read have the same elements in both. What it finds is named by
place and kind alone, since its sentences may repeat what stands in the document.
"""

from __future__ import annotations

import json
from typing import Any, Final

from service.domain.errors import Invalid, Problem
from service.domain.limits import Limits
from service.formats.fhir.read import is_xml
from service.formats.jsontext import parse

MOST_PROBLEMS: Final = 100
"""Problems listed of one document; the rest is counted."""


def validate(content: bytes, limits: Limits, release: str) -> None:
    """Raise Invalid with what fhir.resources finds wrong in a document; what is no FHIR is left to the reader."""
    value = _value(content, limits, release)
    kind = value.get("resourceType") if isinstance(value, dict) else None
    if not isinstance(kind, str):
        return
    found = _errors(kind, value, release)
    if found:
        problems = [Problem(_place(kind, one["loc"]), "fhir-invalid", _why(one)) for one in found[:MOST_PROBLEMS]]
        if len(found) > MOST_PROBLEMS:
            problems.append(Problem("", "limit", f"{len(found) - MOST_PROBLEMS} more problems are not listed."))
        raise Invalid(*problems)


def _value(content: bytes, limits: Limits, release: str) -> object:
    if not is_xml(content):
        return parse(content, limits)
    from service.formats.fhir.read_xml import parse_xml

    return parse_xml(content, limits, release)


def _errors(kind: str, value: object, release: str) -> list[dict[str, Any]]:
    from fhir import resources as r5
    from fhir.resources import R4B
    from pydantic import ValidationError

    try:
        model = (r5 if release == "R5" else R4B).get_fhir_model_class(kind)
    except ValueError:
        return [{"loc": ("resourceType",), "type": "unknown_resource"}]
    try:
        model.model_validate_json(json.dumps(value, default=float))
    except ValidationError as error:
        return [dict(one) for one in error.errors(include_url=False, include_context=False, include_input=False)]
    return []


def _place(kind: str, steps: tuple[object, ...]) -> str:
    return kind + "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in steps)


def _why(error: dict[str, Any]) -> str:
    return f"FHIR's definitions do not allow this ({error['type']})."
