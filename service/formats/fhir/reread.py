"""A bundle that was emitted, as JSON values again: numbers keep their digits, in JSON and in XML."""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

import orjson

from service.domain.emitted import Emitted
from service.domain.limits import Limits
from service.formats.fhir.elements import Element, elements
from service.formats.fhir.read_node import Lexical

_AS_WRITTEN: Final = frozenset({"boolean", "decimal", "integer", "integer64", "positiveInt", "unsignedInt"})
"""Primitive types whose text in XML stands in JSON without quotation marks (R4 and R5 json.html#primitive)."""


def reread(bundle: Emitted) -> Any:
    """What was written here, by `service.formats.fhir.write` or `.xml`."""
    if "xml" not in bundle.media_type:
        return json.loads(bundle.content, parse_float=orjson.Fragment)
    from service.formats.fhir.read_xml import parse_xml

    release = "R5" if bundle.media_type.endswith("5.0") else "R4"
    # It was ours already, so no limit for what comes from others is asked.
    limits = replace(Limits(), body_bytes=len(bundle.content), values=bundle.content.count(b"<"))
    return _typed(parse_xml(bundle.content, limits, release), "", elements(release))


def _typed(value: Any, kind: str, types: Mapping[str, Mapping[str, Element]]) -> Any:
    if isinstance(value, list):
        return [_typed(one, kind, types) for one in value]
    if isinstance(value, dict):
        known = types.get(str(value.get("resourceType", kind)), {})
        return {name: _typed(inner, known[name].kind if name in known else "", types) for name, inner in value.items()}
    if isinstance(value, Lexical):
        return orjson.Fragment(str(value)) if kind in _AS_WRITTEN else str(value)
    return value
