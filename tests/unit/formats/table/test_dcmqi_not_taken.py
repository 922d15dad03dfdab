"""dcmqi's JSON: what can't be read as it is said is listed, and goes neither to another name nor another lesion."""

from typing import Any

import pytest

from service.domain.received import Intake, Received
from service.doors import READERS, Format
from tests.unit.formats.table.test_dcmqi import GROUP, MAPPING, of, read

ITEM: dict[str, Any] = GROUP["measurementItems"][0]  # type: ignore[assignment]  # a group is texts and lists
DEVICE = {"ObserverType": "DEVICE", "DeviceObserverName": "A", "DeviceObserverUID": "1.2.3.9"}


def listed(made: Received) -> set[str]:
    return {loss.where for loss in made.losses}


def with_item(**members: object) -> Received:
    return read(of(Measurements=[{**GROUP, "measurementItems": [{**ITEM, **members}]}]))


@pytest.mark.parametrize("said", ["mean", {"CodeMeaning": "Mean"}])
def test_a_number_whose_derivation_is_not_known_is_none_without_it(said: object) -> None:
    made = with_item(derivationModifier=said)
    assert not made.report.lesions[0].measurements
    assert "#/Measurements/0/measurementItems/0" in listed(made)


def test_a_method_without_a_code_is_listed() -> None:
    made = with_item(measurementMethod="by hand")
    assert len(made.report.lesions[0].measurements) == 1
    assert "#/Measurements/0/measurementItems/0/measurementMethod" in listed(made)


@pytest.mark.parametrize("name", ["measurementItems", "qualitativeEvaluations"])
def test_items_that_are_no_list_are_listed(name: str) -> None:
    assert f"#/Measurements/0/{name}" in listed(read(of(Measurements=[{**GROUP, name: 5}])))


def test_a_time_point_may_be_a_number() -> None:
    points = [lesion.time_point for lesion in read(of(timePoint=2)).report.lesions]
    assert [point.label for point in points if point is not None] == ["2"]
    assert "#/Measurements/0/timePoint" in listed(read(of(timePoint={"label": "2"})))


def test_a_group_without_an_identifier_is_the_same_lesion_in_no_other_report() -> None:
    nameless = {name: value for name, value in GROUP.items() if name != "TrackingIdentifier"}
    content = of(Measurements=[nameless])
    reports = [READERS[Format.DCMQI](content, Intake(mapping=MAPPING.replace('"R"', f'"{one}"'))) for one in "RS"]
    assert reports[0].report.lesions[0].id != reports[1].report.lesions[0].id
    assert "dcmqi-tracking" in {loss.rule for loss in reports[0].losses}


def test_the_algorithm_of_another_group_is_not_that_of_the_device() -> None:
    groups = [
        {**GROUP, "TrackingIdentifier": name, "measurementAlgorithmIdentification": {"AlgorithmName": name}}
        for name in ("A", "B")
    ]
    made = read(of(Measurements=groups, observerContext=DEVICE))
    [observer] = made.report.observers
    assert observer.device is not None
    assert observer.device.algorithm == "A"
    assert "#/Measurements/1/measurementAlgorithmIdentification/AlgorithmName" in listed(made)


def test_what_else_stands_beside_it_is_listed() -> None:
    made = read(of(findings={"report": {"id": "R2"}, "observer": {"person": {"name": "Roe"}}}))
    assert "#/findings/observer" in listed(made)
    assert "#/findings" in listed(read(of(findings="R2")))
