"""Times without a zone get that of the site."""

import pytest

from service.domain.received import Intake


@pytest.mark.parametrize(
    ("zone", "text", "expected"),
    [
        ("UTC", "2026-03-02T10:41:00", "2026-03-02T10:41:00+00:00"),
        ("Europe/Berlin", "2026-03-02T10:41:00", "2026-03-02T10:41:00+01:00"),
        ("Europe/Berlin", "2026-07-02T10:41:00.25", "2026-07-02T10:41:00.25+02:00"),
        ("Europe/Berlin", "2026-10-25T02:30:00", "2026-10-25T02:30:00+02:00"),
        ("Europe/Berlin", "2026-03-29T02:30:00", "2026-03-29T02:30:00+01:00"),
        ("America/St_Johns", "2026-01-02T10:41:60", "2026-01-02T10:41:60-03:30"),
    ],
)
def test_a_bare_time_gets_the_offset_that_the_site_had_then(zone: str, text: str, expected: str) -> None:
    assert Intake(zone=zone).with_zone(text) == expected
