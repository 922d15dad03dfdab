"""docs/rest.md against the code: every route of reports, every parameter, every member of a receipt and of a search."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from flask import Flask
from marshmallow import Schema

from service.api import convert, reports
from service.api.report_schemas import ReceiptSchema, Search
from service.api.writing_schemas import AmendQuery, CancelQuery, CreateQuery, FhirQuery, MessageQuery, PageQuery, Prefer
from service.domain.codes import Resolution
from service.domain.loss import LossKind

GUIDE = (Path(__file__).parents[3] / "docs" / "rest.md").read_text(encoding="utf-8")
WORDS = set(re.findall(r"[a-zA-Z][\w-]*", " ".join(re.findall(r"`([^`]+)`", GUIDE))))
SCHEMAS = [CreateQuery, AmendQuery, CancelQuery, FhirQuery, MessageQuery, PageQuery, ReceiptSchema, Search]


@pytest.mark.parametrize("schema", SCHEMAS, ids=lambda schema: schema.__name__)
def test_every_parameter_and_member_is_named(schema: type[Schema]) -> None:
    names = {field.data_key or name for name, field in schema().fields.items()}
    assert names - WORDS == set()


@pytest.mark.parametrize("word", [*Resolution, *LossKind])
def test_every_word_of_a_receipt_is_named(word: str) -> None:
    assert f"`{word}`" in GUIDE


def test_every_route_of_reports_is_named() -> None:
    app = Flask(__name__)
    app.register_blueprint(convert.blueprint)
    app.register_blueprint(reports.blueprint)
    paths = {str(rule) for rule in app.url_map.iter_rules() if str(rule).startswith("/v1/")}
    last = {re.sub(r"<any\((.*)\):\w+>", r"\1", path).rpartition("/")[2] for path in paths}
    named = {word.strip() for one in last for word in one.split(",")} - {"<uuid:id>"}
    assert len(named) > 15
    assert {one for one in named if f"/{one}`" not in GUIDE and f"/{one}?" not in GUIDE} == set()


def test_the_longest_wait_is_said() -> None:
    assert f"at most {Prefer.MOST_WAIT_S}; `Lesionbridge-Deliveries`" in " ".join(GUIDE.split())
