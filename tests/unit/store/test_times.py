"""Instants as the tables keep them."""

import pytest

from service.store.times import instant


def test_an_instant_is_kept_in_utc() -> None:
    assert instant("2026-03-02T10:41:00.5+01:00") == "2026-03-02T09:41:00.500000Z"
    assert instant("2026-03-02T10:41:00Z") == "2026-03-02T10:41:00.000000Z"


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("2016-12-31T23:59:60Z", "2016-12-31T23:59:59.000000Z"),
        ("0500-01-01T00:00:00Z", "0500-01-01T00:00:00.000000Z"),
        ("0001-01-01T00:00:00+10:00", "0001-01-01T00:00:00.000000Z"),
        ("9999-12-31T23:59:59-10:00", "9999-12-31T23:59:59.000000Z"),
        ("2026-03-02T10:41:00.123456789Z", "2026-03-02T10:41:00.123456Z"),
    ],
)
def test_every_instant_that_a_report_may_have_can_be_kept(text: str, kept: str) -> None:
    assert instant(text) == kept
    assert len(kept) == len(instant("2026-03-02T10:41:00Z"))  # they are sorted as text
