"""Which version an SR belongs to, on SQLite and PostgreSQL."""

from dataclasses import replace

import pytest

from service.domain.emitted import SrReference
from service.store.delivery_rows import Planned
from service.store.documents import Document
from service.store.patients import KeptId
from service.store.reports import Store
from service.store.versions import Consignment, output
from tests.unit.store.kept import ID, make_draft

STUDY = "1.2.3"
KEPT = KeptId("PID", "HOSP")


def named(store: Store, *uids: str, study: str = STUDY) -> dict[str, Document]:
    """What is known of these SRs."""
    return dict(store.documents.named(study, uids))


@pytest.fixture
def two(store: Store) -> Store:
    """Two versions of a report; the second one went to an archive in a dialect of its own, and names two before it."""
    store.keep(make_draft(1))
    other = SrReference("1.2.840.10008.5.1.4.1.1.88.33", "2.25.9", "2.25.91", STUDY)
    sent = (
        Planned("a", "pacs", "sr", "sr@pacs", (), other),
        Planned("b", "ehr", "fhir-r4", "fhir", (), replace(other, sop_instance="2.25.8")),
    )
    draft = make_draft(2, predecessor=ID.format(1))
    made = (output("fhir", "application/fhir+json", b"[]"), *draft.outputs[1:])
    store.keep(replace(draft, outputs=made, consignment=Consignment(planned=sent), named=("2.25.1", "2.25.77")))
    return store


def test_an_sr_is_known_by_the_uid_that_it_was_kept_or_sent_under(two: Store) -> None:
    found = named(two, "2.25.1", "2.25.9", "2.25.8", "2.25.12")
    assert found == {
        "2.25.1": Document(ID.format(1), "local", "R1", 1, STUDY, (KEPT, KEPT)),
        "2.25.9": Document(ID.format(2), "local", "R1", 2, STUDY, (KEPT, KEPT), "sr@pacs"),
    }


def test_what_was_sent_is_known_in_its_own_study_only(two: Store) -> None:
    assert named(two, "2.25.9", study="1.2.4") == {}
    assert named(two, "2.25.2", study="1.2.4").keys() == {"2.25.2"}


def test_the_srs_that_name_one_are_found_by_its_whole_uid(two: Store) -> None:
    assert [one.version for one in two.documents.after(STUDY, "2.25.77")] == [2]
    assert two.documents.after(STUDY, "2.25.7") == ()
    assert two.documents.after("1.2.4", "2.25.77") == ()


def test_a_patient_is_who_the_ids_say_now_or_said_then(two: Store) -> None:
    document = named(two, "2.25.1")["2.25.1"]
    assert two.documents.is_of(document, KEPT)
    assert two.documents.is_of(document, KeptId("PID"))
    assert not two.documents.is_of(document, KeptId("PID", "OTHER"))
    assert not two.documents.is_of(document, KeptId("PID-2", "HOSP"))
    two.patients.merge(KeptId("PID-2", "HOSP"), KEPT)
    document = named(two, "2.25.1")["2.25.1"]
    assert all(two.documents.is_of(document, one) for one in (KEPT, KeptId("PID-2", "HOSP")))


def test_the_version_that_came_as_some_bytes_is_found_among_those_of_its_report(two: Store) -> None:
    document = named(two, "2.25.1")["2.25.1"]
    assert two.documents.made_of(document, two.output(ID.format(2), "fhir").sha256) == 2
    assert two.documents.made_of(document, "0" * 64) is None
