"""What the OpenAPI document says of access: how a caller is known, and which scope each operation needs."""

import re
from collections.abc import Iterable
from typing import Any, Final

from werkzeug.routing import Rule

from service.api.door import OPEN, scope_of

SCHEMES: Final = {
    "key": {
        "type": "apiKey",
        "in": "header",
        "name": "X-API-Key",
        "description": "A key of this deployment (`lesionbridge key create`), with the scopes that it was made with.",
    },
    "bearer": {
        "type": "http",
        "scheme": "bearer",
        "description": "Such a key, or a token (JWT) of the provider that the deployment trusts.",
    },
}
_PARAMETER: Final = re.compile(r"<(?:[^:<>]+:)?([^<>]+)>")


def describe(spec: Any, rules: Iterable[Rule]) -> None:
    """Say it of every operation of an apispec document; one that anybody may ask has no requirement.

    The scope stands in each requirement: for a scheme that is not of OAuth 2 these are the roles that it takes (OpenAPI
    3.1.0, Security Requirement Object).
    """
    for name, scheme in SCHEMES.items():
        spec.components.security_scheme(name, scheme)
    paths = spec.to_dict()["paths"]
    for rule in rules:
        operations = paths.get(_PARAMETER.sub(r"{\1}", rule.rule), {})
        for method in rule.methods or ():
            if method.lower() in operations:
                operations[method.lower()]["security"] = _needed(rule.endpoint)


def _needed(endpoint: str) -> list[dict[str, list[str]]]:
    """Either of the two, with the scope; nothing for what is open."""
    scope = scope_of(endpoint)
    if endpoint in OPEN or scope is None:
        return []
    return [{name: [str(scope)]} for name in SCHEMES]
