"""Tables that nobody should send: each is refused at its line and column, and no member is chosen silently."""

import json

import pytest

from service.domain.errors import Invalid, LesionBridgeError, Refused
from service.domain.received import Intake, Received
from service.doors import reports

ROW = {
    "/report/id": "R",
    "/report/status": "final",
    "/report/issued": "2026-03-02T10:00:00Z",
    "/patient/id": "P",
    "/study/modality": "MR",
    "/study/procedure": "MRI brain",
    "/lesions/finding": "brain metastasis",
}


def read(*lines: str, end: str = "\n", mapping: str = "") -> list[Received | LesionBridgeError]:
    return list(reports(end.join(lines).encode(), Intake(mapping=mapping)))


def row(**more: object) -> str:
    """A line of an NDJSON table with further members of the report."""
    return json.dumps(ROW | {f"/report/{name}": value for name, value in more.items()}, ensure_ascii=False)


def with_column(name: str, cell: str) -> tuple[str, str]:
    """A CSV table with one more column."""
    return ",".join([*ROW, name]), ",".join([*ROW.values(), cell])


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_lines_end_where_json_says_and_not_where_unicode_does(end: str) -> None:
    (found,) = read(row(impression="one\u2028two"), row(impression="one\u2028two"), end=end)
    assert isinstance(found, Received)
    assert found.report.impression == "one\u2028two"


@pytest.mark.parametrize(
    ("line", "place", "rule"),
    [
        pytest.param(row()[:-1] + ', "/patient/id": "P2"}', "line 1", "duplicate-member", id="two patients"),
        pytest.param(row(impression=True), "line 1", "table", id="true"),
        pytest.param(row(impression="?").replace("?", "\\ud800"), "line 1", "character", id="half a pair"),
        pytest.param(row()[:-1] + ', "a\\udfff": "x"}', "line 1", "character", id="half a pair in a name"),
        pytest.param('{"a":' + "[" * 100_000 + "]" * 100_000 + "}", "line 1", "table", id="depth"),
    ],
)
def test_a_line_that_can_be_read_in_two_ways_is_refused(line: str, place: str, rule: str) -> None:
    with pytest.raises(Refused) as refused:
        read(line)
    assert (refused.value.problems[0].pointer, refused.value.problems[0].rule) == (place, rule)


@pytest.mark.parametrize(
    ("name", "cell"),
    [
        ("/patient/id/x", "y"),
        ("/lesions/measurements", "5 mm"),
        ("/lesions/measurements/x", "y"),
        ("/lesions/measurements/٣", "y"),
        (f"/patient/{'a/' * 5_000}b", "y"),
    ],
)
def test_a_column_in_the_way_of_another_is_refused_at_its_place(name: str, cell: str) -> None:
    mapping = '[columns]\nAXIS = {measurement = "long axis", unit = "mm"}'
    for one, other in (((name, cell), ("AXIS", "5")), (("AXIS", "5"), (name, cell))):
        header, line = with_column(f"{one[0]},{other[0]}", f"{one[1]},{other[1]}")
        try:
            (found,) = read(header, line, mapping=mapping)
        except Invalid as error:
            found = error
        assert isinstance(found, Invalid)
        assert found.problems[0].pointer.startswith("line 2")


def test_a_value_never_replaces_the_members_below_it() -> None:
    header, line = with_column("/patient/name/family,/patient/name", "Doe,Roe^Jane")
    [refused] = read(header, line)
    assert isinstance(refused, Invalid)
    assert refused.problems[0].rule == "table-column"
