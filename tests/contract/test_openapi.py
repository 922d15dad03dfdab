"""The service against its own OpenAPI document: requests that it allows and that it does not, by schemathesis."""

import os
from itertools import count
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import hypothesis
import orjson
import schemathesis
from schemathesis.generation.meta import TestPhase as Phase
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from service.app import create_app
from service.config import Settings

APP = create_app(Settings(database_url=f"sqlite:///{Path(mkdtemp()) / 'contract.sqlite3'}", log_level="error"))
APP.extensions["lesionbridge"].store.migrate()
SCHEMA = schemathesis.openapi.from_wsgi("/openapi.json", APP)
EXAMPLES = int(os.environ.get("LESIONBRIDGE_TEST_EXAMPLES", "15"))
STRIDE = int(os.environ.get("LESIONBRIDGE_TEST_STRIDE", "25"))
"""schemathesis derives 18,000 requests from the schema, each with one thing wrong: one in so many is sent."""
DERIVED = count()


@schemathesis.serializer("application/x-ndjson", "multipart/related")
def one_part(_: schemathesis.SerializationContext, value: Any) -> bytes:
    """A generated body as one line of JSON, which is a batch of one and parts that no boundary divides; bytes as is."""
    return value if isinstance(value, bytes) else orjson.dumps(value, default=str) + b"\n"


@SCHEMA.parametrize()
@hypothesis.settings(
    max_examples=EXAMPLES, deadline=None, derandomize=True, suppress_health_check=list(hypothesis.HealthCheck)
)
def test_every_answer_is_one_that_the_document_names(case: schemathesis.Case[Any]) -> None:
    """No failure of ours, no undocumented status, type or shape."""
    if case.meta is not None and case.meta.phase.name is Phase.COVERAGE and next(DERIVED) % STRIDE:
        return
    response = case.call()
    assert response.status_code < 500 or response.status_code == 501, response.text
    for check in (status_code_conformance, content_type_conformance, response_schema_conformance):
        case.validate_response(response, checks=[check])
