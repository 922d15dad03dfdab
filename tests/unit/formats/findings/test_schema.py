"""The marshmallow schemas are the one contract: they load, they describe themselves, and what they describe is true."""

from collections.abc import Iterator
from typing import Any

import jsonschema_rs
import pytest
from apispec import APISpec
from apispec.ext.marshmallow import MarshmallowPlugin
from marshmallow import Schema, ValidationError, fields

from service.domain.errors import Invalid
from service.domain.limits import Limits
from service.domain.report import LesionReport
from service.formats.findings.fields import Member
from service.formats.findings.people import PatientSchema
from service.formats.findings.records import Part, Parts, Record
from service.formats.findings.schema import ReportSchema, findings, json_schema
from service.formats.reading import Reading
from tests.documents import EXAMPLE, FULL, make_document, make_lesion_document


def records(record: Record) -> Iterator[Record]:
    """A record and all records within it."""
    yield record
    for field in record.fields.values():
        part = field.inner if isinstance(field, Parts) else field
        if isinstance(part, Part):
            schema = part.schema
            assert isinstance(schema, Record)
            yield from records(schema)


def members() -> Iterator[tuple[str, Any]]:
    for record in records(findings()):
        for name, field in record.fields.items():
            yield f"{type(record).__name__}.{name}", field


def openapi() -> dict[str, Any]:
    spec = APISpec("test", "1", "3.1.0", plugins=[MarshmallowPlugin()])
    spec.components.schema("Report", schema=ReportSchema)
    schemas: dict[str, Any] = spec.to_dict()["components"]["schemas"]
    return schemas


@pytest.mark.parametrize(("name", "field"), list(members()))
def test_every_member_says_what_it_holds(name: str, field: Any) -> None:
    description = field.metadata["description"]
    assert description.endswith(".")
    assert description[0].isupper()


@pytest.mark.parametrize(("name", "field"), [pair for pair in members() if "examples" in pair[1].metadata])
def test_the_example_of_every_member_is_right(name: str, field: Member) -> None:
    for example in field.metadata["examples"]:
        reading = Reading(Limits())
        field.reader()(example, "", reading)
        assert reading.problems == []
        assert jsonschema_rs.is_valid(dict(field.metadata), example)


def test_openapi_has_every_record_closed_and_with_its_required_members() -> None:
    schemas = openapi()
    for record in records(findings()):
        name = type(record).__name__.removesuffix("Schema")
        described = schemas[name]
        required = [field.data_key or name for name, field in record.fields.items() if field.required]
        assert set(described["properties"]) == {field.data_key or name for name, field in record.fields.items()}
        assert described["additionalProperties"] is False
        assert sorted(described.get("required", [])) == sorted(required)


def test_openapi_takes_and_refuses_what_the_reader_does() -> None:
    schemas = openapi()
    validator = jsonschema_rs.Draft202012Validator(
        {"$ref": "#/components/schemas/Report", "components": {"schemas": schemas}}
    )
    for document in (EXAMPLE, FULL, make_document()):
        assert validator.is_valid(document)
    assert not validator.is_valid(make_document(patient={"id": "P1", "mrn": "1"}))
    assert not validator.is_valid(make_document(patient=None))


def test_the_json_schema_is_one() -> None:
    schema = json_schema()
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert jsonschema_rs.meta.is_valid(schema)
    assert jsonschema_rs.is_valid(schema, FULL)
    assert not jsonschema_rs.is_valid(schema, {})


def test_loads_as_any_marshmallow_schema_does() -> None:
    report = ReportSchema().load(FULL)
    assert isinstance(report, LesionReport)
    assert report.lesions[0].images[0].regions[0].points == ((102.5, 88.0), (116.7, 88.0))
    with pytest.raises(Invalid) as refused:
        ReportSchema().load(make_document(patient=None))
    assert refused.value.problems[0].pointer == "/patient"


@pytest.mark.parametrize("number", [float("nan"), float("inf"), -float("inf")])
def test_refuses_what_another_parser_took_for_a_number(number: float) -> None:
    image = {"sopClass": "1.2.3", "sop": "1.2.3.4", "series": "1.2.4", "point": [1.0, number]}
    document = make_lesion_document(measurements={"x": {"value": number, "unit": "mm"}}, images=[image])
    with pytest.raises(Invalid) as refused:
        ReportSchema().load(document)
    assert {problem.rule for problem in refused.value.problems} == {"number", "coordinate"}


def test_a_member_can_be_a_field_of_another_schema() -> None:
    class Search(Schema):
        patient = PatientSchema().fields["id"]
        started = fields.Nested(PatientSchema)

    assert Search(only=["patient"]).load({"patient": " P1 "}) == {"patient": "P1"}
    with pytest.raises(ValidationError, match="Leave out a member"):
        Search(only=["patient"]).load({"patient": ""})


def test_the_schema_is_made_once() -> None:
    assert findings() is findings()
