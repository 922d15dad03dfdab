"""Where the fuzzer starts from: the project's own examples in every format that can be read."""

from collections.abc import Iterator
from pathlib import Path

from service.api.answers import dicom_json
from service.doors import READERS, WRITERS, Format
from service.pipeline import Options, Source, convert
from tests.unit.formats.table.test_aim import document
from tests.unit.formats.table.test_dcmqi import of
from tests.unit.formats.table.test_rows import TABLE

EXAMPLES = sorted((Path(__file__).parents[2] / "examples").glob("*.json"))
MOST = 6


def seeds(form: Format) -> Iterator[bytes]:
    """Documents of a format."""
    if form is Format.AIM:
        yield document()
    elif form is Format.DCMQI:
        yield of()
    elif form is Format.CSV:
        yield TABLE.encode()
    elif form in READERS and form in WRITERS:
        for path in EXAMPLES[:MOST]:
            source = Source(path.read_bytes())
            content = convert(source, (form,), Options()).outputs[form].content
            yield content
            if form is Format.SR:
                yield dicom_json(content)
            if form in (Format.FHIR_R4, Format.FHIR_R5):
                yield convert(source, (form,), Options(encoding="xml")).outputs[form].content
