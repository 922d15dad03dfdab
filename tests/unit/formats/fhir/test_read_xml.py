"""XML of others: the same values as in JSON, and nothing that a hostile document may make of it."""

import time
import tracemalloc
from pathlib import Path

import pytest

from service.domain.errors import Invalid, LesionBridgeError, TooLarge, Unreadable
from service.domain.limits import Limits
from service.domain.received import Intake
from service.doors import Format, detect
from service.formats.fhir import read_xml
from service.formats.fhir.read import read
from service.formats.fhir.read_xml import parse_xml

REPORT = """<?xml version="1.0" encoding="UTF-8"?>
<!-- a comment -->
<DiagnosticReport xmlns="http://hl7.org/fhir">
  <contained>
    <Patient>
      <id value="p"/>
      <identifier><value value="P-1"/></identifier>
      <birthDate value="1961-04-02"><extension url="http://x"><valueString value="certain"/></extension></birthDate>
    </Patient>
  </contained>
  <contained>
    <Observation>
      <id value="o"/><status value="final"/>
      <code><coding><system value="http://snomed.info/sct"/><code value="103339001"/></coding></code>
      <valueQuantity><value value="12.50"/><system value="http://unitsofmeasure.org"/><code value="mm"/></valueQuantity>
    </Observation>
  </contained>
  <text><status value="additional"/><div xmlns="http://www.w3.org/1999/xhtml"><p>more &amp; more</p></div></text>
  <status value="final"/>
  <code><text value="MR brain"/></code>
  <subject><reference value="#p"/></subject>
  <issued value="2026-03-02T10:41:00+01:00"/>
  <result><reference value="#o"/></result>
  <conclusion value="one&#10;two"/>
</DiagnosticReport>
"""


def test_xml_gives_the_values_of_json() -> None:
    value = parse_xml(REPORT.encode(), Limits(), "R4")

    assert isinstance(value, dict)
    assert value["contained"][0]["birthDate"] == "1961-04-02"
    assert value["contained"][0]["_birthDate"] == {"extension": [{"url": "http://x", "valueString": "certain"}]}
    assert value["result"] == [{"reference": "#o"}]
    assert value["text"]["div"].startswith("<div")


def test_a_report_in_xml_is_read_with_its_digits_and_its_places() -> None:
    received = read(REPORT.encode(), Intake("site"))

    assert str(received.report.lesions[0].measurements[0].value) == "12.50"
    assert received.report.impression == "one\ntwo"
    places = {loss.where for loss in received.losses}
    assert places >= {"DiagnosticReport.text", "DiagnosticReport.contained[0].birthDate.extension"}


@pytest.mark.parametrize(("more", "form"), [("", Format.FHIR_R4), ("<ImagingSelection/>", Format.FHIR_R5)])
def test_xml_is_known_by_its_namespace(more: str, form: Format) -> None:
    assert detect(f'<Bundle xmlns="http://hl7.org/fhir">{more}</Bundle>'.encode()) is form


LAUGHS = "".join(f'<!ENTITY l{level} "{f"&l{level - 1};" * 10}">' for level in range(1, 10))
HOSTILE: dict[str, tuple[str, type[LesionBridgeError], str]] = {
    "billion laughs": (
        f'<!DOCTYPE x [<!ENTITY l0 "ha">{LAUGHS}]><Bundle xmlns="http://hl7.org/fhir"><id value="&l9;"/></Bundle>',
        Invalid,
        "fhir-doctype",
    ),
    "external entity": (
        '<!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/hostname">]><Bundle xmlns="http://hl7.org/fhir">&f;</Bundle>',
        Invalid,
        "fhir-doctype",
    ),
    "external document type": ('<!DOCTYPE x SYSTEM "http://127.0.0.1:9/x.dtd"><Bundle/>', Invalid, "fhir-doctype"),
    "an entity that is not defined": ('<Bundle xmlns="http://hl7.org/fhir">&f;</Bundle>', Unreadable, "fhir-xml"),
    "cut off": (REPORT[:900], Unreadable, "fhir-xml"),
    "another namespace": ("<Bundle/>", Invalid, "fhir-xml"),
    "another encoding": ('<?xml version="1.0" encoding="UTF-7"?><Bundle/>', Unreadable, "utf-8"),
    "turned text": ('<Bundle xmlns="http://hl7.org/fhir"><id value="a&#x202e;b"/></Bundle>', Invalid, "character"),
    "deep": (f'<Bundle xmlns="http://hl7.org/fhir">{"<a>" * 120}{"</a>" * 120}</Bundle>', Invalid, "limit"),
    "deeper": (f'<Bundle xmlns="http://hl7.org/fhir">{"<a>" * 90_000}', Unreadable, "fhir-xml"),
    "many elements": (f'<Bundle xmlns="http://hl7.org/fhir">{"<a/>" * 500_001}</Bundle>', Invalid, "limit"),
    "long": (
        f'<Bundle xmlns="http://hl7.org/fhir"><id value="{"a" * (16 * 1024 * 1024)}"/></Bundle>',
        TooLarge,
        "limit",
    ),
}


@pytest.mark.parametrize(("document", "error", "rule"), HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_document_is_refused_soon_and_small(document: str, error: type[LesionBridgeError], rule: str) -> None:
    body = document.encode()
    tracemalloc.start()
    begun = time.thread_time()
    with pytest.raises(error) as raised:
        read(body, Intake())
    took, (_, peak) = time.thread_time() - begun, tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert [problem.rule for problem in raised.value.problems] == [rule]
    assert took < 5
    assert peak < 32 * 1024 * 1024


def test_a_file_that_an_entity_names_is_never_opened(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("the words of the file", encoding="utf-8")
    document = f'<!DOCTYPE x [<!ENTITY f SYSTEM "{secret.as_uri()}">]><Bundle xmlns="http://hl7.org/fhir">&f;</Bundle>'

    with pytest.raises(Invalid) as raised:
        read(document.encode(), Intake())

    assert "words" not in str(raised.value)


@pytest.mark.parametrize("unit", ["<a/>", "<a></a>", '<a value="1"/>', "<!--a-->", "<?a?>"])
def test_elements_are_counted_before_any_is_made(unit: str, monkeypatch: pytest.MonkeyPatch) -> None:
    parsed: list[int] = []
    monkeypatch.setattr(read_xml, "_tree", lambda body: parsed.append(len(body)))

    with pytest.raises(Invalid, match=r"limits\.elements") as raised:
        read(f'<Bundle xmlns="http://hl7.org/fhir">{unit * 480_000}</Bundle>'.encode(), Intake())

    assert [problem.rule for problem in raised.value.problems] == ["limit"]
    assert parsed == []


def test_a_document_of_as_many_elements_as_the_limit_is_read() -> None:
    number = REPORT.count("<") - REPORT.count("</")

    assert parse_xml(REPORT.encode(), Limits(elements=number), "R4")
    with pytest.raises(Invalid):
        parse_xml(REPORT.encode(), Limits(elements=number - 1), "R4")
