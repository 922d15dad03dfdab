"""Findings JSON to a lesion report."""

from service.domain.errors import Invalid, Problem
from service.domain.limits import Limits
from service.domain.report import LesionReport
from service.formats.findings.rules import Rule
from service.formats.findings.schema import findings
from service.formats.jsontext import parse, parse_quickly
from service.formats.reading import Reading


def read(body: bytes, *, default_sender: str, limits: Limits) -> LesionReport:
    """The report of a findings JSON document (version 1), in the sender's terms, with the pointer of each.

    Raises TooLarge for the bytes, Unreadable for what is no JSON, and Invalid with every problem of the content.
    """
    # The quick way is believed only where nothing is wrong; what is to be said of a document, the exact one says.
    return _read_quickly(body, default_sender, limits) or read_exactly(body, default_sender, limits)


def _read_quickly(body: bytes, default_sender: str, limits: Limits) -> LesionReport | None:
    """The report of a document in which nothing is wrong and every decimal stands with its unit; else None."""
    value = parse_quickly(body, limits)
    reading = Reading(limits, default_sender)
    report: LesionReport | None = findings().read(value, "", reading)
    return None if reading.found or reading.inexact else report


def read_exactly(body: bytes, default_sender: str, limits: Limits) -> LesionReport:
    """As `read`, in one pass that keeps every digit and finds every problem."""
    value = parse(body, limits)
    if not isinstance(value, dict):
        raise Invalid(Problem("", Rule.TYPE, "Give one object with report, patient, study and lesions."))
    reading = Reading(limits, default_sender)
    report = findings().read(value, "", reading)
    reading.check()
    assert isinstance(report, LesionReport)  # noqa: S101 - a schema that notes no problem makes one
    return report
