"""Spreadsheets of lesions: rows to reports, each fault at its line and column."""

from pathlib import Path

import pytest

from service.coding import vocabulary
from service.coding.coder import code_report
from service.domain.errors import Invalid, LesionBridgeError, Refused, Unreadable
from service.domain.limits import Limits
from service.domain.received import Intake, Received
from service.doors import READERS, Format, reports

MAPPING = """
[table]
report = ["PATIENT", "DATE"]
[constants]
"/report/status" = "final"
"/study/modality" = "MR"
"/study/procedure" = "MRI brain"
"/lesions/finding" = "brain metastasis"
[columns]
PATIENT = "/patient/id"
DATE = "/report/issued"
NO = "/lesions/id"
SIDE = "/lesions/laterality"
SITE = "/lesions/site"
LONG = {measurement = "long axis", unit = "cm"}
EDEMA = {descriptor = "edema degree"}
NOTE = {ignore = true}
[values.SIDE]
L = "left"
R = "right"
[dates]
DATE = "%d.%m.%Y"
"""
TABLE = """PATIENT;DATE;NO;SIDE;SITE;LONG;EDEMA;NOTE
P1;02.03.2026;1;L;frontal lobe;1.40;moderate;x
P1;02.03.2026;2;R;parietal lobe;;NA;y
P2;03.03.2026;1;;cerebellum;0.9;;
"""


def read(table: str = TABLE, mapping: str = MAPPING, **more: object) -> list[Received | LesionBridgeError]:
    return list(reports(table.encode(), Intake(zone="Europe/Berlin", mapping=mapping, **more)))  # type: ignore[arg-type] # settings of a test


def taken(table: str = TABLE, mapping: str = MAPPING) -> list[Received]:
    found = read(table, mapping)
    assert not [one for one in found if isinstance(one, LesionBridgeError)]
    return [one for one in found if isinstance(one, Received)]


def test_rows_with_the_same_key_are_one_report() -> None:
    first, second = (one.report for one in taken())
    assert [lesion.id for lesion in first.lesions] == ["1", "2"]
    assert (first.patient.id, second.patient.id) == ("P1", "P2")
    assert first.issued.text == "2026-03-02T12:00:00+01:00"


def test_cells_are_coded_and_numbers_keep_their_digits() -> None:
    lesion = code_report(taken()[0].report, vocabulary()).lesions[0]
    assert lesion.finding.concept == "brain-metastasis"
    assert (lesion.laterality and lesion.laterality.text, str(lesion.measurements[0].value)) == ("left", "1.40")
    assert lesion.measurements[0].unit.codes[0].code == "cm"
    assert [answer.value.text for answer in lesion.evaluations] == ["moderate"]


def test_places_are_lines_and_columns() -> None:
    lesion = taken()[0].report.lesions[1]
    assert lesion.site is not None
    assert (lesion.where, lesion.site.where) == ("line 3", "line 3, SITE")


def test_what_is_assumed_and_what_has_no_place_is_said_once_a_report() -> None:
    table = TABLE.replace("NOTE", "SCANNER")
    found = taken(table, MAPPING.replace("NOTE = {ignore = true}\n", ""))
    assert {loss.rule for loss in found[0].losses} == {"table-issued", "study-uid-derived", "table-column"}
    assert [loss.what for loss in found[0].losses if loss.rule == "table-column"] == ["SCANNER"]


def test_a_decimal_comma_is_one_where_the_mapping_says_so() -> None:
    mapping = MAPPING.replace("[constants]", 'decimal = ","\n[constants]')
    assert (
        str(
            taken(TABLE.replace("1.40", "1,40").replace("0.9", "0,9"), mapping)[0]
            .report.lesions[0]
            .measurements[0]
            .value
        )
        == "1.40"
    )


def test_columns_named_by_pointers_need_no_mapping_file() -> None:
    table = "/report/id,/report/status,/report/issued,/patient/id,/study/modality,/study/procedure,"
    table += "/lesions/id,/lesions/finding\n"
    table += "R,final,2026-03-02T10:00:00Z,P,MR,MRI brain,L,brain metastasis\n"
    assert taken(table, "")[0].report.id == "R"


def test_an_ndjson_table_is_read_as_its_csv() -> None:
    import csv
    import io
    import json

    rows = csv.DictReader(io.StringIO(TABLE), delimiter=";")
    lines = "\n".join(json.dumps({name: cell or None for name, cell in row.items()}) for row in rows)
    assert taken(lines)[0].report.lesions[0].measurements == taken()[0].report.lesions[0].measurements


@pytest.mark.parametrize(
    ("table", "place", "rule"),
    [
        (TABLE.replace("1.40", "large"), "line 2, LONG", "table-number"),
        (TABLE.replace("02.03.2026;2", "2026-03-02;2"), "line 3, DATE", "table-date"),
        (TABLE.replace(";x\n", "\n"), "line 2", "table-row"),
        (TABLE.replace("SIDE;", "SITE;", 1), "line 1", "table-column"),
        (TABLE.replace("SITE", "PLACE", 1), "line 1", "table-column"),
        (TABLE.splitlines()[0] + "\n", "", "table"),
        ("{}{", "line 1", "table"),
        ('{"a": {}}', "line 1", "table"),
    ],
)
def test_a_fault_is_refused_at_its_place(table: str, place: str, rule: str) -> None:
    with pytest.raises(Refused) as raised:
        _all_taken(table)
    assert (raised.value.problems[0].pointer, raised.value.problems[0].rule) == (place, rule)


def _all_taken(table: str) -> None:
    for one in read(table):
        if isinstance(one, LesionBridgeError):
            raise one


def test_one_wrong_report_does_not_cost_the_others() -> None:
    found = read(TABLE.replace("frontal lobe", "x" * 300))
    assert isinstance(found[0], Invalid)
    assert found[0].problems[0].pointer == "line 2, SITE"
    assert isinstance(found[1], Received)


def test_bytes_that_are_no_utf_8_are_refused() -> None:
    with pytest.raises(Unreadable):
        list(reports(b"a;b\n\xff;1\n", Intake()))


def test_a_table_larger_than_the_limit_is_refused() -> None:
    with pytest.raises(Refused):
        read(limits=Limits(body_bytes=10))


def test_where_one_report_is_wanted_several_are_refused() -> None:
    with pytest.raises(Invalid):
        READERS[Format.CSV](TABLE.encode(), Intake(mapping=MAPPING))


@pytest.mark.parametrize(
    "mapping",
    [
        "columns = 1 [",
        "[colums]\nA = '/patient/id'",
        "[columns]\nA = 'patient'",
        "[columns]\nA = {measurement = 'x', descriptor = 'y'}",
        "[columns]\nA = {unknown = 'x'}",
        "[table]\nseparator = ';'",
        "[constants]\nstatus = 'final'",
    ],
)
def test_a_mapping_file_that_can_not_be_used_is_refused_with_its_place(mapping: str) -> None:
    with pytest.raises(Invalid) as raised:
        read(TABLE, mapping)
    assert raised.value.problems[0].pointer.startswith("mapping")


@pytest.mark.cases
def test_a_real_table_of_brain_metastases_becomes_its_reports(cases: Path) -> None:
    mapping = (Path(__file__).parents[4] / "examples" / "openbtai-mapping.toml").read_text(encoding="utf-8")
    content = (cases / "response" / "openbtai_brainmets_morphology.csv").read_bytes()
    found = [one for one in reports(content, Intake(mapping=mapping)) if isinstance(one, Received)]
    assert len(found) == 190
    assert sum(len(one.report.lesions) for one in found) == 292
    assert all(code_report(one.report, vocabulary()).lesions for one in found)


@pytest.mark.parametrize("member", ["/report/version", "/lesions/count"])
def test_a_count_of_thousands_of_digits_is_refused_with_its_cell(member: str) -> None:
    mapping = MAPPING.replace("NOTE = {ignore = true}", f'NOTE = "{member}"')
    table = TABLE.splitlines()[0] + f"\nP1;02.03.2026;1;L;cerebellum;0.9;;{'9' * 5_000}\n"
    (found,) = read(table, mapping)
    assert isinstance(found, Invalid)
    assert {problem.pointer for problem in found.problems} == {"line 2, NOTE"}
