"""Which rule says where a report goes: the first whose every condition it meets."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from service.delivery.settings import DestinationSettings
from service.domain.codes import CodedTerm
from service.domain.received import Received
from service.domain.report import CodedReport
from service.receiving.settings import Route

if TYPE_CHECKING:
    # The planner comes with the database: a report is routed where it is kept.
    from service.doors import Options
    from service.pipeline import Outcome
    from service.store.delivery_rows import Origin
    from service.store.versions import Consignment


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a rule took effect; ``failing`` is the first condition that the report does not meet."""

    route: Route
    failing: str = ""


def explained(routes: Sequence[Route], report: CodedReport, way: str) -> tuple[Verdict, ...]:
    """Each rule up to the one that takes effect, with what kept the others from it."""
    facts = _facts(report, way)
    told: list[Verdict] = []
    for route in routes:
        told.append(Verdict(route, _failing(route, facts)))
        if not told[-1].failing:
            break
    return tuple(told)


def effective(routes: Sequence[Route], report: CodedReport, way: str) -> Route | None:
    """The rule that takes effect, or None."""
    told = explained(routes, report, way)
    return told[-1].route if told and not told[-1].failing else None


@dataclass(frozen=True, slots=True)
class Routed:
    """The planner of a report that names no destination itself.

    It goes to where the versions before it went too, whatever the rules of now say of it; one of those that is not set
    up any more is left to the receipt to tell.
    """

    routes: tuple[Route, ...]
    destinations: Mapping[str, DestinationSettings]
    way: str
    origin: Origin
    priority: int = 0

    def of(self, identity: str, outcome: Outcome, received: Received, options: Options) -> Consignment:
        """The deliveries to where it went before and by the rule that takes effect, and the name of that."""
        from service.store.versions import Consignment
        from service.workflows.accepting import Plan

        route = effective(self.routes, outcome.report, self.way)
        ruled = [self.destinations[name] for name in route.deliver] if route is not None else []
        before = [self.destinations[one.destination] for one in received.sent if one.destination in self.destinations]
        chosen = {one.name: one for one in (*before, *ruled)}
        if not chosen and route is None:
            return Consignment(origin=self.origin)
        made = Plan(tuple(chosen.values()), self.priority, self.origin).of(identity, outcome, received, options)
        return replace(made, route=route.name if route is not None else "", named=False)


def _facts(report: CodedReport, way: str) -> Mapping[str, frozenset[str]]:
    """What a rule may ask of a report, as small letters."""
    lesions = report.lesions
    sites = [term for lesion in lesions for term in (lesion.site, lesion.topography) if term is not None]
    return {
        "sender": frozenset({report.sender.casefold()}),
        "modality": _named([report.study.modality]),
        "site": _named(sites),
        "procedure": _named(report.study.procedures),
        "status": frozenset({str(report.status)}),
        "source": frozenset({way}),
    }


def _named(terms: Iterable[CodedTerm]) -> frozenset[str]:
    """Key, codes and words that a term may be named by."""
    found: set[str] = set()
    for term in terms:
        found.add(term.text.casefold())
        found.update(code.code.casefold() for code in term.codes)
        if term.concept is not None:
            found.add(term.concept.casefold())
    return frozenset(found)


def _failing(route: Route, facts: Mapping[str, frozenset[str]]) -> str:
    for member, there in facts.items():
        wanted = getattr(route, member)
        if wanted and not {text.casefold() for text in wanted} & there:
            return member
    return ""
