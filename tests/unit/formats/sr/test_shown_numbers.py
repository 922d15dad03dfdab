"""Which number a shape stands below, where a lesion has several of one name: never the wrong one."""

import json
from decimal import Decimal
from typing import Any

from service.coding import vocabulary
from service.coding.coder import code_report
from service.domain.limits import Limits
from service.domain.received import Intake
from service.domain.report import CodedReport
from service.formats.findings.read import read as read_findings
from service.formats.sr.decode import decode_file
from service.formats.sr.read import read
from service.formats.sr.tree import ContentItem
from service.formats.sr.write import write
from tests import sr_files as sr
from tests.documents import EXAMPLE
from tests.unit.formats.sr.reading import received
from tests.unit.formats.sr.written import named, tree

MR = {"sopClass": "1.2.840.10008.5.1.4.1.1.4", "series": "1.2.3.4"}
FIRST, SECOND = {**MR, "sop": "1.2.3.4.1"}, {**MR, "sop": "1.2.3.4.2"}
LENGTH = ("410668003", "SCT", "Length")
ENHANCED = "1.2.840.10008.5.1.4.1.1.4.1"


def of_lesion(measurements: list[dict[str, Any]], images: list[dict[str, Any]]) -> CodedReport:
    """The example with a lesion of these numbers and images."""
    lesion = {"id": "L1", "finding": "brain metastasis", "measurements": measurements, "images": images}
    body = json.dumps({**EXAMPLE, "lesions": [lesion]}).encode()
    return code_report(read_findings(body, default_sender="local", limits=Limits()), vocabulary())


def measured(concept: str, value: str, **more: Any) -> dict[str, Any]:
    return {"concept": concept, "value": value, "unit": "mm", **more}


def line(shows: str, at: float = 1.0) -> dict[str, Any]:
    return {"points": [[at, 1.0], [at + 9.0, 1.0]], "measurement": shows}


def numbers(root: ContentItem) -> list[tuple[Decimal, list[float]]]:
    """Each NUM of the groups, with where each shape below it begins."""
    (group,) = named(root, "measurement-group")
    return [
        (item.value.decimal, [child.value.numbers[0] for child in item.children if child.value_type == "SCOORD"])
        for item in group.children
        if item.value_type == "NUM"
    ]


def rules(report: CodedReport) -> list[tuple[str, str]]:
    return [(loss.where, loss.rule) for loss in report.losses if loss.rule == "shape-of-several"]


def test_a_shape_that_may_show_several_numbers_stands_below_none_and_is_flagged() -> None:
    image = FIRST["sop"]
    twice = [measured("length", "10", image=image), measured("length", "20", image=image)]

    report = of_lesion(twice, [{**FIRST, "line": [line("length", 1.0), line("length", 30.0)]}])

    assert numbers(tree(report)) == [(Decimal(10), []), (Decimal(20), [])]
    (group,) = named(tree(report), "measurement-group")
    assert [item.value.numbers[0] for item in group.children if item.value_type == "SCOORD"] == [1.0, 30.0]
    at = "/lesions/0/images/0/line"
    assert rules(report) == [(f"{at}/0/measurement", "shape-of-several"), (f"{at}/1/measurement", "shape-of-several")]


def test_the_image_of_a_number_tells_which_one_a_shape_shows() -> None:
    twice = [measured("length", "20", image=SECOND["sop"]), measured("length", "10", image=FIRST["sop"])]

    report = of_lesion(twice, [{**FIRST, "line": line("length", 1.0)}, {**SECOND, "line": line("length", 30.0)}])

    assert numbers(tree(report)) == [(Decimal(20), [30.0]), (Decimal(10), [1.0])]
    assert rules(report) == []


def test_two_lengths_of_one_image_in_the_sr_of_another_maker_do_not_share_their_lines() -> None:
    there = sr.measured(
        sr.num(LENGTH, "10", sr.MM, sr.shape("POLYLINE", [1, 1, 11, 1])),
        sr.num(LENGTH, "20", sr.MM, sr.shape("POLYLINE", [1, 5, 21, 5])),
    )

    report = code_report(received(there).report, vocabulary())

    assert numbers(tree(report)) == [(Decimal(10), []), (Decimal(20), [])]
    assert [where for where, _ in rules(report)] == ["1.1.1.3", "1.1.1.4"]


def test_two_lengths_on_two_frames_of_one_instance_do_not_share_their_lines() -> None:
    frames = [sr.image(sop_class=ENHANCED, ReferencedFrameNumber=frame) for frame in (1, 2)]
    there = sr.measured(
        sr.num(LENGTH, "10", sr.MM, sr.shape("POLYLINE", [1, 1, 11, 1], frames[0])),
        sr.num(LENGTH, "20", sr.MM, sr.shape("POLYLINE", [1, 5, 21, 5], frames[1])),
        CurrentRequestedProcedureEvidenceSequence=[sr.evidence(sop_class=ENHANCED)],
    )

    report = code_report(received(there).report, vocabulary())

    assert numbers(tree(report)) == [(Decimal(10), []), (Decimal(20), [])]


def test_what_stands_below_no_number_comes_back_as_it_was() -> None:
    image = FIRST["sop"]
    twice = [measured("length", "10", image=image), measured("length", "20", image=image)]
    report = of_lesion(twice, [{**FIRST, "line": [line("length", 1.0), line("length", 30.0)]}])

    found = read(write(report).content, Intake())

    (lesion,) = found.report.lesions
    assert [one.value for one in lesion.measurements] == [10, 20]
    assert [region.points[0][0] for region in lesion.images[0].regions] == [1.0, 30.0]
    assert found.losses == ()


def test_ohif_shows_the_number_of_the_image_that_the_line_is_on() -> None:
    twice = [measured("length", "20", image=SECOND["sop"]), measured("length", "10", image=FIRST["sop"])]

    report = of_lesion(twice, [{**FIRST, "line": line("length")}, SECOND])

    assert numbers(decode_file(write(report, dialect="ohif").content)[1]) == [(Decimal(10), [1.0]), (Decimal(20), [])]


def test_ohif_never_pairs_the_long_axis_of_one_image_with_the_short_axis_of_another() -> None:
    mixed = [
        measured("long axis", "20", image=SECOND["sop"]),
        measured("short axis", "5", image=FIRST["sop"]),
        measured("long axis", "10", image=FIRST["sop"]),
        measured("short axis", "15", image=SECOND["sop"]),
    ]
    axes = [{"long": [[at, 1], [at + 8, 1]], "short": [[at + 2, 0], [at + 2, 2]]} for at in (1, 50)]

    report = of_lesion(mixed, [{**FIRST, "bidirectional": axes[0]}, {**SECOND, "bidirectional": axes[1]}])

    first = numbers(decode_file(write(report, dialect="ohif").content)[1])[:2]
    assert first == [(Decimal(10), [1.0]), (Decimal(5), [3.0])]


def test_ohif_takes_no_area_of_another_image_for_that_of_an_outline() -> None:
    area = {"concept": "area", "value": "90", "unit": "mm2", "image": SECOND["sop"]}
    outline = {**FIRST, "polygon": {"points": [[0, 0], [4, 0], [4, 3], [0, 3]]}}

    report = of_lesion([area], [outline, SECOND])

    first, other = numbers(decode_file(write(report, dialect="ohif").content)[1])
    assert (first, other) == ((Decimal("12.00"), [0.0]), (Decimal(90), []))
