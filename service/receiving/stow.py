"""STOW-RS, the answering side (PS3.18 10.5): each instance published, the answer says what became of each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final
from xml.sax.saxutils import escape, quoteattr

from service.domain.errors import Invalid, LesionBridgeError, Problem, Unavailable, Unreadable
from service.doors import Format
from service.publishing import Receipt
from service.receiving import statuses
from service.receiving.multipart import Part
from service.receiving.reception import Reception

DICOM: Final = "application/dicom"
_RETRIEVE_URL: Final = "00081190"
_CLASS, _INSTANCE, _FAILURE = "00081150", "00081155", "00081197"
_REFERENCED, _FAILED, _OTHER = "00081199", "00081198", "0008119A"
_KEYWORDS: Final[Mapping[str, str]] = {
    _RETRIEVE_URL: "RetrieveURL",
    _CLASS: "ReferencedSOPClassUID",
    _INSTANCE: "ReferencedSOPInstanceUID",
    _FAILURE: "FailureReason",
    _REFERENCED: "ReferencedSOPSequence",
    _FAILED: "FailedSOPSequence",
    _OTHER: "OtherFailuresSequence",
}
NAMESPACE: Final = "http://dicom.nema.org/PS3.19/models/NativeDICOM"
Dataset = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Instance:
    """What became of one part; without UIDs nothing names it. ``failure`` is None where it is kept."""

    sop_class: str
    sop_instance: str
    receipt: Receipt | None
    failure: int | None = None
    retryable: bool = False


def take(reception: Reception, part: Part, study: str | None) -> Instance:
    """Publish one part; a failure is a result, so that one instance never costs another."""
    from service.formats.sr.read import named

    sop_class = sop_instance = ""
    try:
        if part.media_type != DICOM:
            raise Unreadable(Problem("", "content-type", "a part is application/dicom"))
        sop_class, sop_instance, of = named(part.content, reception.here.settings.limits)
        if not sop_instance or not sop_class:
            raise Invalid(Problem("", "sr-identity", "the object does not say what it is (SOP Common, PS3.3 C.12.1)"))
        if study is not None and of != study:
            return Instance(sop_class, sop_instance, None, statuses.NOT_OF_ITS_CLASS)
        return Instance(sop_class, sop_instance, reception.take(part.content, Format.SR))
    except LesionBridgeError as error:
        return Instance(sop_class, sop_instance, None, statuses.dimse(error), isinstance(error, Unavailable))


def status(found: list[Instance]) -> HTTPStatus:
    """200 for all, 202 for some, 409 for none (PS3.18 table 10.5.3-1); 503 where only we are to blame."""
    kept = [one for one in found if one.failure is None]
    if found and len(kept) == len(found):
        return HTTPStatus.OK
    if kept:
        return HTTPStatus.ACCEPTED
    return HTTPStatus.SERVICE_UNAVAILABLE if found and all(one.retryable for one in found) else HTTPStatus.CONFLICT


def told(found: list[Instance]) -> Dataset:
    """The Store Instances Response Module (PS3.18 table I.2-1) in the DICOM JSON Model.

    Retrieve URL is empty: objects are not retrieved here by WADO-RS.
    """
    made: Dataset = {_RETRIEVE_URL: {"vr": "UR"}}
    stored = [_named(one) | {_RETRIEVE_URL: {"vr": "UR"}} for one in found if one.failure is None]
    failed = [_named(one) | _reason(one) for one in found if one.failure is not None and one.sop_instance]
    other = [_reason(one) for one in found if one.failure is not None and not one.sop_instance]
    for tag, items in ((_FAILED, failed), (_REFERENCED, stored), (_OTHER, other)):
        if items:
            made[tag] = {"vr": "SQ", "Value": items}
    return made


def as_xml(dataset: Dataset) -> str:
    """The same in the Native DICOM Model (PS3.19 A.1)."""
    head = '<?xml version="1.0" encoding="UTF-8"?>'
    return f'{head}\n<NativeDicomModel xmlns="{NAMESPACE}" xml:space="preserve">{_xml(dataset)}</NativeDicomModel>\n'


def _xml(dataset: Dataset) -> str:
    made = []
    for tag, element in sorted(dataset.items()):
        inner = "".join(
            f'<Item number="{number}">{_xml(value)}</Item>'
            if isinstance(value, dict)
            else f'<Value number="{number}">{escape(str(value))}</Value>'
            for number, value in enumerate(element.get("Value", ()), 1)
        )
        vr = quoteattr(element["vr"])
        made.append(f'<DicomAttribute tag="{tag}" vr={vr} keyword="{_KEYWORDS[tag]}">{inner}</DicomAttribute>')
    return "".join(made)


def _named(one: Instance) -> Dataset:
    return {
        _CLASS: {"vr": "UI", "Value": [one.sop_class]},
        _INSTANCE: {"vr": "UI", "Value": [one.sop_instance]},
    }


def _reason(one: Instance) -> Dataset:
    return {_FAILURE: {"vr": "US", "Value": [one.failure]}}
