"""What an overlay makes of a sender's words and codes."""

from service.coding import Vocabulary
from service.coding.overlays.layers import Layers, layer
from service.domain.codes import Code, Resolution
from service.domain.loss import LossKind
from tests.unit.coding.overlays.lines import behind, coded, line, made, site
from tests.unit.coding.reports import code, make_lesion, make_report, number, term


def report_of(word: str = "Stirnlappen", sender: str = "local"):  # type: ignore[no-untyped-def]  # a generic report
    return make_report(make_lesion(site=word), sender=sender)


def test_a_word_of_the_site_is_its_concept(small: Vocabulary) -> None:
    found = site(report_of(), behind(small, line(field="site", term="Stirnlappen", concept="frontal-lobe")))
    assert (found.concept, found.resolution, found.said) == ("frontal-lobe", Resolution.LOCAL, "Stirnlappen")
    assert found.codes == small.concepts["frontal-lobe"].codes


def test_case_blanks_and_spelling_variants_are_found(small: Vocabulary) -> None:
    view = behind(small, line(field="site", term="Forebrain lobes", concept="frontal-lobe"))
    for word in ("forebrain  LOBES", "forebrain lobe", "forebrain-lobe"):
        assert site(report_of(word), view).concept == "frontal-lobe", word


def test_a_variant_never_takes_what_the_tables_know(small: Vocabulary) -> None:
    view = behind(small, line(field="site", term="T1 vertebraes", concept="frontal-lobe"))
    assert site(report_of("T1 vertebra"), view).concept == "t1-vertebra"


def test_without_an_overlay_nothing_changes(small: Vocabulary) -> None:
    assert Layers(small).of("local") == (small, ())
    assert site(report_of(), small).codes == ()


def test_a_row_holds_in_its_field_only(small: Vocabulary) -> None:
    view = behind(small, line(field="site", term="GM", concept="frontal-lobe"))
    report = make_report(make_lesion(site="GM", topography="GM"))
    lesion = coded(report, view).lesions[0]
    assert lesion.site is not None
    assert lesion.topography is not None
    assert (lesion.site.concept, lesion.topography.concept) == ("frontal-lobe", None)


def test_a_row_for_everywhere_holds_where_the_field_takes_the_concept(small: Vocabulary) -> None:
    view = behind(small, line(term="HH", concept="haemorrhage"))
    report = make_report(make_lesion(finding=term("HH"), site="HH"), negatives=(term("HH", "/report/negatives/0"),))
    found = coded(report, view)
    assert (found.lesions[0].finding.concept, found.negatives[0].concept) == ("haemorrhage", "haemorrhage")
    assert found.lesions[0].site is not None
    assert found.lesions[0].site.concept is None


def test_a_local_code_is_its_concept_under_any_name_of_its_system(small: Vocabulary) -> None:
    view = behind(small, line(field="site", system="http://hospital/sites", code="FL", concept="frontal-lobe"))
    found = site(make_report(make_lesion(site=code("http://hospital/sites", "FL", "Stirn"))), view)
    assert (found.concept, found.resolution) == ("frontal-lobe", Resolution.LOCAL)
    assert found.said == "http://hospital/sites FL Stirn"


def test_a_local_code_leads_over_another_to_its_concept(small: Vocabulary) -> None:
    view = behind(
        small,
        line(field="site", system="99OLD", code="1", target_system="99NEW", target_code="A"),
        line(field="site", system="99NEW", code="A", target_system="SCT", target_code="83251001"),
    )
    assert site(make_report(make_lesion(site=code("99OLD", "1"))), view).concept == "frontal-lobe"


def test_radlex_is_one_system_in_all_its_spellings(small: Vocabulary) -> None:
    spellings = (
        "RADLEX",
        "http://radlex.org",
        "http://www.radlex.org",
        "https://radlex.org",
        "https://www.radlex.org/",
    )
    assert {small.designator(one) for one in spellings} == {"RADLEX"}
    view = behind(small, line(field="site", system="http://www.radlex.org", code="RID99", concept="frontal-lobe"))
    for one in spellings:
        assert site(make_report(make_lesion(site=code(one, "RID99"))), view).concept == "frontal-lobe", one
        assert site(make_report(make_lesion(site=code(one, "RID6440"))), view).concept == "frontal-lobe", one


def test_a_code_that_no_concept_has_is_written_with_its_display(small: Vocabulary) -> None:
    row = line(field="site", term="Oberarm", target_system="SCT", target_code="85050009", target_display="Humerus")
    found = site(report_of("Oberarm"), behind(small, row))
    assert found.codes == (Code("SCT", "85050009", "Humerus"),)
    assert (found.codes[0].display, found.text, found.said) == ("Humerus", "Humerus", "Oberarm")


def test_a_broader_target_keeps_the_words_beside_it(small: Vocabulary) -> None:
    row = line(field="site", term="Operculum", concept="frontal-lobe", relationship="source-is-narrower-than-target")
    found = site(report_of("Operculum"), behind(small, row))
    assert (found.text, found.broader, found.codes) == ("Operculum", True, small.concepts["frontal-lobe"].codes)


def test_the_name_of_a_measurement_is_the_sites_own(small: Vocabulary) -> None:
    view = behind(small, line(field="measurements", term="Längster Durchmesser", concept="long-axis"))
    report = make_report(make_lesion(measurements=(number("Längster Durchmesser", "14.2", "mm"),)))
    found = coded(report, view).lesions[0].measurements[0].concept
    assert (found.concept, found.resolution) == ("long-axis", Resolution.LOCAL)


def test_each_sender_has_its_own(small: Vocabulary) -> None:
    layers = Layers(
        small,
        (
            made(small, line(field="site", term="X", concept="frontal-lobe"), sender="A").held(),
            made(small, line(field="site", term="X", concept="corpus-callosum"), sender="all").held(),
        ),
    )
    found = {sender: site(report_of("X", sender), layers.of(sender)[0]).concept for sender in ("A", "B")}
    assert found == {"A": "frontal-lobe", "B": "corpus-callosum"}
    assert layers.of("A")[1] == ("A-1.csv", "all-1.csv")
    assert layers.of("B")[0] is layers.of("C")[0]


def test_a_row_of_everyones_overlay_may_name_its_sender(small: Vocabulary) -> None:
    found = made(small, line(sender="A", field="site", term="X", concept="frontal-lobe"), sender="all").held()
    layers = Layers(small, (found,))
    assert site(report_of("X"), layers.of("A")[0]).concept == "frontal-lobe"
    assert site(report_of("X"), layers.of("B")[0]).concept is None


def test_what_was_uploaded_comes_before_what_is_mounted(small: Vocabulary) -> None:
    mounted = made(small, line(field="site", term="X", concept="frontal-lobe"), version=0)
    uploaded = made(small, line(field="site", term="X", concept="corpus-callosum"))
    for order in ((mounted, uploaded), (uploaded, mounted)):
        assert site(report_of("X"), Layers(small, order).of("local")[0]).concept == "corpus-callosum"


def test_what_is_decided_to_stay_text_stays_text(small: Vocabulary) -> None:
    found = coded(report_of("tbd"), behind(small, line(field="site", term="tbd", relationship="no-map")))
    assert found.lesions[0].site is not None
    assert found.lesions[0].site.codes == ()
    assert [loss.kind for loss in found.losses] == [LossKind.UNCODED]


def test_a_row_that_does_not_stand_is_not_applied_and_the_others_are(small: Vocabulary) -> None:
    broken = made(
        small, line(field="site", term="X", concept="nowhere"), line(field="site", term="Y", concept="frontal-lobe")
    )
    view = Layers(small, (broken,)).of("local")[0]
    assert (site(report_of("X"), view).concept, site(report_of("Y"), view).concept) == (None, "frontal-lobe")


def test_an_overlay_is_read_back_as_it_was_written(small: Vocabulary) -> None:
    from service.coding.overlays.layers import OverlayText
    from service.coding.overlays.reading import write_table
    from service.coding.overlays.rows import CSV

    rows = made(small, line(field="site", term="=cmd|x", concept="frontal-lobe", comment="a note")).rows
    content = write_table(rows)
    assert b"'=cmd|x" in content
    assert layer(OverlayText("local", 2, CSV, content), small).rows == rows
