"""What a writer hands back: bytes, their media type, and what the format could not carry."""

from dataclasses import dataclass, field
from typing import Final

from service.domain.loss import Loss

REJECTION: Final = "rejection"
"""Under which name the note is kept that rejects the SRs of the versions before; each name of one begins so."""


@dataclass(frozen=True, slots=True)
class Emitted:
    """One output; the same report gives the same bytes."""

    media_type: str
    content: bytes
    losses: tuple[Loss, ...] = ()


@dataclass(frozen=True, slots=True)
class SrReference:
    """Where an SR document is found: what a DocumentReference or an evidence sequence needs of it."""

    sop_class: str
    sop_instance: str
    series: str
    study: str


@dataclass(frozen=True, slots=True)
class SrDocument(Emitted):
    """A DICOM SR as Part 10 bytes with its identity."""

    reference: SrReference = field(kw_only=True)
