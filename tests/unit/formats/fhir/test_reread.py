"""What was emitted is read again as it was, in XML too."""

import json

import orjson
import pytest

from service.domain.report import Status
from service.formats.fhir.r4 import R4
from service.formats.fhir.r5 import R5
from service.formats.fhir.release import Release
from service.formats.fhir.reread import reread
from service.formats.fhir.write import write
from service.formats.fhir.xml import as_xml
from tests.amended import following, written_after
from tests.fhir_bundles import sr_of
from tests.report_set import REPORTS
from tests.reports import make_coded_report, make_lesion


@pytest.mark.parametrize("release", [R4, R5], ids=lambda release: release.name)
@pytest.mark.parametrize("name", REPORTS)
def test_json_and_xml_are_the_same_values_with_the_same_digits(name: str, release: Release) -> None:
    report = REPORTS[name]()
    emitted = write(report, sr_of(report), release=release)
    there, back = (
        json.loads(orjson.dumps(reread(one)), parse_float=str) for one in (emitted, as_xml(emitted, release.name))
    )
    for bundle in (there, back):
        for entry in bundle["entry"]:
            entry["resource"].pop("text", None)  # XHTML has its namespace anew
    assert back == there == _without_text(json.loads(emitted.content, parse_float=str))


def _without_text(bundle: dict[str, object]) -> dict[str, object]:
    entries = bundle["entry"]
    assert isinstance(entries, list)
    for entry in entries:
        entry["resource"].pop("text", None)
    return bundle


@pytest.mark.parametrize("release", [R4, R5], ids=lambda release: release.name)
def test_what_was_emitted_in_xml_is_withdrawn_as_well(release: Release) -> None:
    report = make_coded_report(lesions=(make_lesion("L1"), make_lesion("L2", tracking_uid="1.2.3.77")))
    emitted = write(report, sr_of(report), release=release)
    second = following(report, Status.CORRECTED, lesions=report.lesions[:1])
    made = [written_after(second, [one], release) for one in (emitted, as_xml(emitted, release.name))]
    assert b"superseded" in made[0].content
    of_json, of_xml = (json.loads(one.content, parse_float=str) for one in made)
    assert of_json == of_xml
