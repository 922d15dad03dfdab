"""Which format has which door: a reader, a writer or both. Each is imported when the first document comes through it.

A reader makes a lesion report of bytes, a writer makes bytes of a coded report; what one reads, another writes.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Final, TypedDict

from service.domain.emitted import Emitted, SrReference
from service.domain.errors import Invalid, LesionBridgeError, Problem, UnsupportedMedia
from service.domain.received import Intake, OutlineItem, Received
from service.domain.report import CodedReport

if TYPE_CHECKING:
    from service.formats.table.drafts import Draft


class Format(StrEnum):
    """What can be read or written, as the command line names it."""

    FINDINGS = "findings"
    FHIR_R4 = "fhir-r4"
    FHIR_R5 = "fhir-r5"
    SR = "sr"
    HL7V2 = "hl7v2"
    DCMQI = "dcmqi"
    AIM = "aim"
    CSV = "csv"
    HTML = "html"
    PDF = "pdf"


@dataclass(frozen=True, slots=True)
class Options:
    """How to write; ``check`` reads SR and FHIR back and compares them with the report.

    ``encoding`` and ``profile`` are of FHIR, one of `ENCODINGS` and of the modes that `service.formats.fhir` knows.
    ``reference``: an HL7 v2 message points to the SR; ``pdf``: it holds the page as PDF.
    ``language`` is that of headings and labels on the page and in the narrative; the report's own when absent.
    ``outline`` and ``earlier`` are no wish: the page shows the one of a document that holds more than a report can, a
    transaction withdraws and an HL7 v2 message deletes what only the other had (`Received`).
    """

    dialect: str = "strict"
    bundle: str = "transaction"
    iod: str | None = None
    check: bool = False
    encoding: str = "json"
    reference: bool = False
    outline: tuple[OutlineItem, ...] = ()
    profile: str | None = None
    earlier: tuple[Emitted, ...] = ()
    pdf: bool = False
    language: str | None = None


ENCODINGS: Final = ("json", "xml")
Reader = Callable[[bytes, Intake], Received]
Writer = Callable[[CodedReport, Options, SrReference | None], Emitted]


def _read_findings(content: bytes, intake: Intake) -> Received:
    from service.formats.findings.read import read

    return Received(read(content, default_sender=intake.sender, limits=intake.limits))


def _read_sr(content: bytes, intake: Intake) -> Received:
    if _is_json(content):
        from service.formats.sr.read_json import read as read_json

        return read_json(content, intake)
    from service.formats.sr.read import read

    return read(content, intake)


def _write_findings(report: CodedReport, _: Options, __: SrReference | None) -> Emitted:
    from service.formats.findings.write import write

    return Emitted("application/vnd.lesionbridge.findings+json", write(report))


class _OfFhir(TypedDict):
    bundle: str
    profile: str | None
    earlier: Sequence[Emitted]
    language: str


def _of_fhir(options: Options) -> _OfFhir:
    """What a bundle is written by."""
    return {
        "bundle": options.bundle,
        "profile": options.profile,
        "earlier": [one for one in options.earlier if not _is_hl7v2(one)],
        "language": options.language or "",
    }


def _write_fhir_r4(report: CodedReport, options: Options, sr: SrReference | None) -> Emitted:
    from service.formats.fhir.write import write

    if sr is None:
        raise ValueError("a bundle names the SR of its report")
    return write(report, sr, **_of_fhir(options))


def _write_fhir_r5(report: CodedReport, options: Options, sr: SrReference | None) -> Emitted:
    from service.formats.fhir.r5 import R5
    from service.formats.fhir.write import write

    if sr is None:
        raise ValueError("a bundle names the SR of its report")
    return write(report, sr, release=R5, **_of_fhir(options))


def _write_sr(report: CodedReport, options: Options, _: SrReference | None) -> Emitted:
    from service.formats.sr.write import write

    return write(report, dialect=options.dialect, iod=options.iod)


def _read_hl7v2(content: bytes, intake: Intake) -> Received:
    from service.formats.hl7v2.read import read

    return read(content, intake)


def _write_hl7v2(report: CodedReport, options: Options, sr: SrReference | None) -> Emitted:
    from service.formats.hl7v2.write import write

    document = _write_pdf(report, options, None) if options.pdf else None
    earlier = [one for one in options.earlier if _is_hl7v2(one)]
    return write(report, sr if options.reference else None, document, earlier)


def _is_hl7v2(made: Emitted) -> bool:
    return made.media_type.startswith("application/hl7-v2")


def _write_html(report: CodedReport, options: Options, _: SrReference | None) -> Emitted:
    from service.formats.html.write import page

    return Emitted("text/html; charset=utf-8", page(report, options.outline, options.language or "").encode())


def _write_pdf(report: CodedReport, options: Options, _: SrReference | None) -> Emitted:
    from service.formats.html.write import page
    from service.formats.pdf.write import write

    return write(page(report, options.outline, options.language or ""), options.language or report.language)


def _read_fhir_r4(content: bytes, intake: Intake) -> Received:
    from service.formats.fhir.read import read

    _validate(content, intake, "R4")
    return read(content, intake, "R4")


def _read_fhir_r5(content: bytes, intake: Intake) -> Received:
    from service.formats.fhir.read import read

    _validate(content, intake, "R5")
    return read(content, intake, "R5")


def _validate(content: bytes, intake: Intake, release: str) -> None:
    if intake.validate:
        from service.formats.fhir.validate import validate

        validate(content, intake.limits, release)


def _read_dcmqi(content: bytes, intake: Intake) -> Received:
    from service.formats.table.dcmqi import draft

    return _drafted(draft(content, intake), intake)


def _read_aim(content: bytes, intake: Intake) -> Received:
    from service.formats.table.aim import draft

    return _drafted(draft(content, intake), intake)


def _read_csv(content: bytes, intake: Intake) -> Received:
    found = list(reports(content, intake))
    if len(found) > 1:
        why = f"the table holds {len(found)} reports, and one is wanted here; `lesionbridge convert` takes them all"
        raise Invalid(Problem("", "table-one-report", why))
    if isinstance(found[0], LesionBridgeError):
        raise found[0]
    return found[0]


def reports(content: bytes, intake: Intake) -> Iterator[Received | LesionBridgeError]:
    """Every report of a table, or why it is none; raises what is wrong with the table as a whole."""
    from service.formats.table.rows import drafts

    for draft in drafts(content, intake):
        try:
            yield draft if isinstance(draft, LesionBridgeError) else _drafted(draft, intake)
        except LesionBridgeError as error:
            yield error


def _drafted(draft: "Draft", intake: Intake) -> Received:
    """A findings document that was made of another one, read; its places are those of the other one."""
    from service.domain.places import moved

    try:
        read = _read_findings(draft.body(), intake)
    except LesionBridgeError as error:
        raise type(error)(*(replace(one, pointer=draft.place(one.pointer)) for one in error.problems)) from None
    return Received(moved(read.report, draft.place), tuple(draft.losses))


READERS: Final[Mapping[Format, Reader]] = {
    Format.FINDINGS: _read_findings,
    Format.FHIR_R4: _read_fhir_r4,
    Format.FHIR_R5: _read_fhir_r5,
    Format.HL7V2: _read_hl7v2,
    Format.DCMQI: _read_dcmqi,
    Format.AIM: _read_aim,
    Format.CSV: _read_csv,
    Format.SR: _read_sr,
}
"""The formats that can be read."""
WRITERS: Final[Mapping[Format, Writer]] = {
    Format.FINDINGS: _write_findings,
    Format.FHIR_R4: _write_fhir_r4,
    Format.FHIR_R5: _write_fhir_r5,
    Format.SR: _write_sr,
    Format.HL7V2: _write_hl7v2,
    Format.HTML: _write_html,
    Format.PDF: _write_pdf,
}
"""The formats that can be written."""
RELEASES: Final[Mapping[Format, str]] = {Format.FHIR_R4: "R4", Format.FHIR_R5: "R5"}
"""The release of FHIR that a format is."""
NAME_THE_SR: Final = frozenset({*RELEASES, Format.HL7V2})
"""Formats that say where the SR of the report is: it is made first, unless the report came as one."""
SUFFIXES: Final[Mapping[Format, str]] = {
    Format.FINDINGS: ".json",
    Format.FHIR_R4: ".fhir.json",
    Format.FHIR_R5: ".fhir-r5.json",
    Format.SR: ".dcm",
    Format.HL7V2: ".hl7",
    Format.HTML: ".html",
    Format.PDF: ".pdf",
}
"""The end of a file's name, for each format that can be written."""


def suffix(form: Format, options: Options) -> str:
    """The end of the name of a file that is written with these options."""
    return SUFFIXES[form].replace(".json", ".xml") if _is_xml(form, options) else SUFFIXES[form]


def kept_suffix(form: Format, media_type: str) -> str:
    """The same of what was written before, and has this media type."""
    return SUFFIXES[form].replace(".json", ".xml") if "xml" in media_type.partition(";")[0] else SUFFIXES[form]


def encoded(form: Format, emitted: Emitted, options: Options) -> Emitted:
    """What a writer made, in the encoding that was asked for: writers of FHIR make JSON."""
    if not _is_xml(form, options):
        return emitted
    from service.formats.fhir.xml import as_xml

    return as_xml(emitted, RELEASES[form])


def _is_xml(form: Format, options: Options) -> bool:
    return form in RELEASES and options.encoding == "xml"


DICOM_JSON: Final = "application/dicom+json"
MEDIA_TYPES: Final[Mapping[str, Format]] = {
    "application/vnd.lesionbridge.findings+json": Format.FINDINGS,
    "application/json": Format.FINDINGS,
    "application/fhir+json": Format.FHIR_R4,
    "application/fhir+json; fhirVersion=4.0": Format.FHIR_R4,
    "application/fhir+json; fhirVersion=5.0": Format.FHIR_R5,
    "application/fhir+xml": Format.FHIR_R4,
    "application/fhir+xml; fhirVersion=4.0": Format.FHIR_R4,
    "application/fhir+xml; fhirVersion=5.0": Format.FHIR_R5,
    "application/hl7-v2": Format.HL7V2,
    "application/vnd.lesionbridge.dcmqi+json": Format.DCMQI,
    "application/vnd.lesionbridge.aim+xml": Format.AIM,
    "text/csv": Format.CSV,
    "application/x-ndjson": Format.CSV,
    "application/dicom": Format.SR,
    DICOM_JSON: Format.SR,
}
"""Which format a document of a media type is read as; of FHIR without a version what stands in it counts."""
_DCMQI: Final = b'"Measurements"'
_RESOURCE: Final = b'"resourceType"'
_NAMESPACE: Final = b"http://hl7.org/fhir"
_R5_ONLY: Final = (b'"ImagingSelection"', b'"includedStructure"', b"<ImagingSelection", b"<includedStructure")
"""What only R5 has, of what the reader knows (R5 imagingselection.html, bodystructure.html)."""
_BEGINNING: Final = 4096
_TAGGED: Final = re.compile(rb'(\[\s*)?\{\s*"[0-9A-Fa-f]{8}"\s*:\s*\{')
"""How a DICOM JSON begins (PS3.18 F.2.2): a tag, and what its attribute is."""


def detect(content: bytes) -> Format:
    """The format of a document by how it begins; raises UnsupportedMedia."""
    beginning = content[:_BEGINNING].lstrip(b"\xef\xbb\xbf \t\r\n")
    if _TAGGED.match(beginning):
        return Format.SR
    if beginning.startswith(b"<") and _NAMESPACE in beginning:
        return _release(content)
    if beginning.startswith(b"{"):
        if _RESOURCE in content and _is_resource(content):
            return _release(content)
        return Format.DCMQI if _DCMQI in content and _is_dcmqi(content) else Format.FINDINGS
    if b"ImageAnnotationCollection" in beginning:
        return Format.AIM
    if content.lstrip(b"\xff\xfe\xef\xbb\xbf\x0b \t\r\n").replace(b"\0", b"", 3).startswith(b"MSH"):
        return Format.HL7V2
    if _is_dicom(content):
        return Format.SR
    names = tuple(str(form) for form in READERS)
    raise UnsupportedMedia(Problem("", "format", "no reader knows this document; say which format it is", names))


def _release(content: bytes) -> Format:
    """The release of a FHIR document by what only R5 has; R4 when in doubt."""
    return Format.FHIR_R5 if any(name in content for name in _R5_ONLY) else Format.FHIR_R4


def media_type(form: Format, content: bytes) -> str:
    """The media type that a document of a format is kept under."""
    named = [name for name, known in MEDIA_TYPES.items() if known is form]
    if form in RELEASES:
        encoding = "json" if _is_json(content) else "xml"
        named = [name for name in named if name.startswith(f"application/fhir+{encoding};")]
    if form is Format.SR and _is_json(content):
        return DICOM_JSON
    return named[0]


def _is_json(content: bytes) -> bool:
    return content[:_BEGINNING].lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in (b"{", b"[")


def _is_resource(content: bytes) -> bool:
    """Whether the outer object has a resourceType: in findings JSON the words may only stand in a text."""
    import orjson

    try:
        value = orjson.loads(content.removeprefix(b"\xef\xbb\xbf"))
    except orjson.JSONDecodeError:
        return content.find(_RESOURCE) < content.find(b":")
    return isinstance(value, dict) and "resourceType" in value


def _is_dcmqi(content: bytes) -> bool:
    """Whether the outer object has the Measurements of dcmqi, which no findings JSON has."""
    import orjson

    try:
        value = orjson.loads(content.removeprefix(b"\xef\xbb\xbf"))
    except orjson.JSONDecodeError:
        return False
    return isinstance(value, dict) and "Measurements" in value


def _is_dicom(content: bytes) -> bool:
    """Part 10 by its prefix (PS3.10 7.1), or a bare data set by the group that it begins with: 0002 or 0008."""
    return content[128:132] == b"DICM" or content[:2] in (b"\x02\0", b"\x08\0") or content[:2] == b"\0\x08"
