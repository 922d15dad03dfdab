"""Other makers' groups and numbers, one cause of trouble a test: the item is listed, the rest is kept."""

import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from service.coding import vocabulary
from service.coding.coder import code_report
from service.domain.codes import Code, Term
from service.domain.report import Status
from tests import sr_files as sr
from tests.unit.formats.sr.reading import long_axis, only, received, rules


def test_reads_a_group_with_its_number_and_keeps_the_digits() -> None:
    found = received(sr.measured(long_axis()))
    lesion = only(found)
    (size,) = lesion.measurements
    assert (lesion.id, lesion.finding.code) == ("L1", Code("SCT", "94225005", ""))
    assert (str(size.value), size.unit.text, size.where) == ("14.20", "mm", "1.1.1.3")
    assert lesion.tracking_uid is None
    assert rules(found) <= {"sr-procedure", "sr-modality"}


def test_the_document_is_the_sr_of_the_report_and_its_uid_the_reports_id() -> None:
    found = received(sr.measured())
    assert found.sr is not None
    assert (found.sr.sop_instance, found.sr.study) == (f"{sr.STUDY}.2.1", sr.STUDY)
    assert found.report.id == f"{sr.STUDY}.2.1"
    assert (found.report.sender, found.report.version, found.report.status) == ("local", 1, Status.FINAL)


@pytest.mark.parametrize("value", ["abc", "1e9999", "NaN", "1_000"])
def test_a_value_that_is_no_number_is_skipped(value: str) -> None:
    content = sr.measured(long_axis(value="1234567")).replace(b"1234567 ", value.ljust(8).encode()[:8])
    assert rules(received(content), "1.1.1.3") == {"sr-no-value"}


def test_a_number_without_a_name_is_skipped() -> None:
    found = received(sr.measured(sr.num(None, "3", sr.MM), long_axis()))
    assert len(only(found).measurements) == 1
    assert rules(found, "1.1.1.3") == {"sr-no-name"}


def test_a_number_without_a_unit_is_kept_and_flagged() -> None:
    found = received(sr.measured(long_axis(unit=None)))
    assert only(found).measurements[0].unit.text == "unit not stated"
    assert rules(found, "1.1.1.3") == {"sr-no-unit"}


def test_a_unit_of_another_scheme_is_kept_in_words() -> None:
    found = received(sr.measured(long_axis(unit=("A.16", "99TEST", "Cats"))))
    assert only(found).measurements[0].unit == Term("Cats (A.16)")
    assert rules(found, "1.1.1.3") == {"sr-unit"}


def test_a_length_in_square_millimetres_is_an_area() -> None:
    old = ("G-D7FE", "SRT", "AREA")
    found = received(sr.measured(sr.num(old, "12", ("mm2", "UCUM", "mm2")), sr.num(old, "4", sr.MM)))
    area, length = only(found).measurements
    assert (area.concept.code, length.concept.code) == (Code("SCT", "42798000", ""), Code("SRT", "G-D7FE", ""))
    assert rules(found, "1.1.1.3") == {"sr-length-is-area"}
    coded = code_report(found.report, vocabulary()).lesions[0]
    assert [one.concept.concept for one in coded.measurements] == ["area", "length"]


def test_wrong_relationships_do_not_matter_where_a_name_says_what_an_item_is() -> None:
    site = sr.answer(("363698007", "SCT", "Finding Site"), ("12738006", "SCT", "Brain"), relation="CONTAINS")
    comment = sr.text(("121106", "DCM", "Comment"), "Seen twice.", relation="HAS PROPERTIES")
    label = sr.text(("125309", "DCM", "Short label"), "x", relation="HAS CONCEPT MOD")
    found = received(sr.measured(site, comment, label))
    lesion = only(found)
    assert lesion.site is not None
    assert (lesion.site.text, lesion.text) == ("Brain", "Seen twice.")
    assert rules(found, "1.1.1.5") == {"sr-no-place"}


def test_the_template_is_known_by_its_title_or_by_its_identifier() -> None:
    template = Dataset()
    template.MappingResource, template.TemplateIdentifier = "DCMR", "TID1500"
    content = sr.document(
        sr.container(sr.MEASUREMENTS, sr.group(long_axis())),
        root=("X1", "99SITE", "Lesions"),
        ContentTemplateSequence=Sequence([template]),
    )
    found = received(content)
    assert len(found.report.lesions) == 1
    assert found.outline == ()


def test_a_group_without_a_name_counts_where_groups_are_expected() -> None:
    unnamed = sr.container(None, sr.text(sr.TRACKING, "L7", relation="HAS OBS CONTEXT"), long_axis())
    found = received(sr.document(sr.container(sr.MEASUREMENTS, unnamed)))
    assert only(found).id == "L7"
    assert rules(found, "1.1.1") == {"sr-no-finding"}


def test_numbers_outside_a_group_make_one_of_their_own() -> None:
    found = received(sr.document(sr.container(sr.MEASUREMENTS, long_axis())))
    assert len(only(found).measurements) == 1
    assert "sr-no-group" in rules(found, "1.1")


def test_an_item_by_reference_stands_for_its_target() -> None:
    shape = sr.shape("POLYLINE", [1, 2, 3, 4], sr.by_reference("SELECTED FROM", 1, 2, 1))
    content = sr.document(
        sr.container(sr.MEASUREMENTS, sr.group(long_axis(shape))),
        sr.container(("111028", "DCM", "Image Library"), sr.image(relation="CONTAINS")),
    )
    found = received(content)
    (shown,) = only(found).images
    assert (shown.image.sop_instance, shown.image.series) == (sr.IMAGE, sr.SERIES)
    assert rules(found, "1.1.1.3.1.1") == set()


def test_a_cycle_of_references_is_read_and_listed() -> None:
    shape = sr.shape("POINT", [1, 2], sr.by_reference("SELECTED FROM", 1, 1, 1, 3))
    loop = sr.by_reference("INFERRED FROM", 1, 1, 1, 4, 1)
    found = received(sr.measured(long_axis(shape), sr.num(sr.LONG_AXIS, "3", sr.MM, loop)))
    assert len(only(found).measurements) == 2
    assert "sr-no-place" in rules(found, "1.1.1.4.1")
    assert "sr-shape-without-image" in rules(found, "1.1.1.3.1")


def test_a_tracking_uid_that_is_none_is_left_out_and_derived() -> None:
    found = received(sr.measured(sr.uid(sr.TRACKING_UID, "1." + "2" * 70)))
    assert only(found).tracking_uid is None
    assert rules(found, "1.1.1.3") == {"sr-uid"}
    assert code_report(found.report, vocabulary()).lesions[0].tracking_uid is not None


def test_groups_with_one_identifier_get_ids_of_their_own() -> None:
    content = sr.document(sr.container(sr.MEASUREMENTS, sr.group(), sr.group(), sr.group(identifier=" ")))
    found = received(content)
    assert [lesion.id for lesion in found.report.lesions] == ["L1", "L1 (2)", "group 1.1.3"]
    assert rules(found, "1.1.2") == {"sr-lesion-id"}


def test_1561_numbers_in_one_group_are_all_read() -> None:
    found = received(sr.measured(*(long_axis(value=str(number + 1)) for number in range(1561))))
    assert [int(one.value) for one in only(found).measurements] == list(range(1, 1562))


def test_a_measurement_keeps_what_qualifies_it() -> None:
    low = sr.num(("385524004", "SCT", "Lower"), "1", sr.MM)
    high = sr.num(("371933006", "SCT", "Upper"), "9.5", sr.MM)
    found = received(
        sr.measured(
            long_axis(
                sr.answer(("370129005", "SCT", "Method"), ("X", "99SITE", "by hand"), relation="HAS CONCEPT MOD"),
                sr.answer(("121401", "DCM", "Derivation"), ("373098007", "SCT", "Mean"), relation="HAS CONCEPT MOD"),
                low,
                high,
                sr.image(relation="INFERRED FROM"),
            )
        )
    )
    (size,) = only(found).measurements
    assert size.method is not None
    assert size.derivation is not None
    assert size.range is not None
    assert (size.method.text, size.derivation.text, size.image) == ("by hand", "Mean", sr.IMAGE)
    assert [size.range.low, size.range.high] == [1, type(size.value)("9.5")]
    assert [image.sop_instance for image in found.report.study.images] == [sr.IMAGE]


def test_the_method_of_a_group_is_that_of_its_numbers() -> None:
    method = sr.answer(("G-C036", "SRT", "Measurement Method"), ("X", "99SITE", "by hand"))
    (size,) = only(received(sr.measured(method, long_axis()))).measurements
    assert size.method is not None
    assert size.method.text == "by hand"


def test_derived_measurements_are_kept_in_words() -> None:
    total = sr.num(("112036", "DCM", "Sum"), "44", sr.MM, sr.by_reference("R-INFERRED FROM", 1, 1, 1))
    content = sr.document(
        sr.container(sr.MEASUREMENTS, sr.group(long_axis())),
        sr.container(("126011", "DCM", "Derived Imaging Measurements"), total),
    )
    found = received(content)
    (said,) = found.report.evaluations
    assert (said.name.text, said.value.text) == ("Sum", "44 mm")
    assert rules(found, "1.2.1") == {"sr-derived-measurement"}
    assert rules(found, "1.2.1.1") == {"sr-no-place"}


def test_equivalent_codes_of_others_are_listed() -> None:
    finding = sr.coded(sr.METASTASIS)
    finding.EquivalentCodeSequence = Sequence([sr.coded(("C79.31", "I10", "Brain metastasis"))])
    made = sr.answer(("111012", "DCM", "Certainty"), sr.METASTASIS)
    made.ConceptCodeSequence = Sequence([finding])
    assert "sr-equivalent-codes" in rules(received(sr.measured(made)), "1.1.1.3")


def test_what_contradicts_itself_is_kept_in_words_and_flagged() -> None:
    side = sr.answer(("272741003", "SCT", "Laterality"), ("7771000", "SCT", "Right"), relation="HAS CONCEPT MOD")
    report = received(sr.measured(side)).report
    coded = code_report(report, vocabulary())
    (lesion,) = coded.lesions
    assert lesion.laterality is not None
    assert (lesion.laterality.codes, lesion.laterality.text) == ((), "Right (SCT 7771000)")
    assert any(loss.rule == "display-contradicts-code" for loss in coded.losses)
