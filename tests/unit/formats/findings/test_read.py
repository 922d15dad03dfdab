"""What a sender says arrives in the domain as it was said."""

from decimal import Decimal
from typing import Any

import pytest

from service.domain.codes import Code, Term
from service.domain.errors import Invalid, TooLarge, Unreadable
from service.domain.geometry import Graphic, Graphic3D
from service.domain.limits import Limits
from service.domain.report import CountKind, Lesion, LesionReport, Sex, Status
from service.formats.findings.read import read
from tests.documents import EXAMPLE, FULL, Json, as_bytes, make_document, make_lesion_document


def read_document(document: Json, sender: str = "local") -> LesionReport:
    return read(as_bytes(document), default_sender=sender, limits=Limits())


def read_lesion(**members: Any) -> Lesion[Term]:
    return read_document(make_lesion_document(**members)).lesions[0]


def test_reads_the_example() -> None:
    report = read_document(EXAMPLE)

    assert (report.id, report.status, report.version, report.language) == ("MR-2026-000481", Status.FINAL, 1, "en-US")
    assert report.patient.sex is Sex.FEMALE
    assert str(report.patient.name) == "Doe^Jane"
    (lesion,) = report.lesions
    assert (lesion.finding.text, lesion.laterality) == ("brain metastasis", Term("left"))
    assert [(str(m.value), m.unit.text) for m in lesion.measurements] == [
        ("14.2", "mm"),
        ("11.0", "mm"),
        ("1450", "mm3"),
    ]
    assert lesion.evaluations[0].name == Term("T1")
    assert lesion.evaluations[0].value == Term("hypointense")
    (shown,) = lesion.images
    assert shown.image.frames == ()  # frame 1 of a single-frame image is the image
    assert shown.regions[0].points == ((102.5, 88.0), (116.7, 88.0))
    assert shown.regions[0].measurement == Term("long axis")


def test_reads_every_member() -> None:
    report = read_document(FULL)

    assert report.predecessor is not None
    assert report.predecessor.study == "1.2.3"
    assert report.negatives == (Term("haemorrhage"),)
    assert str(report.patient.name) == "Yamada^Tarou^M^Dr.^Jr.=山田^太郎=やまだ^たろう"
    assert report.study.referring_physician is not None
    assert report.study.referring_physician.role == Term("referring physician")
    assert report.verifier is not None
    first, second = report.lesions
    assert first.finding.code == Code("SCT", "94225005", "")
    assert first.measurements[0].range is not None
    assert str(first.measurements[0].range.high) == "10.5"
    assert first.evaluations[1].name.code == Code("99SITE", "x", "")
    assert [region.graphic for region in first.images[0].regions] == [
        Graphic.LINE,
        Graphic.LINE,
        Graphic.LINE,
        Graphic.POLYGON,
        Graphic.POLYGON,
        Graphic.POINT,
    ]
    assert first.regions3d[0].graphic is Graphic3D.POLYLINE
    assert first.segment is not None
    assert (second.count, second.time_point and second.time_point.label) == (CountKind.INNUMERABLE, "baseline")


def test_a_report_without_a_sender_is_the_default_senders() -> None:
    assert read_document(make_document(), sender="engine-1").sender == "engine-1"
    assert read_document(FULL, sender="engine-1").sender == "metdetect"


@pytest.mark.parametrize("written", ["12.50", "0.0", "1450", "-3", "1e3", "0.000001", "1.5E-3"])
def test_a_number_keeps_its_digits(written: str) -> None:
    by_text = read_lesion(measurements={"volume": f"{written} mm3"})
    body = as_bytes(make_lesion_document(measurements={"volume": {"value": "@", "unit": "mm3"}}))
    by_number = read(body.replace(b'"@"', written.encode()), default_sender="", limits=Limits()).lesions[0]

    for lesion in (by_text, by_number):
        assert lesion.measurements[0].value.as_tuple() == Decimal(written).as_tuple()


@pytest.mark.parametrize(
    ("text", "unit"),
    [
        ("14.2 mm", "mm"),
        ("14.2mm", "mm"),
        ("5%", "%"),
        ("45 [hnsf'U]", "[hnsf'U]"),
        ("3 1", "1"),
        ("0.8 10*-6.mm2/s", "10*-6.mm2/s"),
        ("0.8 10-3.mm2/s", "10-3.mm2/s"),
        ("0.8 x10-3 mm2/s", "x10-3 mm2/s"),
        ("0.8 10^-3 mm2/s", "10^-3 mm2/s"),
        ("0.8 ×10⁻³ mm²/s", "×10⁻³ mm²/s"),
        ("4.2 g/ml{SUVbw}", "g/ml{SUVbw}"),
        ("40 Hounsfield units", "Hounsfield units"),
        ("3 {lesions}", "{lesions}"),
    ],
)
def test_a_measurement_in_one_string_has_its_unit(text: str, unit: str) -> None:
    assert read_lesion(measurements={"x": text}).measurements[0].unit == Term(unit)


def test_one_thing_may_be_measured_several_times_in_the_list_form() -> None:
    lesion = read_lesion(
        measurements=[{"concept": "long axis", "value": "14 mm"}, {"concept": "long axis", "value": 15, "unit": "mm"}]
    )
    assert [m.value for m in lesion.measurements] == [Decimal(14), Decimal(15)]


def test_commas_part_no_term() -> None:
    lesion = read_lesion(descriptors={"margin": "smooth, lobulated"})
    assert [e.value.text for e in lesion.evaluations] == ["smooth, lobulated"]


def test_a_list_of_terms_is_several_answers_in_order() -> None:
    lesion = read_lesion(descriptors={"margin": ["smooth", "lobulated"]})
    assert [(e.name.text, e.value.text) for e in lesion.evaluations] == [("margin", "smooth"), ("margin", "lobulated")]


@pytest.mark.parametrize(
    "point",
    [[7.5, 8], [[7.5, 8]], {"points": [[7.5, 8]]}, [{"points": [[7.5, 8]]}]],
    ids=["x", "list", "object", "many"],
)
def test_a_point_may_be_bare(point: Any) -> None:
    image = {"sopClass": "1.2.840.10008.5.1.4.1.1.4", "sop": "1.2.3.4.5", "series": "1.2.3.4", "point": point}
    (region,) = read_lesion(images=[image]).images[0].regions
    assert (region.graphic, region.points) == (Graphic.POINT, ((7.5, 8.0),))


def test_the_closing_point_of_a_polygon_is_left_out() -> None:
    triangle = [[0, 0], [4, 0], [4, 4]]
    image = {"sopClass": "1.2.3", "sop": "1.2.3.4.5", "series": "1.2.3.4"}
    closed = read_lesion(images=[image | {"polygon": {"points": [*triangle, triangle[0]]}}])
    plain = read_lesion(images=[image | {"polygon": {"points": triangle}}])
    assert closed == plain


_AXES = {"long": [[1, 2], [3, 4]], "short": {"points": [[1, 4], [3, 2]], "measurement": "width"}}


@pytest.mark.parametrize(
    ("measured", "shown"),
    [("long axis", Term("long axis")), ("Long-Axis", Term("long axis")), ("volume", None)],
)
def test_an_axis_shows_what_it_says_or_the_measurement_of_its_name(measured: str, shown: Term | None) -> None:
    image = {"sopClass": "1.2.3", "sop": "1.2.3.4.5", "series": "1.2.3.4", "bidirectional": _AXES}
    regions = read_lesion(measurements={measured: "9 mm"}, images=[image]).images[0].regions
    assert [region.measurement for region in regions] == [shown, Term("width")]


def test_white_space_around_is_padding_and_line_breaks_are_one_kind() -> None:
    lesion = read_lesion(text="  Abuts the falx.\r\nNo oedema.\r", site=" frontal lobe ")
    assert (lesion.text, lesion.site) == ("Abuts the falx.\nNo oedema.", Term("frontal lobe"))


def test_each_term_knows_its_place() -> None:
    lesion = read_lesion(descriptors={"a/b~c": ["x", "y"]}, site="frontal lobe")
    assert lesion.site is not None
    assert lesion.site.where == "/lesions/0/site"
    assert [e.value.where for e in lesion.evaluations] == [
        "/lesions/0/descriptors/a~1b~0c/0",
        "/lesions/0/descriptors/a~1b~0c/1",
    ]


def test_a_byte_order_mark_is_skipped() -> None:
    assert read(b"\xef\xbb\xbf" + as_bytes(make_document()), default_sender="", limits=Limits()).id == "R1"


def test_a_withdrawn_report_may_be_empty() -> None:
    report = make_document()["report"] | {"status": "entered-in-error"}
    assert read_document(make_document(report=report, lesions=None)).lesions == ()


def test_all_problems_are_said_at_once() -> None:
    document = make_document(
        report={"id": "R1", "status": "done", "issued": "yesterday"}, patient={"id": "", "mrn": "1"}, study=None
    )
    with pytest.raises(Invalid) as refused:
        read_document(document)
    assert {(problem.pointer, problem.rule) for problem in refused.value.problems} == {
        ("/report/status", "choice"),
        ("/report/issued", "date"),
        ("/patient/id", "empty"),
        ("/patient/mrn", "unknown-member"),
        ("/study", "required"),
    }


def test_refuses_a_body_over_the_limit_before_it_looks_inside() -> None:
    with pytest.raises(TooLarge):
        read(b"\xff" * 11, default_sender="", limits=Limits(body_bytes=10))


def test_what_is_no_json_is_unreadable_and_not_invalid() -> None:
    with pytest.raises(Unreadable):
        read(as_bytes(EXAMPLE)[:-1], default_sender="", limits=Limits())


def test_several_segments_of_one_seg_are_read_and_the_seg_among_the_images_too() -> None:
    segment: Json = {"sop": "1.2.3.8.1", "series": "1.2.3.8"}
    image = {"sopClass": "1.2.840.10008.5.1.4.1.1.66.4", **segment}
    lesions: list[Json] = [
        {"id": f"L{number}", "finding": "brain metastasis", "segment": segment | {"number": number}, "images": [image]}
        for number in (1, 2)
    ]
    report = read(as_bytes(make_document(lesions=lesions)), default_sender="local", limits=Limits())
    assert [lesion.segment.number for lesion in report.lesions if lesion.segment is not None] == [1, 2]
