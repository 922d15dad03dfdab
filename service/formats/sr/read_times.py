"""DA, TM and DT of any maker as the report's dates (PS3.5 6.2), with the separators of ACR-NEMA where they come."""

import re
from typing import Final

from service.domain.received import Intake
from service.domain.times import DateTime

_DATE: Final = re.compile(r"([0-9]{4})[.-]?([0-9]{2})[.-]?([0-9]{2})")
_TIME: Final = re.compile(r"([0-9]{2})(?::?([0-9]{2})(?::?([0-9]{2})(?:\.([0-9]{1,9}))?)?)?")
_OFFSET: Final = re.compile(r"([+-])([0-9]{2}):?([0-9]{2})")
_DATE_TIME: Final = re.compile(
    r"([0-9]{4})(?:([0-9]{2})(?:([0-9]{2})(?:([0-9]{2}(?:[0-9]{2}(?:[0-9]{2}(?:\.[0-9]{1,6})?)?)?))?)?)?([+-][0-9]{4})?"
)


def day(text: str) -> str:
    """DA as YYYY-MM-DD, empty for what is no day that exists."""
    match = _DATE.fullmatch(text.strip())
    return _existing(match.expand(r"\1-\2-\3")) if match is not None else ""


def clock(text: str) -> str:
    """TM as hh:mm:ss with its fraction; minutes and seconds that are not said are 0. Empty for what is no time."""
    match = _TIME.fullmatch(text.strip())
    if match is None:
        return ""
    hour, minute, second, fraction = match.groups()
    made = f"{hour}:{minute or '00'}:{second or '00'}" + (f".{fraction}" if fraction else "")
    return made if _existing(f"2000-01-01T{made}") else ""


def zone(text: str) -> str:
    """Timezone Offset From UTC as +hh:mm or Z, empty for what is none."""
    match = _OFFSET.fullmatch(text.strip())
    if match is None or not _existing(f"2000-01-01T00:00:00{match[1]}{match[2]}:{match[3]}"):
        return ""
    return "Z" if match[2] == match[3] == "00" else f"{match[1]}{match[2]}:{match[3]}"


def moment(date: str, time: str, offset: str, intake: Intake) -> DateTime | None:
    """A day, or a day and time in the zone of the document, else in that of the site; None without a day."""
    on = day(date)
    if not on:
        return None
    at = clock(time)
    if not at:
        return DateTime(on)
    said = zone(offset)
    return DateTime(f"{on}T{at}{said}" if said else intake.with_zone(f"{on}T{at}"))


def date_time(text: str, offset: str, intake: Intake) -> DateTime | None:
    """DT; its own offset counts, then that of the document, then the site's."""
    match = _DATE_TIME.fullmatch(text.strip())
    if match is None:
        return None
    year, month, on, at, own = match.groups()
    if on is None:
        said = "-".join(part for part in (year, month) if part)
        return DateTime(said) if _existing(said) else None
    return moment(f"{year}{month}{on}", at or "", own or offset, intake)


def _existing(text: str) -> str:
    try:
        DateTime(text)
    except ValueError:
        return ""
    return text
