"""Findings JSON to a lesion report."""

from service.domain.errors import Invalid, Problem
from service.domain.limits import Limits
from service.domain.report import LesionReport
from service.formats.findings.jsontext import parse
from service.formats.findings.reading import Reading
from service.formats.findings.rules import Rule
from service.formats.findings.schema import findings


def read(body: bytes, *, default_sender: str, limits: Limits) -> LesionReport:
    """The report of a findings JSON document (version 1), in the sender's terms, with the pointer of each.

    Raises TooLarge for the bytes, Unreadable for what is no JSON, and Invalid with every problem of the content.
    """
    value = parse(body, limits)
    if not isinstance(value, dict):
        raise Invalid(Problem("", Rule.TYPE, "Give one object with report, patient, study and lesions."))
    reading = Reading(limits, default_sender)
    report = findings().read(value, "", reading)
    reading.check()
    assert isinstance(report, LesionReport)  # noqa: S101 - a schema that notes no problem makes one
    return report
