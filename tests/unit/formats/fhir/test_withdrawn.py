"""What only the version before said is withdrawn in every mode that makes requests."""

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from service.formats.fhir.profiles.modes import MODES
from service.formats.fhir.r4 import R4
from service.formats.fhir.r5 import R5
from service.formats.fhir.write import BUNDLES, write
from service.formats.sr.write import write as write_sr
from tests.reports import make_coded_report, make_lesion

BEFORE = make_coded_report(lesions=(make_lesion("L1"), make_lesion("L2", tracking_uid="1.2.3.77")))
NOW = replace(BEFORE, version=2, lesions=BEFORE.lesions[:1])
MODES_WITH_REQUESTS = {name: mode for name, mode in MODES.items() if "transaction" in mode.bundles}
WAYS = [(None, release) for release in (R4, R5)] + [
    (name, release)
    for name, mode in MODES_WITH_REQUESTS.items()
    for release in (R4, R5)
    if release.name in mode.releases
]


def _entries(content: bytes) -> Iterator[dict[str, Any]]:
    """The entries of a bundle, or of all bundles of a list of requests."""
    made = json.loads(content)
    for bundle in [one["resource"] for one in made] if isinstance(made, list) else [made]:
        yield from bundle["entry"]


@pytest.mark.parametrize(("profile", "release"), WAYS)
def test_in_every_mode(profile: str | None, release: Any) -> None:
    earlier = write(BEFORE, write_sr(BEFORE).reference, release=release, profile=profile).content
    made = write(NOW, write_sr(NOW).reference, release=release, profile=profile, earlier=[earlier]).content
    found = {entry["fullUrl"]: entry for entry in _entries(made)}
    withdrawn = [one for one in found.values() if one["resource"].get("status") == "entered-in-error"]
    gone = {one["fullUrl"] for one in _entries(earlier) if one["resource"]["resourceType"] == "Observation"} - {
        url for url, one in found.items() if one not in withdrawn
    }
    assert {one["fullUrl"] for one in withdrawn} == gone != set()
    for one in withdrawn:
        assert one["request"]["method"] == "PUT"
        assert "meta" not in one["resource"]
        assert found[one["resource"]["subject"]["reference"]]["resource"]["resourceType"] == "Patient"


def test_what_makes_no_requests_withdraws_nothing() -> None:
    sr = write_sr(BEFORE).reference
    earlier = write(BEFORE, sr).content
    for bundle in set(BUNDLES) - {"transaction"}:
        assert write(NOW, sr, bundle=bundle, earlier=[earlier]) == write(NOW, sr, bundle=bundle)


def test_single_requests_withdraw_last() -> None:
    sr = write_sr(BEFORE).reference
    made = json.loads(write(NOW, sr, bundle="single", earlier=[write(BEFORE, sr, bundle="single").content]).content)
    states = [one["resource"].get("status") for one in made]
    first = states.index("entered-in-error")
    assert set(states[first:]) == {"entered-in-error"}
