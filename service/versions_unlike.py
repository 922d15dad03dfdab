"""What a version says otherwise than a report's next version does: kept as it came, and said, since peers follow it.

A version has the number that its sender gave it, so nothing of this is refused.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from service.domain.loss import Loss, LossKind
from service.domain.report import CodedReport, Status
from service.domain.times import DateTime
from service.store.times import instant

if TYPE_CHECKING:
    # Only who keeps a report needs the database.
    from service.store.versions import Stored

_WITHDRAWN: Final = (Status.CANCELLED, Status.ENTERED_IN_ERROR)


def unlike(report: CodedReport, previous: Stored) -> Iterator[Loss]:
    """The flags of a report that follows ``previous``."""
    was = Status(previous.status)
    if was in _WITHDRAWN and report.status not in _WITHDRAWN:
        why = f"the version before is {was}: with this one the report counts again"
        yield _flag("/report/status", str(report.status), why, "version-status")
    elif report.status is Status.PRELIMINARY and was is not Status.PRELIMINARY:
        why = f"the version before is {was}: whoever has that takes the report back to {report.status}"
        yield _flag("/report/status", str(report.status), why, "version-status")
    if instant(report.issued.text) < previous.issued:
        yield _flag("/report/issued", report.issued.text, "the version before was issued later", "version-issued")
    for number, observer in enumerate(report.observers):
        at = observer.person.verified_at if observer.person is not None else None
        if at is not None and (instant(at.text) if at.is_instant else at.text) < previous.issued[: _precision(at)]:
            why = "it is before the version before was issued: that one may be what was verified"
            yield _flag(f"/observers/{number}/person/verifiedAt", at.text, why, "version-verified")
    if report.study.uid != previous.sr.study:
        why = "the version before is of another study, whose archive keeps its SR: withdraw that first"
        yield _flag("/study/uid", report.study.uid, why, "version-study")
    if (report.study.accession or "") != (previous.accession or ""):
        why = (
            "the version before has another accession number, or none. Over HL7 v2 it is the filler order number: "
            "what was sent under the other one stays there as it is"
        )
        yield _flag("/study/accession", "accession number", why, "version-accession")


def _precision(at: DateTime) -> int | None:
    """How many characters of an instant to compare a time with: all, or those of a day without a time."""
    return None if at.is_instant else len(at.date)


def _flag(where: str, what: str, why: str, rule: str) -> Loss:
    return Loss(LossKind.FLAGGED, where, what, why, rule)
