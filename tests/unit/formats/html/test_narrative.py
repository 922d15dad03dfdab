"""What FHIR allows in a narrative, and that ours is nothing else."""

import xml.etree.ElementTree as ET
from dataclasses import replace

import pytest

from service.domain.report import Status
from service.formats.html.write import narrative
from tests.report_set import REPORTS, rich_report, status_report
from tests.reports import make_coded_report
from tests.unit.formats.html.markup import xml_words

NAMESPACE = "{http://www.w3.org/1999/xhtml}"
# FHIR R4 2.4.0.1 (txt-1) admits HTML 4.0 chapters 7 to 11 but section 4 of 9, chapter 15, <a>, images and style
# attributes; as HL7's Java validator lists them, and of those only what this room uses or may come to use.
ALLOWED = {
    *("p", "br", "div", "h1", "h2", "h3", "h4", "h5", "h6", "span", "b", "em", "i", "strong", "small", "big", "tt"),
    *("dfn", "q", "var", "abbr", "acronym", "cite", "blockquote", "hr", "address", "bdo", "kbd", "sub", "sup"),
    *("ul", "ol", "li", "dl", "dt", "dd", "pre", "table", "caption", "colgroup", "col", "thead", "tr", "tfoot"),
    *("tbody", "th", "td", "code", "samp"),
}
ATTRIBUTES = {"class", "lang", "dir", "scope", "colspan", "{http://www.w3.org/XML/1998/namespace}lang"}
REPORT_NAMES = sorted(REPORTS)


@pytest.mark.parametrize("name", REPORT_NAMES)
def test_holds_only_what_fhir_allows(name: str) -> None:
    root = ET.fromstring(narrative(REPORTS[name]()))
    assert root.tag == f"{NAMESPACE}div"
    for element in root.iter():
        assert element.tag.startswith(NAMESPACE)
        assert element.tag.removeprefix(NAMESPACE) in ALLOWED
        assert set(element.attrib) <= ATTRIBUTES


def test_says_its_language_twice_as_fhir_wants_it() -> None:
    root = ET.fromstring(narrative(make_coded_report(language="de-CH")))
    assert root.get("lang") == "de-CH"
    assert root.get("{http://www.w3.org/XML/1998/namespace}lang") == "de-CH"


def test_leaves_out_a_language_that_is_no_language_tag() -> None:
    root = ET.fromstring(narrative(make_coded_report(language='en" onclick="x')))
    assert root.attrib == {}


@pytest.mark.parametrize("status", [status for status in Status if status is not Status.FINAL])
def test_begins_with_a_status_that_is_not_plainly_final(status: Status) -> None:
    assert xml_words(narrative(status_report(status))).startswith(status.value.replace("-", " ").upper())


def test_is_the_same_for_the_same_report() -> None:
    assert narrative(rich_report()) == narrative(rich_report())


def test_puts_the_impression_before_the_lesions() -> None:
    words = xml_words(narrative(replace(rich_report(), language="en")))
    assert words.index("Three new brain metastases.") < words.index("Lesion Finding")


def test_says_that_nothing_was_found() -> None:
    bare = make_coded_report(lesions=(), impression=None)
    assert "No lesion is reported." in xml_words(narrative(bare))


@pytest.mark.parametrize("member", ["impression", "findings"])
def test_a_report_in_words_is_not_said_to_be_without_lesions(member: str) -> None:
    report = make_coded_report(**{"lesions": (), "impression": None, member: "A metastasis."})
    words = xml_words(narrative(report))
    assert "No lesion is reported." not in words
    assert "No lesion is listed separately." in words


def test_is_never_empty_of_words() -> None:
    bare = replace(REPORTS["minimal"](), lesions=())
    assert xml_words(narrative(bare))
