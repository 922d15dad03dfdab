"""One lesion: its BodyStructure, the Observation of it, and the measurements and evaluations that are its members."""

from json.encoder import encode_basestring

import orjson

from service.domain.codes import CodedTerm
from service.domain.report import CountKind, Lesion, Measurement, ReferenceRange, TimePoint
from service.formats.fhir.codeable import (
    Json,
    answer,
    codeable,
    field_name,
    made_codeable,
    member_name,
    quantity,
    quantity_json,
)
from service.formats.fhir.draft import REFERENCES, Draft
from service.formats.fhir.identity import Entry, dicom_identifier, put_by_id, reference
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
    body = body_structure_entry(draft, lesion)
    structure = draft.add(body)
    focus = orjson.Fragment(REFERENCES % body.uuid.encode())
    studies = [imaging[uid].reference for uid in studies_of(lesion_images(lesion), draft.report.study.uid)]
    shown = draft.release.show(draft, lesion, imaging)
    family, own = draft.observations, encode_basestring(lesion.id).encode() + b","
    members: list[bytes] = []
    # Most of a report are these, so what all of a lesion's say is written once.
    about = b',"focus":' + REFERENCES % body.uuid.encode() + b',"derivedFrom":'
    turns: dict[bytes, int] = {}
    for place, item in enumerate(lesion.measurements):
        concept = made_codeable(item.concept, sender)
        selected = shown.of_number.get(place)
        sources = draft.studied if selected is None else orjson.dumps(studies[:1] + selected)
        uuid = family.member(_identity(own + b'"measurement ', concept.name, turns))
        draft.observe(uuid, (b'"code":', concept.content, about, sources, _measured(draft, item)))
        members.append(uuid)
    answered = about + draft.studied + b',"valueCodeableConcept":'
    evaluated = own + b'"evaluation '
    turns = {}
    for evaluation in lesion.evaluations:
        field, value = made_codeable(evaluation.name, sender), made_codeable(evaluation.value, sender)
        uuid = family.member(_identity(evaluated, field.name, turns))
        draft.observe(uuid, (b'"code":', field.content, answered, value.content), "qualitative-evaluations")
        members.append(uuid)
    said: Json = {
        "code": member_name("finding"),
        "focus": focus,
        "valueCodeableConcept": codeable(lesion.finding, sender),
    }
    if lesion.text is not None:
        said["note"] = [{"text": lesion.text}]
    said |= draft.release.site(lesion, structure, sender)
    if members:
        said["hasMember"] = orjson.Fragment(REFERENCES % b'"},{"reference":"urn:uuid:'.join(members))
    said["derivedFrom"] = studies + shown.selections
    components = _components(lesion, sender) + shown.components
    if components:
        said["component"] = components
    uuid = family.member(own + b'"lesion"')
    draft.observe(uuid, (orjson.dumps(said)[1:-1],), "measurement-group")
    return reference(uuid.decode())


def _identity(kind: bytes, name: bytes, turns: dict[bytes, int]) -> bytes:
    """What a member is, in canonical JSON: its name, and its turn among those of the same name."""
    turn = turns[name] = turns.get(name, 0) + 1
    return b'%b%b #%d"' % (kind, name, turn)


def _measured(draft: Draft, item: Measurement[CodedTerm]) -> bytes:
    """What was measured and how, as JSON members behind others."""
    sender = draft.report.sender
    number = b',"valueQuantity":' + quantity_json(item.value, item.unit, sender)
    said: Json = {}
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
    return number + b"," + orjson.dumps(said)[1:-1] if said else number


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
