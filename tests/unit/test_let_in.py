"""What was let in once from others is not refused where it is withdrawn, or written anew, whatever it says."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import orjson
import pytest
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.uid import UID

from service.amendments import Kind, amended, cancelled
from service.coding import vocabulary
from service.coding.coder import code_report
from service.delivery.settings import DestinationSettings, Folder
from service.domain.errors import UnknownTerm
from service.doors import Format, Options
from service.pipeline import Source, convert, read
from service.publishing import publish
from service.store.circuits import Heard, Verdict
from service.store.delivery_rows import State
from service.store.reports import Store
from service.store.runs import May
from service.store.turns import Told
from service.store.versions import Stored
from service.versions import anew, let_in
from service.workflows.accepting import Plan
from service.workflows.again import edit
from tests.findings import make_body

LATERALITY = ("272741003", "SCT")
ODD = ("XX", "99SITE", "odd side")
EHR = Folder(name="ehr", takes="fhir-r4", path="/nonexistent")
DESTINATIONS: dict[str, DestinationSettings] = {"ehr": EHR}


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


def document() -> bytes:
    """An SR of somebody else's with a side that has a code of theirs."""
    made = convert(Source(make_body()), (Format.SR,), Options()).outputs[Format.SR].content
    data = dcmread(BytesIO(made))
    sides = [
        item.ConceptCodeSequence[0]
        for item in _items(data)
        if "ConceptNameCodeSequence" in item
        and (item.ConceptNameCodeSequence[0].CodeValue, item.ConceptNameCodeSequence[0].CodingSchemeDesignator)
        == LATERALITY
    ]
    assert sides
    for said in sides:
        said.CodeValue, said.CodingSchemeDesignator, said.CodeMeaning = ODD
    data.SOPInstanceUID = data.file_meta.MediaStorageSOPInstanceUID = UID("2.25.77")
    data.Manufacturer = "Somebody Else"
    written = BytesIO()
    data.save_as(written, enforce_file_format=True)
    return written.getvalue()


def kept(store: Store, source: Source, plan: Plan | None = None) -> Stored:
    """The version that a document is kept as."""
    return store.get(str(publish(source, Options(), store, planner=plan).id))


@pytest.fixture
def odd(store: Store) -> Stored:
    """The version of that SR."""
    return kept(store, Source(document(), Format.SR))


def assert_written_anew(store: Store, version: Stored) -> None:
    """That it is written in every form that is not kept."""
    for form in (Format.FHIR_R5, Format.HL7V2, Format.HTML):
        assert anew(Source(b""), store, version, form, Options(language="de")).content


def test_what_it_says_of_a_side_is_refused_in_findings_of_a_sender_with_its_place(store: Store, odd: Stored) -> None:
    content = store.output(odd.id, "findings").content
    with pytest.raises(UnknownTerm) as raised:
        publish(amended(Source(content), odd, Kind.CORRECT, store), Options(), store)
    assert raised.value.problems[0].pointer == "/lesions/0/laterality"


def test_it_is_withdrawn_and_written_anew_after_that(store: Store, odd: Stored) -> None:
    gone = kept(store, cancelled(Source(b""), odd, store))
    said = [orjson.loads(store.output(one.id, "findings").content)["lesions"] for one in (odd, gone)]
    assert said[0] == said[1]
    assert_written_anew(store, gone)


def test_one_that_was_amended_in_a_format_of_others_is_withdrawn_and_written_anew(store: Store, odd: Stored) -> None:
    bundle = store.output(odd.id, "fhir").content
    corrected = kept(store, amended(Source(bundle, Format.FHIR_R4), odd, Kind.CORRECT, store))
    assert "odd side" in str(orjson.loads(store.output(corrected.id, "findings").content)["lesions"][0]["laterality"])
    assert_written_anew(store, corrected)
    gone = kept(store, cancelled(Source(b""), corrected, store))
    assert_written_anew(store, gone)


def test_its_dead_letter_is_written_again(store: Store, odd: Stored) -> None:
    gone = kept(store, cancelled(Source(b""), odd, store), Plan((EHR,)))
    [delivery] = store.deliveries.of(gone.id)
    turn = store.runs.begin(delivery.id, 1, "w", May())
    assert turn is not None
    told = Told("refused", "", "", (), Heard(Verdict.WORKS), State.DEAD, again_s=None, counts=False)
    assert store.runs.told(turn, store.now(), "w", told)
    again = edit(store, delivery.id, Source(b""), DESTINATIONS, {"bundle": "collection"})
    assert again.parent == delivery.id


def test_a_report_that_is_not_refused_is_the_same(store: Store) -> None:
    report = read(Source(make_body())).report
    assert let_in(report, vocabulary()) is report


def test_every_place_of_one_that_would_be_refused_is_that_of_a_document_of_others() -> None:
    report = read(Source(make_body(lesions__0__laterality="odd side"))).report
    with pytest.raises(UnknownTerm):
        code_report(report, vocabulary())
    made = let_in(report, vocabulary())
    assert '"/' not in repr(made).replace("'", '"')
    assert any(loss.where == "kept/lesions/0/laterality" for loss in code_report(made, vocabulary()).losses)
