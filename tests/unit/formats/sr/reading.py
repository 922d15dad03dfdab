"""What the reader makes of an SR of another maker."""

from typing import Any

from pydicom.dataset import Dataset

from service.domain.codes import Term
from service.domain.received import Intake, Received
from service.domain.report import Lesion
from service.formats.sr.read import read
from tests import sr_files as sr


def received(content: bytes, **intake: Any) -> Received:
    """A document as it is read."""
    return read(content, Intake(**intake))


def only(found: Received) -> Lesion[Term]:
    """The one lesion that was found."""
    (lesion,) = found.report.lesions
    return lesion


def rules(found: Received, where: str | None = None) -> set[str]:
    """The rules that losses are listed by, of all items or of the one at a place."""
    return {loss.rule for loss in found.losses if where is None or loss.where == where}


def long_axis(*children: Dataset, value: str | None = "14.20", unit: sr.Code | None = sr.MM) -> Dataset:
    """A number with what stands below it."""
    return sr.num(sr.LONG_AXIS, value, unit, *children)
