"""Frozen data classes that are made quickly are what `dataclasses` makes of them otherwise."""

import inspect
import pickle
from copy import copy
from dataclasses import FrozenInstanceError, dataclass, fields, make_dataclass, replace
from typing import Any

import pytest

from service.domain import codes
from service.domain.quick import quickly_made
from tests.reports import rich_report


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


def test_every_class_of_a_report_keeps_its_signature() -> None:
    lesion: Any = rich_report().lesions[0]
    for kind in (type(lesion), type(lesion.measurements[0]), type(lesion.evaluations[0]), codes.CodedTerm, codes.Term):
        plain = make_dataclass("Plain", [(one.name, one.type, one) for one in fields(kind)], frozen=True)
        assert list(inspect.signature(kind).parameters) == list(inspect.signature(plain).parameters)
    assert replace(lesion) == lesion
