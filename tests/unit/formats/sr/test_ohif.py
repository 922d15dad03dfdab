"""The dialect of the OHIF viewer: each group has the shape of its tool and a number of that shape."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from service.domain.errors import Invalid
from service.domain.geometry import Graphic, LesionImage
from service.domain.loss import LossKind
from service.domain.report import TimePoint
from service.formats.sr.decode import decode_file
from service.formats.sr.dialects import DIALECTS
from service.formats.sr.names import name
from service.formats.sr.tree import ContentItem
from service.formats.sr.write import write
from tests.report_set import ohif_report
from tests.report_terms import AREA, LONG_AXIS, MAXIMUM, MM, MM2, SUSPICIOUS, term
from tests.reports import TRIANGLE, image, make_coded_report, make_lesion, number, region
from tests.unit.formats.sr.written import named, tree


def test_ohif_names_the_tool_and_puts_its_numbers_first() -> None:
    root = tree(ohif_report(), dialect="ohif")
    identifiers = [item.value for item in named(root, "tracking-identifier")]
    assert identifiers == [
        "Cornerstone3DTools@^0.1.0:Bidirectional:O1",
        "Cornerstone3DTools@^0.1.0:Length:O2",
        "Cornerstone3DTools@^0.1.0:PlanarFreehandROI:O3",
    ]
    for group in named(root, "measurement-group"):
        first = next(item for item in group.children if item.value_type == "NUM")
        assert [child.value_type for child in first.children] == ["SCOORD"]
        assert group.value == "1501"


def test_ohif_never_shows_a_length_as_the_area_of_an_outline() -> None:
    outline = LesionImage(image(), (region(Graphic.POLYGON, *TRIANGLE),))
    lengths = make_lesion("A", images=(outline,), measurements=(number(LONG_AXIS, "14.2", MM),))
    area = make_lesion("B", images=(outline,), measurements=(number(LONG_AXIS, "14.2", MM), number(AREA, "9", MM2)))
    document = write(make_coded_report(lesions=(lengths, area)), dialect="ohif")
    computed, measured = _first_numbers(document.content)
    assert computed.concept_name == measured.concept_name == name("area")
    assert computed.value.unit == name("unit-pixels")
    assert (measured.value.decimal, measured.value.unit) == (Decimal(9), name("unit-mm2"))
    assert [loss.rule for loss in document.losses] == ["sr-computed-number"]


def _first_numbers(content: bytes) -> list[ContentItem]:
    """The number of each group that the viewer takes for the one of its tool."""
    groups = named(decode_file(content)[1], "measurement-group")
    return [next(item for item in group.children if item.value_type == "NUM") for group in groups]


def test_ohif_computes_the_number_of_a_shape_that_nobody_measured_and_says_so() -> None:
    outline = region(Graphic.POLYGON, (0.0, 0.0), (4.0, 0.0), (4.0, 3.0), (0.0, 3.0), where="/outline")
    line = region(Graphic.LINE, (0.0, 0.0), (4.0, 3.0), where="/line")
    lesions = [
        make_lesion(one.graphic, images=(LesionImage(image(), (one,)),), measurements=()) for one in (outline, line)
    ]
    document = write(make_coded_report(lesions=tuple(lesions)), dialect="ohif")
    area, length = _first_numbers(document.content)
    assert (area.concept_name, area.value.digits) == (name("area"), "12.00")
    assert (length.concept_name, length.value.digits) == (name("length"), "5.00")
    for number_of_shape in (area, length):
        assert number_of_shape.value.unit == name("unit-pixels")
        # The viewer looks for the shape of a number that has nothing else below it.
        assert [child.value_type for child in number_of_shape.children] == ["SCOORD"]
    said = [item.value for item in named(decode_file(document.content)[1], "qualitative-evaluations")]
    assert [text for text in said if isinstance(text, str) and "not measured" in text] == [
        "Area: computed from the shape, in pixels; not measured",
        "Length: computed from the shape, in pixels; not measured",
    ]
    assert [(loss.kind, loss.where, loss.rule) for loss in document.losses] == [
        (LossKind.FLAGGED, "/outline", "sr-computed-number"),
        (LossKind.FLAGGED, "/line", "sr-computed-number"),
    ]


def test_ohif_says_that_an_outline_no_longer_names_the_length_read_from_it() -> None:
    outline = region(Graphic.POLYGON, *TRIANGLE, shows=LONG_AXIS, where="/outline")
    report = make_coded_report(lesions=(make_lesion(images=(LesionImage(image(), (outline,)),)),))
    losses = write(report, dialect="ohif").losses
    assert [(loss.kind, loss.where) for loss in losses] == [
        (LossKind.FLAGGED, "/outline"),
        (LossKind.LOST, "/outline/measurement"),
    ]


def test_ohif_computes_nothing_where_a_shape_names_a_number_of_that_concept() -> None:
    """The shape on the other image would be taken for one of the computed number."""
    two = tuple(LesionImage(image(at), (region(Graphic.POLYGON, *TRIANGLE, shows=AREA),)) for at in (1, 2))
    said = number(AREA, "90000", term("unit-um2"))
    report = make_coded_report(lesions=(make_lesion(images=two, measurements=(said,)), *ohif_report().lesions))
    losses = write(report, dialect="ohif").losses
    assert [(loss.what, loss.rule) for loss in losses] == [("lesion", "sr-dialect")]


def test_ohif_puts_a_point_into_the_group_itself_or_below_the_number_that_it_shows() -> None:
    point = region(Graphic.POINT, (1.0, 2.0))
    bare = make_lesion("A", images=(LesionImage(image(), (point,)),), measurements=())
    showing = LesionImage(image(), (region(Graphic.POINT, (1.0, 2.0), shows=LONG_AXIS),))
    shown = make_lesion("B", images=(showing,))
    document = write(make_coded_report(lesions=(bare, shown)), dialect="ohif")
    first, second = named(decode_file(document.content)[1], "measurement-group")
    assert first.value == "1410"
    assert [item.concept_name for item in first.children if item.value_type == "SCOORD"] == [name("image-region")]
    (number_of_point,) = (item for item in second.children if item.value_type == "NUM" and item.children)
    assert number_of_point.concept_name == name("long-axis")
    assert document.losses == ()


@pytest.mark.parametrize(
    "brings",
    [
        {},
        {"measurements": (), "count": 3},
        {"measurements": (), "time_point": TimePoint("baseline", order=1)},
    ],
    ids=["number", "count", "order"],
)
def test_ohif_draws_no_point_before_which_a_number_of_something_else_would_stand(brings: dict[str, Any]) -> None:
    point = make_lesion("A", images=(LesionImage(image(), (region(Graphic.POINT, (1.0, 2.0)),)),), **brings)
    report = make_coded_report(lesions=(point, *ohif_report().lesions))
    assert [loss.what for loss in write(report, dialect="ohif").losses] == ["lesion"]


def test_ohif_says_in_words_which_lesion_it_can_not_draw() -> None:
    report = ohif_report()
    document = write(replace(report, lesions=(*report.lesions, make_lesion("L9"))), dialect="ohif")
    said = [item.value for item in named(decode_file(document.content)[1], "comment")]
    assert any(text.startswith("L9: brain metastasis; left, frontal lobe; long axis 14.2 mm") for text in said)
    assert [loss.what for loss in document.losses] == ["lesion"]


def test_ohif_refuses_a_report_of_which_no_lesion_would_remain() -> None:
    with pytest.raises(Invalid):
        write(make_coded_report(), dialect="ohif")


def test_every_dialect_writes_the_report_that_ohif_can_read() -> None:
    for dialect in (key for key, row in DIALECTS.items() if not row.words):
        assert len(named(tree(ohif_report(), dialect=dialect), "measurement-group")) == 3


def test_what_qualifies_a_lesion_that_no_tool_draws_is_said_with_it() -> None:
    drawn = ohif_report().lesions[1]
    most = number(LONG_AXIS, "14.2", MM, derivation=MAXIMUM)
    doubtful = make_lesion("A", certainty=SUSPICIOUS, measurements=(most,), evaluations=(), text="Seen on one slice.")
    (said,) = named(tree(make_coded_report(lesions=(drawn, doubtful)), dialect="ohif"), "comment")[-1:]
    assert said.value == (
        "A: brain metastasis; left, frontal lobe; certainty suspicious; long axis 14.2 mm (maximum)\nSeen on one slice."
    )
