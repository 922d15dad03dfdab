"""What a reader takes beside the document, and what it makes of it."""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from service.domain.emitted import Emitted, SrReference
from service.domain.limits import Limits
from service.domain.loss import Loss
from service.domain.report import LesionReport, Predecessor


@dataclass(frozen=True, slots=True)
class Intake:
    """What a deployment adds where a document is silent: ``sender``, and the ``zone`` (IANA name) of bare times.

    ``mapping`` is the text of a table's mapping file; ``validate``: FHIR is held to its definitions first.
    """

    sender: str = "local"
    zone: str = "UTC"
    limits: Limits = field(default_factory=Limits)
    mapping: str = ""
    validate: bool = False

    def with_zone(self, text: str) -> str:
        """A date and time without a zone (``YYYY-MM-DDThh:mm:ss``) with the offset that the site had then.

        The hour that a change of the clock repeats is taken as the first of the two.
        """
        whole = text[:17] + min(text[17:19], "59")  # a leap second has the offset of the second before it
        offset = datetime.fromisoformat(whole).replace(tzinfo=ZoneInfo(self.zone)).utcoffset() or timedelta()
        minutes = int(offset.total_seconds()) // 60
        sign = "-" if minutes < 0 else "+"
        return f"{text}{sign}{abs(minutes) // 60:02d}:{abs(minutes) % 60:02d}"


@dataclass(frozen=True, slots=True)
class Habits:
    """What a sender leaves out and its site knows: the zone of bare times, who issued ids (key, URI or OID)."""

    zone: str = ""
    patient_issuer: str = ""
    accession_issuer: str = ""


@dataclass(frozen=True, slots=True)
class OutlineItem:
    """One item of a document that no lesion report can hold as a whole, for people to read."""

    depth: int
    relationship: str
    kind: str
    name: str
    value: str


@dataclass(frozen=True, slots=True)
class Earlier:
    """A FHIR bundle or HL7 v2 message, emitted of a version before for one destination or (empty) for everybody."""

    content: Emitted
    destination: str = ""


@dataclass(frozen=True, slots=True)
class Sent:
    """Where a version before went: our id of the newest that did, and its number; ``dry``: all of it was a dry run."""

    destination: str
    version: str
    number: int
    dry: bool = False


@dataclass(frozen=True, slots=True)
class Received:
    """A report in the sender's terms; ``losses`` found on reading; ``sr`` is set where the document was an SR.

    ``outline`` is the whole of a document that holds more than a lesion report can, in its own order. ``earlier`` are
    what was emitted in FHIR and HL7 v2 of the versions before, where it is kept, the newest first; ``sent`` is where
    those versions went. ``predecessors`` are all documents that an SR names so; ``follows``: it was found to be the
    next version of the report of one of them. ``processing``: what a message is for (`service.domain.processing`).
    """

    report: LesionReport
    losses: tuple[Loss, ...] = ()
    sr: SrReference | None = None
    outline: tuple[OutlineItem, ...] = ()
    earlier: tuple[Earlier, ...] = ()
    sent: tuple[Sent, ...] = ()
    predecessors: tuple[Predecessor, ...] = ()
    follows: bool = False
    processing: str = ""

    def seen_by(self, destination: str = "") -> "Received":
        """The same with what was emitted earlier that a destination may have, or that everybody may."""
        earlier = tuple(one for one in self.earlier if one.destination in ("", destination))
        return replace(self, earlier=earlier)
