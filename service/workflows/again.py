"""Deliveries of a report that is kept already: to more destinations, or anew where the last one failed.

What was sent never changes: a delivery with other options is a new delivery, linked to the one it follows.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Final, TypeVar

from service.delivery.settings import DestinationSettings
from service.domain.emitted import REJECTION
from service.domain.errors import Conflict, NotFound, Problem, Unavailable
from service.domain.received import Earlier, Received
from service.doors import Format, Options
from service.drafts import ROLES
from service.pipeline import Source, read
from service.store.deliveries import Changed
from service.store.delivery_rows import Delivery, State
from service.store.reports import Store
from service.store.versions import Stored
from service.versions import as_it_came, coded_again, outline_of
from service.workflows.accepting import Made, Plan, chosen, consign, has_own, own_output, written_for

Added = TypeVar("Added")
_PAGES: Final = (Format.HTML, Format.PDF, Format.HL7V2)
"""Formats that are the page of the report, or may hold it."""
_ATTEMPTS: Final = 8
"""How often it is looked again when others send, or write again, the same at the same time."""


@dataclass(frozen=True, slots=True)
class OfStored:
    """Of a report that is kept. ``options`` are those it came with; None: they are not known, nothing kept is used."""

    store: Store
    stored: Stored
    source: Source
    options: Options | None

    def base(self, form: Format, at: DestinationSettings) -> Made | None:
        """What is kept for everybody, where the destination takes just that."""
        if self.options is None or written_for(at, self.options) != replace(self.options, check=False):
            return None
        if has_own(self._earlier(), form, at):
            return None
        try:
            kept = self.store.output(self.stored.id, ROLES.get(form, ""))
        except NotFound:
            return None
        return Made(kept.media_type, kept.content, self.stored.sr)

    def own(self, form: Format, at: DestinationSettings) -> Made:
        """Written now, by the tables of now; a bundle names the SR that is kept."""
        source = as_it_came(self.source, self.store, self.stored)
        received = read(source)
        report = coded_again(source, received, self.store)
        sr = None if form is Format.SR else self.stored.sr
        outline = outline_of(self.source, self.store, self.stored) if form in _PAGES else ()
        known = Received(received.report, received.losses, sr, outline, self._earlier())
        return own_output(report, form, written_for(at, self.options or Options()), known.seen_by(at.name))

    def _earlier(self) -> tuple[Earlier, ...]:
        kept = self.stored
        previous = self.store.newest_before(kept.sender, kept.report_id, kept.version)
        return self.store.earlier(previous) if previous is not None else ()


def deliver_more(store: Store, version: str, source: Source, plan: Plan, options: Options) -> tuple[Delivery, ...]:
    """Deliver a kept report to the destinations that it has no delivery for yet; all its deliveries."""

    def attempt() -> tuple[Delivery, ...]:
        seen = store.deliveries.of(version)
        there = {one.destination for one in seen}
        missing = tuple(one for one in plan.destinations if one.name not in there)
        if not missing:
            return seen
        makes = OfStored(store, store.get(version), source, options)
        return _add(store, version, replace(plan, destinations=missing), makes, seen)

    return _until_unchanged(attempt)


def edit(
    store: Store,
    delivery: str,
    source: Source,
    destinations: Mapping[str, DestinationSettings],
    said: Mapping[str, str],
) -> Delivery:
    """A new delivery in the place of a dead letter: written again for its destination, or for another one.

    ``said``: destination, dialect, bundle, language. Raises NotFound, Invalid, Conflict for a delivery that is no dead
    letter, or where one that was written again is at the destination already: only the newest there may be, since older
    bytes would undo it; or where one is on its way there.
    """
    return _until_unchanged(lambda: _edited(store, delivery, source, destinations, said))


def _edited(
    store: Store,
    delivery: str,
    source: Source,
    destinations: Mapping[str, DestinationSettings],
    said: Mapping[str, str],
) -> Delivery:
    """One attempt of `edit`; raises Changed as well."""
    beside = store.deliveries.of(store.deliveries.get(delivery).version)
    old = next(one for one in beside if one.id == delivery)
    if not _may_be_edited(old):
        raise Conflict(Problem("", "dead-letter", f"it is {old.state}: only a dead letter is written again"))
    if old.role.startswith(REJECTION):
        raise Conflict(Problem("", "rejection", "a rejection note is sent again as it is, or not at all"))
    [at] = chosen(said.get("destination", old.destination), destinations, "/destination")
    dialect, bundle = said.get("dialect", at.dialect), said.get("bundle", at.bundle)
    at = replace(at, dialect=dialect, bundle=bundle, language=said.get("language", at.language))
    newest = next((one for one in reversed(beside) if one.destination == at.name and one.parent is not None), None)
    if newest is not None and newest.id != old.id:
        why = f"it was written again for {at.name}: that one is {newest.state}"
        why = f"{why}, edit that one" if _may_be_edited(newest) else why
        raise Conflict(Problem("/destination", "dead-letter", why, (newest.id,)))
    for one in beside:
        if one.is_open and one.destination == at.name and not one.role.startswith(REJECTION):
            why = f"this version is on its way to {at.name} already: that one is {one.state}"
            raise Conflict(Problem("/destination", "dead-letter", why, (one.id,)))
    makes = OfStored(store, store.get(old.version), source, None)
    plan = Plan((at,), old.priority, old.origin, parent=old.id)
    made = _add(store, old.version, plan, makes, beside)
    return next(one for one in reversed(made) if one.destination == at.name)


def _may_be_edited(delivery: Delivery) -> bool:
    """Whether it may be written again."""
    return delivery.is_dead or delivery.state is State.DRY_RUN


def _until_unchanged(attempt: Callable[[], Added]) -> Added:
    """Look, write and add, until nothing has come between."""
    for _ in range(_ATTEMPTS):
        with suppress(Changed):
            return attempt()
    raise Unavailable(Problem("", "busy", "too many at once send this report: try again"))


def _add(store: Store, version: str, plan: Plan, makes: OfStored, seen: Sequence[Delivery]) -> tuple[Delivery, ...]:
    """Deliveries of a plan, beside those that were seen."""
    made = consign(plan, version, makes, [one.destination for one in seen])
    outputs = [
        {"role": one.role, "media_type": one.media_type, "sha256": one.sha256, "content": one.content}
        for one in made.outputs
    ]
    return store.deliveries.add(version, made.planned, outputs, made.origin, seen)
