"""Every example in the dialects `enhanced`, `text` and `air`: what judges say, and what each dialect promises."""

from io import BytesIO
from pathlib import Path
from typing import Any

import pydicom
import pytest

from service.check.compare import compare
from service.domain.received import Intake
from service.domain.report import CodedReport
from service.formats.sr.read import read
from service.formats.sr.write import write
from tests.conftest import AskSr
from tests.reports import minimal_report, regions3d_report
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
