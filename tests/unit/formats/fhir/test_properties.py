"""Whatever the coder takes becomes a bundle that fhir.resources reads and in which nothing leads nowhere."""

import json
from decimal import Decimal
from typing import Any

from fhir.resources.bundle import Bundle as R5Bundle
from fhir.resources.R4B.bundle import Bundle as R4Bundle
from hypothesis import HealthCheck, given, settings

from service.check.compare import compare
from service.coding import vocabulary
from service.coding.coder import code_report
from service.domain.limits import Limits
from service.formats.fhir.r4 import R4
from service.formats.fhir.r5 import R5
from service.formats.fhir.write import BUNDLES, write
from service.formats.findings.read import read
from tests.codable import codable_documents
from tests.fhir_bundles import Json, sr_of, walk


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(document=codable_documents())
def test_any_report_is_a_bundle_that_others_read(document: Any) -> None:
    sent = read(json.dumps(document).encode(), default_sender="local", limits=Limits())
    report = code_report(sent, vocabulary())

    for release, model in ((R4, R4Bundle), (R5, R5Bundle)):
        for kind in BUNDLES:
            content = write(report, sr_of(report), bundle=kind, release=release).content

            model.model_validate_json(content)
            _holds_together(json.loads(content, parse_float=Decimal))
        assert compare(report, None, content) == ()


def _holds_together(bundle: Json) -> None:
    urls = [entry["fullUrl"] for entry in bundle["entry"]]
    assert len(set(urls)) == len(urls)
    # A CodeableReference (R5) has an object there.
    assert {value for name, value in walk(bundle) if name == "reference" and isinstance(value, str)} <= set(urls)
    requests = [
        (entry["request"]["url"], entry["request"].get("ifNoneExist"))
        for entry in bundle["entry"]
        if "request" in entry
    ]
    assert len(set(requests)) == len(requests)
    assert all(value not in ("", [], {}, None) for _, value in walk(bundle))
