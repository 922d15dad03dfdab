"""The facts that a FHIR bundle states, read from its JSON by the references between its resources: R4 here.

The layout is that of `service.formats.fhir`; nothing of its code is used, so that a fault there is not repeated here.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import unquote

from service.check.facts import (
    ABSENT,
    Fact,
    answer_value,
    codes_value,
    first_value,
    image_value,
    issuer_value,
    lines,
    measurement_value,
    number_value,
    range_value,
)
from service.coding import Vocabulary
from service.domain.codes import Code
from service.domain.report import CountKind

Json = dict[str, Any]

_URN_OID = "urn:oid:"
_GROUPS = {"ABC": 0, "IDE": 1, "SYL": 2}
_GENDERS = {"male": "M", "female": "F", "other": "O"}
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
_CONCEPTS = (
    *_TIME_POINT,
    ABSENT,
    "findings",
    "image-library",
    "referenced-segment",
    "source-of-measurement",
    "source-series-for-segmentation",
)


class BundleFacts:
    """The facts of one bundle; ``designators`` are those of the schemes that no table knows, by URI."""

    study = "imagingStudy"
    """The member of DiagnosticReport that names the study."""

    def __init__(self, bundle: Json, vocabulary: Vocabulary, designators: Mapping[str, str]) -> None:
        """Take a bundle whose numbers are Decimals."""
        self._resources: dict[str, Json] = {entry["fullUrl"]: entry["resource"] for entry in bundle["entry"]}
        self._vocabulary = vocabulary
        self._designators = designators
        named = {key: key for key in _CONCEPTS} | {key: vocabulary.members[key].concept for key in _MEMBERS}
        codes = {key: vocabulary.name(concept).codes[0] for key, concept in named.items()}
        self._keys = {(code.system, code.code): key for key, code in codes.items()}
        terms = {kind.value: vocabulary.term(kind.value) for kind in CountKind}
        self._count_kinds = {codes_value(term.codes, term.text): kind for kind, term in terms.items()}

    def facts(self) -> Iterator[Fact]:
        """Every fact that the bundle states."""
        report = next(self._of_type("DiagnosticReport"))
        yield Fact("status", report["status"])
        yield Fact("issued", report["issued"])
        for document in self._of_type("DocumentReference"):
            for related in document.get("relatesTo", ()):
                yield Fact("predecessor", related["target"]["identifier"]["value"].removeprefix(_URN_OID))
        yield from self._patient(self._target(report["subject"]))
        yield from self._study(report)
        yield from self._observers()
        if "conclusion" in report:
            yield Fact("impression", lines(report["conclusion"]))
        for concept in report.get("conclusionCode", ()):
            yield Fact("conclusion", self._concept(concept))
        for result in report.get("result", ()):
            yield from self._result(self._target(result))

    def _of_type(self, name: str) -> Iterator[Json]:
        return (resource for resource in self._resources.values() if resource["resourceType"] == name)

    def _target(self, reference: Json) -> Json:
        """What a reference leads to: by fullUrl, by id, or by identifier where it is conditional."""
        wanted: str = reference["reference"]
        if wanted in self._resources:
            return self._resources[wanted]
        kind, _, criterion = wanted.partition("?identifier=")
        if criterion:
            system, _, value = criterion.partition("|")
            sought = (unquote(system), re.sub(r"\\(.)", r"\1", unquote(value)))
            return next(one for one in self._of_type(kind) if sought in _identifiers(one))
        kind, _, identity = wanted.partition("/")
        return next(one for one in self._of_type(kind) if one.get("id") == identity)

    def _codes(self, concept: Json) -> list[Code]:
        codes = []
        for coding in concept.get("coding", ()):
            uri = coding["system"]
            designator = self._designators.get(uri) or self._vocabulary.designator(uri) or uri
            codes.append(Code(designator, coding["code"], coding.get("display", "")))
        return codes

    def _concept(self, concept: Json) -> str:
        return codes_value(self._codes(concept), concept["text"])

    def _answer(self, concept: Json) -> str:
        return ABSENT if self._key(concept) == ABSENT else self._concept(concept)

    def _key(self, concept: Json) -> str | None:
        """The concept key of a name that the layout itself uses, by its primary code."""
        codes = self._codes(concept)
        return self._keys.get((codes[0].system, codes[0].code)) if codes else None

    def _patient(self, patient: Json) -> Iterator[Fact]:
        first, *others = patient["identifier"]
        yield Fact("patient/id", first["value"])
        if "assigner" in first:
            yield Fact("patient/issuer", issuer_value(first["assigner"]["display"], first.get("system")))
        for other in others:
            yield Fact("patient/otherId", other["value"])
        if any(len(name) > ("extension" in name) for name in patient.get("name", ())):  # else it is said to be unknown
            yield Fact("patient/name", _name(patient["name"]))
        if len(patient.get("birthDate", "")) == len("YYYY-MM-DD"):
            yield Fact("patient/birthDate", patient["birthDate"])
        if "gender" in patient:
            yield Fact("patient/sex", _GENDERS[patient["gender"]])

    def _study(self, report: Json) -> Iterator[Fact]:
        study = self._target(report[self.study][0])
        yield Fact("study/uid", study["identifier"][0]["value"].removeprefix(_URN_OID))
        yield Fact("study/modality", self._modality(study["modality"][0]))
        for based_on in report.get("basedOn", ()):
            for identifier in self._target(based_on).get("identifier", ()):
                if identifier.get("type", {}).get("coding", [{}])[0].get("code") == "ACSN":
                    yield Fact("study/accession", identifier["value"])
        yield Fact("study/procedure", self._concept(report["code"]))

    def _modality(self, modality: Json) -> str:
        codes = self._codes({"coding": [modality]}) if "code" in modality else []
        return first_value(codes, modality.get("display", ""))

    def _device_name(self, device: Json) -> str:
        name: str = device["deviceName"][0]["name"]
        return name

    def _observers(self) -> Iterator[Fact]:
        for provenance in self._of_type("Provenance"):
            for agent in provenance["agent"]:
                role = agent["type"]["coding"][0]["code"]
                for reference in filter(None, (agent["who"], agent.get("onBehalfOf"))):
                    who = self._target(reference)
                    if who["resourceType"] == "PractitionerRole":
                        who = self._target(who["practitioner"])
                    if role == "verifier":
                        yield Fact("verified", _name(who["name"]))
                        yield Fact("verified/at", provenance["occurredDateTime"])
                    elif who["resourceType"] == "Device":
                        uids = [i["value"] for i in who["identifier"] if i.get("system") == "urn:dicom:uid"]
                        said = [*(uid.removeprefix(_URN_OID) for uid in uids), self._device_name(who)]
                        yield Fact("observer/device", " ".join(said))
                    else:
                        yield Fact("observer/person", _name(who["name"]))

    def _result(self, observation: Json) -> Iterator[Fact]:
        key = self._key(observation["code"])
        if key == "finding":
            yield from self._lesion(observation)
        elif key == "image-library":
            for component in observation["component"]:
                uid, _, frames = component["valueString"].removeprefix(_URN_OID).partition("#frames=")
                yield Fact("study/image", image_value(uid, map(int, filter(None, frames.split(",")))))
        elif key == "findings":
            yield Fact("findings", lines(observation["valueString"]))
        elif key == "technique":
            yield Fact("technique", self._concept(observation["valueCodeableConcept"]))
        elif key == "procedure":
            yield Fact("study/procedure", self._concept(observation["valueCodeableConcept"]))
        elif key == "differential":
            for number, component in enumerate(observation["component"], 1):
                yield Fact(f"differential/{number}", self._concept(component["valueCodeableConcept"]))
        else:
            answer = self._answer(observation["valueCodeableConcept"])
            yield Fact("statement", answer_value(self._concept(observation["code"]), answer))

    def _lesion(self, observation: Json) -> Iterator[Fact]:
        structure = self._target(observation["focus"][0])
        uid = next(i["value"] for i in structure["identifier"] if i.get("system") == "urn:dicom:uid")
        here = f"lesion/{uid.removeprefix(_URN_OID)}"
        yield Fact(f"{here}/id", next(i["value"] for i in structure["identifier"] if "system" not in i))
        yield Fact(f"{here}/finding", self._concept(observation["valueCodeableConcept"]))
        for note in observation.get("note", ()):
            yield Fact(f"{here}/text", lines(note["text"]))
        site = self._site(observation)
        if site is not None:
            yield Fact(f"{here}/site", self._concept(site))
        yield from self._selected(here, observation)
        for component in observation.get("component", ()):
            yield from self._component(here, component)
        for reference in observation.get("hasMember", ()):
            member = self._target(reference)
            yield self._member(here, member)
            yield from self._shown(here, observation, member)
        yield from self._structure_disagrees(here, observation, structure)

    def _site(self, observation: Json) -> Json | None:
        return observation.get("bodySite")

    def _selected(self, here: str, observation: Json) -> Iterator[Fact]:  # noqa: ARG002 - R5 has selections
        yield from ()

    def _structure_disagrees(self, here: str, observation: Json, structure: Json) -> Iterator[Fact]:
        """Site, side and topography stand twice; a BodyStructure that says otherwise is a fact too many."""
        if observation.get("bodySite") != structure.get("location"):
            yield Fact(
                f"{here}/site", f"BodyStructure says {self._concept(structure.get('location', {'text': 'none'}))}"
            )
        named = ("laterality", "topography")
        parts = observation.get("component", ())
        said = [part["valueCodeableConcept"] for part in parts if self._key(part["code"]) in named]
        if said != structure.get("locationQualifier", []):
            qualifiers = " and ".join(map(self._concept, structure.get("locationQualifier", [])))
            yield Fact(f"{here}/laterality", f"BodyStructure says {qualifiers or 'none'}")

    def _component(self, here: str, component: Json) -> Iterator[Fact]:
        key = self._key(component["code"])
        if key in _LESION_TERMS:
            yield Fact(f"{here}/{key}", self._concept(component["valueCodeableConcept"]))
        elif key in _TIME_POINT:
            yield Fact(f"{here}/timePoint/{_TIME_POINT[key]}", self._value(component))
        elif key == "count":
            yield Fact(f"{here}/count", self._count(component))
        elif key == "source-of-measurement":
            uid, _, frames = component["valueString"].removeprefix(_URN_OID).partition("#frames=")
            yield Fact(f"{here}/image", image_value(uid, map(int, filter(None, frames.split(",")))))
        elif key == "referenced-segment":
            yield Fact(f"{here}/segment", component["valueString"].removeprefix(_URN_OID).replace("#segment=", " "))
        elif key != "source-series-for-segmentation":
            yield Fact(f"{here}/unknown component", self._concept(component["code"]))

    def _value(self, component: Json) -> str:
        if "valueCodeableConcept" in component:
            return self._concept(component["valueCodeableConcept"])
        return str(component["valueInteger"] if "valueInteger" in component else component["valueString"])

    def _count(self, component: Json) -> str:
        if "valueInteger" in component:
            return str(component["valueInteger"])
        said = self._concept(component["valueCodeableConcept"])
        return self._count_kinds.get(said, said)

    def _member(self, here: str, member: Json) -> Fact:
        name = self._concept(member["code"])
        if "valueQuantity" not in member:
            return Fact(f"{here}/evaluation", answer_value(name, self._answer(member["valueCodeableConcept"])))
        parts = {self._key(part["code"]): part for part in member.get("component", ())}
        limits: Iterable[Json] = member.get("referenceRange", ())
        number, unit = _quantity(member["valueQuantity"], self._vocabulary)
        said = measurement_value(
            name,
            number,
            unit,
            method=self._concept(member["method"]) if "method" in member else None,
            derivation=self._concept(parts["derivation"]["valueCodeableConcept"]) if "derivation" in parts else None,
            range=next(map(_range, limits), None),
            image=self._measured_on(member, parts),
        )
        return Fact(f"{here}/measurement", said)

    def _measured_on(self, member: Json, parts: Mapping[str | None, Json]) -> str | None:  # noqa: ARG002 - R5 asks it
        image: str | None = parts.get("source-of-measurement", {}).get("valueString")
        return image.removeprefix(_URN_OID) if image is not None else None

    def _shown(self, here: str, observation: Json, member: Json) -> Iterator[Fact]:  # noqa: ARG002 - R5 has shapes
        yield from ()


def _identifiers(resource: Json) -> list[tuple[str | None, str | None]]:
    return [(one.get("system"), one.get("value")) for one in resource.get("identifier", ())]


def _quantity(quantity: Json, vocabulary: Vocabulary) -> tuple[str, str]:
    if "code" not in quantity:
        return number_value(quantity["value"]), codes_value((), quantity["unit"])
    designator = vocabulary.designator(quantity["system"]) or quantity["system"]
    return number_value(quantity["value"]), codes_value([Code(designator, quantity["code"], "")])


def _range(limits: Json) -> str:
    low, high = (number_value(limits[end]["value"]) if end in limits else "" for end in ("low", "high"))
    return range_value(low, high, limits.get("text", ""))


def _name(names: list[Json]) -> str:
    groups = ["", "", ""]
    for name in names:
        mark = next((part["valueCode"] for part in name.get("extension", ())), "ABC")
        given = [*name.get("given", ()), "", ""]
        parts = [name.get("family", ""), *given[:2], *(name.get(part, [""])[0] for part in ("prefix", "suffix"))]
        groups[_GROUPS[mark]] = "^".join(parts).rstrip("^")
    return "=".join(groups).rstrip("=")
