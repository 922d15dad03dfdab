"""What two cells, a cell and the mapping file, or two reports say of one thing; numbers that may be other ones."""

import pytest

from service.coding import vocabulary
from service.coding.coder import code_report
from service.domain.errors import Invalid, LesionBridgeError
from service.domain.received import Intake, Received
from service.doors import reports

MAPPING = """
[table]
report = ["PATIENT", "DATE"]
decimal = "{decimal}"
[constants]
"/report/status" = "final"
"/study/modality" = "MR"
"/study/procedure" = "MRI brain"
"/lesions/finding" = "brain metastasis"
[columns]
PATIENT = "/patient/id"
DATE = "/report/issued"
LONG = {{measurement = "long axis", unit = "mm"}}
{more}
"""


def read(table: str, more: str = "", decimal: str = ".") -> list[Received | LesionBridgeError]:
    mapping = MAPPING.format(more=more, decimal=decimal)
    return list(reports(table.encode(), Intake(zone="Europe/Berlin", mapping=mapping)))


def one(table: str, more: str = "", decimal: str = ".") -> Received:
    [found] = read(table, more, decimal)
    assert isinstance(found, Received)
    return found


def fault(table: str, more: str = "", decimal: str = ".") -> tuple[str, str]:
    found = read(table, more, decimal)[-1]
    assert isinstance(found, Invalid)
    return found.problems[0].pointer, found.problems[0].rule


def test_a_point_of_thousands_is_no_decimal_point() -> None:
    table = "PATIENT;DATE;LONG\nP;2026-03-02;1.234\n"
    assert fault(table, decimal=",") == ("line 2, LONG", "table-number")


def test_a_number_of_json_has_a_point_whatever_the_texts_have() -> None:
    line = '{"PATIENT": "P", "DATE": "2026-03-02", "LONG": %s}\n'
    values = [str(one(line % said, decimal=",").report.lesions[0].measurements[0].value) for said in ("1.25", '"1,25"')]
    assert values == ["1.25", "1.25"]
    assert fault(line % '"1.250"', decimal=",") == ("line 1, LONG", "table-number")


def test_another_decimal_sign_is_a_fault_of_the_mapping_file() -> None:
    with pytest.raises(Invalid) as refused:
        read("PATIENT,DATE,LONG\nP,2026-03-02,1\n", decimal="")
    assert [problem.pointer for problem in refused.value.problems] == ["mapping:table.decimal"]


def test_a_measurement_without_a_unit_is_a_fault_of_the_mapping_file() -> None:
    with pytest.raises(Invalid) as refused:
        read("PATIENT,DATE,LONG,VOL\nP,2026-03-02,1,2\n", 'VOL = {measurement = "volume"}')
    assert [problem.pointer for problem in refused.value.problems] == ["mapping:columns.VOL"]


def test_two_columns_that_say_two_sides_of_one_lesion_are_refused() -> None:
    table = "PATIENT,DATE,LONG,SIDE,/lesions/laterality\nP,2026-03-02,12,{},right\n"
    more = 'SIDE = "/lesions/laterality"'
    assert fault(table.format("left"), more) == ("line 2, /lesions/laterality", "table-row")
    side = one(table.format("right"), more).report.lesions[0].laterality
    assert side is not None
    assert side.text == "right"


def test_a_column_counts_and_the_constant_is_for_its_empty_cells() -> None:
    table = "PATIENT,DATE,LONG,STATUS\nP,2026-03-02,12,{}\n"
    more = 'STATUS = "/report/status"'
    assert [one(table.format(said), more).report.status for said in ("preliminary", "")] == ["preliminary", "final"]


def test_a_word_that_the_mapping_file_names_is_not_empty() -> None:
    more = 'EDEMA = {descriptor = "edema"}\n[values.EDEMA]\nNone = "absent"'
    lesion = one("PATIENT,DATE,LONG,EDEMA\nP,2026-03-02,12,None\n", more).report.lesions[0]
    assert [answer.value.text for answer in lesion.evaluations] == ["absent"]


def test_the_offset_of_a_time_is_kept() -> None:
    more = '[dates]\nDATE = "%d.%m.%Y %H:%M %z"'
    made = one("PATIENT,DATE,LONG\nP,02.03.2026 10:00 +0900,12\n", more)
    assert made.report.issued.text == "2026-03-02T10:00:00+09:00"


def test_a_lesion_without_an_id_is_the_same_in_no_other_report() -> None:
    table = "PATIENT,DATE,LONG\nP,2026-03-02,12\nP,2026-04-02,30\n"
    found = [made for made in read(table) if isinstance(made, Received)]
    lesions = [code_report(made.report, vocabulary()).lesions[0] for made in found]
    assert lesions[0].tracking_uid != lesions[1].tracking_uid
    assert [loss.where for made in found for loss in made.losses if loss.rule == "table-lesion"] == ["line 2", "line 3"]


def test_two_reports_of_one_id_would_have_one_uid() -> None:
    table = "PATIENT,DATE,LONG,NO\nP,2026-03-02,12,1\nQ,2026-03-02,30,1\n"
    found = read(table, 'NO = "/report/id"')
    assert isinstance(found[0], Received)
    assert fault(table, 'NO = "/report/id"') == ("line 3", "table-report")


def test_a_row_that_says_nothing_of_its_report_belongs_to_none() -> None:
    with pytest.raises(Invalid) as refused:
        read("PATIENT,DATE,LONG\nP,2026-03-02,12\n,,13\n")
    assert (refused.value.problems[0].pointer, refused.value.problems[0].rule) == ("line 3", "table-row")


def test_a_fault_costs_only_its_own_report() -> None:
    found = read("PATIENT,DATE,LONG\nP,2026-03-02,large\nQ,2026-03-02,30\n")
    assert [isinstance(made, Received) for made in found] == [False, True]


@pytest.mark.parametrize(
    ("form", "cell", "born"),
    [("%Y", "1961", "1961"), ("%m/%Y", "04/1961", "1961-04"), ("%d.%m.%Y", "02.04.1961", "1961-04-02")],
)
def test_a_date_is_as_precise_as_the_table_has_it(form: str, cell: str, born: str) -> None:
    more = f'BORN = "/patient/birthDate"\n[dates]\nBORN = "{form}"'
    made = one(f"PATIENT,DATE,LONG,BORN\nP,2026-03-02,12,{cell}\n", more)
    assert made.report.patient.birth_date is not None
    assert made.report.patient.birth_date.text == born


@pytest.mark.parametrize(("form", "cell"), [("%d.%m.%y", "02.04.26"), ("%d.%m.", "02.04.")])
def test_a_date_without_its_century_or_its_year_is_a_fault_of_the_mapping_file(form: str, cell: str) -> None:
    more = f'BORN = "/patient/birthDate"\n[dates]\nBORN = "{form}"'
    with pytest.raises(Invalid) as refused:
        read(f"PATIENT,DATE,LONG,BORN\nP,2026-03-02,12,{cell}\n", more)
    assert [problem.pointer for problem in refused.value.problems] == ["mapping:dates.BORN"]
