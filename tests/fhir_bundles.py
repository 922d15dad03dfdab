"""Bundles for the tests of the FHIR room: written to bytes, read back as plain JSON with exact decimals."""

import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from service.domain.emitted import SrReference
from service.domain.report import CodedReport
from service.domain.uids import derive_uid
from service.formats.fhir.r4 import R4
from service.formats.fhir.release import Release
from service.formats.fhir.write import write

Json = dict[str, Any]


def sr_of(report: CodedReport) -> SrReference:
    """Where the SR of this report would be."""
    instance = derive_uid("test-sr", report.id, report.version, report.status)
    series = derive_uid("test-series", report.id, report.version, report.status)
    return SrReference("1.2.840.10008.5.1.4.1.1.88.34", instance, series, report.study.uid)


def written(report: CodedReport, bundle: str = "transaction", release: Release = R4) -> Json:
    """The bundle, read back."""
    content = write(report, sr_of(report), bundle=bundle, release=release).content
    made: Json = json.loads(content, parse_float=Decimal)
    return made


def resources(bundle: Json, kind: str | None = None) -> list[Json]:
    """The resources of a type, or all."""
    found = [entry["resource"] for entry in bundle["entry"]]
    return [resource for resource in found if kind is None or resource["resourceType"] == kind]


def only(bundle: Json, kind: str) -> Json:
    """The one resource of a type."""
    (resource,) = resources(bundle, kind)
    return resource


def target(bundle: Json, reference: Json) -> Json:
    """The resource that a reference leads to."""
    (resource,) = (entry["resource"] for entry in bundle["entry"] if entry["fullUrl"] == reference["reference"])
    found: Json = resource
    return found


def lesions(bundle: Json) -> list[Json]:
    """The Observations that hold the others, in the order of the report."""
    results = [target(bundle, result) for result in only(bundle, "DiagnosticReport").get("result", ())]
    return [result for result in results if "focus" in result]


def said(observation: Json) -> dict[str, Any]:
    """The components of an Observation by the display of their code: the value alone."""
    return {
        component["code"]["text"]: next(value for name, value in component.items() if name.startswith("value"))
        for component in observation.get("component", ())
    }


def walk(value: Any) -> Iterator[tuple[str, Any]]:
    """Every member of every object within."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield name, inner
            yield from walk(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from walk(inner)
