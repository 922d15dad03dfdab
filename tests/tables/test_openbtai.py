"""Every row of a real table of brain metastases becomes a coded report: 190 of them, with 292 measured lesions."""

import json
import math
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from service.check.compare import compare
from service.coding import vocabulary
from service.coding.coder import code_report
from service.domain.limits import Limits
from service.domain.report import CodedReport
from service.formats.fhir.write import write as write_fhir
from service.formats.findings.read import read
from service.formats.sr.write import write as write_sr
from tests.tables.openbtai import (
    DS_CHARACTERS,
    PATIENTS,
    PLAIN,
    ROWS,
    TABLE,
    TIME_POINTS,
    Row,
    all_findings,
    fitting,
    reports_of,
    rows_of,
)


@pytest.fixture
def rows(cases: Path) -> list[Row]:
    """The rows of the table."""
    return rows_of(cases / TABLE)


@pytest.fixture
def coded(rows: list[Row]) -> list[tuple[list[Row], CodedReport]]:
    """Every report of the table, read and coded, beside its rows."""
    made = (code(report) for report in all_findings(rows).values())
    return list(zip(reports_of(rows), made, strict=True))


def code(report: dict[str, Any]) -> CodedReport:
    """A report in findings JSON through the reader and the coder."""
    body = json.dumps(report).encode()
    return code_report(read(body, default_sender="local", limits=Limits()), vocabulary())


def measured(coded: list[tuple[list[Row], CodedReport]]) -> Iterator[tuple[Row, Any]]:
    """Each row beside the lesion it became."""
    for rows, report in coded:
        yield from zip(rows, report.lesions, strict=True)


def test_the_table_is_the_whole_one(rows: list[Row]) -> None:
    assert len(rows) == ROWS
    assert len({row["PATIENT"] for row in rows}) == PATIENTS
    assert len(reports_of(rows)) == TIME_POINTS


def test_the_numbers_of_the_table_prove_their_units(rows: list[Row]) -> None:
    # Volumes in cm3 as its authors say; then widths are in cm and surfaces in cm2, or these would not come out.
    for row in rows:
        total, necrotic, enhancing = (float(row[name]) for name in ("TOTALVOLUME", "NECVOLUME", "CEVOLUME"))
        assert math.isclose(total, necrotic + enhancing, abs_tol=1e-9)
        assert math.isclose(float(row["CERIMWIDTH"]), radius(total) - radius(necrotic), abs_tol=1e-9)
        roundness = 6 * math.sqrt(math.pi) * float(row["RENDVOLUME"]) / float(row["TOTALSURFACE"]) ** 1.5
        assert math.isclose(float(row["SURFACEREGULARITY"]), roundness, abs_tol=1e-9)


def radius(volume: float) -> float:
    """Of a ball of the volume."""
    return float((3 * volume / (4 * math.pi)) ** (1 / 3))


def test_every_row_keeps_its_numbers(coded: list[tuple[list[Row], CodedReport]]) -> None:
    seen = 0
    for row, lesion in measured(coded):
        diameter, *plain = lesion.measurements
        assert (diameter.concept.concept, diameter.derivation.concept) == ("diameter", "maximum")
        columns = [("MAXDIAMETER3D", "cm"), *((column, unit) for _, column, unit in PLAIN)]
        for item, (column, unit) in zip((diameter, *plain), columns, strict=True):
            assert item.unit.code.code == unit
            assert str(item.value) == fitting(row[column])
            assert len(fitting(row[column])) <= DS_CHARACTERS
            assert abs(item.value - Decimal(row[column])) < Decimal("1e-12")
        seen += 1
    assert seen == ROWS


def test_the_volumes_are_not_mistaken_for_each_other(coded: list[tuple[list[Row], CodedReport]]) -> None:
    for _, lesion in measured(coded):
        concepts = [item.concept.concept for item in lesion.measurements]
        assert concepts[1] == "volume"
        assert len(set(concepts)) == len(concepts)


def test_everything_is_coded_and_nothing_is_lost(coded: list[tuple[list[Row], CodedReport]]) -> None:
    for _, report in coded:
        assert report.losses == ()
        for lesion in report.lesions:
            terms = [lesion.finding, lesion.site, *(item.concept for item in lesion.measurements)]
            assert all(term is not None and term.codes for term in terms)


def test_the_primary_tumour_is_the_tables_or_none(coded: list[tuple[list[Row], CodedReport]]) -> None:
    keys = {"Breast": "breast-cancer", "NSCLC": "non-small-cell-lung-cancer", "SCLC": "small-cell-lung-cancer"}
    met = set()
    for rows, report in coded:
        said = [item.value.concept for item in report.evaluations]
        key = keys.get(rows[0]["Primary Tumor"])
        assert said == ([key] if key else [])
        met.add(rows[0]["Primary Tumor"])
    assert met == {*keys, "Others"}


def test_no_side_is_invented(coded: list[tuple[list[Row], CodedReport]]) -> None:
    for _, report in coded:
        assert not report.study.images
        for lesion in report.lesions:
            assert lesion.laterality is lesion.topography is None
            assert lesion.site is not None
            assert lesion.site.concept == "brain"
            assert not lesion.images


def test_a_shifted_date_stays_as_it_is(coded: list[tuple[list[Row], CodedReport]]) -> None:
    days = set()
    for rows, report in coded:
        assert report.study.started is not None
        assert report.study.started.da == rows[0]["TIME POINT"] == report.issued.da
        days.add(report.study.started.da[:4])
    assert min(days) == "1900"


def test_both_outputs_say_what_the_report_says(coded: list[tuple[list[Row], CodedReport]]) -> None:
    for _, report in coded:
        document = write_sr(report)
        assert document.reference is not None
        bundle = write_fhir(report, document.reference)
        assert document.losses == bundle.losses == ()
        assert compare(report, document.content, bundle.content) == ()


def test_a_lesion_keeps_its_tracking_uid_over_time(coded: list[tuple[list[Row], CodedReport]]) -> None:
    lesions = {(row["PATIENT"], row["LESION"]): lesion.tracking_uid for row, lesion in measured(coded)}
    for row, lesion in measured(coded):
        assert lesion.tracking_uid == lesions[row["PATIENT"], row["LESION"]]
    assert len(set(lesions.values())) == len(lesions)
