"""Versions of those who number none: a message about an order that is known is the next version of its report.

A message of other systems has no number, only a status (OBR-25). What is known already is answered as it was; what is
new follows, unless it would take back: a preliminary result never follows a final one, nor an older one a newer.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from service.domain.errors import Conflict, Problem, Unavailable
from service.domain.report import LesionReport, Status
from service.doors import Options
from service.pipeline import Source, read
from service.publishing import ATTEMPTS, Planner, Receipt, publish
from service.receiving.acknowledge import heading
from service.store.reports import Store
from service.store.times import instant
from service.store.versions import Stored

_LAST: Final = 2**31 - 1
_RANK: Final[Mapping[Status, int]] = {
    Status.PRELIMINARY: 0,
    Status.FINAL: 1,
    Status.AMENDED: 2,
    Status.CORRECTED: 2,
    Status.APPENDED: 2,
    Status.CANCELLED: 3,
    Status.ENTERED_IN_ERROR: 3,
}
"""How far a report is; it never goes back."""


def is_numbered(message: bytes) -> bool:
    """Whether a message says which version of the report it is: those written here do."""
    from service.formats.hl7v2.write import APPLICATION

    return heading(message).sender == APPLICATION


def publish_next(source: Source, store: Store, planner: Planner) -> Receipt:
    """Publish a message without a number; raises Conflict (rule ``status-order``) for one that would take back."""
    received = read(source)
    for _ in range(ATTEMPTS):
        newest = store.newest_before(received.report.sender, received.report.id, _LAST)
        known = range(1, newest.version + 1) if newest is not None else range(0)
        for number in (*known, len(known) + 1):
            if newest is not None and number > newest.version:
                _held(received.report, newest)
            numbered = replace(received, report=replace(received.report, version=number))
            try:
                return publish(replace(source, received=numbered), Options(), store, planner=planner)
            except Conflict as error:
                # Other content has this number: it may be that of the next one.
                if error.problems[0].rule != "version":
                    raise
    raise Unavailable(Problem("", "busy", "too many at once keep versions of this report"))


def _held(report: LesionReport, newest: Stored) -> None:
    if _RANK[report.status] < _RANK[Status(newest.status)]:
        why = f"the report is {newest.status}: what is {report.status} does not follow"
        raise Conflict(Problem("OBR-25", "status-order", why))
    if instant(report.issued.text) < newest.issued:
        raise Conflict(Problem("OBR-22", "status-order", "what is stored was issued later"))
