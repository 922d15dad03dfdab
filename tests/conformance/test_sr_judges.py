"""What others make of our SRs: no judge objects, and highdicom reads every group with all that is in it."""

from collections import Counter
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import highdicom
import pytest

from service.domain.codes import CodedTerm
from service.domain.report import Lesion, Status
from service.formats.sr.dialects import DIALECTS
from service.formats.sr.draft import UNNAMED
from service.formats.sr.relationships import Iod
from service.formats.sr.tools import draw
from service.formats.sr.write import write
from tests.conftest import AskSr
from tests.report_set import REPORTS, ohif_report, regions3d_report, regions_report, segment_report, status_report
from tests.report_terms import UNCODED_FINDING
from tests.reports import make_coded_report, make_lesion


def _documents() -> Iterator[tuple[str, bytes]]:
    """Every report as the writer chooses, every state, and what holds shapes in every IOD."""
    for name, make in REPORTS.items():
        yield name, write(make()).content
    for status in Status:
        yield f"status-{status.value}", write(status_report(status)).content
    for iod in Iod:
        for name, report in (("regions", regions_report()), ("segment", segment_report()), ("3d", regions3d_report())):
            yield f"{name}-{iod.value}", write(report, iod=iod.value).content


def _written(folder: Path, documents: Iterator[tuple[str, bytes]]) -> list[Path]:
    paths = []
    for name, content in documents:
        path = folder / f"{name}.dcm"
        path.write_bytes(content)
        paths.append(path)
    return paths


@pytest.mark.slow
def test_no_judge_objects_to_any_report(tmp_path: Path, sr_complaints: AskSr) -> None:
    paths = _written(tmp_path, _documents())
    assert sr_complaints(paths, skip=["ohif", "dcentvfy"]) == []


def _for_ohif() -> Iterator[tuple[str, bytes]]:
    yield "ohif", write(ohif_report(), dialect="ohif").content
    yield "regions", write(regions_report(), dialect="ohif").content
    axes = ohif_report().lesions[0]
    uncoded = make_lesion("U1", finding=UNCODED_FINDING, images=axes.images, site=UNCODED_FINDING, laterality=None)
    yield "uncoded", write(make_coded_report(lesions=(uncoded,)), dialect="ohif").content


@pytest.mark.slow
def test_every_group_of_the_dialect_ohif_hydrates(tmp_path: Path, sr_complaints: AskSr) -> None:
    assert sr_complaints(_written(tmp_path, _for_ohif()), skip=["dcentvfy"]) == []


Pair = tuple[str, str]


def _key(code: Any) -> Pair:
    return (str(code.scheme_designator), str(code.value))


def _numbers(lesion: Lesion[CodedTerm], names: Callable[[CodedTerm], Pair]) -> Counter[tuple[Any, ...]]:
    return Counter((names(said.concept), float(said.value), names(said.unit)) for said in lesion.measurements)


def _answers(lesion: Lesion[CodedTerm], names: Callable[[CodedTerm], Pair]) -> Counter[tuple[Pair, Pair]]:
    """The answers with a code: highdicom reads no TEXT."""
    return Counter((names(said.name), names(said.value)) for said in lesion.evaluations if said.value.codes)


def _primary(term: CodedTerm) -> Pair:
    code = term.codes[0] if term.codes else UNNAMED[0]
    return (code.system, code.code)


@pytest.mark.parametrize("dialect", [one for one in DIALECTS if one != "text"])  # it has words and no groups
@pytest.mark.parametrize("name", REPORTS)
def test_highdicom_returns_every_group_with_all_its_measurements_and_evaluations(name: str, dialect: str) -> None:
    report = REPORTS[name]()
    row = DIALECTS[dialect]
    drawn = [draw(row, lesion) for lesion in report.lesions]
    kept = [one.lesion for one in drawn if not row.needs_shape or one.tool is not None]
    if report.lesions and not kept:
        pytest.skip("the dialect refuses a report of which nothing would remain")
    content: Any = highdicom.sr.srread(BytesIO(write(report, dialect=dialect).content)).content
    groups = {
        str(group.tracking_uid): group
        for group in (
            *content.get_image_measurement_groups(),
            *content.get_planar_roi_measurement_groups(),
            *content.get_volumetric_roi_measurement_groups(),
        )
    }
    assert groups.keys() == {lesion.tracking_uid for lesion in kept}
    for lesion in kept:
        group = groups[str(lesion.tracking_uid)]
        # It also counts what is no measurement or evaluation of the lesion (time point order and type, category).
        numbers = Counter((_key(one.name), float(one.value), _key(one.unit)) for one in group.get_measurements())
        answers = Counter((_key(one.name), _key(one.value)) for one in group.get_qualitative_evaluations())
        assert _numbers(lesion, _primary) <= numbers
        assert _answers(lesion, _primary) <= answers
        assert (_key(group.finding_type) if group.finding_type is not None else None) == (
            _primary(lesion.finding) if lesion.finding.codes else None
        )
