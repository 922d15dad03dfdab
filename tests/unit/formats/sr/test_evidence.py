"""The evidence sequences have every image that the document refers to, once, and no other."""

from collections.abc import Iterator
from dataclasses import replace
from io import BytesIO

import pydicom
import pytest

from service.domain.errors import Contradiction
from service.domain.geometry import LesionImage
from service.formats.sr.write import write
from tests.report_set import REPORTS, rich_report
from tests.report_terms import PRIOR_UID
from tests.reports import image, make_coded_report, make_lesion
from tests.unit.formats.sr.written import header


def test_every_image_and_no_other_stands_in_exactly_one_evidence_sequence() -> None:
    for make in REPORTS.values():
        dataset = pydicom.dcmread(BytesIO(write(make()).content))
        evidence = [*_evidence(dataset, "CurrentRequestedProcedureEvidenceSequence")]
        other = [*_evidence(dataset, "PertinentOtherEvidenceSequence")]
        used = {str(one.ReferencedSOPInstanceUID) for one in _references(dataset)}
        assert len(set(evidence + other)) == len(evidence) + len(other)
        assert used == set(evidence + other)


def _evidence(dataset: pydicom.Dataset, keyword: str) -> Iterator[str]:
    for study in dataset.get(keyword, ()):
        for series in study.ReferencedSeriesSequence:
            yield from (str(one.ReferencedSOPInstanceUID) for one in series.ReferencedSOPSequence)


def _references(item: pydicom.Dataset) -> Iterator[pydicom.Dataset]:
    for child in item.get("ContentSequence", ()):
        yield from child.get("ReferencedSOPSequence", ())
        yield from _references(child)


def test_images_of_a_prior_study_are_other_evidence() -> None:
    dataset = header(rich_report())
    assert [str(study.StudyInstanceUID) for study in dataset.PertinentOtherEvidenceSequence] == [PRIOR_UID]


def test_refuses_one_instance_in_two_series() -> None:
    elsewhere = replace(image(), series="1.2.3.9")
    with pytest.raises(Contradiction):
        write(make_coded_report(lesions=(make_lesion(images=(LesionImage(image()), LesionImage(elsewhere))),)))
