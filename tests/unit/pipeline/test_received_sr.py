"""An SR that comes in, through every output."""

from typing import Any

from service.pipeline import Format, Options, Source, convert
from tests import sr_files as sr

SIZE = sr.num(sr.LONG_AXIS, "14.20", sr.MM)
TEXTS: dict[str, Any] = {"root": ("18748-4", "LN", "Diagnostic imaging report"), "SOPClassUID": sr.BASIC_TEXT}


def test_the_page_shows_all_of_a_document_that_is_no_measurement_report() -> None:
    content = sr.document(sr.text(("X", "99SITE", "Dose <b>"), "12 & more\nlines"), **TEXTS)
    page = convert(Source(content, Format.SR), (Format.HTML,), Options()).outputs[Format.HTML].content.decode()
    assert "Content of the received document" in page
    assert "<b>Dose &lt;b&gt;</b> 12 &amp; more<br/>lines" in page


def test_the_page_of_a_measurement_report_has_no_appendix() -> None:
    outputs = convert(Source(sr.measured(SIZE), Format.SR), (Format.HTML,), Options()).outputs
    assert b"Content of the received document" not in outputs[Format.HTML].content


def test_every_pair_of_formats_goes_through() -> None:
    source = Source(sr.measured(SIZE), Format.SR)
    for target in (Format.FINDINGS, Format.FHIR_R4, Format.SR, Format.HTML):
        assert convert(source, (target,), Options()).outputs[target].content
