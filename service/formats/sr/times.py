"""Days and times in the zone of the document: one Timezone Offset From UTC holds for all of them (PS3.3 C.12.1.1.8)."""

from datetime import datetime

from service.domain.times import DateTime


def local(moment: DateTime, document: DateTime) -> tuple[str, str]:
    """DA and TM of a moment in the zone of the document's own time; empty where they are not known."""
    if not moment.has_zone or moment.offset == document.offset:
        return moment.da, moment.tm
    zone = datetime.fromisoformat(f"2000-01-01T00:00:00{document.offset}").tzinfo
    text, fraction = moment.text, ""
    if "." in text:
        fraction = "." + moment.tm.partition(".")[2]
    leap = text[17:19] == "60"  # a leap second is a second that datetime has not
    whole = text[:17] + ("59" if leap else text[17:19])
    try:
        there = datetime.fromisoformat(whole + moment.offset).astimezone(zone)
    except OverflowError:  # a day before the year 1 or after 9999
        return "", ""
    # No strftime for the year: it gives years before 1000 fewer than four digits.
    day = f"{there.year:04}{there.month:02}{there.day:02}"
    return day, f"{there.hour:02}{there.minute:02}{60 if leap else there.second:02}{fraction}"
