"""What a document in XML says where nobody would read it: refused with its place, never left out."""

import pytest

from service.domain.errors import Invalid
from service.domain.limits import Limits
from service.domain.received import Intake
from service.formats.fhir.read import read
from service.formats.fhir.read_xml import parse_xml
from tests.unit.formats.fhir.test_read_xml import REPORT

SCHEMA = 'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:schemaLocation="http://hl7.org/fhir fhir.xsd"'
CONCLUSION = '<conclusion value="one&#10;two"/>'
DIV = '<div xmlns="http://www.w3.org/1999/xhtml"><p>more &amp; more</p></div>'


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        pytest.param(CONCLUSION, "<conclusion>No metastasis.</conclusion>", ".conclusion", id="text for a value"),
        pytest.param(CONCLUSION, "<conclusion><![CDATA[None.]]></conclusion>", ".conclusion", id="CDATA"),
        pytest.param(CONCLUSION, f"{CONCLUSION} No.", "", id="text between elements"),
        pytest.param("<contained>", "No.<contained>", "", id="text before them"),
        pytest.param(CONCLUSION, '<conclusion value="one">two</conclusion>', ".conclusion", id="text beside a value"),
        pytest.param(CONCLUSION, '<conclusion value="one" note="two"/>', ".conclusion", id="another attribute"),
        pytest.param(CONCLUSION, '<conclusion xmlns:e="urn:e" e:value="one"/>', ".conclusion", id="another namespace"),
        pytest.param(CONCLUSION, '<conclusion VALUE="one"/>', ".conclusion", id="another case"),
        pytest.param(
            '<status value="final"/>\n  <code><text', '<resourceType value="Basic"/><code><text', "", id="type"
        ),
        pytest.param(CONCLUSION, f'{CONCLUSION}<_status><id value="x"/></_status>', "._status", id="a member of JSON"),
        pytest.param(DIV, DIV + DIV, ".text", id="two narratives"),
        pytest.param("more &amp; more", "more\u202ereversed", ".text.div", id="a narrative that turns its letters"),
    ],
)
def test_is_refused_with_its_place(old: str, new: str, place: str) -> None:
    document = REPORT.replace(old, new, 1)
    assert document != REPORT
    with pytest.raises(Invalid) as refused:
        read(document.encode(), Intake())
    (problem,) = refused.value.problems
    assert problem.rule in ("fhir-xml", "character")
    assert problem.pointer.startswith(f"DiagnosticReport{place}")
    assert "metastasis" not in problem.detail


def test_where_a_schema_is_and_comments_between_are_no_content() -> None:
    document = REPORT.replace("<DiagnosticReport ", f"<DiagnosticReport {SCHEMA} ", 1)
    document = document.replace(CONCLUSION, f"<!-- No. --> {CONCLUSION} <?no metastasis?>")
    made, plain = (parse_xml(one.replace(DIV, "").encode(), Limits(), "R4") for one in (document, REPORT))
    assert made == plain
