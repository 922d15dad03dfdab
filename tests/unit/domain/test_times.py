"""Times of a report: zones that DICOM and FHIR both have."""

import pytest

from service.domain.times import DateTime


@pytest.mark.parametrize("zone", ["+14:00", "-12:00", "+05:45", "-00:00", "Z"])
def test_a_zone_that_both_have_is_one(zone: str) -> None:
    assert DateTime(f"2026-03-02T09:00:00{zone}").has_zone


@pytest.mark.parametrize("zone", ["+14:01", "+14:30", "-12:01", "-13:00", "+15:00", "+05:60"])
def test_a_zone_that_one_of_them_has_not_is_none(zone: str) -> None:
    with pytest.raises(ValueError, match="no such time zone"):
        DateTime(f"2026-03-02T09:00:00{zone}")
