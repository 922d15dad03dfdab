"""What is made for a destination when a report is accepted: every format that can be written can be delivered."""

from pathlib import Path

import pytest

from service.delivery.settings import ANY_FORMAT, Fhir, Folder
from service.domain.errors import Invalid, NotAcceptable
from service.doors import SUFFIXES, WRITERS, Format, Options, kept_suffix
from service.pipeline import Source
from service.publishing import publish
from service.store.reports import Store
from service.workflows.accepting import Plan
from tests.databases import with_tables
from tests.findings import make_body
from tests.unit.workflows.peers import settings


@pytest.fixture
def embedded(tmp_path: Path) -> Store:
    """An empty store."""
    return Store(with_tables(f"sqlite:///{tmp_path / 'x.sqlite3'}"))


@pytest.mark.parametrize("form", [one for one in WRITERS if str(one) in ANY_FORMAT])
def test_every_format_that_is_written_can_be_delivered(embedded: Store, form: Format) -> None:
    plan = Plan((Folder(name="there", takes=str(form), path="/nonexistent"),))
    version = str(publish(Source(make_body()), Options(), embedded, planner=plan).id)
    [made] = embedded.deliveries.of(version)
    kept = embedded.output(version, made.role)
    assert made.format in str(form)
    assert kept.content
    assert form in SUFFIXES


def test_what_a_destination_wants_written_otherwise_is_kept_for_it_alone(embedded: Store) -> None:
    plan = Plan((settings("one"), settings("other", dialect="ohif"), settings("third", dialect="ohif")))
    version = str(publish(Source(make_body()), Options(), embedded, planner=plan).id)
    one, other, third = embedded.deliveries.of(version)
    assert [each.role for each in (one, other, third)] == ["sr", "sr@other", "sr@third"]
    assert one.sr is not None
    assert other.sr is not None
    assert one.sr.sop_instance != other.sr.sop_instance
    assert other.sr == third.sr


def test_a_bundle_for_a_destination_names_the_sr_that_is_kept_and_how_it_is_found_again(embedded: Store) -> None:
    plan = Plan((settings("ehr", takes="fhir-r4", bundle="transaction"),))
    version = str(publish(Source(make_body()), Options(bundle="document"), embedded, planner=plan).id)
    [made] = embedded.deliveries.of(version)
    bundle = embedded.output(version, "fhir-r4@ehr").content
    assert made.sr == embedded.get(version).sr
    assert made.sr.sop_instance.encode() in bundle
    assert made.identifiers
    assert all(value.encode() in bundle for _, value in made.identifiers)


def test_a_profile_that_a_server_can_not_be_sent_is_refused_before_anything_is_kept(embedded: Store) -> None:
    plan = Plan((Fhir(name="ehr", url="https://ehr.example.org/fhir", update_as_create=False),))
    with pytest.raises(Invalid) as refused:
        publish(Source(make_body()), Options(profile="imr"), embedded, planner=plan)
    [problem] = refused.value.problems
    assert problem.pointer == "?profile"
    assert problem.detail.startswith("ehr: profile imr is whole transactions")
    assert embedded.search({}, limit=9) == ()


def test_a_profile_that_a_destination_does_not_take_is_refused_with_its_name(embedded: Store) -> None:
    plan = Plan((Fhir(name="ehr", url="https://ehr.example.org/fhir", takes="fhir-r5"),))
    with pytest.raises(NotAcceptable) as refused:
        publish(Source(make_body()), Options(profile="uscore"), embedded, planner=plan)
    [problem] = refused.value.problems
    assert problem.detail == "ehr takes fhir-r5: uscore is FHIR R4"
    assert embedded.search({}, limit=9) == ()


@pytest.mark.parametrize(("encoding", "end"), [("xml", ".fhir-r5.xml"), ("json", ".fhir-r5.json")])
def test_what_is_delivered_is_named_for_its_encoding(encoding: str, end: str, embedded: Store) -> None:
    plan = Plan((Folder(name="there", takes="fhir-r5", encoding=encoding, path="/nonexistent"),))
    version = str(publish(Source(make_body()), Options(), embedded, planner=plan).id)
    [made] = embedded.deliveries.of(version)
    assert kept_suffix(Format(made.format), embedded.output(version, made.role).media_type) == end


@pytest.mark.parametrize(
    ("takes", "shows"), [("html", b"Hirnmetastase*"), ("fhir-r4", b"Hirnmetastase*"), ("pdf", b"/Lang (de-DE)")]
)
def test_a_destination_reads_headings_and_labels_in_its_language(takes: str, shows: bytes, embedded: Store) -> None:
    plan = Plan((settings("ward", takes=takes, language="de-DE"), settings("pacs", takes="sr", language="de-DE")))
    version = str(publish(Source(make_body()), Options(), embedded, planner=plan).id)
    ward, pacs = embedded.deliveries.of(version)
    assert (ward.role, pacs.role) == (f"{takes}@ward", "sr")
    assert shows in embedded.output(version, ward.role).content
