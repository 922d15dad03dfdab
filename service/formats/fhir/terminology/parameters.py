"""The parameters of each operation, and requests read by them: from a query, or from a Parameters resource.

A parameter that the operation does not define is refused, and so is one that is defined but would change the answer in
a way that is not served: an answer that passes over it would be wrong.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from service.domain.errors import Problem, Unreadable
from service.formats.fhir.terminology.release import Release

Values = dict[str, Any]
"""Parameters by name: text, True or False, a number, a FHIR structure; a list where the parameter may repeat."""

_COMMON: Final = {"displayLanguage": "code", "version": "string"}
_EXPAND: Final = {
    "url": "uri",
    "valueSet": "ValueSet",
    "valueSetVersion": "string",
    "filter": "string",
    "offset": "integer",
    "count": "integer",
    "includeDesignations": "boolean",
    "includeDefinition": "boolean",
    "activeOnly": "boolean",
    "excludeNested": "boolean",
    "excludeNotForUI": "boolean",
    "excludePostCoordinated": "boolean",
    "displayLanguage": "code",
    "exclude-system": "canonical*",
    "system-version": "canonical*",
    "check-system-version": "canonical*",
}
_R4: Final[dict[str, dict[str, str]]] = {
    "lookup": _COMMON | {"code": "code", "system": "uri", "coding": "Coding", "property": "code*"},
    "validate-code": _COMMON
    | {
        "url": "uri",
        "code": "code",
        "display": "string",
        "coding": "Coding",
        "codeableConcept": "CodeableConcept",
        "abstract": "boolean",
    },
    "subsumes": {
        "codeA": "code",
        "codeB": "code",
        "system": "uri",
        "version": "string",
        "codingA": "Coding",
        "codingB": "Coding",
    },
    "expand": _EXPAND,
    "vs-validate-code": {
        "url": "uri",
        "valueSet": "ValueSet",
        "valueSetVersion": "string",
        "code": "code",
        "system": "uri",
        "systemVersion": "string",
        "display": "string",
        "coding": "Coding",
        "codeableConcept": "CodeableConcept",
        "abstract": "boolean",
        "displayLanguage": "code",
    },
    "translate": {
        "url": "uri",
        "conceptMapVersion": "string",
        "code": "code",
        "system": "uri",
        "version": "string",
        "coding": "Coding",
        "codeableConcept": "CodeableConcept",
        "target": "uri",
        "targetsystem": "uri",
        "reverse": "boolean",
    },
}
_R5_TRANSLATE: Final = {
    "url": "uri",
    "conceptMapVersion": "string",
    "sourceCode": "code",
    "system": "uri",
    "version": "string",
    "sourceCoding": "Coding",
    "sourceCodeableConcept": "CodeableConcept",
    "targetCode": "code",
    "targetCoding": "Coding",
    "targetCodeableConcept": "CodeableConcept",
    "targetScope": "uri",
    "targetSystem": "uri",
}
DEFINED: Final[Mapping[Release, Mapping[str, Mapping[str, str]]]] = {
    Release.R4: _R4,
    Release.R5: {**_R4, "translate": _R5_TRANSLATE},
}
"""The parameters that are served: the FHIR type by name, a star for one that may repeat."""
_TEXTS: Final = frozenset({"code", "uri", "canonical", "string"})
_CODE = re.compile(r"[^\s]+(\s[^\s]+)*")  # FHIR R4 datatypes: code
_MOST_TEXT: Final = 65_536
_MOST_INTEGER: Final = 2_147_483_647


def defined_as(kind: str, operation: str) -> str:
    """The key in `DEFINED` of an operation of a resource type: two types have a $validate-code."""
    return "vs-validate-code" if (kind, operation) == ("ValueSet", "validate-code") else operation


def from_query(items: Iterable[tuple[str, str]], operation: str, release: Release) -> Values:
    """The parameters of a GET; those whose names begin with an underscore are of the exchange (_format) and left out.

    Raises Unreadable.
    """
    defined = DEFINED[release][operation]
    values: Values = {}
    for name, text in items:
        if name.startswith("_"):
            continue
        kind = _kind(defined, name)
        if kind[0].isupper():
            raise Unreadable(Problem(name, "invalid", f"{name} is a {kind}: send it in a POST with Parameters"))
        _put(values, defined, name, _of_text(name, kind, text))
    return values


def from_resource(resource: Any, operation: str, release: Release) -> Values:
    """The parameters of a POST; raises Unreadable."""
    if not isinstance(resource, dict) or resource.get("resourceType") != "Parameters":
        raise Unreadable(Problem("", "structure", "the body of an operation is a Parameters resource"))
    listed = resource.get("parameter", [])
    if not isinstance(listed, list):
        raise Unreadable(Problem("Parameters.parameter", "structure", "parameter is a list"))
    defined = DEFINED[release][operation]
    values: Values = {}
    for place, one in enumerate(listed):
        where = f"Parameters.parameter[{place}]"
        if not isinstance(one, dict) or not isinstance(one.get("name"), str):
            raise Unreadable(Problem(where, "structure", "a parameter has a name"))
        name = one["name"]
        _put(values, defined, name, _of_parameter(one, _kind(defined, name), where))
    return values


def _kind(defined: Mapping[str, str], name: str) -> str:
    kind = defined.get(name)
    if kind is None:
        raise Unreadable(Problem(name[:64], "not-supported", f"the parameter {name[:64]!r} is not served here"))
    return kind.rstrip("*")


def _put(values: Values, defined: Mapping[str, str], name: str, value: Any) -> None:
    if defined[name].endswith("*"):
        values.setdefault(name, []).append(value)
    elif name in values:
        raise Unreadable(Problem(name, "invalid", f"{name} is there twice"))
    else:
        values[name] = value


def _of_text(name: str, kind: str, text: str) -> Any:
    """A primitive value from its text."""
    if kind == "boolean":
        if text not in ("true", "false"):
            raise Unreadable(Problem(name, "value", f"{name} is true or false"))
        return text == "true"
    if kind == "integer":
        if not text.isascii() or not text.isdecimal() or int(text[:11]) > _MOST_INTEGER or len(text) > 10:
            raise Unreadable(Problem(name, "value", f"{name} is a whole number, 0 or more"))
        return int(text)
    if not text.strip() or len(text) > _MOST_TEXT:
        raise Unreadable(Problem(name, "value", f"{name} is empty or too long"))
    if kind == "code" and _CODE.fullmatch(text) is None:
        raise Unreadable(Problem(name, "value", f"{name} is no code: it has spaces at an end or two of them together"))
    return text


def _of_parameter(one: Mapping[str, Any], kind: str, where: str) -> Any:
    """The value of a parameter as its type has it; text types are taken for each other, as clients send them."""
    if kind == "ValueSet":
        value = one.get("resource")
    else:
        given = [name for name in one if name.startswith("value")]
        if len(given) != 1:
            raise Unreadable(Problem(where, "structure", f"the parameter has one value, of type {kind}"))
        value = one[given[0]]
        said = given[0].removeprefix("value").lower()
        fits = said == kind.lower() or (said in _TEXTS and kind in _TEXTS)
        if not fits and not (kind == "integer" and said in ("unsignedint", "positiveint")):
            raise Unreadable(Problem(where, "structure", f"the parameter is a {kind}, not {given[0][:64]}"))
    if kind[0].isupper():
        if not isinstance(value, dict):
            raise Unreadable(Problem(where, "structure", f"a {kind} is an object"))
        return value
    if kind == "boolean" and isinstance(value, bool):
        return value
    if kind == "integer" and isinstance(value, int) and not isinstance(value, bool):
        return _of_text(where, kind, str(value))
    if isinstance(value, str) and kind in _TEXTS:
        return _of_text(where, kind, value)
    raise Unreadable(Problem(where, "structure", f"the value is no {kind}"))
