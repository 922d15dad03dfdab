"""The FHIR operations as the specification's own examples have them, over HTTP, each answer held to its definition.

Examples: HL7's FHIR source, `source/{codesystem,valueset,conceptmap}/$...-request.txt` and `-response.txt`, and SNOMED
International's FHIR guide for the implicit value sets. Parameters are held to the OperationDefinitions of R4.
"""

from __future__ import annotations

from typing import Any

from flask.testing import FlaskClient

R4 = {"Accept": "application/fhir+json; fhirVersion=4.0"}
R5 = {"Accept": "application/fhir+json; fhirVersion=5.0"}
OUT = {
    "$lookup": {"name", "version", "display", "designation", "property"},
    "$validate-code": {"result", "message", "display"},
    "$subsumes": {"outcome"},
    "$translate": {"result", "message", "match"},
}
"""The out parameters of each R4 OperationDefinition."""
ONCE = {
    "$lookup": {"name", "version", "display"},
    "$validate-code": {"result"},
    "$subsumes": {"outcome"},
    "$translate": {"result"},
}
"""Those of cardinality 1..1."""


def get(client: FlaskClient, path: str, status: int = 200, headers: dict[str, str] = R4) -> dict[str, Any]:
    """The answer to a GET, which must have a status."""
    answer = client.get(path, headers=headers)
    return _checked(path, answer, status)


def post(client: FlaskClient, path: str, parameters: dict[str, Any], status: int = 200) -> dict[str, Any]:
    """POST a Parameters resource: {"name_valueType": value} or {"name_resource": resource}."""
    listed = [{"name": key.rpartition("_")[0], key.rpartition("_")[2]: value} for key, value in parameters.items()]
    return _checked(
        path, client.post(path, json={"resourceType": "Parameters", "parameter": listed}, headers=R4), status
    )


def _checked(path: str, answer: Any, status: int) -> dict[str, Any]:
    made = answer.json
    assert answer.status_code == status, made
    assert answer.content_type.startswith("application/fhir+json; fhirVersion=")
    assert isinstance(made, dict)
    if status != 200:
        assert made["resourceType"] == "OperationOutcome"
        assert made["issue"]
        return made
    operation = path.partition("?")[0].rpartition("/")[2]
    if operation in OUT and "4.0" in answer.content_type:
        names = [one["name"] for one in made["parameter"]]
        assert set(names) <= OUT[operation]
        assert all(names.count(name) == 1 for name in ONCE[operation])
    return made


def resource(answer: Any) -> dict[str, Any]:
    """The body of any answer."""
    made = answer.json
    assert isinstance(made, dict)
    return made


def value(made: dict[str, Any], name: str) -> Any:
    """The value of the one parameter of a name."""
    (one,) = [one for one in made["parameter"] if one["name"] == name]
    return next(content for key, content in one.items() if key.startswith("value"))


def issue(made: dict[str, Any]) -> tuple[str, str]:
    """Code and text of the first issue of an OperationOutcome."""
    return made["issue"][0]["code"], made["issue"][0]["details"]["text"]
