"""DICOMweb answers as values, and the object that an archive holds compared with the one that was sent."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final
from urllib.parse import quote

import orjson

from service.delivery.destination import Answer, Failed, Outcome, Outgoing
from service.delivery.dicom_content import NotDicom, differences
from service.delivery.http import HttpPeer, Reply
from service.delivery.multipart import first_part

_MULTIPART: Final = 'multipart/related; type="application/dicom"'
_MOST_DATASETS: Final = 10_000


class NotDicomJson(ValueError):
    """An answer that is no DICOM JSON (PS3.18 F)."""


def datasets(reply: Reply) -> list[Mapping[str, Any]]:
    """The data sets of an answer in DICOM JSON: a list of them, or one alone."""
    try:
        told = orjson.loads(reply.content)
    except ValueError as error:
        raise NotDicomJson(f"{reply.media_type or 'no media type'}, no JSON") from error
    listed = told if isinstance(told, list) else [told]
    if len(listed) > _MOST_DATASETS or not all(isinstance(one, dict) for one in listed):
        raise NotDicomJson("no data sets")
    return listed


def sequence(dataset: Mapping[str, Any], tag: str) -> list[Mapping[str, Any]]:
    """The items of a sequence; what is malformed is left out."""
    found = dataset.get(tag)
    items = found.get("Value", []) if isinstance(found, dict) else []
    return [item for item in items if isinstance(item, dict)] if isinstance(items, list) else []


def text(dataset: Mapping[str, Any], tag: str) -> str:
    """The first value of an attribute as text; a person name is its alphabetic group. Empty where there is none."""
    found = dataset.get(tag)
    values = found.get("Value", []) if isinstance(found, dict) else []
    value = values[0] if isinstance(values, list) and values else None
    if isinstance(value, dict):
        value = value.get("Alphabetic")
    if isinstance(value, str):
        return value.strip()
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else ""


def looked(peer: HttpPeer, base: str) -> str:
    """How QIDO-RS answers to a search for no study (PS3.18 10.6); raises Failed where it is none."""
    url = f"{base}/studies?limit=1&StudyInstanceUID=2.25.1"
    reply = peer.ask("GET", url, {"Accept": "application/dicom+json"})
    if reply.status in (200, 204):
        return f"it answers with status {reply.status}"
    raise Failed(Outcome.REFUSED, f"status {reply.status}: {peer.unhappy(reply).reason}")


def read_back(peer: HttpPeer, base: str, outgoing: Outgoing, may_change: Iterable[str]) -> Answer:
    """Get the object by WADO-RS (PS3.18 10.4) and compare it with what was sent; raises Failed."""
    if outgoing.sr is None:
        raise Failed(Outcome.REFUSED, "this is no DICOM object")
    sr = outgoing.sr
    place = f"studies/{quote(sr.study)}/series/{quote(sr.series)}/instances/{quote(sr.sop_instance)}"
    most = 4 * len(outgoing.content) + 1_048_576  # an archive may add to it, but not without end
    reply = peer.ask("GET", f"{base}/{place}", {"Accept": _MULTIPART}, most=most)
    if reply.status in (404, 410):
        return Answer(Outcome.NOT_SENT, "the archive does not have it", str(reply.status))
    if reply.status != 200:
        unhappy = peer.unhappy(reply)
        raise Failed(Outcome.UNKNOWN, f"status {reply.status}: {unhappy.reason}")
    held = first_part(reply.headers.get("content-type", ""), reply.content)
    if held is None:
        return Answer(Outcome.UNKNOWN, "what it gives back is no multipart answer", str(reply.status))
    return compared(outgoing.content, held, may_change, str(reply.status))


def compared(sent: bytes, held: bytes, may_change: Iterable[str], status: str) -> Answer:
    """The verdict on the object that an archive gave back."""
    try:
        found = differences(sent, held, may_change)
    except NotDicom:
        return Answer(Outcome.UNKNOWN, "what it gives back is no DICOM object", status)
    if found:
        reason = f"the archive holds another object under this UID: it differs in {', '.join(found)}"
        return Answer(Outcome.MISMATCH, reason, status)
    return Answer(Outcome.VERIFIED, "read back and compared", status)
