"""A document of another maker with a modality that is not known is amended and withdrawn: in words, not by its code."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import orjson
import pytest
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.uid import UID

from service.amendments import Kind, amended, cancelled
from service.coding.resolve import UNKNOWN_MODALITY
from service.domain.errors import UnknownTerm
from service.doors import Format, Options
from service.pipeline import Source, convert
from service.publishing import publish
from service.store.reports import Store
from service.store.versions import Stored
from service.versions import anew
from tests.findings import make_body

MODALITY = ("121139", "DCM")
UNKNOWN = [
    (("XQ", "DCM", "Quantum imaging"), "Quantum imaging (DCM XQ)"),
    (("MR7", "99SITE", "MR seven"), "MR seven (99SITE MR7)"),
    (("7", "MYSYS", "Seven"), "Seven (MYSYS 7)"),
    (("51", "99X", ""), "99X 51"),
]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """An empty store."""
    made = Store(f"sqlite:///{tmp_path / 'a.sqlite3'}")
    made.migrate()
    yield made
    made.close()


def _items(node: Dataset) -> Iterator[Dataset]:
    for one in node.get("ContentSequence", ()):
        yield one
        yield from _items(one)


def document(code: tuple[str, str, str]) -> bytes:
    """An SR, under a UID of its own, of which every image is of this modality."""
    made = convert(Source(make_body()), (Format.SR,), Options()).outputs[Format.SR].content
    data = dcmread(BytesIO(made))
    found = 0
    for one in _items(data):
        if "ConceptNameCodeSequence" in one:
            name = one.ConceptNameCodeSequence[0]
            if (name.CodeValue, name.CodingSchemeDesignator) == MODALITY:
                [said] = one.ConceptCodeSequence
                said.CodeValue, said.CodingSchemeDesignator, said.CodeMeaning = code
                found += 1
    assert found
    data.SOPInstanceUID = data.file_meta.MediaStorageSOPInstanceUID = UID("2.25.77")
    data.Manufacturer = "Somebody Else"
    written = BytesIO()
    data.save_as(written, enforce_file_format=True)
    return written.getvalue()


def kept(store: Store, source: Source) -> Stored:
    """The version that a document is kept as."""
    return store.get(str(publish(source, Options(), store).id))


def findings(store: Store, stored: Stored) -> dict[str, Any]:
    """The findings JSON of a version."""
    found: dict[str, Any] = orjson.loads(store.output(stored.id, "findings").content)
    return found


def uncoded(stored: Stored) -> list[str]:
    """What is listed of the study's modality."""
    said = orjson.loads(stored.receipt)
    return [one["what"] for one in said["losses"] if one["where"] == "/study/modality"]


@pytest.mark.parametrize(("code", "words"), UNKNOWN)
def test_its_findings_are_taken_as_an_amendment_and_the_modality_goes_on_in_words(
    store: Store, code: tuple[str, str, str], words: str
) -> None:
    version = kept(store, Source(document(code), Format.SR))
    said = findings(store, version)["study"]["modality"]
    assert (said["system"], said["code"]) == (code[1], code[0])
    for number in (2, 3):
        content = store.output(version.id, "findings").content
        version = kept(store, amended(Source(content), version, Kind.CORRECT, store))
        assert (version.version, findings(store, version)["study"]["modality"]) == (
            number,
            f"{UNKNOWN_MODALITY}{words}",
        )
        assert uncoded(version) == [f"{UNKNOWN_MODALITY}{words}"]
        sr = dcmread(BytesIO(store.output(version.id, "sr").content))
        codes = [one.CodeValue for item in _items(sr) for one in item.get("ConceptCodeSequence", ())]
        assert code[0] not in codes
        assert anew(Source(b""), store, version, Format.HTML, Options(language="de")).content


def test_it_is_withdrawn_and_what_is_made_anew_of_that_is_not_refused(store: Store) -> None:
    version = kept(store, Source(document(UNKNOWN[0][0]), Format.SR))
    gone = kept(store, cancelled(Source(b""), version, store))
    assert findings(store, gone)["study"] == findings(store, version)["study"]
    for form in (Format.FHIR_R5, Format.HL7V2, Format.HTML):
        assert anew(Source(b""), store, gone, form, Options(language="de")).content


@pytest.mark.parametrize("said", [{"system": "DCM", "code": "XY", "display": "Quantum imaging"}, "Quantum imaging"])
def test_another_one_that_is_not_known_is_refused(store: Store, said: object) -> None:
    version = kept(store, Source(document(UNKNOWN[0][0]), Format.SR))
    body = findings(store, version)
    body["study"]["modality"] = said
    with pytest.raises(UnknownTerm) as raised:
        publish(amended(Source(orjson.dumps(body)), version, Kind.CORRECT, store), Options(), store)
    assert raised.value.problems[0].pointer == "/study/modality"


def test_one_that_is_known_stays_coded_as_it_came(store: Store) -> None:
    version = kept(store, Source(document(("CT", "DCM", "Computed Tomography")), Format.SR))
    content = store.output(version.id, "findings").content
    assert kept(store, amended(Source(content), version, Kind.CORRECT, store))
    assert findings(store, version)["study"]["modality"]["code"] == "CT"
    mended = orjson.loads(content) | {}
    mended["study"]["modality"] = "MR"
    newest = store.versions(version.id)[-1]
    third = kept(store, amended(Source(orjson.dumps(mended)), newest, Kind.AMEND, store))
    assert uncoded(third) == []
