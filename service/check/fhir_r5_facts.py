"""The facts that an R5 bundle states where it says them in another way than R4: shapes too, in ImagingSelections.

Coordinates are compared as float32, which is all that the SR beside the bundle holds (VR FL).
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from service.check.facts import Yardstick
from service.check.fhir_bundle import DICOM_UID, URN_OID, dicom_uids
from service.check.fhir_facts import BundleFacts
from service.check.shapes import region3d_value, region_value, shape_value
from service.check.values import Fact, first_value, image_value, said_with
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


class R5Facts(BundleFacts):
    """The facts of one R5 bundle."""

    study = "study"

    def facts(self) -> Iterator[Fact]:
        """Those of R4; what selections and Observations say of study and series otherwise is a fact too many."""
        yield from super().facts()
        report = next(self.of_type("DiagnosticReport"))
        (own,) = report["study"]
        for observation in self.of_type("Observation"):
            (part,) = observation["partOf"]
            if not self._is_study(part, own, *dicom_uids(self.target(own))):
                yield Fact("study/uid", "an Observation is part of another")
        known = {
            instance["uid"]: (_class(instance), series["uid"], dicom_uids(study)[0])
            for study in self.of_type("ImagingStudy")
            for series in study.get("series", ())
            for instance in series.get("instance", ())
        }
        for selection in self.of_type("ImagingSelection"):
            status = "entered-in-error" if report["status"] == "entered-in-error" else "available"
            orders = self.urls(selection.get("basedOn", ()))
            if selection["status"] != status or orders != self.urls(report.get("basedOn", ())):
                yield Fact("study", "an ImagingSelection has another state or order")
            uid = selection["studyUid"]
            studies = [url for url, one in self.resources.items() if uid in dicom_uids(one)]
            if not any(self._is_study(selection["derivedFrom"][0], {"reference": url}, uid) for url in studies):
                yield Fact("study/uid", "an ImagingSelection is derived from another")
            # Shapes in millimetres are of no image, and of one measured on only its UID may be known.
            for instance in selection.get("instance", ()) if "frameOfReferenceUid" not in selection else ():
                if "sopClass" in instance and known.get(instance["uid"]) != (
                    _class(instance),
                    selection.get("seriesUid"),
                    uid,
                ):
                    yield Fact(f"image/{instance['uid']}", "an ImagingSelection says otherwise")

    def _is_study(self, said: Json, study: Json, uid: str) -> bool:
        """Whether a reference is to a study, by its identifier too."""
        identifier = said["identifier"]
        named = (identifier["system"], identifier["value"])
        return self.url(said) == self.url(study) and named == (DICOM_UID, f"{URN_OID}{uid}")

    def modality(self, coding: Json) -> str:
        """A modality is a concept."""
        return first_value(self.codes(coding), coding.get("text", ""))

    def is_known(self, modality: Json) -> bool:
        """Whether a series says its modality."""
        return all(map(super().is_known, modality.get("coding", ())))

    def procedures(self, study: Json) -> list[Json]:
        """A procedure is a concept or a reference."""
        return [one["concept"] for one in study["procedure"]]

    def ordered(self, order: Json) -> Json:
        """What is ordered is a concept or a reference."""
        code: Json = order["code"]["concept"]
        return code

    def device_name(self, device: Json) -> str:
        """Its name, which stands twice."""
        name = str(device["name"][0]["value"])
        return name if device["displayName"] == name else f"{name} shown as {device['displayName']}"

    def device_property(self, held: Json) -> str:
        """A property may be a string."""
        return str(held["valueString"])

    def document_status(self, status: str) -> str:
        """R5's composition-status has every state of a report."""
        return status

    def master(self, document: Json) -> Json:
        """One identifier is enough."""
        found: Json = document["identifier"][0]
        return found

    def format_of(self, content: Json) -> Json:
        """The format is a profile."""
        found: Json = content["profile"][0]["valueCoding"]
        return found

    def related(self, document: Json) -> list[Json]:
        """What is documented."""
        return [one["reference"] for one in document["event"]]

    def relation(self, older: Json) -> str:
        """A concept."""
        return str(older["code"]["coding"][0]["code"])

    def authenticator(self, document: Json) -> Json | None:
        """The first who attested."""
        return next((one["party"] for one in document.get("attester", ())), None)

    def composed(self, composition: Json) -> tuple[Json, Json]:
        """Lists of one."""
        (identifier,), (subject,) = composition["identifier"], composition["subject"]
        return identifier, subject

    def _site(self, observation: Json) -> Json | None:
        if "bodyStructure" not in observation:
            return super()._site(observation)
        return _said(self.target(observation["bodyStructure"])["includedStructure"][0]["structure"])

    def _structure_disagrees(self, here: str, observation: Json, structure: Json) -> Iterator[Fact]:
        """Site, side and topography stand twice; a BodyStructure that says otherwise is a fact too many."""
        (part,) = structure["includedStructure"]
        said = [part["structure"], part.get("laterality"), *part.get("qualifier", [None])]
        components = {self.key(one["code"]): one["valueCodeableConcept"] for one in _coded(observation)}
        wanted = [self._site(observation), components.get("laterality"), components.get("topography")]
        if [_said(one) for one in said] != wanted:
            yield Fact(f"{here}/site", "BodyStructure says otherwise")

    def _selections(self, observation: Json, code: str | None = None) -> Iterator[Json]:
        """The ImagingSelections of an Observation, or those of one concept."""
        for reference in observation.get("derivedFrom", ()):
            target = self.target(reference)
            if target["resourceType"] == "ImagingSelection" and code in (None, self.key(target["code"])):
                yield target

    def _selected(self, here: str, observation: Json) -> Iterator[Fact]:
        images: dict[tuple[str, ...], Fact] = {}
        for selection in self._selections(observation):
            if "frameOfReferenceUid" not in selection and self.key(selection["code"]) != "referenced-segment":
                for instance in selection["instance"]:
                    frames = instance.get("subset", ())
                    image = image_value(instance["uid"], map(int, frames))
                    key = (selection["studyUid"], selection["seriesUid"], instance["sopClass"]["code"], image)
                    images[key] = Fact(f"{here}/image", image)
            yield from (Fact(f"{here}/region", shape) for shape in _shapes(selection))
            yield from self._segment(here, selection)
        yield from images.values()

    def _segment(self, here: str, selection: Json) -> Iterator[Fact]:
        if self.key(selection["code"]) != "referenced-segment":
            return
        source = next((str(self.target(focus)["seriesUid"]) for focus in selection.get("focus", ())), None)
        for instance in selection["instance"]:
            said = " ".join([instance["uid"], *instance["subset"]])
            yield Fact(f"{here}/segment", said_with(said, source=source))

    def _measured_on(self, member: Json, parts: Mapping[str | None, Json]) -> str | None:  # noqa: ARG002 - R4 asks them
        images = self._selections(member, "source-of-measurement")
        return next((one["instance"][0]["uid"] for one in images), None)

    def _shown(self, here: str, observation: Json, member: Json) -> Iterator[Fact]:
        """What a member shows is a shape of the lesion, too; one that is not is a fact too many."""
        of_lesion = Counter(shape for one in self._selections(observation) for shape in _shapes(one))
        for selection in self._selections(member):
            for shape in _shapes(selection):
                place = f"{here}/region shows" if of_lesion[shape] else f"{here}/region of a member only"
                yield Fact(place, f"{self.concept(member['code'])} {shape}")


def _class(instance: Json) -> str:
    return str(instance["sopClass"]["code"]).removeprefix(URN_OID)


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
