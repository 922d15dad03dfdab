"""Suggestions look like the term, come from its field first, and are never applied."""

from pathlib import Path

import pytest

from service.coding import Vocabulary, vocabulary
from service.coding.releases.postgres_shelf import PostgresShelf
from service.coding.releases.site import SiteReleases
from service.coding.suggestions import MOST, suggest_names
from tests.releases import Generated, Site


@pytest.mark.parametrize(
    ("text", "row", "first"),
    [
        ("fronatl lobe", "site", "frontal lobe"),
        ("hypointens", "t1-signal", "T1 hypointense"),
        ("cerebral metastsis", "finding", "brain metastasis"),
        ("long axs", "long-axis", "long axis"),
        ("brain metastasiss", "", "brain metastasis"),
    ],
)
def test_suggests_what_looks_like_the_term(small: Vocabulary, text: str, row: str, first: str) -> None:
    assert small.suggest(text, row)[0] == first


def test_suggests_only_what_the_field_takes(small: Vocabulary) -> None:
    field = small.field("laterality")
    assert field is not None
    labels = {small.concept(key).label for key in field.values or ()}

    assert set(small.suggest("left cerebral hemisphere", "laterality")) <= labels


def test_suggests_nothing_for_another_word_altogether(small: Vocabulary) -> None:
    assert small.suggest("qqqqqqqq", "site") == ()


@pytest.mark.parametrize(("text", "first"), [("rigth", "right"), ("sinister", "bilateral"), ("links", "bilateral")])
def test_of_two_sides_none_is_suggested_because_it_looks_alike(text: str, first: str) -> None:
    found = vocabulary().suggest(text, "laterality")

    assert found[0] == first
    assert set(found) == {"bilateral", "left", "midline", "right", "unilateral"}


def test_suggests_at_most_five_and_none_twice() -> None:
    found = vocabulary().suggest("metastasis", "finding")

    assert len(found) == MOST
    assert len(set(found)) == MOST


@pytest.mark.parametrize("table", ["measurements", "evaluations"])
def test_every_suggested_name_of_a_row_is_one_that_a_sender_can_write(table: str) -> None:
    rows = vocabulary().measurements if table == "measurements" else vocabulary().evaluations
    for row in rows:
        for name in suggest_names(vocabulary(), table, row):
            assert len(vocabulary().names(table).find(name)[0]) == 1, name


@pytest.mark.parametrize(
    ("text", "row", "first"),
    [
        ("frontal lobe convexity", "site", "frontal lobe"),
        ("some mets brain", "finding", "brain metastasis"),
        ("GBM", "finding", "glioblastoma"),
        ("lobe, frontl", "site", "frontal lobe"),
    ],
)
def test_suggests_as_the_search_does(text: str, row: str, first: str) -> None:
    assert vocabulary().suggest(text, row)[0] == first


def test_a_field_that_must_be_coded_is_offered_its_values_only(loaded: Site) -> None:
    known = vocabulary().with_site(None, loaded.releases)
    field = known.field("modality")
    assert field is not None
    labels = {known.concept(key).label for key in field.values or ()}
    for text in ("structure", "resonance", "tomograpy"):
        assert set(known.suggest(text, "modality")) <= labels


def test_codes_of_a_release_are_offered_with_their_code(rf2: Generated, loaded: Site) -> None:
    known = vocabulary().with_site(None, loaded.releases)
    active = [n for n, state in zip(rf2.made.names, rf2.made.active, strict=True) if state]
    assert any("(SCT " in one for one in known.suggest(active[50], "finding"))


def test_a_release_that_cannot_be_asked_costs_no_report(tmp_path: Path) -> None:
    away = PostgresShelf("postgresql://nobody@127.0.0.1:9/none", tmp_path)
    known = vocabulary().with_site(None, SiteReleases(away, vocabulary().designations.words))
    assert known.suggest("fronatl lobe", "site")[0] == "frontal lobe"


def test_the_views_of_one_vocabulary_share_a_search() -> None:
    known = vocabulary()
    assert known.with_site(None, None).search() is known.search()
