"""Every format has the door that its table says."""

import pytest

from service.domain.errors import UnsupportedMedia
from service.domain.received import Intake
from service.doors import MEDIA_TYPES, READERS, SUFFIXES, WRITERS, Format, detect
from service.pipeline import Source, read
from tests.findings import make_body


@pytest.mark.parametrize("form", list(Format))
def test_every_format_has_a_door(form: Format) -> None:
    assert form in READERS or form in WRITERS


def test_what_is_written_has_a_suffix_and_what_is_read_a_media_type() -> None:
    assert set(SUFFIXES) == set(WRITERS)
    assert set(MEDIA_TYPES.values()) <= set(READERS)


def test_what_no_reader_knows_is_refused_with_the_formats_that_can_be_read() -> None:
    with pytest.raises(UnsupportedMedia) as raised:
        detect(b"\x00\x01nothing")
    assert raised.value.problems[0].candidates == tuple(READERS)


def test_what_is_only_written_is_not_read() -> None:
    with pytest.raises(UnsupportedMedia):
        read(Source(b"<html></html>", Format.HTML))


def test_a_document_is_read_by_the_reader_of_its_format() -> None:
    selection = b'{"resourceType": "Bundle", "entry": [{"resource": {"resourceType": "ImagingSelection"}}]}'
    assert detect(make_body()) is Format.FINDINGS
    assert detect(b'{"id": "x", "resourceType": "Bundle"}') is Format.FHIR_R4
    assert detect(selection) is Format.FHIR_R5
    assert detect(b'{"report": {"impression": "\\"resourceType\\""}}') is Format.FINDINGS
    assert READERS[Format.FINDINGS](make_body(), Intake()).report.lesions
