"""What an expression constraint is made of, as values; a value knows nothing of any release."""

from collections.abc import Iterator
from dataclasses import dataclass, fields, is_dataclass
from enum import StrEnum
from typing import Any, Final


@dataclass(frozen=True, slots=True)
class EclLimits:
    """Bounds on one expression; passing the first two is refused as ``limit``, the last one as ``too-costly``."""

    characters: int = 20_000
    depth: int = 32  # of parentheses and operators within each other
    concepts: int = 500_000  # looked at while it is evaluated; any one set


class Operator(StrEnum):
    """A constraint operator, by its brief form."""

    DESCENDANT = "<"
    DESCENDANT_OR_SELF = "<<"
    CHILD = "<!"
    CHILD_OR_SELF = "<<!"
    ANCESTOR = ">"
    ANCESTOR_OR_SELF = ">>"
    PARENT = ">!"
    PARENT_OR_SELF = ">>!"


@dataclass(frozen=True, slots=True)
class Reference:
    """One concept, by its id."""

    code: str


@dataclass(frozen=True, slots=True)
class Anything:
    """The wildcard: every concept."""


@dataclass(frozen=True, slots=True)
class Related:
    """The concepts that an operator reaches from those of the operand."""

    operator: Operator
    operand: "Expression"


@dataclass(frozen=True, slots=True)
class Member:
    """The concepts in the reference sets that the operand selects."""

    operand: "Expression"


@dataclass(frozen=True, slots=True)
class Every:
    """AND: the concepts that all parts select."""

    parts: tuple["Expression", ...]


@dataclass(frozen=True, slots=True)
class Some:
    """OR: the concepts that some part selects."""

    parts: tuple["Expression", ...]


@dataclass(frozen=True, slots=True)
class Without:
    """MINUS: the concepts of the first that the second does not select."""

    kept: "Expression"
    taken: "Expression"


@dataclass(frozen=True, slots=True)
class Refined:
    """The concepts of the focus that have the attributes."""

    focus: "Expression"
    refinement: "Refinement"


@dataclass(frozen=True, slots=True)
class Dotted:
    """The values that an attribute has in the concepts of the focus."""

    focus: "Expression"
    attribute: "Expression"


@dataclass(frozen=True, slots=True)
class Times:
    """How often; ``most`` None is without an end."""

    least: int = 1
    most: int | None = None

    def hold(self, count: int) -> bool:
        """Whether a count is within."""
        return count >= self.least and (self.most is None or count <= self.most)


ONCE: Final = Times()
"""What holds where nothing is said: at least one."""


@dataclass(frozen=True, slots=True)
class HasAttribute:
    """An attribute with such a value (``equal``) or with another one; ``reverse``: the concept is the value."""

    name: "Expression"
    value: "Expression"
    equal: bool = True
    reverse: bool = False
    times: Times = ONCE


@dataclass(frozen=True, slots=True)
class HasGroup:
    """Attributes that stand together in one relationship group."""

    inside: "Refinement"
    times: Times = ONCE


@dataclass(frozen=True, slots=True)
class AllOf:
    """Every one of some refinements."""

    parts: tuple["Refinement", ...]


@dataclass(frozen=True, slots=True)
class OneOf:
    """At least one of some refinements."""

    parts: tuple["Refinement", ...]


Expression = Reference | Anything | Related | Member | Every | Some | Without | Refined | Dotted
Refinement = HasAttribute | HasGroup | AllOf | OneOf


def references(part: Any) -> Iterator[str]:
    """The ids of all concepts that an expression or a part of it names."""
    if isinstance(part, Reference):
        yield part.code
    elif isinstance(part, tuple):
        for item in part:
            yield from references(item)
    elif is_dataclass(part):
        for field in fields(part):
            yield from references(getattr(part, field.name))
