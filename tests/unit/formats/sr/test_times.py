import pytest

from service.domain.times import DateTime
from service.formats.sr.times import local


@pytest.mark.parametrize(
    ("moment", "document", "expected"),
    [
        ("2026-03-02T09:12:00+01:00", "2026-03-02T10:00:00+01:00", ("20260302", "091200")),
        ("2026-03-02T23:30:00.25Z", "2026-03-03T10:00:00+01:00", ("20260303", "003000.25")),
        ("2026-03-02T00:10:00+09:00", "2026-03-02T10:00:00Z", ("20260301", "151000")),
        ("2026-12-31T23:59:60Z", "2026-03-02T10:00:00+01:00", ("20270101", "005960")),
        ("2026-03-02", "2026-03-02T10:00:00+01:00", ("20260302", "")),
        ("2026-03", "2026-03-02T10:00:00+01:00", ("", "")),
        ("2026-03-02T09:12:00", "2026-03-02T10:00:00+01:00", ("20260302", "091200")),
    ],
)
def test_says_a_moment_in_the_zone_of_the_document(moment: str, document: str, expected: tuple[str, str]) -> None:
    assert local(DateTime(moment), DateTime(document)) == expected
