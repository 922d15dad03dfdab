"""What an SR holds of a study before is not read as what stands now."""

from decimal import Decimal
from typing import Any

from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from service.formats.sr.read_days import OTHER_STUDY, OTHER_TIME
from tests import sr_files as sr
from tests.unit.formats.sr.reading import long_axis, received, rules

NOW, BEFORE = "20260302103000", "20251201093000"
STUDY_DAY: dict[str, Any] = {"StudyDate": "20260302", "StudyTime": "091200"}
PRIOR = f"{sr.STUDY}.9"


def observed(item: Dataset, when: str) -> Dataset:
    item.ObservationDateTime = when
    return item


def document(*groups: Dataset, **header: Any) -> bytes:
    return sr.document(sr.container(sr.MEASUREMENTS, *groups), **{**STUDY_DAY, **header})


def values(content: bytes) -> list[tuple[str, list[Decimal]]]:
    lesions = received(content).report.lesions
    return [(lesion.id, [one.value for one in lesion.measurements]) for lesion in lesions]


def test_a_group_of_a_day_before_the_study_is_listed() -> None:
    then = observed(sr.group(long_axis(value="9"), identifier="L1"), BEFORE)
    now = observed(sr.group(long_axis(value="14"), identifier="L1"), NOW)

    assert values(document(then, now)) == [("L1", [Decimal(14)])]
    assert rules(received(document(then, now)), "1.1.1") == {OTHER_TIME}


def test_a_group_whose_numbers_are_all_of_that_day_is_listed() -> None:
    then = sr.group(observed(long_axis(value="9"), BEFORE), identifier="L1")

    assert values(document(then, sr.group(long_axis(value="14"), identifier="L1"))) == [("L1", [Decimal(14)])]


def test_a_number_of_that_day_beside_one_of_today_is_listed() -> None:
    group = sr.group(observed(long_axis(value="9"), BEFORE), observed(long_axis(value="14"), NOW))

    assert values(document(group)) == [("L1", [Decimal(14)])]
    assert rules(received(document(group)), "1.1.1.3") == {OTHER_TIME}


def test_where_all_is_of_a_day_before_the_study_has_a_wrong_day() -> None:
    groups = [sr.group(observed(long_axis(value="9"), BEFORE), identifier=name) for name in ("L1", "L2")]

    assert values(document(*groups)) == [("L1", [Decimal(9)]), ("L2", [Decimal(9)])]


def test_a_time_in_another_zone_is_of_the_day_that_it_was_at_the_study() -> None:
    late = observed(sr.group(long_axis(value="9"), identifier="L1"), "20260301233000+0000")  # 00:30 of the study's day

    assert values(document(late, sr.group(long_axis(), identifier="L2")))[0] == ("L1", [Decimal(9)])


def test_nothing_is_told_of_a_study_without_a_day() -> None:
    then = observed(sr.group(long_axis(value="9"), identifier="L1"), BEFORE)

    content = sr.document(sr.container(sr.MEASUREMENTS, then, sr.group(long_axis(), identifier="L2")))

    assert [name for name, _ in values(content)] == ["L1", "L2"]


def test_a_lesion_that_only_another_study_shows_is_flagged_beside_those_of_this_one() -> None:
    of_prior = sr.evidence((PRIOR,))
    of_prior.StudyInstanceUID = f"{sr.STUDY}.8"
    groups = [
        sr.group(sr.image(instance, relation="CONTAINS"), identifier=name)
        for name, instance in (("now", sr.IMAGE), ("then", PRIOR))
    ]

    both = received(document(*groups, PertinentOtherEvidenceSequence=Sequence([of_prior])))
    alone = received(document(groups[1], PertinentOtherEvidenceSequence=Sequence([of_prior])))

    assert [loss.what for loss in both.losses if loss.rule == OTHER_STUDY] == ["then"]
    assert OTHER_STUDY not in rules(alone)
