"""Hostile and broken FHIR: a report, or a refusal with its place, in bounded time and memory."""

import copy
import json
import time
import tracemalloc
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from service.coding import vocabulary
from service.coding.coder import code_report
from service.domain.errors import Invalid, Problem, Refused
from service.domain.limits import Limits
from service.domain.received import Intake
from service.formats.fhir.r4 import R4
from service.formats.fhir.r5 import R5
from service.formats.fhir.read import read
from service.formats.fhir.write import write
from service.formats.findings.read import read as read_findings
from service.formats.findings.write import write as write_findings
from tests.fhir_bundles import sr_of

EXAMPLES = Path(__file__).parents[4] / "examples"
SCALARS: list[Any] = [None, True, 0, -1, 1.5, 10**40, "", " ", "x", "x" * 70_000, "\\^=", "2026-13-40", "urn:oid:1.2.3"]
OBJECTS: list[Any] = [
    {},
    {"reference": "#"},
    {"coding": "x"},
    {"coding": [{"code": 1}]},
    {"value": "12"},
    {"x": {"x": [{}]}},
]
ODD = st.sampled_from([*SCALARS, *OBJECTS, "#", "#p", [], [None], [[]]])


REPORT: dict[str, Any] = {
    "resourceType": "DiagnosticReport",
    "status": "final",
    "code": {"text": "MR"},
    "subject": {"reference": "#p"},
}


@cache
def bundle(number: int) -> Any:
    """One of our own bundles, in one release or the other."""
    name, release = (("brain-mr-corrected", R4), ("brain-mr-images-and-regions", R5))[number]
    body = (EXAMPLES / f"{name}.json").read_bytes()
    report = code_report(read_findings(body, default_sender="local", limits=Limits()), vocabulary())
    return json.loads(write(report, sr_of(report), bundle="document", release=release).content)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place within a value."""
    items: list[tuple[Any, Any]] = []
    if isinstance(value, dict):
        items = list(value.items())
    elif isinstance(value, list):
        items = list(enumerate(value))
    return [place for step, inner in items for place in ((*path, step), *places(inner, (*path, step)))]


@st.composite
def broken(draw: st.DrawFn) -> Any:
    """A bundle of ours in which up to five places are replaced, taken away, doubled or swapped with others."""
    made = copy.deepcopy(bundle(draw(st.integers(0, 1))))
    for _ in range(draw(st.integers(1, 5))):
        path = draw(st.sampled_from(places(made)))
        owner = made
        for step in path[:-1]:
            owner = owner[step]
        how = draw(st.sampled_from(["replace", "remove", "double", "swap"]))
        if how == "remove":
            del owner[path[-1]]
        elif how == "double":
            owner[path[-1]] = [owner[path[-1]]] * 2
        elif how == "swap":
            there = made
            for step in draw(st.sampled_from(places(made))):
                there = there[step]
            owner[path[-1]] = copy.deepcopy(there)
        else:
            owner[path[-1]] = draw(ODD)
        if not isinstance(made, dict) or not places(made):
            break
    return made


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(document=broken())
def test_a_broken_bundle_is_read_or_refused(document: Any) -> None:
    """What is read can be coded, and kept as findings."""
    problems: tuple[Problem, ...] = ()
    try:
        report = read(json.dumps(document).encode(), Intake("site")).report
        code_report(report, vocabulary())
    except Refused as refused:  # any other error fails
        problems = refused.problems
    else:
        kept = read_findings(write_findings(report), default_sender="x", limits=Limits())
        assert (kept.id, kept.study.uid) == (report.id, report.study.uid)
        assert [lesion.id for lesion in kept.lesions] == [lesion.id for lesion in report.lesions]
    assert all(problem.rule and problem.detail for problem in problems)


def large(entries: int) -> bytes:
    """A bundle of many small resources with a report among them."""
    report = dict(REPORT)
    report |= {"issued": "2026-03-02T10:41:00Z", "contained": [{"resourceType": "Patient", "id": "p"}]}
    report["conclusion"] = "No lesion."
    few = [{"resource": {"resourceType": "Basic"}}] * (entries - 1)
    return json.dumps({"resourceType": "Bundle", "entry": [{"resource": report}, *few]}).encode()


def test_a_bundle_of_a_hundred_thousand_entries_is_refused_with_its_place() -> None:
    begun = time.thread_time()
    with pytest.raises(Invalid) as raised:
        read(large(100_000), Intake())

    assert [(problem.pointer, problem.rule) for problem in raised.value.problems] == [("Bundle.entry", "limit")]
    assert time.thread_time() - begun < 10


def test_a_bundle_of_as_many_entries_as_are_taken_is_read_in_bounded_time_and_memory() -> None:
    body = large(Limits().entries)
    tracemalloc.start()
    begun = time.thread_time()

    received = read(body, Intake())

    took, (_, peak) = time.thread_time() - begun, tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len([loss for loss in received.losses if loss.rule == "fhir-resource"]) == Limits().entries - 1
    assert took < 30
    assert peak < 256 * 1024 * 1024


def test_a_thousand_observations_in_one_circle_are_read_once_each() -> None:
    rings = [
        {
            "resourceType": "Observation",
            "id": f"o{number}",
            "status": "final",
            "code": {"text": f"size {number}"},
            "valueQuantity": {"value": number, "unit": "mm"},
            "hasMember": [{"reference": f"#o{(number + 1) % 1000}"}, {"reference": f"#o{number}"}],
        }
        for number in range(1000)
    ]
    report = dict(REPORT)
    report |= {"issued": "2026-03-02T10:41:00Z"}
    report["result"] = [{"reference": f"#o{number}"} for number in range(1000)]
    report["contained"] = [{"resourceType": "Patient", "id": "p"}, *rings]

    received = read(json.dumps(report).encode(), Intake())

    read_once = sum(len(lesion.measurements) for lesion in received.report.lesions)
    listed = [loss for loss in received.losses if loss.rule in ("fhir-twice", "fhir-unread")]
    assert read_once + len(listed) >= 1000
    assert read_once <= 1000


def test_a_document_as_deep_as_nobody_writes_is_refused() -> None:
    deep: Any = {}
    for _ in range(200):
        deep = {"extension": [deep]}

    with pytest.raises(Invalid) as raised:
        read(json.dumps({"resourceType": "DiagnosticReport", **deep}).encode(), Intake())

    assert raised.value.problems[0].rule == "limit"
