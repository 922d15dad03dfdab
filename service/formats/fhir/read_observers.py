"""Who observed and who verified: Provenance, else the performers of the report and of its Observations."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from service.domain.codes import Term
from service.domain.report import Observer, Person
from service.domain.times import DateTime
from service.formats.fhir.read_bundle import Document
from service.formats.fhir.read_node import Node
from service.formats.fhir.read_people import PERSONS, People
from service.formats.fhir.read_values import shown_name, when

_AGENTS: Final = (*PERSONS, "Device", "Organization")
_VERIFIER: Final = ("verifier", "attester", "legal")
_AUTHORS: Final = ("author", "assembler", "performer", "composer", "enterer", "")


class Observers:
    """Gathers observers in the order in which they are said."""

    def __init__(self, document: Document, people: People) -> None:
        """Take who reads people."""
        self._document = document
        self._people = people
        self._observers: list[Observer[Term]] = []
        self._nodes: list[tuple[Node, ...]] = []
        self._verified: list[tuple[Node, DateTime]] = []
        self._shown: list[object] = []

    def read(
        self, report: Node, composition: Node | None, seen: list[Node], sender: str, *, complete: bool
    ) -> tuple[Observer[Term], ...]:
        """The observers of a report; ``seen`` are those that its Observations name."""
        for provenance in self._document.of_kind("Provenance"):
            if any(self._document.target(one, provenance) is report for one in provenance.nodes("target")):
                self._provenance(provenance, report)
        if composition is not None:
            self._composition(composition, sender)
        for member in ("resultsInterpreter", "performer"):
            self._by_display(report, member)
            for found, reference in self._document.follow(report, member):
                if found.kind in (*PERSONS, "Device"):
                    self._one(found)
                elif not self._has_organization(found):
                    why = "an organization observes through a person or a device; none of it is said"
                    report.noted.skip(reference.path, found.kind, why)
        for node in seen:
            self._one(node)
        return self._with_times(complete=complete)

    def _by_display(self, owner: Node, member: str) -> None:
        """Persons who are not in the document, by the name that the reference shows."""
        for reference in owner.nodes(member):
            leads = f"{reference.value.get('type', '')} {reference.value.get('reference', '')}"
            if self._document.look(reference, owner) is not None or not any(kind in leads for kind in PERSONS):
                continue
            if reference.value.get("reference", reference) in self._shown:
                continue  # the same person once more, whatever is shown
            name = shown_name(reference)
            if name is not None:
                self._shown.append(reference.value.get("reference", reference))
                self._observers.append(Observer(None, Person(name)))
                self._nodes.append(())

    def _has_organization(self, organization: Node) -> bool:
        return organization.is_touched and organization.kind == "Organization" and organization.is_taken("name")

    def _provenance(self, provenance: Node, report: Node) -> None:
        if provenance.value.get("recorded") == report.value.get("issued"):
            provenance.take("recorded")
        for agent in provenance.nodes("agent"):
            role = _role(agent)
            if role not in (*_VERIFIER, *_AUTHORS):
                continue
            who = [found for found, _ in self._document.follow(agent, "who", *_AGENTS)]
            if not who:
                continue
            agent.take("type", "role")
            if role in _VERIFIER:
                time = when(provenance, "occurredDateTime")
                if time is not None:
                    self._verified.append((self._people.practitioner(who[0]), time))
                    self._one(who[0])
                continue
            behalf = [found for found, _ in self._document.follow(agent, "onBehalfOf", *_AGENTS)]
            self._pair(who[0], *behalf)

    def _pair(self, *nodes: Node) -> None:
        """A device and the person on whose behalf it observed, or one of them."""
        device = next((self._people.device(node) for node in nodes if node.kind == "Device"), None)
        person = next((self._people.person(node) for node in nodes if node.kind in PERSONS), None)
        if device is not None or person is not None:
            self._observers.append(Observer(device, person))
            self._nodes.append(tuple(map(self._people.practitioner, nodes)))

    def _one(self, node: Node) -> None:
        """Somebody who observed, unless that is said already."""
        plain = self._people.practitioner(node)
        if not any(plain is known for nodes in self._nodes for known in nodes):
            self._pair(node)

    def _composition(self, composition: Node, sender: str) -> None:
        for author in composition.nodes("author"):
            if author.value == {"display": sender}:
                author.take("display")  # where no observer is said
        for attester in composition.nodes("attester"):
            parties = [found for found, _ in self._document.follow(attester, "party", *PERSONS, "Organization")]
            if not parties or parties[0].kind not in PERSONS:
                continue
            time = when(attester, "time")
            attester.take("mode")
            plain = self._people.practitioner(parties[0])
            if time is not None and not any(plain is known for known, _ in self._verified):
                self._verified.append((plain, time))
                self._one(parties[0])
        for found, _ in self._document.follow(composition, "author"):
            if found.kind in (*PERSONS, "Device"):
                self._one(found)

    def _with_times(self, *, complete: bool) -> tuple[Observer[Term], ...]:
        """Each verification at the person who verified; of one who stands several times at the first still open."""
        made = list(self._observers)
        for person, time in self._verified:
            if not complete:
                why = "nobody verifies a report that is preliminary or cancelled (Verification Flag, PS3.3 C.17.2)"
                person.noted.skip(person.path, "verified", why, "fhir-verified")
                continue
            for place, nodes in enumerate(self._nodes):
                observer = made[place]
                if person in nodes and observer.person is not None and observer.person.verified_at is None:
                    made[place] = Observer(observer.device, _verified(observer.person, time))
                    break
        return tuple(made)


def _verified(person: Person[Term], time: DateTime) -> Person[Term]:
    return replace(person, verified_at=time)


def _role(agent: Node) -> str:
    """What an agent did, by the first code of its type."""
    kind = agent.value.get("type")
    codings = kind.get("coding") if isinstance(kind, dict) else None
    first = codings[0] if isinstance(codings, list) and codings else codings
    return str(first.get("code", "")) if isinstance(first, dict) else ""
