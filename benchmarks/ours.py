"""This project's part of the race: the conversion as a whole, and its stages."""

import orjson

from benchmarks.measure import Contestant, Here
from service.check.compare import compare
from service.coding import vocabulary
from service.coding.coder import code_report
from service.domain.limits import Limits
from service.domain.received import Intake
from service.domain.report import CodedReport, LesionReport
from service.formats.fhir.read import read as read_fhir
from service.formats.fhir.write import write as write_fhir
from service.formats.findings.read import read as read_findings
from service.formats.sr.read import read as read_sr
from service.formats.sr.write import write as write_sr

WHOLE = "findings JSON to SR and FHIR"


def read(body: bytes) -> LesionReport:
    """Parsing and validation."""
    return read_findings(body, default_sender="local", limits=Limits())


def report_of(body: bytes) -> CodedReport:
    """Validation and coding."""
    return code_report(read(body), vocabulary())


def convert(body: bytes) -> tuple[bytes, bytes]:
    """The whole conversion: findings JSON to SR and bundle."""
    report = report_of(body)
    document = write_sr(report)
    return document.content, write_fhir(report, document.reference).content


def contestants(body: bytes) -> dict[str, Contestant]:
    """The whole conversion of a document, and each stage of it."""
    said = read(body)
    report = code_report(said, vocabulary())
    document = write_sr(report)
    bundle = write_fhir(report, document.reference).content
    made = orjson.loads(bundle)
    return {
        WHOLE: Here(lambda: convert(body)),
        "read findings": Here(lambda: read(body)),
        "code": Here(lambda: code_report(said, vocabulary())),
        "write SR": Here(lambda: write_sr(report)),
        "read SR": Here(lambda: read_sr(document.content, Intake())),
        "write FHIR": Here(lambda: write_fhir(report, document.reference)),
        "read FHIR": Here(lambda: read_fhir(bundle, Intake())),
        "check": Here(lambda: compare(report, document.content, bundle, document.losses)),
        "write FHIR: dict and orjson, nothing built": Here(lambda: orjson.dumps(made)),
    }
