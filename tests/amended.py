"""A report and its next versions, each written after the one before, as a server gets them one after the other."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from service.domain.emitted import Emitted
from service.domain.report import CodedReport, Predecessor, Status
from service.formats.fhir.profiles.modes import MODES
from service.formats.fhir.r4 import R4
from service.formats.fhir.r5 import R5
from service.formats.fhir.release import Release
from service.formats.fhir.write import write
from tests.fhir_bundles import Json, sr_of

WAYS: tuple[tuple[str | None, Release], ...] = (
    (None, R4),
    (None, R5),
    *(
        (name, release)
        for name, mode in MODES.items()
        if "transaction" in mode.bundles
        for release in (R4, R5)
        if release.name in mode.releases
    ),
)
"""Each mode that makes requests, with each release that it has."""


def following(report: CodedReport, status: Status, **changes: Any) -> CodedReport:
    """The next version, which names the SR of this one as its predecessor."""
    at = sr_of(report)
    predecessor = Predecessor(at.sop_instance, at.series, at.sop_class, at.study)
    return replace(report, version=report.version + 1, status=status, predecessor=predecessor, **changes)


def written_after(
    report: CodedReport, earlier: Sequence[Emitted], release: Release = R4, profile: str | None = None
) -> Emitted:
    """The transaction of a version that follows what was emitted before."""
    return write(report, sr_of(report), release=release, profile=profile, earlier=earlier)


def history(versions: Sequence[CodedReport], release: Release = R4, profile: str | None = None) -> list[Emitted]:
    """The transaction of each version."""
    made: list[Emitted] = []
    for report in versions:
        made.append(written_after(report, made[::-1], release, profile))
    return made


def transactions(emitted: Emitted) -> Iterator[Json]:
    """The bundle, or each of a list of requests."""
    made = json.loads(emitted.content)
    yield from [one["resource"] for one in made] if isinstance(made, list) else [made]


def entries(emitted: Emitted) -> Iterator[Json]:
    """The entries of all of them."""
    for bundle in transactions(emitted):
        yield from bundle["entry"]
