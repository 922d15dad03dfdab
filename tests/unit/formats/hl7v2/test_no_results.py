"""What is no result is not read as one: wrong, deleted, not asked for, ordered only (OBX-11); and states in words."""

import pytest

from service.domain.errors import Invalid
from service.domain.received import Intake, Received
from service.domain.report import Status
from service.formats.hl7v2.read import read
from tests.unit.formats.hl7v2.test_read import ORDER, TEXT, message, received

LEFT_OUT = "v2-no-result"


def of_rule(made: Received, rule: str) -> list[str]:
    return [loss.where for loss in made.losses if loss.rule == rule]


def with_status(said: str, *observations: str) -> Received:
    """A message whose order is in that state."""
    return read(message(*observations, order=ORDER[:-1] + said).encode(), Intake())


@pytest.mark.parametrize("code", ["W", "X", "N", "O", "Entered in error", "Cancelled"])
def test_a_single_result_that_does_not_hold_is_left_out_and_listed_once(code: str) -> None:
    wrong = f"OBX|2|CWE|2667000^Absent^SCT||128462008^Metastasis^SCT|||||||{code}|||20260101"
    made = received(TEXT, wrong.replace("|||||||" + code, "||||||" + code))
    assert made.report.evaluations == ()
    assert made.report.findings == "A lesion, 14 mm."
    assert of_rule(made, LEFT_OUT) == ["OBX[2]"]
    assert of_rule(made, "v2-no-place") == []


def test_a_note_of_what_is_no_result_is_left_out_too() -> None:
    made = received(
        TEXT, "OBX|2|TX|1||mass on the left||||||D", "NTE|1||on the left", "OBX|3|TX|1||y||||||F", "NTE|1||z"
    )
    assert made.report.findings == "A lesion, 14 mm.\ny\nz"
    assert of_rule(made, LEFT_OUT) == ["NTE[1]"]
    assert of_rule(made, "v2-deleted") == ["OBX[2]"]


@pytest.mark.parametrize("code", ["N", "O", "D"])
def test_a_message_of_no_result_says_nothing(code: str) -> None:
    with pytest.raises(Invalid) as raised:
        received(f"OBX|1|TX|1||rule out metastasis||||||{code}")
    assert [problem.rule for problem in raised.value.problems] == ["v2-empty"]


def test_where_no_result_was_obtained_the_report_is_cancelled() -> None:
    made = received("OBX|1|TX|1||x||||||X")
    assert made.report.status is Status.CANCELLED
    assert of_rule(made, "v2-status") == ["OBX-11"]


@pytest.mark.parametrize(
    ("said", "status"),
    [
        ("Wet Read", Status.PRELIMINARY),
        ("Prelim", Status.PRELIMINARY),
        ("Final", Status.FINAL),
        ("Cancelled", Status.CANCELLED),
        ("canceled", Status.CANCELLED),
        ("Addendum", Status.APPENDED),
        ("Amended", Status.AMENDED),
        ("Complete", Status.PRELIMINARY),
        ("c", Status.CORRECTED),
    ],
)
def test_a_state_in_words_is_no_first_letter(said: str, status: Status) -> None:
    assert with_status(said).report.status is status


def test_a_wet_read_is_not_withdrawn() -> None:
    made = with_status("Wet Read", TEXT[:-1] + "Wet Read")
    assert (made.report.status, made.report.findings) == (Status.PRELIMINARY, "A lesion, 14 mm.")


@pytest.mark.parametrize(
    ("second", "status"), [("P", Status.PRELIMINARY), ("C", Status.CORRECTED), ("X", Status.FINAL), ("F", Status.FINAL)]
)
def test_of_several_orders_the_least_finished_counts(second: str, status: Status) -> None:
    made = received(TEXT, ORDER[:-1] + second, TEXT)
    assert made.report.status is status
    assert ("OBR-25" in of_rule(made, "v2-status")) is (second != "F")


@pytest.mark.parametrize(
    ("order", "observed", "status"),
    [
        ("F", "P", Status.PRELIMINARY),
        ("C", "R", Status.PRELIMINARY),
        ("F", "C", Status.FINAL),
        ("F", "F", Status.FINAL),
        ("P", "F", Status.PRELIMINARY),
        ("X", "P", Status.CANCELLED),
    ],
)
def test_what_is_not_final_in_a_final_order_makes_it_preliminary(order: str, observed: str, status: Status) -> None:
    made = with_status(order, TEXT, TEXT[:-1] + observed)
    assert made.report.status is status
    assert ("OBX-11" in of_rule(made, "v2-status")) is (status is Status.PRELIMINARY and order != "P")


def test_the_number_of_a_prior_study_is_none_of_this_one() -> None:
    size = "OBX|2|NM|103339001^Long Axis^SCT|1|{}|mm^^UCUM|||||F|||{}"
    finding = "OBX|1|CWE|121071^Finding^DCM|1|27925004^Nodule^SCT||||||F"
    now, prior, later = size.format(14, "20260302"), size.format(10, "202509010800"), size.format(15, "20260303")
    made = received(finding, prior, now, later)
    assert [int(one.value) for one in made.report.lesions[0].measurements] == [14, 15]
    assert of_rule(made, "v2-other-time") == ["OBX[2]"]
    assert of_rule(made, "v2-no-place") == ["OBX[3]-14", "OBX[4]-14"]


def test_where_all_is_of_another_day_the_order_has_the_wrong_time() -> None:
    made = received(TEXT, "OBX|2|CWE|79654002^Edema^SCT||2032001^Cerebral edema^SCT||||||F|||20250901")
    assert len(made.report.evaluations) == 1
    assert of_rule(made, "v2-no-place") == ["OBX[2]-14"]
