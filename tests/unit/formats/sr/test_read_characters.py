"""Characters that no text of a report holds, in the texts of SRs: replaced and flagged, and in no output."""

from io import BytesIO

import pydicom
import pytest

from service.doors import Format
from service.pipeline import Options, Source, convert
from tests import sr_files as sr
from tests.unit.formats.sr.reading import long_axis, received, rules

COMMENT = ("121106", "DCM", "Comment")
FLAG = "control characters were replaced (PS3.5 6.1.3)"


def with_text(said: str, **header: str) -> bytes:
    """A document whose comment says it, and whose other texts do."""
    made = pydicom.dcmread(BytesIO(sr.measured(sr.text(COMMENT, "here"), long_axis(), **header)))
    made.SpecificCharacterSet = "ISO_IR 192"

    def walk(item: pydicom.Dataset) -> None:
        for child in item.get("ContentSequence", ()):
            if child.get("TextValue") == "here":
                child.TextValue = said
            walk(child)

    walk(made)
    out = BytesIO()
    made.save_as(out)
    return out.getvalue()


@pytest.mark.parametrize("control", ["\x00", "\x0b", "\x1b", "\x1c", "\x7f", "\x9b", "\u202d", "\u202e", "\ufffe"])
def test_what_no_text_holds_is_replaced_and_flagged(control: str) -> None:
    found = received(with_text(f"a{control}b"))
    assert found.report.lesions[0].text == "a\N{REPLACEMENT CHARACTER}b"
    assert FLAG in {loss.why for loss in found.losses}
    outputs = convert(
        Source(with_text(f"a{control}b"), Format.SR),
        (Format.FINDINGS, Format.HL7V2, Format.FHIR_R4, Format.HTML),
        Options(),
    ).outputs
    for form, made in outputs.items():
        assert control not in made.content.decode().replace("\\u0000", "\0"), form
    assert convert(Source(outputs[Format.FINDINGS].content), (Format.SR,), Options()).outputs


@pytest.mark.parametrize("said", ["a\tb", "a\r\nb", "a\nb", "a\u2028b", "a\u00a0b\u200fc", "=1+1", "a\\b^c=d"])
def test_what_a_text_may_hold_comes_as_it_is(said: str) -> None:
    found = received(with_text(said))
    assert found.report.lesions[0].text == said
    assert "sr-character-set" not in rules(found)


def test_a_form_feed_ends_a_line_which_is_flagged() -> None:
    found = received(with_text("a\fb"))
    assert found.report.lesions[0].text == "a\nb"
    assert FLAG in {loss.why for loss in found.losses}


def test_a_name_that_turns_its_letters_is_replaced_and_flagged() -> None:
    made = pydicom.dcmread(BytesIO(sr.measured(long_axis())))
    made.SpecificCharacterSet, made.PatientName = "ISO_IR 192", "Doe\u202eeoR^Jane"
    out = BytesIO()
    made.save_as(out)
    found = received(out.getvalue())
    assert found.report.patient.name is not None
    assert found.report.patient.name.alphabetic.family == "Doe\N{REPLACEMENT CHARACTER}eoR"
    assert FLAG in {loss.why for loss in found.losses}
