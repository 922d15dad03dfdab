"""What is delivered of an accepted report: for each destination an output as it takes it, and a delivery of that.

The bytes are made once, when the report is accepted, and kept with it. A later version of the service, of the tables or
of the settings changes nothing of what a retry sends.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, Protocol
from uuid import NAMESPACE_URL, uuid5

from service.delivery.fhir_entries import NotFhir, identifiers
from service.delivery.settings import TRANSACTIONS_ONLY, DestinationSettings, Fhir
from service.domain.emitted import SrDocument, SrReference
from service.domain.errors import Invalid, NotAcceptable, Problem
from service.domain.received import Earlier, Received
from service.domain.report import CodedReport
from service.doors import WRITERS, Format, Options
from service.drafts import ROLES
from service.pipeline import Outcome, emit
from service.store.delivery_rows import Origin, Planned
from service.store.versions import Consignment, Output, output

_NAMESPACE: Final = uuid5(NAMESPACE_URL, "https://lesionbridge.invalid/deliveries")
FHIR: Final = frozenset({"fhir-r4", "fhir-r5"})
_WITH_PAGE: Final = FHIR | {"hl7v2", "html", "pdf"}
"""What holds headings and labels, which may be wanted in another language."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What to deliver where: the settings of each destination, and the priority."""

    destinations: tuple[DestinationSettings, ...]
    priority: int = 0
    origin: Origin = field(default_factory=Origin)
    parent: str | None = None

    def of(self, identity: str, outcome: Outcome, received: Received, options: Options) -> Consignment:
        """The outputs and deliveries of a report that is kept under ``identity``."""
        return replace(consign(self, identity, OfOutcome(outcome, received, options)), named=True)


def chosen(
    names: str, destinations: Mapping[str, DestinationSettings], pointer: str = "?deliver"
) -> tuple[DestinationSettings, ...]:
    """The destinations of a list of names; raises Invalid for one that is not there, with those that are."""
    asked = tuple(dict.fromkeys(name.strip() for name in names.split(",") if name.strip()))
    unknown = [name for name in asked if name not in destinations]
    if unknown or not asked:
        detail = "there is no destination of this name" if asked else "names no destination"
        raise Invalid(Problem(pointer, "destination", detail, tuple(destinations)))
    for name in asked:
        if destinations[name].takes not in [str(form) for form in WRITERS]:
            raise Invalid(Problem(pointer, "destination", f"nothing writes what {name} takes", ()))
    return tuple(destinations[name] for name in asked)


def delivery_id(version: str, destination: str, earlier: int = 0) -> str:
    """The id of a delivery: asked for twice at the same time it is made once. ``earlier``: deliveries it has there."""
    return str(uuid5(_NAMESPACE, f"{version}/{destination}/{earlier}"))


def consign(plan: Plan, identity: str, makes: "Makes", there: Sequence[str] = ()) -> Consignment:
    """Emit for each destination what it takes; ``there`` are the destinations that have deliveries of this report."""
    outputs: dict[str, Output] = {}
    planned = []
    for at in plan.destinations:
        form = Format(at.takes)
        earlier = there.count(at.name)
        made = makes.base(form, at)
        role = ROLES.get(form, str(form))
        if made is None:
            made = makes.own(form, at)
            role = f"{form}@{at.name}" + (f".{earlier}" if earlier else "")
            outputs[role] = output(role, made.media_type, made.content)
        planned.append(
            Planned(
                id=delivery_id(identity, at.name, earlier),
                destination=at.name,
                format=at.takes,
                role=role,
                identifiers=_identifiers(made) if at.takes in FHIR else (),
                sr=made.sr,
                parent=plan.parent,
                dry_run=at.dry_run,
                priority=plan.priority,
            )
        )
    return Consignment(tuple(outputs.values()), tuple(planned), plan.origin)


def written_for(at: DestinationSettings, options: Options) -> Options:
    """The writing options of a report as a destination has them; what it does not say stays as the sender asked.

    Raises Invalid for a profile that was asked for and can't be sent there.
    """
    profile = at.profile or options.profile
    if isinstance(at, Fhir) and not at.takes_profile(profile or ""):
        raise Invalid(Problem("?profile", "destination", f"{at.name}: {TRANSACTIONS_ONLY}"))
    return replace(
        options,
        check=False,
        dialect=at.dialect or options.dialect,
        bundle=at.bundle or options.bundle,
        encoding=at.encoding or options.encoding,
        profile=profile,
        language=(at.takes in _WITH_PAGE and at.language) or options.language,
    )


@dataclass(frozen=True, slots=True)
class Made:
    """An output, and the SR that it is or speaks of."""

    media_type: str
    content: bytes
    sr: SrReference | None


class Makes(Protocol):
    """Where the outputs for destinations come from."""

    def base(self, form: Format, at: DestinationSettings) -> Made | None:
        """An output that is kept for everybody, where it is just what the destination takes."""
        ...

    def own(self, form: Format, at: DestinationSettings) -> Made:
        """An output that is made for the destination."""
        ...


@dataclass(frozen=True, slots=True)
class OfOutcome:
    """Of a report that is accepted now."""

    outcome: Outcome
    received: Received
    options: Options

    def base(self, form: Format, at: DestinationSettings) -> Made | None:
        """What was made for everybody. An SR that came as one is delivered in the dialect it has."""
        if form is Format.SR and self.received.sr is not None:
            return Made("application/dicom", b"", self.received.sr)
        if form not in self.outcome.outputs or written_for(at, self.options) != replace(self.options, check=False):
            return None
        if has_own(self.received.earlier, form, at):
            return None
        made = self.outcome.outputs[form]
        return Made(made.media_type, made.content, self.outcome.sr)

    def own(self, form: Format, at: DestinationSettings) -> Made:
        """Written with the destination's options; raises NotAcceptable where the request asks otherwise."""
        options, seen = written_for(at, self.options), self.received.seen_by(at.name)
        try:
            return own_output(self.outcome.report, form, options, seen)
        except NotAcceptable as error:
            named = [replace(one, detail=f"{at.name} takes {at.takes}: {one.detail}") for one in error.problems]
            raise NotAcceptable(*named) from error


def has_own(earlier: Sequence[Earlier], form: Format, at: DestinationSettings) -> bool:
    """Whether a destination got bundles of its own before: what only they said, the one for everybody leaves alone."""
    return str(form) in FHIR and any(one.destination == at.name for one in earlier)


def own_output(report: CodedReport, form: Format, options: Options, received: Received) -> Made:
    """An output written for one destination, with the SR that it is or names."""
    made = emit(report, (form,), options, received)
    document = made.outputs[form]
    sr = document.reference if isinstance(document, SrDocument) else made.sr
    return Made(document.media_type, document.content, sr)


def _identifiers(made: Made) -> tuple[tuple[str, str], ...]:
    """System and value of each identifier of the DiagnosticReport in a bundle, to find it again at the peer."""
    try:
        return identifiers(made.content, made.media_type, "DiagnosticReport")
    except NotFhir:  # a collection or a document has no requests: no server stores it by them
        return ()
