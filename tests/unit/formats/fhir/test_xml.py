"""XML out: what the JSON says, read by others, digit by digit."""

import json
import re
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from fhir.resources.bundle import Bundle as R5Bundle
from fhir.resources.R4B.bundle import Bundle as R4Bundle

from service.domain.emitted import Emitted
from service.domain.report import CodedReport
from service.formats.fhir.r4 import R4
from service.formats.fhir.r5 import R5
from service.formats.fhir.release import Release
from service.formats.fhir.write import BUNDLES, write
from service.formats.fhir.xml import as_xml
from tests.fhir_bundles import Json, sr_of
from tests.report_set import REPORTS
from tests.report_terms import LONG_AXIS, MM
from tests.reports import make_coded_report, make_lesion, number

EVERY = pytest.mark.parametrize("make", REPORTS.values(), ids=REPORTS)
BOTH = pytest.mark.parametrize(("release", "model"), [(R4, R4Bundle), (R5, R5Bundle)], ids=["R4", "R5"])


def _both(report: CodedReport, release: Release, kind: str = "document") -> tuple[Emitted, Emitted]:
    made = write(report, sr_of(report), bundle=kind, release=release)
    return made, as_xml(made, release.name)


@EVERY
@BOTH
@pytest.mark.parametrize("kind", BUNDLES)
def test_fhir_resources_reads_the_same_in_xml_and_in_json(
    make: Callable[[], CodedReport], release: Release, model: Any, kind: str
) -> None:
    in_json, in_xml = _both(make(), release, kind)

    read = (model.model_validate_json(in_json.content), model.model_validate_xml(in_xml.content))

    older, newer = (_without_narratives(json.loads(one.model_dump_json())) for one in read)
    assert older == newer
    assert in_xml.media_type == in_json.media_type.replace("json", "xml")
    assert in_xml.losses == in_json.losses


def _without_narratives(value: Any) -> Any:
    """lxml writes characters of a narrative in another way: those are compared below."""
    if isinstance(value, dict):
        return {name: _without_narratives(inner) for name, inner in value.items() if name != "div"}
    return [_without_narratives(inner) for inner in value] if isinstance(value, list) else value


@EVERY
@BOTH
def test_every_value_and_narrative_stands_there_in_the_order_of_the_document(
    make: Callable[[], CodedReport],
    release: Release,
    model: Any,
) -> None:
    in_json, in_xml = _both(make(), release)

    document = ET.fromstring(in_xml.content)
    values = sorted(element.attrib["value"] for element in document.iter() if "value" in element.attrib)
    divs = [_as_read(one) for one in document.iter("{http://www.w3.org/1999/xhtml}div")]

    written = list(_values(json.loads(in_json.content, parse_float=str, parse_int=str)))
    assert values == sorted(text for name, text in written if name != "div")
    assert divs == [_as_read(ET.fromstring(text)) for name, text in written if name == "div"]


def _as_read(element: ET.Element) -> Any:
    return element.tag, element.attrib, element.text, [(_as_read(one), one.tail) for one in element]


def _values(value: Any, name: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            if key != "resourceType" and not (key == "url" and any(one.startswith("value") for one in value)):
                yield from _values(inner, key)
    elif isinstance(value, list):
        for inner in value:
            yield from _values(inner, name)
    else:
        yield name, ("true" if value else "false") if isinstance(value, bool) else value


@pytest.mark.parametrize("value", ["12.50", "0.000", "1450.123456789012345", "1.20E-7"])
def test_a_number_keeps_the_digits_of_the_sender(value: str) -> None:
    report = make_coded_report(lesions=(make_lesion(measurements=(number(LONG_AXIS, value, MM),), evaluations=()),))

    _, in_xml = _both(report, R4)

    assert f'<valueQuantity><value value="{value}"/>'.encode() in in_xml.content


def test_the_same_bundle_gives_the_same_bytes() -> None:
    assert _both(REPORTS["rich"](), R5) == _both(REPORTS["rich"](), R5)


def _bundle(resource: Json) -> Emitted:
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": resource}]}
    return Emitted("application/fhir+json; fhirVersion=4.0", json.dumps(bundle).encode())


def test_marks_and_white_space_come_back_from_an_attribute() -> None:
    text = "a \"quoted\" <tag> & 'more'\nsecond line\r\n\ttab"

    made = as_xml(_bundle({"resourceType": "DiagnosticReport", "conclusion": text}), "R4")

    (conclusion,) = ET.fromstring(made.content).iter("{http://hl7.org/fhir}conclusion")
    assert conclusion.get("value") == text


def test_what_xml_cannot_hold_is_replaced_and_named_as_lost() -> None:
    made = as_xml(_bundle({"resourceType": "DiagnosticReport", "conclusion": "a\x01b\ufffe"}), "R4")

    (conclusion,) = ET.fromstring(made.content).iter("{http://hl7.org/fhir}conclusion")
    assert conclusion.get("value") == "a\ufffdb\ufffd"
    assert [(loss.rule, loss.what) for loss in made.losses] == [("fhir-xml-character", "2 characters")]


def test_ids_and_extensions_of_elements_have_their_form() -> None:
    extension = {"url": "http://example.org/x", "valueBoolean": True}
    patient = {
        "resourceType": "Patient",
        "id": "p1",
        "extension": [extension],
        "_birthDate": {"extension": [extension]},
        "name": [{"id": "n1", "family": "Doe", "given": ["A", None], "_given": [None, {"id": "g2"}]}],
    }

    text = as_xml(_bundle(patient), "R4").content.decode()

    shown = '<extension url="http://example.org/x"><valueBoolean value="true"/></extension>'
    name = '<name id="n1"><family value="Doe"/><given value="A"/><given id="g2"/></name>'
    assert f'<id value="p1"/>{shown}{name}<birthDate>{shown}</birthDate>' in text


def test_refuses_an_element_that_the_type_does_not_have() -> None:
    with pytest.raises(ValueError, match=re.escape("Patient has no colour")):
        as_xml(_bundle({"resourceType": "Patient", "colour": "blue"}), "R4")
