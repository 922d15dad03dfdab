"""Instants as the tables keep them: UTC with microseconds, as text that sorts."""

from datetime import UTC, datetime, timedelta
from typing import Final

AHEAD_S: Final = 30.0
"""What was put off at a time that lies this far ahead was put off by a clock that has gone back since: it is due."""


def utc(when: datetime) -> str:
    """An instant as it is kept; one beyond the calendar in UTC is kept as the first or last day that there is."""
    try:
        there = when.astimezone(UTC)
    except OverflowError:  # the year 0 or 10000 in UTC
        there = when.replace(tzinfo=UTC)
    # No strftime for the year: it gives years before 1000 fewer than four digits, and these columns are sorted as text.
    return there.replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def instant(text: str) -> str:
    """An instant with a zone in UTC with microseconds, as the tables keep it; a leap second is the second before it."""
    leap = text[17:19] == "60"
    return utc(datetime.fromisoformat(f"{text[:17]}59{text[19:]}" if leap else text))


def later(kept: str, seconds: float) -> str:
    """A kept instant moved by some seconds."""
    return utc(datetime.fromisoformat(kept) + timedelta(seconds=seconds))


def seconds_between(earlier: str, later_one: str) -> float:
    """Seconds from one kept instant to another."""
    return (datetime.fromisoformat(later_one) - datetime.fromisoformat(earlier)).total_seconds()
