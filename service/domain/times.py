"""Dates and times as written: FHIR dateTime in, DICOM DA, TM and DT out.

A report brings its times with their own precision and zone; nothing here asks a clock.
"""

import re
from dataclasses import dataclass
from datetime import date, datetime

from service.domain.quick import quickly_made

_DATE_TIME = re.compile(
    r"(?P<year>[0-9]{4})(?:-(?P<month>[0-9]{2})(?:-(?P<day>[0-9]{2})"
    r"(?:T(?P<hour>[0-9]{2}):(?P<minute>[0-9]{2}):(?P<second>[0-9]{2})(?P<fraction>\.[0-9]{1,9})?"
    r"(?P<zone>Z|[+-][0-9]{2}:[0-9]{2})?)?)?)?"
)
_FRACTION_DIGITS = 6  # TM and DT carry up to six (PS3.5 6.2)
_FURTHEST = {"+": "14:00", "-": "12:00"}  # of time zones (PS3.5 6.2 DT; R4 datatypes.html#dateTime has no +14:01)


@dataclass(frozen=True, slots=True)
class DateTime:
    """A date, or a date and time, as precise as ``text`` is.

    ``text`` is a FHIR dateTime: ``2026``, ``2026-03``, ``2026-03-02``, ``2026-03-02T09:12:00+01:00``.
    Raises ValueError when it is none, or no day or time that exists. A time may come without a zone.
    """

    text: str

    def __init__(self, text: str) -> None:
        """Fill the native class; in Python `quickly_made` does it."""
        self.text = text  # type: ignore[misc] # read-only for all others
        self.__post_init__()

    def __post_init__(self) -> None:
        """Hold the calendar and the clock."""
        match = _DATE_TIME.fullmatch(self.text)
        if match is None:
            raise ValueError(
                "not a date (YYYY, YYYY-MM or YYYY-MM-DD) or a date with time (YYYY-MM-DDThh:mm:ss with zone)"
            )
        part = match.groupdict()
        date(int(part["year"]), int(part["month"] or 1), int(part["day"] or 1))
        if part["hour"] is not None:
            datetime(2000, 1, 1, int(part["hour"]), int(part["minute"]), min(int(part["second"]), 59))  # noqa: DTZ001 - only the clock is held
            if int(part["second"]) > 60:  # 60 is a leap second (PS3.5 6.2 TM)
                raise ValueError("second must be in 0..60")
            zone = part["zone"]
            if zone not in (None, "Z") and (zone[1:] > _FURTHEST[zone[0]] or int(zone[4:6]) > 59):
                raise ValueError("no such time zone")

    @property
    def has_time(self) -> bool:
        """Whether it has a time of day."""
        return len(self.text) > 10

    @property
    def has_zone(self) -> bool:
        """Whether its time has a zone."""
        return self.has_time and (self.text.endswith("Z") or self.text[-6] in "+-")

    @property
    def is_instant(self) -> bool:
        """Whether it is precise enough for a FHIR instant: a day, a time and a zone."""
        return self.has_zone

    @property
    def date(self) -> str:
        """The date part, as precise as written."""
        return self.text[:10]

    @property
    def da(self) -> str:
        """DICOM DA (YYYYMMDD), empty when the day is not known (PS3.5 6.2)."""
        return self.text[:10].replace("-", "") if len(self.text) >= 10 else ""

    @property
    def tm(self) -> str:
        """DICOM TM (HHMMSS.FFFFFF) in the zone as written, empty without a time."""
        if not self.has_time:
            return ""
        clock = re.split(r"Z|[+-]", self.text[11:])[0]
        whole, _, fraction = clock.partition(".")
        return whole.replace(":", "") + (f".{fraction[:_FRACTION_DIGITS]}" if fraction else "")

    @property
    def offset(self) -> str:
        """DICOM Timezone Offset From UTC (&HHMM), empty without a zone; never -0000 (PS3.3 C.12.1.1.8)."""
        if not self.has_zone:
            return ""
        return "+0000" if self.text.endswith(("Z", "-00:00")) else self.text[-6:].replace(":", "")

    @property
    def dt(self) -> str:
        """DICOM DT with what is known of day, time and zone."""
        return self.text[:10].replace("-", "") + self.tm + self.offset


quickly_made(DateTime)
