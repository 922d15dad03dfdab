"""Which of the two answers, the server or the tables, and that the answer says so."""

from __future__ import annotations

from collections.abc import Iterator
from threading import Thread

import pytest
from werkzeug.serving import make_server

from service.api import terminology
from service.app import create_app
from service.coding.remote import Client, RemoteFirst, RemotePolicy
from service.coding.server.answers import Coding, Relationship
from service.coding.server.compose import Composition, Part
from service.coding.server.expanding import Wish
from service.config import Settings
from service.domain.errors import Invalid, NotFound, Unavailable
from tests.terminology import LIVER, LOINC, SNOMED, STATUS, VIRAL, loinc, many, small_terminology, snomed, status_map
from tests.unit.coding.remote.fakes import Clock, Misbehaving, misbehaving

ISA = f"{SNOMED}?fhir_vs=isa/{LIVER}"
HEPATITIS = Coding(SNOMED, VIRAL)


def here(url: str) -> RemoteFirst:
    """A terminology of which SNOMED CT and LOINC are fragments with one code each, asking the server at a URL."""
    small = snomed()
    small.above = {VIRAL: frozenset()}
    small.complete = small.nested = False
    clock = Clock()
    client = Client(RemotePolicy(url, attempts=1, read_s=60, total_s=120), clock=clock, sleep=clock.sleep)
    whole = many(5)
    listed = Part(SNOMED, codes=((VIRAL, "Viral hepatitis"),))
    sets = [Composition("http://example.org/own", "own", "Own", (listed,))]
    sources = {source.uri: source for source in (small, loinc(complete=False), whole)}
    return RemoteFirst(client, sources, sets, [])


@pytest.fixture(scope="module")
def upstream(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Our own service over HTTP, with SNOMED CT whole: what a terminology server is to a site with tables only."""
    database = tmp_path_factory.mktemp("upstream") / "x.sqlite3"
    app = create_app(Settings(database_url=f"sqlite:///{database}", log_level="error"))
    terminology.install(app, Settings(), small_terminology(snomed(), loinc()))
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/fhir"
    server.shutdown()
    thread.join()


@pytest.fixture
def away() -> Iterator[Misbehaving]:
    with misbehaving() as told:
        told.status = 503
        yield told


def test_looks_up_what_is_not_here(upstream: str) -> None:
    looked = here(upstream).lookup(Coding(SNOMED, LIVER))
    assert (looked.display, looked.version, looked.note) == (
        "Disorder of liver",
        snomed().version,
        "answered by the terminology server",
    )


def test_validates_expands_and_translates_what_is_not_here(upstream: str) -> None:
    asking = here(upstream)
    assert asking.validate([Coding(SNOMED, LIVER, "Disorder of liver")]).result is True
    assert asking.validate([Coding(SNOMED, LIVER, "Brain")]).result is False
    expansion = asking.expand(asking.value_set(ISA), Wish(count=2))
    assert (expansion.total, len(expansion.items)) == (3, 2)
    assert asking.validate_in(asking.value_set(ISA), [HEPATITIS]).result is True
    found = asking.translate([Coding(STATUS, "final")], [], target="http://hl7.org/fhir/v3/ActStatus")
    assert [(one.code, one.relationship) for one in found.matches] == [("completed", Relationship.BROADER)]
    assert "answered by the terminology server" in found.message


def test_an_expansion_that_the_server_cuts_short_is_too_costly(upstream: str) -> None:
    asking = here(upstream)
    asking.limits = type(asking.limits)(expansion=2)
    with pytest.raises(Invalid) as raised:
        asking.expand(asking.value_set(ISA), Wish())
    assert raised.value.problems[0].rule == "too-costly"


def test_what_is_here_in_full_is_not_asked_for(away: Misbehaving) -> None:
    asking = here(away.url)
    assert asking.lookup(Coding("http://example.org/local", "c1")).note == ""
    assert asking.validate_in(asking.value_set("http://example.org/own"), [HEPATITIS]).result is True
    assert away.asked == []


def test_the_tables_answer_when_the_server_is_away_and_say_so(away: Misbehaving) -> None:
    asking = here(away.url)
    looked = asking.lookup(HEPATITIS)
    assert looked.display == "Viral hepatitis"
    assert looked.note == "the terminology server is away (it answers with status 503); answered from the tables"
    assert "is away" in asking.validate([HEPATITIS]).message


def test_what_neither_has_is_not_denied_while_the_server_is_away(away: Misbehaving) -> None:
    asking = here(away.url)
    for ask in (
        lambda: asking.lookup(Coding(SNOMED, LIVER)),
        lambda: asking.validate([Coding(SNOMED, LIVER)]),
        lambda: asking.expand(asking.value_set(ISA), Wish()),
        lambda: asking.validate_in(asking.value_set(ISA), [HEPATITIS]),
    ):
        with pytest.raises(Unavailable, match="the terminology server is away"):
            ask()


def test_what_the_server_does_not_know_is_answered_from_the_tables(upstream: str) -> None:
    asking = here(upstream)
    small = asking.sources[SNOMED]
    small.above = {**small.above, "200001000": frozenset()}  # type: ignore[attr-defined]  # a SmallSource
    assert "does not know it" in asking.lookup(Coding(SNOMED, "200001000")).note
    with pytest.raises(NotFound, match="does not know it either"):
        asking.lookup(Coding(SNOMED, "200002000"))


@pytest.mark.parametrize(
    "body",
    [
        {"resourceType": "Parameters"},
        {"resourceType": "Parameters", "parameter": [3]},
        {"resourceType": "Parameters", "parameter": [{"name": "display", "valueString": 3}]},
        {"resourceType": "Bundle"},
    ],
)
def test_an_answer_that_makes_no_sense_is_as_none(away: Misbehaving, body: object) -> None:
    away.status, away.body = 200, body
    assert "is away" in here(away.url).lookup(HEPATITIS).note
    assert "is away" in here(away.url).validate([HEPATITIS]).message


def test_a_translation_whose_equivalence_is_not_known_is_no_more_than_related(away: Misbehaving) -> None:
    concept = {"name": "concept", "valueCoding": {"system": LOINC, "code": "x"}}
    match = {"name": "match", "part": [{"name": "equivalence", "valueCode": "same"}, concept]}
    away.status, away.body = 200, {"resourceType": "Parameters", "parameter": [match]}
    (found,) = here(away.url).translate([HEPATITIS], [], target=LOINC).matches
    assert found.relationship is Relationship.RELATED


def test_the_services_own_maps_come_first(away: Misbehaving) -> None:
    asking = here(away.url)
    found = asking.translate([Coding(STATUS, "final")], [status_map()], target="http://hl7.org/fhir/v3/ActStatus")
    assert found.result
    assert away.asked == []
