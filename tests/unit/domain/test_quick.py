"""Frozen data classes that are made quickly are what `dataclasses` makes of them otherwise."""

import pickle
from copy import copy
from dataclasses import MISSING, Field, FrozenInstanceError, dataclass, fields, replace
from inspect import signature
from typing import Any, ClassVar, Final, Generic, TypeVar

import pytest

from service.domain.codes import CodedTerm, Term
from service.domain.geometry import ImageReference, LesionImage, Region2D
from service.domain.lesion import Evaluation, Lesion, Measurement, TimePoint
from service.domain.quick import data_class, quickly_made
from tests.report_set import rich_report


@quickly_made
@dataclass(frozen=True, slots=True)
class Sized:
    """One that refuses."""

    size: int
    unit: str = "mm"

    def __post_init__(self) -> None:
        """A size is positive."""
        if self.size < 1:
            raise ValueError("a size is positive")


T = TypeVar("T")


class Placed(Generic[T]):
    """One of any kind, at its place."""

    __slots__ = ("count", "value", "where")
    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]

    def __init__(self, value: T, count: int = 1, where: str = "") -> None:
        """Fill it."""
        self.value: Final = value
        self.count: Final = count
        self.where: Final = where


data_class(Placed)


def test_it_is_made_by_position_and_by_name_with_defaults() -> None:
    assert Sized(3) == Sized(size=3, unit="mm") == Sized(3, "mm")
    assert repr(Sized(3)) == "Sized(size=3, unit='mm')"
    assert type(Sized(3)) is Sized


def test_what_is_made_never_changes() -> None:
    with pytest.raises(FrozenInstanceError):
        Sized(3).size = 4  # type: ignore[misc] # that is the point


def test_its_rules_hold() -> None:
    with pytest.raises(ValueError, match="positive"):
        Sized(0)
    with pytest.raises(TypeError):
        Sized()  # type: ignore[call-arg] # that is the point


def test_it_is_replaced_copied_and_pickled() -> None:
    assert replace(Sized(3), unit="cm") == Sized(3, "cm")
    assert copy(Sized(3)) == pickle.loads(pickle.dumps(Sized(3))) == Sized(3)
    assert hash(Sized(3)) == hash(Sized(3))


MEMBERS: dict[type, str] = {
    Term: "text code? where?",
    CodedTerm: "text codes? concept? broader? resolution? said? where?",
    Measurement: "concept value unit method? derivation? range? image? where?",
    Evaluation: "name value row? where?",
    TimePoint: "label type? order? subject_identifier? protocol_identifier?",
    Region2D: "graphic points measurement? where?",
    LesionImage: "image regions?",
    ImageReference: "sop_class sop_instance series study? frames? where?",
    Lesion: "id finding tracking_uid? category? site? laterality? topography? count? certainty? change? time_point? "
    "text? measurements? evaluations? images? regions3d? segment? where?",
}
"""What is made quickly, with its members in their order; those behind a mark may be left out."""


@pytest.mark.parametrize("kind", MEMBERS)
def test_every_class_of_a_report_has_its_members_in_order(kind: Any) -> None:
    asked = [f"{one.name}{'' if one.default is one.empty else '?'}" for one in signature(kind).parameters.values()]
    had = [f"{one.name}{'' if one.default is MISSING else '?'}" for one in fields(kind)]
    assert asked == had == MEMBERS[kind].split()
    uncompared = {one.name for one in fields(kind) if not one.compare}
    assert uncompared == {"where", "said"} & {one.name for one in fields(kind)}


def test_a_lesion_is_replaced_by_one_that_is_equal() -> None:
    lesion = rich_report().lesions[0]
    assert replace(lesion) == lesion
    assert replace(lesion, text="another") != lesion


def test_a_plain_class_with_slots_becomes_a_data_class() -> None:
    one = Placed("a", where="/x")
    assert repr(one) == "Placed(value='a', count=1, where='/x')"
    assert [(member.name, member.compare) for member in fields(one)] == [
        ("value", True),
        ("count", True),
        ("where", False),
    ]
    assert one == Placed("a", 1, "/elsewhere") != Placed("b")
    assert hash(one) == hash(Placed("a"))
    assert replace(one, count=2) == Placed("a", 2)
    assert copy(one).where == pickle.loads(pickle.dumps(one)).where == "/x"
    assert not hasattr(one, "__dict__")


def test_a_plain_class_made_a_data_class_never_changes() -> None:
    one: Any = Placed("a")
    with pytest.raises(FrozenInstanceError):
        one.count = 2
    with pytest.raises(FrozenInstanceError):
        one.other = 2
    with pytest.raises(FrozenInstanceError):
        del one.count
