"""Every example in the dialects `enhanced`, `text` and `air`: what judges say, and what each dialect promises."""

from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pydicom
import pytest

from service.check.compare import compare
from service.domain.errors import Invalid
from service.domain.received import Intake
from service.domain.report import CodedReport
from service.formats.sr.read import read
from service.formats.sr.write import write
from service.pipeline import Format, Options, Source, convert
from tests.conftest import AskSr
from tests.oracles.sr_batches import hydrated
from tests.report_set import minimal_report, regions3d_report
from tests.unit.formats.sr.test_round_trip import EXAMPLES, coded

NOT_OF_TEXT = ("highdicom", "house", "pixelmed", "tid1500reader")
"""Judges that know TID 1500 only."""


def examples() -> dict[str, CodedReport]:
    return {path.stem: coded(path.read_bytes()) for path in EXAMPLES}


@pytest.mark.slow
@pytest.mark.parametrize("dialect", ["enhanced", "text", "air"])
def test_no_judge_objects_to_an_example(tmp_path: Path, sr_complaints: AskSr, dialect: str) -> None:
    paths = []
    for name, report in examples().items():
        written = write(report, dialect=dialect)
        assert compare(report, written.content, None, written.losses) == ()
        path = tmp_path / f"{name}.dcm"
        path.write_bytes(written.content)
        paths.append(path)
    skip = ["ohif", "dcentvfy", *(NOT_OF_TEXT if dialect == "text" else ())]
    assert sr_complaints(paths, skip=skip) == []


def located(group: Any) -> list[Any]:
    """The shapes of a group, wherever they stand in it."""
    below = [one for item in group.get("ContentSequence", ()) for one in (item, *item.get("ContentSequence", ()))]
    return [item for item in below if item.get("ValueType") in ("SCOORD", "SCOORD3D")]


def groups(root: Any) -> Iterator[Any]:
    """Every measurement group."""
    for item in root.get("ContentSequence", ()):
        if [name.get("CodeValue") for name in item.get("ConceptNameCodeSequence", ())] == ["125007"]:
            yield item
        yield from groups(item)


def tracked(group: Any) -> str:
    return next(str(item.UID) for item in group.ContentSequence if item.get("ValueType") == "UIDREF")


def turned(points: list[list[float]]) -> set[tuple[float, float]]:
    """Points as their places beside the first one; the judge's images have pixels of one millimetre."""
    (first, *_) = points
    return {(round(one[0] - first[0], 3), round(one[1] - first[1], 3)) for one in points}


@pytest.mark.cases
@pytest.mark.oracle("sr")
def test_ohif_draws_every_group_with_coordinates_of_anybodys_document(
    cases: Path, tmp_path: Path, oracle: Callable[[str], Path]
) -> None:
    """Each hydrates with the points of its first shape as the file has them; circles and ellipses as polygons."""
    oracle("node/node_modules")
    made, wanted = {}, {}
    for path in sorted((cases / "sr").glob("tid1500*.dcm")):
        given = {tracked(group): located(group) for group in groups(pydicom.dcmread(path))}
        drawable = {uid: shapes for uid, shapes in given.items() if shapes}
        if not drawable:
            with pytest.raises(Invalid):
                convert(Source(path.read_bytes(), Format.SR), (Format.SR,), Options(dialect="ohif"))
            continue
        target = tmp_path / path.name
        source = Source(path.read_bytes(), Format.SR)
        target.write_bytes(
            convert(source, (Format.SR,), Options(dialect="ohif", check=True)).outputs[Format.SR].content
        )
        made[target] = [tracked(group) for group in groups(pydicom.dcmread(target))]
        wanted[target] = drawable
        assert set(drawable) == set(made[target]), path.name
    assert len(made) == 8
    told = hydrated(list(made))
    for target, uids in made.items():
        assert told[target]["errors"] == [], target.name
        for uid, points in zip(uids, told[target]["points"], strict=True):
            first = wanted[target][uid][0]
            corners = [list(one) for one in zip(first.GraphicData[0::2], first.GraphicData[1::2], strict=True)]
            if first.GraphicType in ("CIRCLE", "ELLIPSE"):
                assert len(points) == 72
            else:
                assert turned(corners) <= turned(points), (target.name, uid)


def data_set(report: CodedReport, dialect: str) -> Any:
    return pydicom.dcmread(BytesIO(write(report, dialect=dialect).content))


def test_enhanced_is_enhanced_whatever_a_lesion_brings() -> None:
    written = write(regions3d_report(), dialect="enhanced")
    assert written.reference.sop_class.endswith("88.22")
    assert {loss.rule for loss in written.losses} >= {"sr-one-kind-of-region"}


def test_air_is_comprehensive_3d_with_the_uid_of_each_algorithm() -> None:
    made = data_set(coded((Path(EXAMPLES[0].parent) / "brain-mr-ai-preliminary.json").read_bytes()), "air")
    assert made.SOPClassUID.endswith("88.34")
    for equipment in made.ContributingEquipmentSequence:
        assert equipment.DeviceUID
        assert equipment.SoftwareVersions
        assert equipment.PurposeOfReferenceCodeSequence[0].CodeMeaning == "Processing Equipment"


def test_air_without_a_device_says_so() -> None:
    assert "sr-no-algorithm" in {loss.rule for loss in write(minimal_report(), dialect="air").losses}


def test_a_text_report_says_each_lesion_in_words_and_names_what_it_can_not() -> None:
    for report in examples().values():
        written = write(report, dialect="text")
        assert written.reference.sop_class.endswith("88.11")
        found = read(written.content, Intake()).report
        for lesion in report.lesions:
            assert f"{lesion.id}: {lesion.finding.text}" in (found.findings or "")
        images = [shown for lesion in report.lesions for shown in lesion.images]
        drawn = {shown.image.where for shown in images} | {one.where for shown in images for one in shown.regions}
        assert drawn <= {loss.where for loss in written.losses}


def test_a_word_that_is_missing_in_a_text_report_is_seen() -> None:
    report = examples()["bone-scan-ribs"]
    written = write(report, dialect="text")
    words = report.lesions[0].finding.text.encode()
    spoiled = written.content.replace(words, b"x" * len(words))
    assert compare(report, spoiled, None, written.losses)
