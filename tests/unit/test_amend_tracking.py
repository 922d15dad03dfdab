"""A message whose patient's authority has a name and an OID is amended: its lesions stay the lesions that they were."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pytest
from pydicom import dcmread
from pydicom.dataset import Dataset

from service.amendments import Kind, amended, cancelled
from service.doors import Format, Options
from service.pipeline import Source
from service.publishing import publish
from service.store.patients import KeptId
from service.store.reports import Store
from service.store.versions import Stored
from service.versions import anew
from tests.unit.formats.hl7v2.test_lesions import FINDING
from tests.unit.formats.hl7v2.test_read import message


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """An empty store."""
    made = Store(f"sqlite:///{tmp_path / 'a.sqlite3'}")
    made.migrate()
    yield made
    made.close()


def _message(authority: str, *more: str) -> Source:
    body = message(FINDING, *more).replace("P1^^^NORTH", f"P1^^^{authority}")
    return Source(body.encode(), Format.HL7V2)


def _uids(node: Dataset) -> list[str]:
    """Tracking UIDs below an item of an SR (112040)."""
    found = []
    for one in node.get("ContentSequence", ()):
        if "ConceptNameCodeSequence" in one and one.ConceptNameCodeSequence[0].CodeValue == "112040":
            found.append(str(one.UID))
        found += _uids(one)
    return found


def _of(content: bytes) -> list[str]:
    return _uids(dcmread(BytesIO(content)))


def _kept(store: Store, source: Source) -> Stored:
    return store.get(str(publish(source, Options(), store).id))


@pytest.mark.parametrize("authority", ["NORTH", "NORTH&1.2.3&ISO", "NORTH&http://north&URI"])
def test_the_lesions_of_an_amended_message_keep_their_tracking_uids(store: Store, authority: str) -> None:
    version = _kept(store, _message(authority))
    uids = _of(store.output(version.id, "sr").content)
    again = _message(authority, "OBX|2|TX|121106^Comment^DCM|1|seen again||||||F")
    version = _kept(store, amended(again, version, Kind.CORRECT, store))
    assert _of(store.output(version.id, "sr").content) == uids
    assert _of(anew(Source(b""), store, version, Format.SR, Options()).content) == uids


@pytest.mark.parametrize("authority", ["NORTH", "NORTH&1.2.3&ISO"])
def test_the_lesions_of_a_withdrawn_message_keep_theirs_when_it_is_made_anew(store: Store, authority: str) -> None:
    version = _kept(store, _message(authority))
    gone = _kept(store, cancelled(Source(b""), version, store))
    again = anew(Source(b""), store, gone, Format.SR, Options())
    assert _of(again.content) == _of(store.output(version.id, "sr").content)


@pytest.mark.parametrize("authority", ["NORTH", "NORTH&1.2.3&ISO", "NORTH&http://north&URI"])
def test_a_message_is_amended_again_and_again_and_stays_its_patients(store: Store, authority: str) -> None:
    """What it was amended to is kept as findings JSON, which has one word for an issuer."""
    version = _kept(store, _message(authority))
    for said in ("again", "and again"):
        more = _message(authority, f"OBX|2|TX|121106^Comment^DCM|1|{said}||||||F")
        version = _kept(store, amended(more, version, Kind.CORRECT, store))
    again = Source(store.output(version.id, "findings").content)
    version = _kept(store, amended(again, version, Kind.CORRECT, store))
    assert version.version == 4
    assert store.patients.said(version.id) == KeptId("P1", "NORTH")
    version = _kept(store, cancelled(Source(b""), version, store))
    assert dcmread(BytesIO(store.output(version.id, "sr").content)).IssuerOfPatientID == "NORTH"
    assert store.patients.said("nowhere") == KeptId("")
