"""One lesion: its BodyStructure, the Observation of it, and the measurements and evaluations that are its members."""

import orjson

from service.domain.codes import CodedTerm
from service.domain.report import CountKind, Lesion, Measurement, ReferenceRange, TimePoint
from service.formats.fhir.codeable import Json, answer, codeable, codeable_json, field_name, member_name, quantity
from service.formats.fhir.draft import Draft
from service.formats.fhir.identity import Entry, dicom_identifier, put_by_id
from service.formats.fhir.imaging import lesion_images, studies_of

Imaging = dict[str, Entry]


def body_structure_entry(draft: Draft, lesion: Lesion[CodedTerm]) -> Entry:
    """Where a lesion is and how it is followed: tracking UID and identifier, site, side and topography.

    It is the same resource for every report of this lesion, so nothing in it belongs to one report only. Servers may
    have no search parameter for BodyStructure: it has a derived id.
    """
    report = draft.report
    uid = lesion.tracking_uid
    if uid is None:
        raise ValueError("a coded lesion has a tracking UID")
    resource: Json = {
        "resourceType": "BodyStructure",
        "identifier": [
            {"type": field_name("tracking-unique-identifier"), **dicom_identifier(uid)},
            # Unique within the patient only, so it has no system.
            {"type": field_name("tracking-identifier"), "value": lesion.id, "assigner": {"display": report.sender}},
        ],
    }
    resource |= draft.release.structure(lesion, report.sender)
    resource["patient"] = draft.subject
    return put_by_id(draft.bodies.text(uid), resource)


def lesion_observation(draft: Draft, lesion: Lesion[CodedTerm], imaging: Imaging) -> Json:
    """Everything that is said of a lesion, as Observations; returns the reference to the one that holds the others."""
    sender = draft.report.sender
    structure = draft.add(body_structure_entry(draft, lesion))
    focus = [structure]
    studies = studies_of(lesion_images(lesion), draft.report.study.uid)
    own_study = [imaging[studies[0]].reference]
    shown = draft.release.show(draft, lesion, imaging)
    family = draft.family(lesion.id)
    turns: dict[str, int] = {}

    def identity(kind: str, name: CodedTerm) -> str:
        """The UUID of a member: it is its name, and its turn among those of the same name."""
        codes = name.codes
        key = f"{kind} {codes[0].system} {codes[0].code}" if codes else f"{kind} {name.text}"
        turn = turns[key] = turns.get(key, 0) + 1
        return family.text(f"{key} #{turn}")

    members = []
    for place, item in enumerate(lesion.measurements):
        sources = own_study + shown.of_number[place] if place in shown.of_number else own_study
        said: Json = {"code": codeable(item.concept, sender), "focus": focus, "derivedFrom": sources}
        said |= _measured(draft, item)
        members.append(draft.observe(identity("measurement", item.concept), orjson.dumps(said)))
    # Most of a report are evaluations, so what all of a lesion's say is written once.
    same = b',"focus":%b,"derivedFrom":%b,"valueCodeableConcept":' % (orjson.dumps(focus), orjson.dumps(own_study))
    for evaluation in lesion.evaluations:
        field, value = codeable_json(evaluation.name, sender), codeable_json(evaluation.value, sender)
        text = b"".join((b'{"code":', field, same, value, b"}"))
        members.append(draft.observe(identity("evaluation", evaluation.name), text, "qualitative-evaluations"))
    said = {
        "code": member_name("finding"),
        "focus": focus,
        "valueCodeableConcept": codeable(lesion.finding, sender),
    }
    if lesion.text is not None:
        said["note"] = [{"text": lesion.text}]
    said |= draft.release.site(lesion, structure, sender)
    if members:
        said["hasMember"] = members
    said["derivedFrom"] = [imaging[uid].reference for uid in studies] + shown.selections
    components = _components(lesion, sender) + shown.components
    if components:
        said["component"] = components
    return draft.observe(family.text("lesion"), orjson.dumps(said), "measurement-group")


def _measured(draft: Draft, item: Measurement[CodedTerm]) -> Json:
    sender = draft.report.sender
    said: Json = {"valueQuantity": quantity(item.value, item.unit, sender)}
    if item.method is not None:
        said["method"] = codeable(item.method, sender)
    if item.range is not None:
        said["referenceRange"] = [_reference_range(item.range, item.unit, sender)]
    components: list[Json] = []
    if item.derivation is not None:
        components.append(
            {"code": member_name("derivation"), "valueCodeableConcept": codeable(item.derivation, sender)}
        )
    components += draft.release.measured_on(item)
    if components:
        said["component"] = components
    return said


def _reference_range(limits: ReferenceRange, unit: CodedTerm, sender: str) -> Json:
    made: Json = {}
    if limits.low is not None:
        made["low"] = quantity(limits.low, unit, sender)
    if limits.high is not None:
        made["high"] = quantity(limits.high, unit, sender)
    if limits.text is not None:
        made["text"] = limits.text
    return made


def _components(lesion: Lesion[CodedTerm], sender: str) -> list[Json]:
    """What has no element of its own in an Observation, each under the name that the SR gives it.

    Side and topography stand here besides the BodyStructure: many readers see only the Observation.
    """
    made: list[Json] = []
    for name, term in (
        ("category", lesion.category),
        ("laterality", lesion.laterality),
        ("topography", lesion.topography),
        ("certainty", lesion.certainty),
        ("change", lesion.change),
    ):
        if term is not None:
            made.append({"code": member_name(name), "valueCodeableConcept": codeable(term, sender)})
    if lesion.count is not None:
        made.append({"code": member_name("count"), **_count(lesion.count)})
    if lesion.time_point is not None:
        made.extend(_time_point(lesion.time_point, sender))
    return made


def _count(count: int | CountKind) -> Json:
    if isinstance(count, CountKind):
        return {"valueCodeableConcept": answer(count.value)}
    return {"valueInteger": count}


def _time_point(point: TimePoint[CodedTerm], sender: str) -> list[Json]:
    made: list[Json] = [{"code": field_name("time-point"), "valueString": point.label}]
    if point.type is not None:
        made.append({"code": member_name("time-point-type"), "valueCodeableConcept": codeable(point.type, sender)})
    if point.order is not None:
        made.append({"code": field_name("time-point-order"), "valueInteger": point.order})
    for name, text in (
        ("subject-time-point-identifier", point.subject_identifier),
        ("protocol-time-point-identifier", point.protocol_identifier),
    ):
        if text is not None:
            made.append({"code": field_name(name), "valueString": text})
    return made
