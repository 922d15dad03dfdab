"""SRs of another maker that name those before them, and what is kept and said of each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson
import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence as Items

from service.domain.errors import Conflict
from service.doors import Format, Options
from service.pipeline import Source
from service.publishing import Receipt, publish
from service.store.reports import Store
from service.store.versions import Stored
from tests import sr_files as sr

FIRST, SECOND, THIRD = (f"{sr.STUDY}.2.{number}" for number in (1, 2, 3))
LESIONS = {
    name: sr.group(
        sr.num(sr.LONG_AXIS, size, sr.MM), sr.uid(sr.TRACKING_UID, f"{sr.STUDY}.9.{name[1]}"), identifier=name
    )
    for name, size in (("L1", "14.20"), ("L2", "9"))
}


def predecessors(*uids: str, study: str = sr.STUDY) -> Items:
    """A Predecessor Documents Sequence that names these documents of a study."""
    return Items([sr.evidence(uids, sr.ENHANCED)]) if study == sr.STUDY else Items([_elsewhere(uids, study)])


def _elsewhere(uids: tuple[str, ...], study: str) -> Dataset:
    made = sr.evidence(uids, sr.ENHANCED)
    made.StudyInstanceUID = study
    return made


def document(uid: str, *before: str, lesions: Sequence[str] = ("L1", "L2"), **header: Any) -> bytes:
    """An SR of another maker that names those before it."""
    if before:
        header.setdefault("PredecessorDocumentsSequence", predecessors(*before))
    found = sr.container(sr.MEASUREMENTS, *(LESIONS[name] for name in lesions))
    return sr.document(found, **{"SOPInstanceUID": uid, **header})


def take(store: Store, body: bytes, **more: Any) -> Receipt:
    """Publish an SR."""
    return publish(Source(body, Format.SR, **more), Options(), store)


def kept(store: Store, body: bytes, **more: Any) -> Stored:
    """The version that it is kept as."""
    return store.get(str(take(store, body, **more).id))


def said(stored: Stored) -> dict[str, Any]:
    """Its receipt."""
    receipt: dict[str, Any] = orjson.loads(stored.receipt)
    return receipt


def flags(stored: Stored) -> dict[str, str]:
    """The document of each rule by which a predecessor is none."""
    return {
        one["rule"]: one["what"] for one in said(stored)["losses"] if one.get("rule", "").startswith("predecessor-")
    }


def statuses(store: Store, stored: Stored, kind: str) -> dict[str, str]:
    """The status of each resource of a type in the kept bundle, by its first identifier."""
    bundle = orjson.loads(store.output(stored.id, "fhir").content)
    found = [entry["resource"] for entry in bundle["entry"]]
    return {one["identifier"][0]["value"]: one["status"] for one in found if one["resourceType"] == kind}


def refused(store: Store, body: bytes, **more: Any) -> str:
    """The rule by which an SR is refused."""
    with pytest.raises(Conflict) as error:
        take(store, body, **more)
    return error.value.problems[0].rule
