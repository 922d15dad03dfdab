"""What holds for every document that the reader takes."""

import json
from collections.abc import Iterator
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import Phase, given, seed, settings
from hypothesis import strategies as st

from service.domain.errors import Problem, Refused
from service.domain.limits import Limits
from service.domain.report import LesionReport
from service.formats.findings.read import read, read_exactly
from service.formats.findings.schema import json_schema
from service.formats.findings.write import write
from tests.documents import EXAMPLE, FULL, Json, as_bytes
from tests.strategies import documents

_VALIDATOR = jsonschema_rs.Draft202012Validator(json_schema())
_CODE = {"system", "code", "display"}  # every term may be one
_FREE = {"descriptors", "measurements"}  # objects whose member names are terms


def read_body(body: bytes) -> LesionReport:
    return read(body, default_sender="local", limits=Limits())


@settings(max_examples=150, deadline=None)
@given(documents())
def test_what_is_read_is_written_so_that_it_reads_the_same(document: Json) -> None:
    report = read_body(as_bytes(document))
    written = write(report)

    assert read_body(written) == report
    assert write(read_body(written)) == written


@settings(max_examples=100, deadline=None)
@given(documents(), st.sampled_from([None, 1]), st.booleans())
def test_the_quick_way_reads_what_the_exact_one_does(document: Json, indent: int | None, ascii_only: bool) -> None:
    body = json.dumps(document, indent=indent, ensure_ascii=ascii_only).encode()
    quick, exact = read_body(body), read_exactly(body, "local", Limits())

    assert quick == exact
    assert write(quick) == write(exact)


@pytest.mark.parametrize("document", [EXAMPLE, FULL], ids=["example", "full"])
def test_the_examples_are_written_so_that_they_read_the_same(document: Json) -> None:
    report = read_body(as_bytes(document))
    assert read_body(write(report)) == report


@settings(max_examples=100, deadline=None)
@given(documents())
def test_the_json_schema_takes_what_the_reader_takes(document: Json) -> None:
    written = json.loads(write(read_body(as_bytes(document))))
    assert _VALIDATOR.is_valid(document)
    assert _VALIDATOR.is_valid(written)


@settings(max_examples=150, deadline=None)
@given(documents(), st.data())
def test_whatever_is_wrong_is_said_of_a_place_that_is_there(document: Json, data: st.DataObject) -> None:
    holder, key = data.draw(st.sampled_from(list(_places(document))))
    holder[key] = data.draw(st.sampled_from([None, True, [[None]], {"no such member": 1}, "\x00", -1.5e300, ""]))
    try:
        read_body(as_bytes(document))
    except Refused as refused:
        for problem in refused.problems:
            _resolve(document, problem.pointer)
            assert problem.detail.endswith((".", "?"))


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_bytes_changed_anywhere_are_read_or_refused(data: st.DataObject) -> None:
    body = as_bytes(data.draw(st.sampled_from([EXAMPLE, FULL])))
    start = data.draw(st.integers(0, len(body)))
    end = data.draw(st.integers(start, min(start + 12, len(body))))
    tokens = [
        b"1e999999999999999999",
        b"-1e400",
        b"null",
        b"{}",
        b"[]",
        b'"',
        b"\\",
        b"\\ud800",
        b"NaN",
        b"\x00",
        b"\xff",
        b"[[[[",
    ]
    put = data.draw(st.sampled_from(tokens) | st.binary(max_size=6))
    problems: tuple[Problem, ...] = ()
    try:
        assert read_body(body[:start] + put + body[end:]).id
    except Refused as refused:  # any other error fails
        problems = refused.problems
    assert all(problem.rule and problem.detail for problem in problems)


def test_the_strategies_build_every_member_of_the_schema() -> None:
    built: set[str] = set()
    missing = wanted = _schema_paths(json_schema())

    for start in range(12):  # what a seed builds depends on the modules that are loaded, so rare members may need more

        @seed(start)
        @settings(max_examples=150, deadline=None, database=None, phases=[Phase.generate])
        @given(documents())
        def collect(document: Json) -> None:
            built.update(_paths(document))

        collect()
        missing = wanted - built
        if not missing:
            break
    assert missing == set()


def test_the_full_document_has_every_member_of_the_schema() -> None:
    wanted = {path for path in _schema_paths(json_schema()) if path.partition(".")[0] != "observer"}
    assert wanted - _paths(FULL) == set()


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for key, item in items:
        yield value, key
        if isinstance(item, dict | list):
            yield from _places(item)


def _resolve(value: Any, pointer: str) -> None:
    """Follow a pointer; only its last step may name what is missing."""
    steps = [step.replace("~1", "/").replace("~0", "~") for step in pointer.split("/")[1:]]
    for index, step in enumerate(steps):
        if isinstance(value, dict) and step not in value:
            assert index == len(steps) - 1, pointer
            return
        value = value[int(step)] if isinstance(value, list) else value[step]


def _paths(value: Any, path: str = "") -> set[str]:
    """The members of a document by their dotted names; neither places in lists nor free names count."""
    if isinstance(value, list):
        return {found for item in value for found in _paths(item, path)}
    if not isinstance(value, dict):
        return set()
    found: set[str] = set()
    for name, item in value.items():
        inner = f"{path}.{name}".lstrip(".")
        held = list(item.values()) if name in _FREE and isinstance(item, dict) else item
        found |= {inner} | _paths(held, inner)
    return found


def _schema_paths(schema: Any, path: str = "") -> set[str]:
    found: set[str] = set()
    for name, item in schema.get("properties", {}).items():
        inner = f"{path}.{name}".lstrip(".")
        found |= _schema_paths(item, inner) | ({inner} if name not in _CODE else set())
    for item in [*schema.get("anyOf", ()), schema.get("items"), schema.get("additionalProperties")]:
        if isinstance(item, dict):
            found |= _schema_paths(item, path)
    # The parts of a name are the same for everybody and in every group.
    return {inner for inner in found if ".name." not in inner or inner.rpartition(".")[0] == "patient.name"}
