"""Lesions out of Observations: one a BodyStructure, a tracking id or a site, with its measurements and answers."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, Final

from service.coding.naming import MEASUREMENTS
from service.domain.codes import Term
from service.domain.geometry import SegmentReference
from service.domain.report import CountKind, Evaluation, Lesion, Measurement, TimePoint
from service.formats.fhir.read_bundle import Document
from service.formats.fhir.read_node import Node
from service.formats.fhir.read_places import interpreted, is_group, place_of, plain_focus, side_of
from service.formats.fhir.read_results import Results, is_prose
from service.formats.fhir.read_selections import Selected, Selections
from service.formats.fhir.read_structure import Structures, same
from service.formats.fhir.read_study import Imaging, named_image
from service.formats.fhir.read_terms import known_in, layout, term
from service.formats.fhir.read_values import LO, NOT_SAID, line, prose, quantity, reference_range, uid

_TERMS: Final = ("category", "laterality", "topography", "certainty", "change")
_TIME_POINT: Final = {
    "time-point": "label",
    "subject-time-point-identifier": "subject_identifier",
    "protocol-time-point-identifier": "protocol_identifier",
}
_PLACE: Final = frozenset({"site", "laterality", "topography"})
_MOST_INTEGER: Final = 2**31 - 1
BODY_SITE: Final = "http://hl7.org/fhir/StructureDefinition/bodySite"


@dataclass(slots=True)
class Draft:
    """A lesion in the making: members of `Lesion` by name, and what is gathered in order."""

    where: str
    members: dict[str, Any] = field(default_factory=dict)
    point: dict[str, Any] = field(default_factory=dict)
    texts: list[str] = field(default_factory=list)
    measurements: list[Measurement[Term]] = field(default_factory=list)
    evaluations: list[Evaluation[Term]] = field(default_factory=list)
    selected: Selected = field(default_factory=Selected)
    segment: tuple[str, int] | None = None
    source_series: str | None = None
    body: Node | None = None
    side: str | None = None


class Lesions:
    """Reads the lesions of a report from the Observations that speak of them."""

    def __init__(self, document: Document, results: Results, imaging: Imaging, study: str) -> None:
        """``imaging`` knows class and series of the images, ``study`` is the UID of the report's own study."""
        self._document = document
        self._results = results
        self._imaging = imaging
        self._selections = Selections(document, imaging, study)
        self._sender = results.sender
        self._structures = Structures(document, results.sender)
        self._drafts: dict[object, Draft] = {}
        self._tracked: set[str] = set()
        self._noted = document.noted

    def read(self) -> tuple[Lesion[Term], ...]:
        """The lesions, in the order in which they are first spoken of."""
        for observation in self._results.lesions:
            draft = self._draft(self._key(observation), observation, None)
            if draft is not None:
                self._observation(observation, draft)
        ids: set[str] = set()
        return tuple([self._lesion(draft, ids) for draft in self._drafts.values() if self._says_something(draft)])

    def _says_something(self, draft: Draft) -> bool:
        """Whether more is said than a place: of "nodule: false" no lesion is left, least of all one that is there."""
        selected = draft.selected
        said = draft.measurements or draft.evaluations or draft.texts or draft.segment or draft.point
        shown = selected.images or selected.regions3d or selected.segment
        if said or shown or draft.body is not None or not draft.members.keys() <= _PLACE:
            return True
        why = "nothing is said of a lesion but its place: none is made of it"
        self._noted.skip(draft.where, "Observation", why, "fhir-finding")
        return False

    def _key(self, observation: Node) -> object:
        """What an Observation is of: a group of measurements by itself, else its BodyStructure, else its site."""
        body = self._body(observation)
        if body is not None:
            return id(body)
        if "hasMember" in observation or layout(observation.value.get("code")) == "finding":
            return id(observation)
        return place_of(observation)

    def _body(self, observation: Node) -> Node | None:
        """The BodyStructure of an Observation: R5's element, the focus of ours and mCODE's, or R4's extension."""
        focus = plain_focus(observation)
        if focus is not None:  # as all of ours
            alone = self._document.find(focus, observation)
            if alone is not None and alone.kind == "BodyStructure":
                observation.take("focus")
                return alone
        references = [*observation.nodes("bodyStructure"), *observation.nodes("focus")]
        for site in observation.nodes("bodySite"):
            for extension in site.extensions(BODY_SITE):
                extension.take("url")
                references += extension.nodes("valueReference")
        found: Node | None = None
        for reference in references:
            body = self._document.look(reference, observation)
            if body is not None and body.kind == "BodyStructure" and found in (None, body):
                found = body
                self._document.target(reference, observation)
        return found

    def _observation(self, observation: Node, draft: Draft) -> None:
        """Everything an Observation says of its lesion."""
        name = layout(observation.value.get("code"))
        draft.body = self._body(observation) or draft.body
        draft.side = draft.side or side_of(observation)
        self._put(draft, "site", term(observation, "bodySite", "site", self._sender))
        if name in ("finding", "measurement-group") or is_group(observation):
            self._put(draft, "finding", term(observation, "valueCodeableConcept", "finding", self._sender))
            if "finding" in draft.members:
                observation.take("code")
        else:
            self.said(observation, draft)
        for note in observation.nodes("note"):
            text = prose(note, "text")
            if text is not None:
                draft.texts.append(text)
        for component in observation.nodes("component"):
            self._component(component, observation, draft)
        self._selections.of_lesion(observation, draft.selected)
        self._members(observation, draft, 1)

    def _members(self, group: Node, draft: Draft, depth: int) -> None:
        """The members of a group; where all that name a BodyStructure name one, it is the group's."""
        members = [(one, self._body(one)) for one in self._results.observations(group, "hasMember")]
        bodies = {id(body): body for _, body in members if body is not None} if draft.body is None else {}
        if len(bodies) == 1:
            (draft.body,) = bodies.values()
        for member, body in members:
            own = self._of_member(member, body, draft)
            if own is not None:
                self._member(member, own, depth)

    def _of_member(self, member: Node, body: Node | None, draft: Draft) -> Draft | None:
        """The lesion that a member speaks of: its group's, or another one by its BodyStructure or its side."""
        if body is draft.body and "component" not in member:  # as all of ours
            return draft
        side = side_of(member)
        if body is not None and body is not draft.body:
            return self._draft(id(body), member, body)
        if body is None and side is not None and draft.side is not None and side != draft.side:
            return self._draft((id(draft), side), member, None)
        return draft

    def _draft(self, key: object, observation: Node, body: Node | None) -> Draft | None:
        """The lesion of a key, a new one where there is none; None, listed, past the limit."""
        known = self._drafts.get(key)
        limit = self._noted.intake.limits.lesions
        if known is None and len(self._drafts) == limit:
            observation.take(*observation.value)
            self._noted.skip(observation.path, "Observation", f"a report has at most {limit} lesions", "limit")
            return None
        if known is None:
            known = self._drafts[key] = Draft(observation.path, body=body)
        return known

    def _member(self, member: Node, draft: Draft, depth: int) -> None:
        """A measurement or an answer of a lesion; what it holds itself is the lesion's, too."""
        self.said(member, draft)
        for component in member.nodes("component") if "component" in member else ():
            self._component(component, member, draft)
        if "hasMember" in member and depth < self._noted.intake.limits.depth:
            self._members(member, draft, depth + 1)

    def said(self, observation: Node, draft: Draft) -> None:
        """The value of an Observation: a number is a measurement, a code or a short text an answer."""
        limit = self._noted.intake.limits.items
        if len(draft.measurements) >= limit or len(draft.evaluations) >= limit:
            observation.take(*observation.value)
            self._noted.skip(observation.path, "Observation", f"a lesion has at most {limit} of each", "limit")
            return
        inner = observation.nodes("component") if "component" in observation else ()
        parts = {layout(part.value.get("code")): part for part in inner}
        if observation.first_of("valueQuantity", "valueInteger") is not None:
            self._measurement(observation, draft, parts)
        elif is_prose(observation):
            text = prose(observation, "valueString")
            if text is not None:
                self._put_text(draft, observation, text)
        else:
            made = self._results.evaluation(observation)
            if made is not None:
                draft.evaluations.append(made)

    def _put_text(self, draft: Draft, observation: Node, text: str) -> None:
        """A text about a lesion: its question goes with it, since a lesion has one text."""
        name = term(observation, "code", "", self._sender)
        draft.texts.append(f"{name.text}: {text}" if name is not None else text)

    def _measurement(self, owner: Node, draft: Draft, parts: dict[str | None, Node], name: Node | None = None) -> None:
        """A number with its unit; ``name``: the Observation whose code names it, where the owner's is a derivation."""
        said = self._value(owner)
        concept = term(name or owner, "code", MEASUREMENTS, self._sender)
        if said is None or concept is None:
            return
        value, unit = said
        derivation = None
        if name is not None:
            derivation = term(owner, "code", "derivation", self._sender)
        elif "derivation" in parts:
            derivation = term(parts["derivation"], "valueCodeableConcept", "derivation", self._sender)
            parts["derivation"].take("code")
        image = None
        source = parts.get("source-of-measurement")
        if source is not None:
            image = uid(source, "valueString")
            source.take("code")
        image = self._selections.of_measurement(owner, concept, draft.selected) or image
        method = term(owner, "method", "method", self._sender)
        draft.measurements.append(
            Measurement(concept, value, unit, method, derivation, reference_range(owner, unit), image, owner.path)
        )

    def _value(self, owner: Node) -> tuple[Any, Term] | None:
        if interpreted(owner, "<", ">"):
            owner.take("interpretation", "valueQuantity", "valueInteger")
            self._noted.skip(owner.path, "Quantity", "it is off the scale: a bound, not a number", "fhir-comparator")
            return None
        if "valueInteger" in owner:
            number = owner.number("valueInteger")
            unity = Term("1", None, owner.at("valueInteger"))
            return None if number is None else (number, unity)
        found = owner.node("valueQuantity")
        return quantity(found) if found is not None else None

    def _component(self, component: Node, owner: Node, draft: Draft) -> None:
        """One component: a member of the lesion by its name, else a measurement or an answer."""
        if "modifierExtension" in component:
            component.take(*component.value)
            why = "modifierExtension changes what it means, and is not known here"
            self._noted.skip(component.path, "component", why, "fhir-modifier")
            return
        name = layout(component.value.get("code"))
        if name in _TERMS:
            if self._put(draft, name, term(component, "valueCodeableConcept", name, self._sender)):
                component.take("code")
        elif name in _TIME_POINT or name in ("time-point-type", "time-point-order"):
            self._time_point(component, name, draft)
        elif name == "count":
            self._count(component, draft)
        elif name in ("source-of-measurement", "derivation") and "valueQuantity" in owner:
            return  # of the measurement that its owner is
        elif name in ("source-of-measurement", "referenced-segment", "source-series-for-segmentation"):
            self._image(component, name, draft)
        elif component.first_of("valueQuantity", "valueInteger") is not None:
            derived = "valueQuantity" not in owner and known_in(component.value.get("code"), "derivation") is not None
            self._measurement(component, draft, {}, owner if derived else None)
        else:
            made = self._results.evaluation(component)
            if made is not None:
                draft.evaluations.append(made)

    def _put(self, draft: Draft, name: str, value: Any) -> bool:
        """Set a member that is not said yet; another word for it is listed, the same is no loss."""
        if value is None:
            return False
        known = draft.members.setdefault(name, value)
        if isinstance(value, Term) and not same(known, value):
            self._noted.skip(value.where, name, "the lesion has another one already", "fhir-further")
        return True

    def _time_point(self, component: Node, name: str | None, draft: Draft) -> None:
        if name == "time-point-type":
            value: Any = term(component, "valueCodeableConcept", "time-point-type", self._sender)
            member = "type"
        elif name == "time-point-order":
            value, member = component.integer("valueInteger"), "order"
        else:
            value, member = line(component, "valueString", LO), _TIME_POINT[str(name)]
        if value is not None:
            component.take("code")
            draft.point.setdefault(member, value)

    def _count(self, component: Node, draft: Draft) -> None:
        number = component.integer("valueInteger")
        key = known_in(component.value.get("valueCodeableConcept"), "count")
        kind = CountKind(key) if key in set(CountKind) else None
        if kind is not None:
            term(component, "valueCodeableConcept", "count", self._sender)
        if number is not None and not 1 <= number <= _MOST_INTEGER:
            component.skip("valueInteger", "a lesion entry stands for at least one lesion", "fhir-value")
            number = None
        count = number if number is not None else kind
        if count is not None:
            component.take("code")
            draft.members.setdefault("count", count)

    def _image(self, component: Node, name: str, draft: Draft) -> None:
        """An image or segment by its UID; class and series are those that an ImagingStudy lists."""
        named = named_image(component)
        if named is None:
            component.skip("valueString", "it is no UID of an instance", "fhir-type")
            return
        found, kind, numbers = named
        if name == "source-series-for-segmentation":
            draft.source_series = found
            self._imaging.take_series(found)
        elif name == "referenced-segment" and kind == "segment":
            draft.segment = (found, numbers[0])
        else:
            image = self._imaging.image(found, numbers if kind == "frames" else (), component.path)
            if image is None:
                component.skip(
                    "valueString", "no ImagingStudy of the document lists this instance as an image", "fhir-image"
                )
            else:
                draft.selected.add(image, None)

    def _lesion(self, draft: Draft, ids: set[str]) -> Lesion[Term]:
        members = dict(draft.members)
        if draft.body is not None:
            self._structures.read(draft.body, members)
        if "finding" not in members:
            why = "no finding is said of what was measured; nobody is told that it is a lesion"
            self._noted.flag(draft.where, "finding", why, "fhir-finding")
            members["finding"] = Term(NOT_SAID, None, draft.where)
        tracking = members.get("tracking_uid")
        if tracking in self._tracked:
            why = "another lesion of this report has the same tracking UID"
            self._noted.skip(draft.where, "tracking UID", why, "fhir-further")
            del members["tracking_uid"]
        elif tracking is not None:
            self._tracked.add(tracking)
        members["id"] = _unique(members.get("id") or f"L{len(ids) + 1}", ids)
        if draft.point:
            members["time_point"] = self._point(draft)
        if draft.texts:
            members["text"] = "\n".join(draft.texts)
        return Lesion(
            **members,
            measurements=tuple([self._on_known_image(one, draft) for one in draft.measurements]),
            evaluations=tuple(draft.evaluations),
            images=tuple(draft.selected.images),
            regions3d=tuple(draft.selected.regions3d),
            segment=draft.selected.segment or self._segment(draft),
            where=draft.where,
        )

    def _on_known_image(self, item: Measurement[Term], draft: Draft) -> Measurement[Term]:
        """A measurement without its image where nothing tells what the image is."""
        shown = any(one.image.sop_instance == item.image for one in draft.selected.images)
        if item.image is None or shown or item.image in self._imaging.instances:
            return item
        why = "class and series of the image that it was measured on are not said"
        self._noted.skip(item.where, "image", why, "fhir-image")
        return replace(item, image=None)

    def _point(self, draft: Draft) -> TimePoint[Term]:
        label = draft.point.pop("label", None)
        if label is None:
            self._noted.flag(draft.where, "time point", "it has no label", "fhir-value")
        return TimePoint(label or NOT_SAID, **draft.point)

    def _segment(self, draft: Draft) -> SegmentReference | None:
        if draft.segment is None:
            return None
        sop, number = draft.segment
        listed = self._imaging.instances.get(sop)
        try:
            if listed is None:
                raise ValueError("no ImagingStudy of the document lists this instance as an image")
            return SegmentReference(sop, listed.series, number, draft.source_series, draft.where)
        except ValueError as error:
            self._noted.skip(draft.where, "segment", str(error), "fhir-image")
            return None


def _unique(name: str, ids: set[str]) -> str:
    turn, made = 1, name
    while made in ids:
        turn += 1
        made = f"{name} {turn}"
    ids.add(made)
    return made
