"""Search: what a radiologist types, and the first thing that must come back."""

import json
from pathlib import Path

import pytest

from service.coding import vocabulary
from service.coding.releases.shelf import Shelf
from service.coding.releases.site import SiteReleases
from service.coding.search import OWN, Asked, Search, suggestions
from tests.releases import Generated, Site


@pytest.fixture(scope="module")
def alone() -> Search:
    """Over the project's own terms."""
    return Search(vocabulary())


@pytest.fixture
def both(loaded: Site) -> Search:
    """Over the project's terms and a generated release."""
    return Search(vocabulary(), loaded.releases)


QUALITY = [
    # abbreviations
    ("mets", "", "metastasis"),
    ("GBM", "", "glioblastoma"),
    ("gbm", "finding", "glioblastoma"),
    ("RCC", "", "renal cell carcinoma"),
    ("T10", "site", "T10 vertebra"),
    ("Th10", "site", "T10 vertebra"),
    ("brain mets", "", "brain metastasis"),
    ("L", "laterality", "left"),
    ("SD", "response", "target lesion stable disease"),
    # beginnings
    ("glioblas", "", "glioblastoma"),
    ("metasta", "", "metastasis"),
    ("front lob", "site", "frontal lobe"),
    ("ring enh", "t1-post-contrast", "ring enhancement"),
    # words in any order
    ("lobe frontal", "site", "frontal lobe"),
    ("vertebra T10", "site", "T10 vertebra"),
    ("metastasis brain", "", "brain metastasis"),
    ("lobe of the frontal", "site", "frontal lobe"),
    # plurals and spellings
    ("metastases", "", "metastasis"),
    ("haemorrhage", "", "hemorrhage"),
    ("oedema", "", "edema"),
    # typing errors
    ("frontl lobe", "site", "frontal lobe"),
    ("glioblastma", "", "glioblastoma"),
    ("metastesis", "", "metastasis"),
    ("hemorage", "", "hemorrhage"),
    ("cerebelum", "site", "cerebellum"),
    ("vertbra T10", "site", "T10 vertebra"),
    # case and accents
    ("FRONTAL LOBE", "site", "frontal lobe"),
    ("métastasis", "", "metastasis"),
]


@pytest.mark.parametrize(("text", "field", "label"), QUALITY)
def test_the_first_hit_is_what_was_meant(text: str, field: str, label: str, alone: Search, both: Search) -> None:
    for search in (alone, both):
        assert search.find(Asked(text, field))[0].label == label


@pytest.mark.parametrize("text", ["", " ", "?!", "...", "\x00", '"', "*", "xqzzt", "a" * 256, "NOT", "( OR"])
def test_what_is_no_term_finds_nothing_and_breaks_nothing(text: str, both: Search) -> None:
    assert isinstance(both.find(Asked(text)), tuple)


def test_a_level_is_never_corrected_into_another(both: Search) -> None:
    assert all("T10" not in match.label for match in both.find(Asked("T19", "site")))


def test_the_values_of_the_field_come_first(both: Search) -> None:
    found = both.find(Asked("frontal", "site", limit=50))
    inside = [match.in_field for match in found]
    assert inside[0]
    assert inside == sorted(inside, reverse=True)


def test_a_concept_comes_once(both: Search) -> None:
    for text, field, _ in QUALITY:
        found = both.find(Asked(text, field, limit=100))
        own = [match.concept for match in found if match.concept]
        codes = [match.codes[0] for match in found if not match.concept]
        assert len(set(own)) == len(own)
        assert len(set(codes)) == len(codes)


def test_the_limit_is_kept(both: Search) -> None:
    assert len(both.find(Asked("metastasis", limit=3))) == 3


def test_a_release_adds_what_the_project_has_not(rf2: Generated, both: Search) -> None:
    name = rf2.made.names[-1]
    assert vocabulary().designations.as_written(name, "") == ()
    found = both.find(Asked(name))[0]
    assert (found.label, found.concept, found.source, found.how) == (name, None, "sct", "exact")


def test_a_retired_code_is_said_to_be_retired_and_comes_last(rf2: Generated, both: Search) -> None:
    for place, name in enumerate(rf2.made.names):
        if not rf2.made.active[place]:
            found = both.find(Asked(name, limit=100))
            mine = [match for match in found if not match.concept and match.codes[0].code == rf2.made.codes[place]]
            assert [match.active for match in mine] == [False]
            equal = [match for match in found if match.how == "exact" and match.active]
            assert all(found.index(one) < found.index(mine[0]) for one in equal)


def test_words_of_a_release_are_found_in_any_order_and_unfinished(rf2: Generated, both: Search) -> None:
    for place in range(150, len(rf2.made.names), 37):
        name = rf2.made.names[place]
        if not rf2.made.active[place]:
            continue
        words = [word[: max(4, len(word) - 1)] for word in reversed(name.split()) if word not in ("of", "Of")]
        labels = {match.label for match in both.find(Asked(" ".join(words), limit=100))}
        assert name in labels, words


def test_a_word_of_a_release_is_found_misspelled(rf2: Generated, both: Search) -> None:
    name = next(name for name in rf2.made.names[200:] if len(name.rsplit(" ", 1)[-1]) >= 8)
    rest, _, word = name.rpartition(" ")
    typed = f"{rest} {word[:3]}{word[4]}{word[3]}{word[5:]}" if word[3] != word[4] else f"{rest} {word[:3]}{word[4:]}"
    found = both.find(Asked(typed, limit=50))
    assert name in {match.label for match in found}
    assert {match.how for match in found} == {"spelling"}


def test_a_site_without_releases_is_searched_all_the_same(site_less: Search) -> None:
    assert site_less.find(Asked("GBM"))[0].source == OWN


@pytest.fixture
def site_less(tmp_path_factory: pytest.TempPathFactory) -> Search:
    """Over an empty folder."""
    return Search(vocabulary(), SiteReleases(Shelf(tmp_path_factory.mktemp("none")), vocabulary().designations.words))


def test_a_broader_code_of_a_concept_is_not_the_concept(tmp_path: Path) -> None:
    known = vocabulary()
    concept = next(one for one in known.concepts.values() if one.broader is not None and not one.codes)
    assert concept.broader is not None
    uri = known.systems[concept.broader.system].uri
    rows = [{"code": concept.broader.code, "display": "said otherwise than anywhere"}]
    path = tmp_path / "codes.json"
    path.write_text(json.dumps({"resourceType": "CodeSystem", "url": uri, "concept": rows}))
    site = Site(Shelf(tmp_path / "site"))
    site.load(path)

    found = Search(known, site.releases).find(Asked("said otherwise than anywhere"))[0]

    assert found.concept != concept.key


def test_terms_of_the_language_asked_for_are_shown(tmp_path: Path) -> None:
    words = [{"language": "de", "value": "Erfundener Befund"}, {"language": "ja", "value": "架空の所見"}]
    rows = [{"code": "x", "display": "Made-up finding", "designation": words}]
    path = tmp_path / "codes.json"
    path.write_text(json.dumps({"resourceType": "CodeSystem", "url": "http://example.org/a", "concept": rows}))
    site = Site(Shelf(tmp_path / "site"))
    site.load(path)
    search = Search(vocabulary(), site.releases)
    assert search.find(Asked("erfund", language="de-CH"))[0].label == "Erfundener Befund"
    assert search.find(Asked("made-up find"))[0].label == "Made-up finding"
    assert search.find(Asked("所見", language="ja"))[0].label == "架空の所見"


def test_suggestions_are_labels_each_once(both: Search) -> None:
    found = suggestions(both, "frontl lobe", "site")
    assert found[0] == "frontal lobe"
    assert 1 < len(found) <= 5
    assert len(set(found)) == len(found)


def test_every_label_finds_itself(alone: Search) -> None:
    known = vocabulary()
    lost = []
    for concept in known.concepts.values():
        if concept.group.startswith("unit") or concept.key.startswith(("unit-", "language-")):
            continue
        found = alone.find(Asked(concept.label, limit=5))
        if concept.label not in {match.label for match in found}:
            lost.append(concept.label)
    assert lost == []
