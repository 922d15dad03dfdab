"""The facts that an R5 bundle states where it says them in another way than R4: shapes too, in ImagingSelections.

Coordinates are compared as float32, which is all that the SR beside the bundle holds (VR FL).
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from service.check.facts import Fact, Yardstick, first_value, image_value
from service.check.fhir_facts import BundleFacts
from service.check.shapes import region3d_value, region_value, shape_value
from service.domain.codes import CodedTerm
from service.domain.report import Lesion
from service.domain.shown import measurement_of

Json = dict[str, Any]


def is_r5(bundle: Json) -> bool:
    """Whether a bundle of ours is R5: its DiagnosticReport has ``study``."""
    reports = (entry["resource"] for entry in bundle["entry"])
    return any("study" in one for one in reports if one["resourceType"] == "DiagnosticReport")


class R5Yardstick(Yardstick):
    """The facts of a report as an R5 bundle states them: with the shapes, and what each shows."""

    def lesion(self, lesion: Lesion[CodedTerm]) -> Iterator[Fact]:
        """All that is said of one lesion."""
        yield from super().lesion(lesion)
        here = f"lesion/{lesion.tracking_uid}"
        for shown in lesion.images:
            for region in shown.regions:
                shape = f"{region_value(region)} on {shown.image.sop_instance}"
                yield Fact(f"{here}/region", shape)
                wanted, number = region.measurement, None
                if wanted is not None:
                    number = measurement_of(lesion, wanted, shown.image.sop_instance)
                if number is not None:
                    name = self.say(lesion.measurements[number].concept)
                    yield Fact(f"{here}/region shows", f"{name} {shape}")
        for region3d in lesion.regions3d:
            yield Fact(f"{here}/region", region3d_value(region3d))
        segment = lesion.segment
        if segment is not None and segment.source_series is not None:
            yield Fact(f"{here}/segment/source", segment.source_series)


class R5Facts(BundleFacts):
    """The facts of one R5 bundle."""

    study = "study"

    def _modality(self, modality: Json) -> str:
        return first_value(self._codes(modality), modality.get("text", ""))

    def _device_name(self, device: Json) -> str:
        name: str = device["name"][0]["value"]
        return name

    def _site(self, observation: Json) -> Json | None:
        if "bodyStructure" not in observation:
            return super()._site(observation)
        return _said(self._target(observation["bodyStructure"])["includedStructure"][0]["structure"])

    def _structure_disagrees(self, here: str, observation: Json, structure: Json) -> Iterator[Fact]:
        """Site, side and topography stand twice; a BodyStructure that says otherwise is a fact too many."""
        (part,) = structure["includedStructure"]
        said = [part["structure"], part.get("laterality"), *part.get("qualifier", [None])]
        components = {self._key(one["code"]): one["valueCodeableConcept"] for one in _coded(observation)}
        wanted = [self._site(observation), components.get("laterality"), components.get("topography")]
        if [_said(one) for one in said] != wanted:
            yield Fact(f"{here}/site", "BodyStructure says otherwise")

    def _selections(self, observation: Json, code: str | None = None) -> Iterator[Json]:
        """The ImagingSelections of an Observation, or those of one concept."""
        for reference in observation.get("derivedFrom", ()):
            target = self._target(reference)
            if target["resourceType"] == "ImagingSelection" and code in (None, self._key(target["code"])):
                yield target

    def _selected(self, here: str, observation: Json) -> Iterator[Fact]:
        images: dict[tuple[str, ...], Fact] = {}
        for selection in self._selections(observation):
            if "frameOfReferenceUid" not in selection and self._key(selection["code"]) != "referenced-segment":
                for instance in selection["instance"]:
                    frames = instance.get("subset", ())
                    image = image_value(instance["uid"], map(int, frames))
                    key = (selection["studyUid"], selection["seriesUid"], instance["sopClass"]["code"], image)
                    images[key] = Fact(f"{here}/image", image)
            yield from (Fact(f"{here}/region", shape) for shape in _shapes(selection))
            yield from self._segment(here, selection)
        yield from images.values()

    def _segment(self, here: str, selection: Json) -> Iterator[Fact]:
        if self._key(selection["code"]) != "referenced-segment":
            return
        for instance in selection["instance"]:
            yield Fact(f"{here}/segment", " ".join([instance["uid"], *instance["subset"]]))
        for focus in selection.get("focus", ()):
            yield Fact(f"{here}/segment/source", self._target(focus)["seriesUid"])

    def _measured_on(self, member: Json, parts: Mapping[str | None, Json]) -> str | None:  # noqa: ARG002 - R4 asks them
        images = self._selections(member, "source-of-measurement")
        return next((one["instance"][0]["uid"] for one in images), None)

    def _shown(self, here: str, observation: Json, member: Json) -> Iterator[Fact]:
        """What a member shows is a shape of the lesion, too; one that is not is a fact too many."""
        of_lesion = Counter(shape for one in self._selections(observation) for shape in _shapes(one))
        for selection in self._selections(member):
            for shape in _shapes(selection):
                place = f"{here}/region shows" if of_lesion[shape] else f"{here}/region of a member only"
                yield Fact(place, f"{self._concept(member['code'])} {shape}")


def _said(concept: Json | None) -> Json | None:
    """A concept, None where it is said to be unknown."""
    return None if concept is None or "extension" in concept else concept


def _coded(observation: Json) -> Iterator[Json]:
    return (one for one in observation.get("component", ()) if "valueCodeableConcept" in one)


def _shapes(selection: Json) -> Iterator[str]:
    for instance in selection.get("instance", ()):
        for region in instance.get("imageRegion2D", ()):
            yield f"{_shape(region)} on {instance['uid']}"
        for region in instance.get("imageRegion3D", ()):
            yield f"{_shape(region)} in {selection['frameOfReferenceUid']}"


def _shape(region: Json) -> str:
    return shape_value(region["regionType"].upper(), tuple(map(float, region["coordinate"])))
