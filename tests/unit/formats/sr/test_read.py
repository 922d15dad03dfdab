"""Other makers' SR, one cause of trouble a test: the item is named in the list of losses, the rest is kept."""

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from benchmarks.cost import cost
from service.coding import vocabulary
from service.coding.coder import code_report
from service.domain.codes import Code, Term
from service.domain.errors import Invalid, TooLarge, Unreadable
from service.domain.geometry import Graphic, Graphic3D
from service.domain.limits import Limits
from service.domain.loss import LossKind
from service.domain.received import Intake, Received
from service.domain.report import Lesion, Status
from service.formats.sr.read import read
from tests import sr_files as sr


def received(content: bytes, **intake: Any) -> Received:
    return read(content, Intake(**intake))


def only(found: Received) -> Lesion[Term]:
    (lesion,) = found.report.lesions
    return lesion


def rules(found: Received, where: str | None = None) -> set[str]:
    return {loss.rule for loss in found.losses if where is None or loss.where == where}


def long_axis(*children: Dataset, value: str | None = "14.20", unit: sr.Code | None = sr.MM) -> Dataset:
    return sr.num(sr.LONG_AXIS, value, unit, *children)


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


def test_a_number_without_a_value_is_skipped_and_its_shape_kept() -> None:
    found = received(sr.measured(long_axis(sr.shape("POINT", [3.5, 4.5]), value=None, unit=None)))
    lesion = only(found)
    assert lesion.measurements == ()
    assert [region.graphic for shown in lesion.images for region in shown.regions] == [Graphic.POINT]
    assert rules(found, "1.1.1.3") == {"sr-no-value"}


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


@pytest.mark.parametrize(
    ("kind", "points", "graphics", "rule"),
    [
        ("POINT", [1, 2], ["point"], None),
        ("MULTIPOINT", [1, 2, 3, 4], ["point", "point"], None),
        ("POLYLINE", [1, 2, 3, 4], ["line"], None),
        ("POLYLINE", [1, 2, 3, 4, 5, 0, 1, 2], ["polygon"], None),
        ("POLYLINE", [1, 2, 3, 4, 1, 2], ["line"], None),
        ("POLYLINE", [1, 2, 3, 4, 5, 0], ["line", "line"], "sr-path-as-lines"),
        ("CIRCLE", [5, 5, 5, 9], ["polygon"], "sr-shape-as-polygon"),
        ("ELLIPSE", [0, 5, 10, 5, 5, 3, 5, 7], ["polygon"], "sr-shape-as-polygon"),
        ("ELLIPSE", [0, 5, 10, 5], [], "sr-graphic-data"),
        ("ELLIPSE", [0, 5, 10, 5, 4, 3, 6, 7], ["polygon"], "sr-shape-as-polygon"),  # to whole pixels
        ("ELLIPSE", [0, 50, 100, 50, 50, 30, 90, 70], [], "sr-graphic-data"),
        ("ELLIPSE", [0, 50, 100, 50, 30, 70, 70, 30], [], "sr-graphic-data"),
        ("BLOB", [0, 5], [], "sr-graphic-data"),
        ("POLYLINE", [1, 2, 3], [], "sr-graphic-data"),
        ("POINT", [float("inf"), 2], [], "sr-graphic-data"),
    ],
)
def test_shapes_in_pixels(kind: str, points: list[float], graphics: list[str], rule: str | None) -> None:
    found = received(sr.measured(sr.shape(kind, points, relation="CONTAINS")))
    shown = only(found).images
    assert [str(region.graphic) for one in shown for region in one.regions] == graphics
    assert rules(found, "1.1.1.3") == ({rule} if rule else set())


def test_a_circle_keeps_its_size() -> None:
    found = received(sr.measured(sr.shape("CIRCLE", [50, 50, 50, 60], relation="CONTAINS")))
    corners = only(found).images[0].regions[0].points
    area = abs(sum(a[0] * b[1] - b[0] * a[1] for a, b in zip(corners, (*corners[1:], corners[0]), strict=True))) / 2
    assert 0.998 < area / (3.141592653589793 * 100) < 1


def test_coordinates_come_back_as_they_were_written() -> None:
    found = received(sr.measured(sr.shape("POINT", [102.3, 0.1], relation="CONTAINS")))
    assert only(found).images[0].regions[0].points == ((102.3, 0.1),)


def test_a_shape_in_space_needs_its_frame_of_reference() -> None:
    def solid(**more: Any) -> Dataset:
        return sr.item("SCOORD3D", "CONTAINS", ("111030", "DCM", "Image Region"), **more)

    good = solid(GraphicType="POINT", GraphicData=[1, 2, 3], ReferencedFrameOfReferenceUID="1.2.3")
    bad = solid(GraphicType="POINT", GraphicData=[1, 2, 3])
    found = received(sr.measured(good, bad))
    (region,) = only(found).regions3d
    assert (region.graphic, region.points) == (Graphic3D.POINT, ((1.0, 2.0, 3.0),))
    assert rules(found, "1.1.1.4") == {"sr-graphic-data"}


def test_a_shape_in_space_that_is_none_is_skipped_alone() -> None:
    def solid(kind: str, *points: float) -> Dataset:
        more = {"GraphicType": kind, "GraphicData": list(points), "ReferencedFrameOfReferenceUID": "1.2.3"}
        return sr.item("SCOORD3D", "CONTAINS", ("111030", "DCM", "Image Region"), **more)

    twisted = solid("POLYGON", 0, 0, 0, 4, 0, 0, 2, 1, 0, 3, -1, 5, 0, 0, 0)
    flat = solid("POLYGON", 0, 0, 0, 4, 0, 0, 2, 1, 0, 0, 0, 0)
    found = received(sr.measured(twisted, flat))
    (region,) = only(found).regions3d
    assert region.points == ((0, 0, 0), (4, 0, 0), (2, 1, 0))
    assert rules(found, "1.1.1.3") == {"sr-graphic-data"}


def test_an_image_that_is_an_sr_by_its_class_is_skipped_alone() -> None:
    document = sr.image(f"{sr.STUDY}.9.9", "1.2.840.10008.5.1.4.1.1.88.33", "CONTAINS")
    found = received(sr.measured(document, sr.image(relation="CONTAINS")))
    assert [shown.image.sop_instance for shown in only(found).images] == [sr.IMAGE]
    assert rules(found, "1.1.1.3") == {"sr-reference"}


def test_an_image_outside_the_evidence_gets_a_series_that_is_derived_and_flagged() -> None:
    other = f"{sr.STUDY}.9.9"
    first, again = (received(sr.measured(sr.image(other, relation="CONTAINS"))) for _ in range(2))
    (shown,) = only(first).images
    assert shown.image.series.startswith("2.25.")
    assert only(again).images == only(first).images
    assert rules(first, "1.1.1.3") == {"sr-unknown-series"}


def test_a_segment_has_its_source_series() -> None:
    marked = sr.image(f"{sr.STUDY}.5.5", "1.2.840.10008.5.1.4.1.1.66.4", "CONTAINS", ReferencedSegmentNumber=[2])
    marked.ConceptNameCodeSequence = Sequence([sr.coded(("121191", "DCM", "Referenced Segment"))])
    source = sr.uid(("121232", "DCM", "Source series for segmentation"), sr.SERIES, "CONTAINS")
    segment = only(received(sr.measured(marked, source))).segment
    assert segment is not None
    assert (segment.number, segment.source_series) == (2, sr.SERIES)


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


def test_observers_are_told_apart() -> None:
    context = "HAS OBS CONTEXT"
    content = sr.document(
        sr.item("PNAME", context, ("121008", "DCM", "Person Observer Name"), PersonName="Roe^Richard"),
        sr.answer(("121005", "DCM", "Observer Type"), ("121007", "DCM", "Device"), relation=context),
        sr.uid(("121012", "DCM", "Device Observer UID"), "1.2.3.4"),
        sr.text(("121013", "DCM", "Device Observer Name"), "MetDetect", relation=context),
        sr.container(
            sr.MEASUREMENTS,
            sr.text(("111001", "DCM", "Algorithm Name"), "net", relation="HAS CONCEPT MOD"),
            sr.text(("111003", "DCM", "Algorithm Version"), "2.1", relation="HAS CONCEPT MOD"),
            sr.group(long_axis()),
        ),
    )
    person, device = received(content).report.observers
    assert person.person is not None
    assert device.device is not None
    assert str(person.person.name) == "Roe^Richard"
    assert (device.device.name, device.device.algorithm, device.device.version) == ("MetDetect", "net", "2.1")


@pytest.mark.parametrize(
    ("keyword", "rule"),
    [
        ("PatientID", "sr-patient-id"),
        ("StudyInstanceUID", "sr-study"),
        ("ContentDate", "sr-issued"),
        ("ContentTime", "sr-issued"),
        ("TimezoneOffsetFromUTC", "sr-zone"),
        ("StudyDescription", "sr-procedure"),
        ("SOPInstanceUID", "sr-identity"),
    ],
)
def test_what_a_report_must_have_is_derived_and_flagged(keyword: str, rule: str) -> None:
    content = sr.measured(**{keyword: None})
    found = received(content)
    assert rule in rules(found)
    assert found.report == received(content).report
    assert (found.sr is None) == (keyword == "SOPInstanceUID")


def test_times_without_a_zone_have_that_of_the_site() -> None:
    found = received(sr.measured(TimezoneOffsetFromUTC=None), zone="Europe/Warsaw")
    assert found.report.issued.text == "2026-03-02T10:41:00+01:00"


@pytest.mark.parametrize(
    "syntax", ["1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.2", "1.2.840.10008.1.2.1.99"]
)
def test_every_transfer_syntax_says_the_same(syntax: str) -> None:
    def content(chosen: str) -> bytes:
        return sr.measured(long_axis(sr.shape("POLYLINE", [1.5, 2, 3, 4.25])), syntax=chosen)

    assert received(content(syntax)).report == received(content("1.2.840.10008.1.2.1")).report


def test_undefined_lengths_private_tags_and_unknown_vrs_are_stepped_over() -> None:
    group = sr.group(long_axis())
    group.is_undefined_length_sequence_item = True
    outer = sr.container(sr.MEASUREMENTS, group)
    block = group.private_block(0x0099, "SITE", create=True)
    block.add_new(1, "UN", b"\x01\x02")
    block.add_new(2, "SQ", Sequence([sr.coded(sr.MM)]))
    made = sr.document(outer)
    found = received(made)
    assert len(only(found).measurements) == 1
    undefined = outer["ContentSequence"]
    undefined.is_undefined_length = True
    assert received(sr.document(outer)).report == found.report


def test_a_bare_data_set_is_read() -> None:
    content = sr.measured(long_axis())
    start = 132 + 12 + int.from_bytes(content[140:144], "little")
    assert received(content[start:]).report == received(content).report


@pytest.mark.parametrize(
    ("charset", "name"),
    [
        ("ISO_IR 100", "Äneas^Rüdiger"),
        ("ISO_IR 101", "Żółć^Łukasz"),
        ("ISO_IR 144", "Люкceмбypг"),
        ("ISO_IR 192", "Żółć^Łukasz=山田^太郎"),
        (["", "ISO 2022 IR 87"], "Yamada^Tarou=山田^太郎=やまだ^たろう"),
        (["", "ISO 2022 IR 149"], "Hong^Gildong=洪^吉洞=홍^길동"),
        ("GB18030", "Wang^XiaoDong=王^小东"),
    ],
)
def test_character_sets(charset: Any, name: str) -> None:
    found = received(sr.measured(SpecificCharacterSet=charset, PatientName=name))
    assert str(found.report.patient.name) == name


def test_texts_of_iso_2022_are_read() -> None:
    comment = sr.text(("121106", "DCM", "Comment"), "脳転移 1")
    found = received(sr.measured(comment, SpecificCharacterSet=["", "ISO 2022 IR 87"]))
    assert only(found).text == "脳転移 1"


def test_a_text_report_becomes_findings_and_impression() -> None:
    content = sr.document(
        sr.container(("121070", "DCM", "Findings"), sr.text(("121071", "DCM", "Finding"), "Two lesions.")),
        sr.container(("121072", "DCM", "Impressions"), sr.text(("121073", "DCM", "Impression"), "Progress.")),
        root=("18748-4", "LN", "Diagnostic imaging report"),
        SOPClassUID=sr.BASIC_TEXT,
    )
    found = received(content)
    assert found.report.lesions == ()
    assert found.report.findings == "Findings:\nFinding: Two lesions."
    assert found.report.impression == "Progress."
    assert [(line.depth, line.kind, line.value) for line in found.outline] == [
        (0, "CONTAINER", ""),
        (1, "CONTAINER", ""),
        (2, "TEXT", "Two lesions."),
        (1, "CONTAINER", ""),
        (2, "TEXT", "Progress."),
    ]
    assert {loss.where for loss in found.losses if loss.rule == "sr-as-text"} == {"1.1.1", "1.2.1"}


def test_a_loss_is_told_on_one_line() -> None:
    content = sr.document(
        sr.text(("X", "99SITE", "Note"), "one\r\ntwo"), SOPClassUID=sr.BASIC_TEXT, root=("Y", "99SITE", "Z")
    )
    found = received(content)
    assert found.report.findings == "Note: one\ntwo"
    assert [loss.what for loss in found.losses if loss.where == "1.1"] == ["Note: one two"]


def test_numbers_of_a_dose_document_are_listed_not_told() -> None:
    content = sr.document(
        sr.num(("113811", "DCM", "DLP"), "12", ("mGy.cm", "UCUM", "mGy.cm")),
        root=("113701", "DCM", "X-Ray Radiation Dose Report"),
        SOPClassUID="1.2.840.10008.5.1.4.1.1.88.67",
    )
    found = received(content)
    assert found.report.findings == "X-Ray Radiation Dose Report"
    assert [(loss.kind, loss.what) for loss in found.losses if loss.where == "1.1"] == [
        (LossKind.SKIPPED, "DLP: 12 mGy.cm")
    ]


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


@pytest.mark.parametrize("end", [200, 400, 700])
def test_a_truncated_file_is_refused_with_the_place(end: int) -> None:
    with pytest.raises(Unreadable) as raised:
        received(sr.measured(long_axis())[:end])
    assert raised.value.problems[0].rule in ("dicom", "sr-no-tree")


def test_what_is_no_sr_is_refused() -> None:
    made = Dataset()
    made.SOPClassUID, made.SOPInstanceUID = sr.MR, "1.2.3"
    with pytest.raises(Unreadable) as raised:
        received(sr.encoded(made))
    assert raised.value.problems[0].rule == "sr-no-tree"


def test_depth_size_and_number_of_items_are_bounded() -> None:
    deep = long_axis()
    for _ in range(40):
        deep = sr.container(sr.MEASUREMENTS, deep)
    with pytest.raises(Invalid) as raised:
        received(sr.document(deep))
    assert raised.value.problems[0].rule == "limit"
    with pytest.raises(Invalid):
        received(sr.measured(*(long_axis() for _ in range(20))), limits=Limits(values=10))
    with pytest.raises(TooLarge):
        received(sr.measured(), limits=Limits(body_bytes=100))
    with pytest.raises(Invalid):
        received(sr.document(sr.container(sr.MEASUREMENTS, sr.group(), sr.group())), limits=Limits(lesions=1))


def test_a_deflated_bomb_is_refused() -> None:
    content = sr.measured(sr.text(("121106", "DCM", "Comment"), "x" * 5_000_000), syntax="1.2.840.10008.1.2.1.99")
    assert len(content) < 50_000
    with pytest.raises(TooLarge):
        received(content, limits=Limits(body_bytes=1_000_000))


def sizes(number: int) -> bytes:
    """A group of so many measurements."""
    return sr.measured(*(long_axis(value=str(one + 1)) for one in range(number)))


def words_beside_codes(number: int) -> bytes:
    """A group of so many codes, and as many words that each belong to one."""
    evaluations = ("C0034375", "UMLS", "Qualitative Evaluations")
    field = ("121071", "DCM", "Finding")
    answers = [sr.answer(field, ("1", "99SITE", "x")) for _ in range(number)]
    words = [
        sr.text(
            evaluations,
            "Finding: x y",
            sr.answer(("121050", "DCM", "Name"), field, relation="HAS CONCEPT MOD"),
            sr.answer(("121051", "DCM", "Value"), ("2", "99SITE", "z"), relation="HAS CONCEPT MOD"),
        )
        for _ in range(number)
    ]
    return sr.measured(*answers, *words)


@pytest.mark.parametrize("group", [sizes, words_beside_codes])
def test_four_times_as_large_a_group_costs_four_times_as_much_to_read(group: Callable[[int], bytes]) -> None:
    few, many = (cost(partial(received, group(number))).instructions for number in (100, 400))
    assert many <= few * 4
