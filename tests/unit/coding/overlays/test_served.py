"""A site's overlays as concept maps."""

from __future__ import annotations

from service.coding import Vocabulary
from service.coding.overlays.layers import Layer
from service.coding.overlays.rows import BROADER, NO_MAP
from service.coding.overlays.served import overlay_maps
from service.coding.server.answers import Relationship
from service.coding.server.maps import Map
from tests.unit.coding.overlays.lines import line, made

HERE = "http://hospital/sites"
SNOMED, LOCAL = "http://snomed.info/sct", "urn:oid:2.25.1"


def _maps(vocabulary: Vocabulary, *layers: Layer) -> dict[str, Map]:
    return {one.key: one for one in overlay_maps(lambda: layers, vocabulary)()}


def _found(one: Map, code: str, system: str = HERE, *, backward: bool = False) -> set[tuple[str, str, Relationship]]:
    return {(match.system, match.code, match.relationship) for match in one.translate(system, code, backward=backward)}


def test_a_local_code_leads_to_the_concept_and_to_its_codes(small: Vocabulary) -> None:
    one = _maps(small, made(small, line(system=HERE, code="FL", concept="frontal-lobe"), sender="all"))["overlay-all"]
    equal = Relationship.EQUIVALENT
    assert {(LOCAL, "frontal-lobe", equal), (SNOMED, "83251001", equal)} <= _found(one, "FL")
    assert _found(one, "83251001", SNOMED, backward=True) == {(HERE, "FL", equal)}


def test_a_target_that_says_less_stays_one(small: Vocabulary) -> None:
    row = line(system=HERE, code="FL1", concept="frontal-lobe", relationship=BROADER)
    one = _maps(small, made(small, row, sender="all"))["overlay-all"]
    assert {how for _, _, how in _found(one, "FL1")} == {Relationship.BROADER}


def test_a_class_that_several_concepts_share_is_no_more_than_related(small: Vocabulary) -> None:
    one = _maps(small, made(small, line(system=HERE, code="RM", concept="rib-metastasis"), sender="all"))["overlay-all"]
    found = {(code, how) for _, code, how in _found(one, "RM")}
    assert found == {("rib-metastasis", Relationship.EQUIVALENT), ("C79.51", Relationship.RELATED)}


def test_a_decision_against_a_code_is_told(small: Vocabulary) -> None:
    one = _maps(small, made(small, line(system=HERE, code="X", relationship=NO_MAP), sender="all"))["overlay-all"]
    (match,) = one.translate(HERE, "X")
    assert (match.relationship, match.code) == (Relationship.NONE, "")
    assert "stays text" in match.comment


def test_the_field_of_a_row_is_told(small: Vocabulary) -> None:
    row = line(field="site", system=HERE, code="FL", concept="frontal-lobe", comment="By the atlas.")
    one = _maps(small, made(small, row, sender="all"))["overlay-all"]
    assert {match.comment for match in one.translate(HERE, "FL")} == {"In the field site. By the atlas."}


def test_words_are_in_no_map(small: Vocabulary) -> None:
    assert _maps(small, made(small, line(field="site", term="Stirnlappen", concept="frontal-lobe"))) == {}


def test_a_senders_own_map_answers_only_where_it_is_named(small: Vocabulary) -> None:
    row = line(system=HERE, code="FL", concept="frontal-lobe")
    maps = _maps(small, made(small, row, sender="all"), made(small, row, sender="ct-3", version=7))
    assert {key: one.only_named for key, one in maps.items()} == {"overlay-all": False, "overlay-ct-3": True}
    assert maps["overlay-ct-3"].version == "7"


def test_a_row_of_everyones_overlay_may_be_for_one_sender(small: Vocabulary) -> None:
    row = line(sender="ct-3", system=HERE, code="FL", concept="frontal-lobe")
    assert set(_maps(small, made(small, row, sender="all"))) == {"overlay-ct-3"}


def test_a_sender_of_any_name_has_an_id(small: Vocabulary) -> None:
    row = line(system=HERE, code="FL", concept="frontal-lobe")
    names = ["Klinik für Radiologie", "a/b", "x" * 200]
    maps = _maps(small, *(made(small, row, sender=name) for name in names))
    assert len(maps) == 3
    assert all(len(key) <= 64 and key.replace("-", "").replace(".", "").isalnum() for key in maps)


def test_uploaded_rows_come_before_mounted_ones(small: Vocabulary) -> None:
    mounted = made(small, line(system=HERE, code="A", concept="frontal-lobe"), sender="all", version=0)
    uploaded = made(small, line(system=HERE, code="A", concept="corpus-callosum"), sender="all", version=2)
    one = _maps(small, mounted, uploaded)["overlay-all"]
    assert {code for _, code, _ in _found(one, "A")} >= {"corpus-callosum", "88442005"}
    assert "frontal-lobe" not in {code for _, code, _ in _found(one, "A")}


def test_a_new_overlay_is_seen_at_the_next_question(small: Vocabulary) -> None:
    layers: list[Layer] = []
    maps = overlay_maps(lambda: layers, small)
    assert maps() == ()
    layers.append(made(small, line(system=HERE, code="FL", concept="frontal-lobe"), sender="all"))
    assert [one.key for one in maps()] == ["overlay-all"]
    assert maps()[0] is maps()[0]
