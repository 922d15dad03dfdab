"""Dates that can't be right as they stand: flagged, never refused, since a shifted date is not an impossible one."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final

from service.coding.notes import Notes
from service.domain.report import LesionReport
from service.domain.times import DateTime

EARLIEST_YEAR: Final = 1900
LATEST_YEAR: Final = 2200
"""No clock here: a year after this one is no date of a report in any time zone and any calendar."""

_STARTED: Final = "/study/started"
_ISSUED: Final = "/report/issued"
_ORDER: Final = (
    ("/patient/birthDate", _STARTED, "birth-after-study", "The patient is born after the study."),
    (_STARTED, _ISSUED, "issued-before-study", "The report is issued before the study started."),
)


def check_dates(report: LesionReport, notes: Notes) -> None:
    """Flag dates out of their order and out of this time."""
    dates = dict(_dates(report))
    for where, date in dates.items():
        if not EARLIEST_YEAR <= int(date.text[:4]) <= LATEST_YEAR:
            why = f"The year is not between {EARLIEST_YEAR} and {LATEST_YEAR}. Kept as it came."
            notes.flag(where, date.text, why, "year")
    order = [
        *_ORDER,
        *(
            (where, _STARTED, "comparison-after-study", "A study compared with is later than the study.")
            for where in dates
            if where.startswith("/study/comparisons/")
        ),
    ]
    for earlier, wanted, rule, why in order:
        # Nobody said when the study was: it was before the report.
        later = _ISSUED if wanted == _STARTED and _STARTED not in dates else wanted
        if earlier in dates and later in dates and is_after(dates[earlier], dates[later]):
            where = earlier if rule != "issued-before-study" else later
            notes.flag(where, dates[where].text, f"{why} Kept as it came.", rule)


def _dates(report: LesionReport) -> Iterator[tuple[str, DateTime]]:
    """The dates of a report by their place in findings JSON."""
    yield "/report/issued", report.issued
    if report.patient.birth_date is not None:
        yield "/patient/birthDate", report.patient.birth_date
    if report.study.started is not None:
        yield "/study/started", report.study.started
    for index, comparison in enumerate(report.study.comparisons):
        if comparison.started is not None:
            yield f"/study/comparisons/{index}/started", comparison.started


def is_after(one: DateTime, other: DateTime) -> bool:
    """Whether one is surely later than the other, as precisely as both are written."""
    if one.is_instant and other.is_instant:
        first, second = _instant(one), _instant(other)
        if first is not None and second is not None:
            return first > second
    # Zones differ by at most a day and a bit, but a date has none: only what both have is compared.
    digits = min(len(one.date), len(other.date))
    return one.text[:digits] > other.text[:digits]


def _instant(date: DateTime) -> datetime | None:
    """The instant in UTC, a leap second as the one before it; None beyond the calendar's ends."""
    text = date.text if date.text[17:19] != "60" else f"{date.text[:17]}59{date.text[19:]}"
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
