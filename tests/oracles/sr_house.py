"""SR judges of our own: references that hold, and what this project always writes. Not for files of other makers."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

from pydicom.errors import InvalidDicomError

from tests.oracles.sr_read import EVIDENCE, concept, read, walk

SAME_PATIENT = ("PatientID", "PatientName", "PatientBirthDate", "PatientSex")


class Listed(NamedTuple):
    """An entry of the evidence sequences."""

    sop_class: str
    series: str
    study: str


def evidence(dataset: Any) -> dict[str, Listed]:
    """SOP Instance UIDs of the evidence sequences."""
    return {
        sop.ReferencedSOPInstanceUID: Listed(
            sop.ReferencedSOPClassUID, series.SeriesInstanceUID, study.StudyInstanceUID
        )
        for keyword in EVIDENCE
        for study in dataset.get(keyword) or []
        for series in study.get("ReferencedSeriesSequence") or []
        for sop in series.get("ReferencedSOPSequence") or []
    }


def judge_references(path: Path, images: Path | None) -> list[str]:
    """Every image referred to is in the evidence; with the images: they exist, and the regions lie inside."""
    dataset = read(path)
    listed = evidence(dataset)
    found = []
    for place, item in walk(dataset):
        for reference in item.get("ReferencedSOPSequence") or []:
            uid = reference.ReferencedSOPInstanceUID
            if uid not in listed:
                found.append(f"{place}: {uid} is not in the evidence sequences")
            elif listed[uid].sop_class != reference.ReferencedSOPClassUID:
                found.append(f"{place}: the SOP class of {uid} differs from its evidence entry")
    if images:
        found += _against_images(dataset, listed, images)
    return list(dict.fromkeys(found))


def _read_images(folder: Path) -> dict[str, Any]:
    images = {}
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        try:
            image = read(file, pixels=False)
        except InvalidDicomError:
            continue
        images[image.SOPInstanceUID] = image
    return images


def _against_images(dataset: Any, listed: dict[str, Listed], folder: Path) -> list[str]:
    images = _read_images(folder)
    found = []
    for uid, entry in listed.items():
        image = images.get(uid)
        if image is None:
            found.append(f"evidence {uid} is no image that is there")
            continue
        if entry != (image.SOPClassUID, image.SeriesInstanceUID, image.StudyInstanceUID):
            found.append(f"evidence {uid}: class, series or study differs from the image")
        found += [
            f"{keyword} differs between the SR and image {uid}"
            for keyword in SAME_PATIENT
            if str(dataset.get(keyword, "")) != str(image.get(keyword, ""))
        ]
    frames = {str(image.get("FrameOfReferenceUID")) for image in images.values()}
    for place, item in walk(dataset):
        if item.get("ValueType") == "SCOORD3D" and str(item.get("ReferencedFrameOfReferenceUID")) not in frames:
            found.append(f"{place}: the frame of reference of the SCOORD3D is that of no image")
        if item.get("ValueType") == "SCOORD":
            found += _outside(place, item, images)
    return found


def _outside(place: str, item: Any, images: dict[str, Any]) -> list[str]:
    sops = [sop for child in item.get("ContentSequence") or [] for sop in child.get("ReferencedSOPSequence") or []]
    image = images.get(sops[0].ReferencedSOPInstanceUID) if sops else None
    if image is None or "Rows" not in image:
        return []
    points = [float(value) for value in item.GraphicData]
    inside = all(0 <= x <= image.Columns for x in points[0::2]) and all(0 <= y <= image.Rows for y in points[1::2])
    return [] if inside else [f"{place}: SCOORD outside the image of {image.Columns} by {image.Rows}"]


def judge_house(path: Path) -> list[str]:
    """Template id, procedure reported, what is said, and the tracking ids of every group are there."""
    dataset = read(path)
    found = []
    template = (dataset.get("ContentTemplateSequence") or [{}])[0]
    if (template.get("TemplateIdentifier"), template.get("MappingResource")) != ("1500", "DCMR"):
        found.append("the root's ContentTemplateSequence is not (DCMR, 1500)")
    top = [
        (concept(item), item.get("ValueType"), item.get("RelationshipType"))
        for item in dataset.get("ContentSequence") or []
    ]
    if ("121058", "CODE", "HAS CONCEPT MOD") not in top:
        found.append("no Procedure Reported (121058) under the root")
    says = {("126010", "CONTAINER", "CONTAINS"), ("C0034375", "CONTAINER", "CONTAINS")}
    if not says & set(top):
        found.append("neither Imaging Measurements (126010) nor Qualitative Evaluations (C0034375) under the root")
    seen: set[str] = set()
    for place, group in walk(dataset):
        if concept(group) == "125007":
            found += _judge_group(place, group, seen)
    return found


def _judge_group(place: str, group: Any, seen: set[str]) -> list[str]:
    items = group.get("ContentSequence") or []
    by_concept = {concept(item): item for item in items}
    found = []
    for code, value_type, name in (
        ("112039", "TEXT", "Tracking Identifier"),
        ("112040", "UIDREF", "Tracking Unique Identifier"),
    ):
        item = by_concept.get(code, {})
        if (item.get("ValueType"), item.get("RelationshipType")) != (value_type, "HAS OBS CONTEXT"):
            found.append(f"{place}: no {name} as {value_type}, HAS OBS CONTEXT")
    uid = by_concept.get("112040", {}).get("UID")
    if uid and uid in seen:
        found.append(f"{place}: the Tracking Unique Identifier stands twice in the document")
    seen.add(uid)
    says = ("NUM", "CODE", "TEXT")
    context = ("121071", "276214006", "363698007", "112039")
    if not any(item.get("ValueType") in says and concept(item) not in context for item in items):
        found.append(f"{place}: neither a measurement nor an evaluation")
    return found
