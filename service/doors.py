"""Which format has which door: a reader, a writer or both. Each is imported when the first document comes through it.

A reader makes a lesion report of bytes, a writer makes bytes of a coded report; what one reads, another writes.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from service.domain.emitted import Emitted, SrReference
from service.domain.errors import Problem, UnsupportedMedia
from service.domain.received import Intake, Received
from service.domain.report import CodedReport


class Format(StrEnum):
    """What can be read or written, as the command line names it."""

    FINDINGS = "findings"
    FHIR_R4 = "fhir-r4"
    FHIR_R5 = "fhir-r5"
    SR = "sr"
    HTML = "html"


@dataclass(frozen=True, slots=True)
class Options:
    """How to write; ``check`` reads SR and FHIR back and compares them with the report.

    ``encoding`` is of FHIR, one of `ENCODINGS`.
    """

    dialect: str = "strict"
    bundle: str = "transaction"
    iod: str | None = None
    check: bool = False
    encoding: str = "json"


ENCODINGS: Final = ("json", "xml")
Reader = Callable[[bytes, Intake], Received]
Writer = Callable[[CodedReport, Options, SrReference | None], Emitted]


def _read_findings(content: bytes, intake: Intake) -> Received:
    from service.formats.findings.read import read

    return Received(read(content, default_sender=intake.sender, limits=intake.limits))


def _write_findings(report: CodedReport, _: Options, __: SrReference | None) -> Emitted:
    from service.formats.findings.write import write

    return Emitted("application/vnd.lesionbridge.findings+json", write(report))


def _write_fhir_r4(report: CodedReport, options: Options, sr: SrReference | None) -> Emitted:
    from service.formats.fhir.write import write

    if sr is None:
        raise ValueError("a bundle names the SR of its report")
    return write(report, sr, bundle=options.bundle)


def _write_fhir_r5(report: CodedReport, options: Options, sr: SrReference | None) -> Emitted:
    from service.formats.fhir.r5 import R5
    from service.formats.fhir.write import write

    if sr is None:
        raise ValueError("a bundle names the SR of its report")
    return write(report, sr, bundle=options.bundle, release=R5)


def _write_sr(report: CodedReport, options: Options, _: SrReference | None) -> Emitted:
    from service.formats.sr.write import write

    return write(report, dialect=options.dialect, iod=options.iod)


def _write_html(report: CodedReport, _: Options, __: SrReference | None) -> Emitted:
    from service.formats.html.write import page

    return Emitted("text/html; charset=utf-8", page(report).encode())


READERS: Final[Mapping[Format, Reader]] = {Format.FINDINGS: _read_findings}
"""The formats that can be read."""
WRITERS: Final[Mapping[Format, Writer]] = {
    Format.FINDINGS: _write_findings,
    Format.FHIR_R4: _write_fhir_r4,
    Format.FHIR_R5: _write_fhir_r5,
    Format.SR: _write_sr,
    Format.HTML: _write_html,
}
"""The formats that can be written."""
RELEASES: Final[Mapping[Format, str]] = {Format.FHIR_R4: "R4", Format.FHIR_R5: "R5"}
"""The release of FHIR that a format is."""
NAME_THE_SR: Final = frozenset(RELEASES)
"""Formats that say where the SR of the report is: it is made first, unless the report came as one."""
SUFFIXES: Final[Mapping[Format, str]] = {
    Format.FINDINGS: ".json",
    Format.FHIR_R4: ".fhir.json",
    Format.FHIR_R5: ".fhir-r5.json",
    Format.SR: ".dcm",
    Format.HTML: ".html",
}
"""The end of a file's name, for each format that can be written."""


def suffix(form: Format, options: Options) -> str:
    """The end of the name of a file that is written with these options."""
    return SUFFIXES[form].replace(".json", ".xml") if _is_xml(form, options) else SUFFIXES[form]


def encoded(form: Format, emitted: Emitted, options: Options) -> Emitted:
    """What a writer made, in the encoding that was asked for: writers of FHIR make JSON."""
    if not _is_xml(form, options):
        return emitted
    from service.formats.fhir.xml import as_xml

    return as_xml(emitted, RELEASES[form])


def _is_xml(form: Format, options: Options) -> bool:
    return form in RELEASES and options.encoding == "xml"


MEDIA_TYPES: Final[Mapping[str, Format]] = {
    "application/vnd.lesionbridge.findings+json": Format.FINDINGS,
    "application/json": Format.FINDINGS,
}
"""Which format a document of a media type is read as."""


def detect(content: bytes) -> Format:
    """The format of a document by how it begins; raises UnsupportedMedia."""
    if content.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{"):
        return Format.FINDINGS
    names = tuple(str(form) for form in READERS)
    raise UnsupportedMedia(Problem("", "format", "no reader knows this document; say which format it is", names))
