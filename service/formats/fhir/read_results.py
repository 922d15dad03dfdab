"""The Observations of a report: which are of it at all, what they say of the report, and which of a lesion."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache, lru_cache
from typing import Final

from service.coding import vocabulary
from service.coding.naming import EVALUATIONS
from service.coding.words import fold
from service.domain.codes import Term
from service.domain.report import Evaluation, Status
from service.domain.uids import UuidFamily
from service.formats.fhir.draft import OBSERVATION_STATUS
from service.formats.fhir.read_bundle import Document
from service.formats.fhir.read_node import Node
from service.formats.fhir.read_places import day_of, interpreted
from service.formats.fhir.read_terms import keys_of, layout, term
from service.formats.fhir.read_values import line, prose

_CATEGORIES: Final = {"imaging", "125007", "126010", "126011", "C0034375"}
"""Kinds of Observations that say no more than their place in the report: HL7's, and those of its DICOM SR guide."""
_OBSERVERS: Final = ("Practitioner", "PractitionerRole", "Device")
_DENYING: Final = ("NEG", "ND")
"""Negative, not detected (v3 ObservationInterpretation)."""
_SOMEBODY: Final = ("Patient", "RelatedPerson", "Person", "Group")
_KNOWN: Final = ("ImagingStudy", "ServiceRequest", *_OBSERVERS)
_REPEATED: Final = ("basedOn", "partOf", "derivedFrom", "performer", "device", "category")
_WITHDRAWN: Final = ("cancelled", "entered-in-error")
_KEPT: Final = 8192
_REMEMBERED: Final = 512
"""Characters of a text that is remembered: a longer one names nothing, and may be words about a patient."""
_HEADINGS: Final = ("findings", "impression")
_TEXTS: Final = {
    "findings": "findings",
    "findings-section": "findings",
    "impression": "impression",
    "impression-section": "impression",
}


@dataclass(slots=True)
class Shared:
    """What the report says once and its Observations repeat: said again it is no loss."""

    status: Status
    issued: str
    effective: str | None
    patient: Node | None
    subjects: tuple[object, ...] = ()
    day: str = ""
    """When the study began, as YYYY-MM-DD; empty where nobody says it."""


@dataclass(slots=True)
class Statements:
    """What the Observations say of the whole report."""

    texts: dict[str, list[str]] = field(default_factory=lambda: {"findings": [], "impression": []})
    evaluations: list[Evaluation[Term]] = field(default_factory=list)
    technique: list[Term] = field(default_factory=list)
    procedures: list[Term] = field(default_factory=list)
    negatives: list[Term] = field(default_factory=list)
    differential: list[Term] = field(default_factory=list)
    images: Node | None = None


class Results:
    """Walks the Observations of a report, each once."""

    def __init__(self, document: Document, shared: Shared, sender: str, report_id: str) -> None:
        """``report_id`` tells our own Observations, whose UUIDs are derived of it."""
        self._document = document
        self._shared = shared
        self.sender = sender
        self._seen: set[int] = set()
        self._repeated: dict[str, object] = {}
        self._focus: object = None
        self._earlier: set[int] | None = None
        self._family = UuidFamily("fhir-observation", sender, report_id, None)
        self.statements = Statements()
        self.lesions: list[Node] = []
        self.observers: list[Node] = []

    def walk(self, report: Node) -> None:
        """Sort the results of the report: statements are read, lesions are left in ``lesions``."""
        for observation in self.observations(report, "result"):
            self.sort(observation)

    def observations(self, owner: Node, member: str) -> Iterator[Node]:
        """The Observations that a member refers to, those that hold for this report and were not met before."""
        if member not in owner:
            return
        for observation, reference in self._document.follow(owner, member, "Observation"):
            if id(observation) in self._seen:
                why = "this Observation is read already: it stands twice, or refers to itself"
                observation.noted.skip(reference.path, "Observation", why, "fhir-twice")
                continue
            self._seen.add(id(observation))
            if self.holds(observation):
                yield observation

    def holds(self, observation: Node) -> bool:
        """Whether it is a statement about this patient that was not withdrawn; marks what repeats the report."""
        shared = self._shared
        status = observation.string("status")
        withdrawn = status in _WITHDRAWN and OBSERVATION_STATUS[shared.status] != status
        if withdrawn:
            self._leave(observation, f"its status is {status}: it does not hold", "fhir-status")
            return False
        if status != OBSERVATION_STATUS[shared.status]:
            why = f"its status is {status}, that of the report {shared.status}: it is read as a part of the report"
            observation.noted.flag(observation.at("status"), "status", why, "fhir-status")
        if not self._is_of_patient(observation):
            self._leave(observation, "it is of another patient, as far as is known", "fhir-other-patient")
            return False
        focus = observation.value.get("focus")
        if focus is not None and focus != self._focus:
            self._focus = focus
            if self._is_of_somebody(observation):
                self._focus = None
                self._leave(observation, "its focus is somebody else than the patient", "fhir-other-patient")
                return False
        if (
            shared.day
            and observation.value.get("effectiveDateTime") != shared.effective
            and self._is_before(observation)
        ):
            why = f"it is of {day_of(observation)}, before the study: what stood then is not what stands now"
            self._leave(observation, why, "fhir-other-time")
            return False
        if observation.value.get("issued") == shared.issued:
            observation.take("issued")
        if shared.effective is not None and observation.value.get("effectiveDateTime") == shared.effective:
            observation.take("effectiveDateTime")
        value = observation.value
        for name in _REPEATED:
            if name not in value:
                continue
            if value[name] is None or value[name] == self._repeated.get(name):  # as that of the Observation before
                observation.take(name)
            elif name == "category":
                self._take_categories(observation)
            else:
                self._take_known(observation, name)
        return True

    def _is_of_patient(self, observation: Node) -> bool:
        """Whether its subject, where it has one, is that of the report; marks it as read."""
        shared = self._shared
        said = observation.value.get("subject")
        plain = isinstance(said, dict) and said.keys() == {"reference"}
        if plain and shared.patient is not None and self._document.find(said, observation) is shared.patient:
            observation.take("subject")
            return True
        for reference in observation.nodes("subject"):
            subject = self._document.target(reference, observation)
            same = subject is shared.patient if subject is not None else _same_subject(reference, shared)
            if not same:
                return False
            reference.take("reference", "type", "display")
        return True

    def _is_of_somebody(self, observation: Node) -> bool:
        """Whether its focus is a person beside the patient, as a fetus or a donor (R4 observation.html)."""
        for reference in _listed(observation.value.get("focus")):
            if not isinstance(reference, dict):
                continue
            target = self._document.find(reference, observation)
            parts = str(reference.get("reference", "")).partition("/_history/")[0].rsplit("/", 2)
            said = reference.get("type") or (parts[-2] if len(parts) > 1 else "")
            kind = target.kind if target is not None else said
            is_patient = (
                target is self._shared.patient
                if target is not None
                else reference.get("reference") in (self._shared.subjects)
            )
            if kind in _SOMEBODY and not is_patient:
                return True
        return False

    def _is_before(self, observation: Node) -> bool:
        """Whether it is of a day before the study; where all are, the study has the wrong time and not they."""
        if self._earlier is None:
            days = [(id(one), day_of(one)) for one in self._document.of_kind("Observation")]
            found = {one for one, day in days if day and day < self._shared.day}
            self._earlier = found if len(found) < len(days) else set()
        return id(observation) in self._earlier

    def _leave(self, observation: Node, why: str, rule: str) -> None:
        observation.take(*observation.value)
        observation.noted.skip(observation.path, "Observation", why, rule)

    def _take_known(self, observation: Node, name: str) -> None:
        """References to what the report has anyhow, and to who observed; others stay unread."""
        listed = observation.value[name]
        if self._are_known(listed, observation):
            observation.take(name)
            if not _leads_within(listed):
                self._repeated[name] = listed
            return
        for reference in observation.nodes(name):
            target = self._document.look(reference, observation)
            if target is None or target.kind not in _KNOWN:
                continue
            self._document.target(reference, observation)
            if target.kind in _OBSERVERS and target not in self.observers:
                self.observers.append(target)

    def _are_known(self, listed: object, observation: Node) -> bool:
        """Whether a member holds nothing but references of that kind: the quick way for it."""
        for reference in listed if isinstance(listed, list) else [listed]:
            if not isinstance(reference, dict) or len(reference) != 1:
                return False
            target = self._document.find(reference, observation)
            if target is None or target.kind not in _KNOWN:
                return False
            if target.kind in _OBSERVERS and target not in self.observers:
                self.observers.append(target)
        return True

    def _take_categories(self, observation: Node) -> None:
        listed = observation.value["category"]
        known = [category for category in observation.nodes("category") if _codes(category.value) <= _CATEGORIES]
        for category in known:
            category.take(*category.value)
        if isinstance(listed, list) and len(known) == len(listed):
            self._repeated["category"] = listed

    def sort(self, observation: Node) -> None:
        """Read a statement of the report, or leave the Observation as one of a lesion."""
        name = layout(observation.value.get("code")) or _heading(observation.value.get("code"))
        said = self.statements
        if name in ("finding", "measurement-group") and interpreted(observation, *_DENYING):
            self._leave(observation, "its interpretation says that what it finds is not there", "fhir-denied")
            return
        if name in _TEXTS and "valueString" in observation and "bodySite" not in observation:
            text = prose(observation, "valueString")
            if text is not None:
                observation.take("code")
                said.texts[_TEXTS[name]].append(text)
        elif name == "technique":
            self._coded(observation, "technique", said.technique)
        elif name == "procedure":
            self._coded(observation, "procedure", said.procedures)
        elif name == "differential":
            observation.take("code")
            for component in observation.nodes("component"):
                self._coded(component, "differential", said.differential)
            self._coded(observation, "differential", said.differential)
        elif name == "image-library":
            observation.take("code")
            said.images = observation
        elif self._is_of_a_lesion(observation, name):
            self.lesions.append(observation)
        else:
            self._statement(observation)

    def _coded(self, owner: Node, field: str, into: list[Term]) -> None:
        made = term(owner, "valueCodeableConcept", field, self.sender)
        if made is not None:
            owner.take("code")
            into.append(made)

    def _is_of_a_lesion(self, observation: Node, name: str | None) -> bool:
        """Whether it says something of a place: everything but a coded answer or a text about the whole report."""
        if name in ("finding", "measurement-group") or observation.first_of(
            "focus", "bodySite", "bodyStructure", "hasMember", "component"
        ):
            return True
        return observation.first_of("valueCodeableConcept", "valueString") is None

    def _statement(self, observation: Node) -> None:
        """What is said of the whole report: a finding that is absent, an evaluation; a long text is one of findings."""
        if is_prose(observation):
            text = prose(observation, "valueString")
            name = term(observation, "code", "", self.sender)
            if text is not None:
                self.statements.texts["findings"].append(f"{name.text}: {text}" if name is not None else text)
            return
        answer = observation.value.get("valueCodeableConcept")
        if layout(answer) == "absent" and self._is_negative(observation):
            negative = term(observation, "code", "negative", self.sender)
            if negative is not None:
                observation.take("valueCodeableConcept")
                self.statements.negatives.append(negative)
            return
        made = self.evaluation(observation)
        if made is not None:
            self.statements.evaluations.append(made)

    def _is_negative(self, observation: Node) -> bool:
        """Whether "absent" denies the finding that the code names, or answers a field of that name.

        Our own Observations tell by their UUID; in others' only a field of the report can be answered so.
        """
        turn = len(self.statements.negatives)
        own = [one.get("value") for one in _listed(observation.value.get("identifier")) if isinstance(one, dict)]
        if self._family.text(f"negative {turn}") in own:
            return True
        if self._family.text(f"evaluation {len(self.statements.evaluations)}") in own:
            return False
        return not any("report" in vocabulary().evaluations[row].levels for row in _rows(observation.value.get("code")))

    def evaluation(self, owner: Node) -> Evaluation[Term] | None:
        """A coded answer, or a short text as one; None where there is no such value."""
        said = owner.first_of("valueCodeableConcept", "valueString")
        name = term(owner, "code", EVALUATIONS, self.sender) if said is not None else None
        if name is None:
            return None
        if said == "valueString":
            text = line(owner, "valueString")
            value = Term(text, None, owner.at("valueString")) if text is not None else None
        else:
            rows = _rows(owner.value.get("code"))
            value = term(owner, "valueCodeableConcept", rows[0] if rows else "", self.sender)
        return None if value is None else Evaluation(name, value, "", owner.path)


def _leads_within(listed: object) -> bool:
    """Whether a reference among these means another resource in each that contains one."""
    return any(str(one.get("reference", "#")).startswith("#") for one in _listed(listed) if isinstance(one, dict))


def _same_subject(reference: Node, shared: Shared) -> bool:
    """Whether a reference that leads out of the document leads where that of the report does."""
    said = reference.value.get("reference")
    return said in shared.subjects if said is not None else not reference.value.get("identifier")


def _heading(code: object) -> str | None:
    """Which text of the report a code names in plain words: others have codes of their own for findings."""
    words = code.get("text") if isinstance(code, dict) else None
    return next((key for key in _HEADINGS if isinstance(words, str) and fold(words) in _headings(key)), None)


@cache
def _headings(key: str) -> frozenset[str]:
    label = fold(vocabulary().concepts[key].label)
    return frozenset({label, f"{label}s"})


def is_prose(observation: Node) -> bool:
    """Whether its value is a text too long to be an answer, or in several lines."""
    value = observation.value.get("valueString")
    return isinstance(value, str) and (len(value) > observation.noted.intake.limits.term_characters or "\n" in value)


def _rows(concept: object) -> tuple[str, ...]:
    """The rows of evaluations.toml that a CodeableConcept is the name of, by any of its codes."""
    text = concept.get("text") if isinstance(concept, dict) and "coding" not in concept else None
    words = text if isinstance(text, str) else None
    keys = keys_of(concept)
    return _named(keys, words) if words is None or len(words) <= _REMEMBERED else _named.__wrapped__(keys, words)


@lru_cache(_KEPT)
def _named(keys: tuple[str, ...], text: str | None) -> tuple[str, ...]:
    names = vocabulary().names(EVALUATIONS)
    found = dict.fromkeys(names.by_concept[key] for key in keys if key in names.by_concept)
    if not found and text is not None:
        rows, _ = names.find(text)
        found = dict.fromkeys(rows if len(rows) == 1 else ())
    return tuple(found)


def _codes(concept: object) -> set[str]:
    """The codes of a CodeableConcept; a text alone is a code that nobody has."""
    codings = concept.get("coding") if isinstance(concept, dict) else None
    return {str(one.get("code")) for one in _listed(codings) if isinstance(one, dict)} or {""}


def _listed(value: object) -> list[object]:
    return value if isinstance(value, list) else [value]
