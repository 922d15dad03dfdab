"""Rejection notes: what an archive must not use any more is told to it in a document of its own."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from service.amendments import REASONS
from service.domain.emitted import REJECTION, SrDocument, SrReference
from service.domain.received import Received
from service.doors import Format, Options
from service.formats.sr.rejection import SOP_CLASS, rejection
from service.pipeline import Outcome
from service.publishing import Planner
from service.store.delivery_rows import Delivery
from service.store.reports import Store
from service.store.versions import Consignment, Output, Stored, output
from service.workflows.accepting import delivery_id


@dataclass(frozen=True, slots=True)
class Rejecting:
    """A plan of deliveries, and a note that rejects the SRs of every version up to ``base``.

    The note that is kept names all of them; a destination is told of those that it was sent.
    """

    plan: Planner | None
    reason: str
    base: Stored
    store: Store

    def of(self, identity: str, outcome: Outcome, received: Received, options: Options) -> Consignment:
        """What the plan delivers, with the note beside it, once more for each destination that takes SRs."""
        made = self.plan.of(identity, outcome, received, options) if self.plan is not None else Consignment()
        versions = [one for one in self.store.versions(self.base.id) if one.version <= self.base.version]
        sent = [to for one in versions for to in self.store.deliveries.of(one.id) if to.format == Format.SR]
        every = _once([*(one.sr for one in versions), *(to.sr for to in sent if to.sr is not None)])
        title = REASONS[self.reason]
        note = rejection(outcome.report, title, every)
        outputs, planned = [_kept(REJECTION, note)], []
        for beside in made.planned:
            if beside.format != Format.SR:
                continue
            there = _there(beside.destination, sent) or every
            own, role = note, REJECTION
            if there != every:
                own, role = rejection(outcome.report, title, there), f"{REJECTION}@{beside.destination}"
                outputs.append(_kept(role, own))
            at = delivery_id(identity, beside.destination, 1)  # 0 is the SR's
            planned.append(replace(beside, id=at, role=role, sr=own.reference))
        return replace(made, outputs=(*made.outputs, *outputs), planned=(*made.planned, *planned))


def _there(destination: str, sent: Sequence[Delivery]) -> tuple[SrReference, ...]:
    """The SRs that a destination was sent."""
    return _once([to.sr for to in sent if to.destination == destination and to.sr is not None])


def _once(found: Sequence[SrReference]) -> tuple[SrReference, ...]:
    """Each once, in an order that is always the same; a rejection note is not rejected."""
    return tuple(sorted({one for one in found if one.sop_class != SOP_CLASS}, key=lambda one: one.sop_instance))


def _kept(role: str, note: SrDocument) -> Output:
    return output(role, note.media_type, note.content)
