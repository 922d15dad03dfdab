"""The facts that a FHIR bundle states, read from its JSON by the references between its resources: R4 here."""

from collections.abc import Iterable, Iterator, Mapping

from service.check.fhir_agreement import disagreements
from service.check.fhir_bundle import URN_OID, Json, dicom_uids
from service.check.fhir_context import BundleContext
from service.check.values import (
    ABSENT,
    Fact,
    answer_value,
    codes_value,
    image_value,
    lines,
    measurement_value,
    number_value,
    range_value,
    said_with,
)
from service.coding import Vocabulary
from service.domain.codes import Code
from service.domain.report import CountKind

_LESION_TERMS = ("category", "laterality", "topography", "certainty", "change")
_TIME_POINT = {
    "time-point": "label",
    "time-point-type": "type",
    "time-point-order": "order",
    "subject-time-point-identifier": "subjectIdentifier",
    "protocol-time-point-identifier": "protocolIdentifier",
}
_MEMBERS = (
    *_LESION_TERMS,
    "count",
    "derivation",
    "differential",
    "finding",
    "procedure",
    "technique",
    "time-point-type",
)
_SEGMENT = ("referenced-segment", "source-series-for-segmentation")
_TRACKING = ("tracking-unique-identifier", "tracking-identifier")
_CONCEPTS = (*_TIME_POINT, *_SEGMENT, ABSENT, "findings", "image-library", "source-of-measurement", *_TRACKING)


class BundleFacts(BundleContext):
    """The facts of one bundle."""

    def __init__(self, bundle: Json, vocabulary: Vocabulary, designators: Mapping[str, str]) -> None:
        """Take a bundle whose numbers are Decimals."""
        super().__init__(bundle, vocabulary, designators)
        self.learn(_CONCEPTS, _MEMBERS)
        terms = {kind.value: vocabulary.term(kind.value) for kind in CountKind}
        self._count_kinds = {codes_value(term.codes, term.text): kind for kind, term in terms.items()}

    def facts(self) -> Iterator[Fact]:
        """Every fact that the bundle states; what it says twice and differently is a fact too many."""
        report = next(self.of_type("DiagnosticReport"))
        yield from self.context(report)
        if "conclusion" in report:
            yield Fact("impression", lines(report["conclusion"]))
        for concept in report.get("conclusionCode", ()):
            yield Fact("conclusion", self.concept(concept))
        for result in report.get("result", ()):
            yield from self._result(self.target(result))
        yield from disagreements(self, report)

    def _result(self, observation: Json) -> Iterator[Fact]:
        key = self.key(observation["code"])
        if key == "finding":
            yield from self._lesion(observation)
        elif key == "image-library":
            for component in observation["component"]:
                uid, _, frames = component["valueString"].removeprefix(URN_OID).partition("#frames=")
                place = "study/image" if self.key(component["code"]) == "source-of-measurement" else "unknown component"
                yield Fact(place, image_value(uid, map(int, filter(None, frames.split(",")))))
        elif key == "findings":
            yield Fact("findings", lines(observation["valueString"]))
        elif key == "technique":
            yield Fact("technique", self.concept(observation["valueCodeableConcept"]))
        elif key == "procedure":
            yield Fact("study/procedure", self.concept(observation["valueCodeableConcept"]))
        elif key == "differential":
            for number, component in enumerate(observation["component"], 1):
                place = f"differential/{number}" if self.key(component["code"]) == key else "unknown component"
                yield Fact(place, self.concept(component["valueCodeableConcept"]))
        else:
            answer = self.answer(observation["valueCodeableConcept"])
            yield Fact("statement", answer_value(self.concept(observation["code"]), answer))

    def _lesion(self, observation: Json) -> Iterator[Fact]:
        structure = self.target(observation["focus"][0])
        here = f"lesion/{dicom_uids(structure)[0]}"
        yield Fact(f"{here}/id", self._lesion_id(structure))
        for source in map(self.target, observation["derivedFrom"]):
            if source["resourceType"] == "ImagingStudy":
                yield Fact(f"{here}/study", dicom_uids(source)[0])
        yield Fact(f"{here}/finding", self.concept(observation["valueCodeableConcept"]))
        for note in observation.get("note", ()):
            yield Fact(f"{here}/text", lines(note["text"]))
        site = self._site(observation)
        if site is not None:
            yield Fact(f"{here}/site", self.concept(site))
        yield from self._selected(here, observation)
        for component in observation.get("component", ()):
            yield from self._component(here, component)
        yield from self._segmented(here, observation)
        for reference in observation.get("hasMember", ()):
            member = self.target(reference)
            yield self._member(here, member)
            yield from self._shown(here, observation, member)
        yield from self._structure_disagrees(here, observation, structure)

    def _lesion_id(self, structure: Json) -> str:
        """The sender's id, said to be the sender's and of the kind that it is."""
        tracking, own, *_ = structure["identifier"]  # a profile may add its own
        kinds = (self.key(tracking["type"]), self.key(own["type"]))
        is_right = kinds == ("tracking-unique-identifier", "tracking-identifier") and "system" not in own
        said: str = own["value"]
        return said if is_right and own["assigner"]["display"] == self.sender() else f"{said} as {kinds}"

    def _site(self, observation: Json) -> Json | None:
        return observation.get("bodySite")

    def _selected(self, here: str, observation: Json) -> Iterator[Fact]:  # noqa: ARG002 - R5 has selections
        yield from ()

    def _shown(self, here: str, observation: Json, member: Json) -> Iterator[Fact]:  # noqa: ARG002 - R5 has shapes
        yield from ()

    def _measured_on(self, member: Json, parts: Mapping[str | None, Json]) -> str | None:  # noqa: ARG002 - R5 asks it
        image: str | None = parts.get("source-of-measurement", {}).get("valueString")
        return image.removeprefix(URN_OID) if image is not None else None

    def _structure_disagrees(self, here: str, observation: Json, structure: Json) -> Iterator[Fact]:
        """Site, side and topography stand twice; a BodyStructure that says otherwise is a fact too many."""
        if observation.get("bodySite") != structure.get("location"):
            yield Fact(
                f"{here}/site", f"BodyStructure says {self.concept(structure.get('location', {'text': 'none'}))}"
            )
        named = ("laterality", "topography")
        parts = observation.get("component", ())
        said = [part["valueCodeableConcept"] for part in parts if self.key(part["code"]) in named]
        if said != structure.get("locationQualifier", []):
            qualifiers = " and ".join(map(self.concept, structure.get("locationQualifier", [])))
            yield Fact(f"{here}/laterality", f"BodyStructure says {qualifiers or 'none'}")

    def _component(self, here: str, component: Json) -> Iterator[Fact]:
        key = self.key(component["code"])
        if key in _LESION_TERMS:
            yield Fact(f"{here}/{key}", self.concept(component["valueCodeableConcept"]))
        elif key in _TIME_POINT:
            yield Fact(f"{here}/timePoint/{_TIME_POINT[key]}", self._value(component))
        elif key == "count":
            yield Fact(f"{here}/count", self._count(component))
        elif key == "source-of-measurement":
            uid, _, frames = component["valueString"].removeprefix(URN_OID).partition("#frames=")
            yield Fact(f"{here}/image", image_value(uid, map(int, filter(None, frames.split(",")))))
        elif key not in _SEGMENT:
            yield Fact(f"{here}/unknown component", self.concept(component["code"]))

    def _segmented(self, here: str, observation: Json) -> Iterator[Fact]:
        parts = {self.key(part["code"]): part.get("valueString", "") for part in observation.get("component", ())}
        if "referenced-segment" in parts:
            said = parts["referenced-segment"].removeprefix(URN_OID).replace("#segment=", " ")
            source = parts.get("source-series-for-segmentation", "").removeprefix(URN_OID)
            yield Fact(f"{here}/segment", said_with(said, source=source))

    def _value(self, component: Json) -> str:
        if "valueCodeableConcept" in component:
            return self.concept(component["valueCodeableConcept"])
        return str(component["valueInteger"] if "valueInteger" in component else component["valueString"])

    def _count(self, component: Json) -> str:
        if "valueInteger" in component:
            return str(component["valueInteger"])
        said = self.concept(component["valueCodeableConcept"])
        return self._count_kinds.get(said, said)

    def _member(self, here: str, member: Json) -> Fact:
        name = self.concept(member["code"])
        if "valueQuantity" not in member:
            return Fact(f"{here}/evaluation", answer_value(name, self.answer(member["valueCodeableConcept"])))
        parts = {self.key(part["code"]): part for part in member.get("component", ())}
        limits: Iterable[Json] = member.get("referenceRange", ())
        number, unit = _quantity(member["valueQuantity"], self.vocabulary)
        said = measurement_value(
            name,
            number,
            unit,
            method=self.concept(member["method"]) if "method" in member else None,
            derivation=self.concept(parts["derivation"]["valueCodeableConcept"]) if "derivation" in parts else None,
            range=next((_range(limit, self.vocabulary, unit) for limit in limits), None),
            image=self._measured_on(member, parts),
        )
        return Fact(f"{here}/measurement", said)


def _quantity(quantity: Json, vocabulary: Vocabulary) -> tuple[str, str]:
    codes = []
    if "code" in quantity:
        designator = vocabulary.designator(quantity["system"]) or quantity["system"]
        codes = [Code(designator, quantity["code"], "")]
    return number_value(quantity["value"]), codes_value(codes, quantity["unit"])


def _range(limits: Json, vocabulary: Vocabulary, unit: str) -> str:
    """The limits; in the unit of the number, or it is said that they are not."""
    said = {end: _quantity(limits[end], vocabulary) for end in ("low", "high") if end in limits}
    low, high = (said[end][0] if end in said else "" for end in ("low", "high"))
    others = "".join(f" in {other}" for _, other in said.values() if other != unit)
    return range_value(low, high, limits.get("text", "")) + others
