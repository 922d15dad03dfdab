"""The concepts that an expression selects from a hierarchy, and whether it selects one of them.

The wildcard stays a wildcard as long as it can: ``* AND < X`` costs no more than ``< X``. Every set and every walk
counts against a limit; what would pass it is refused as ``too-costly``, never cut short.
"""

from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from typing import Final

from service.coding.ecl.refine import Refiner
from service.coding.ecl.relations import Hierarchy, Relation, Selection
from service.coding.ecl.syntax import (
    Anything,
    Dotted,
    EclLimits,
    Every,
    Expression,
    Member,
    Operator,
    Reference,
    Refined,
    Related,
    Some,
    Without,
    references,
)
from service.domain.errors import Invalid

__all__ = ["Evaluator", "Hierarchy", "Relation"]

TOO_COSTLY: Final = "too-costly"
_DOWN: Final = frozenset({Operator.DESCENDANT, Operator.DESCENDANT_OR_SELF, Operator.CHILD, Operator.CHILD_OR_SELF})
_SELF: Final = frozenset(
    {
        Operator.DESCENDANT_OR_SELF,
        Operator.CHILD_OR_SELF,
        Operator.ANCESTOR_OR_SELF,
        Operator.PARENT_OR_SELF,
    }
)
_NEXT: Final = frozenset({Operator.CHILD, Operator.CHILD_OR_SELF, Operator.PARENT, Operator.PARENT_OR_SELF})


class Evaluator:
    """One evaluation; ``retired`` are the concepts of the expression that are inactive, and so select nothing."""

    def __init__(self, hierarchy: Hierarchy, limits: EclLimits | None = None) -> None:
        """Take what is evaluated against."""
        self._hierarchy = hierarchy
        self._most = (limits or EclLimits()).concepts
        self._left = self._most
        self._refiners: dict[int, Refiner] = {}
        self.retired: dict[str, None] = {}

    def select(self, expression: Expression) -> AbstractSet[str]:
        """The codes that it selects; raises Invalid (``too-costly``, or ``code-invalid`` for what is no concept)."""
        self._check(expression)
        return self._selected(expression)

    def contains(self, expression: Expression, code: str) -> bool:
        """Whether it selects a concept, found without selecting the others where that is possible."""
        self._check(expression)
        return self._hierarchy.active(code) is True and self._has(expression, code)

    def _pay(self, count: int) -> None:
        self._left -= count
        if self._left < 0:
            why = f"ECL: more than {self._most} concepts would have to be looked at; narrow the expression"
            raise Invalid.at("", TOO_COSTLY, why)

    def _everything(self) -> AbstractSet[str]:
        self._pay(self._hierarchy.count())
        return frozenset(self._hierarchy.codes())

    def _check(self, expression: Expression) -> None:
        """Hold every concept that is named: a mistyped one would select nothing and nobody would know."""
        for code in references(expression):
            active = self._hierarchy.active(code)
            if active is None:
                raise Invalid.at("", "code-invalid", f"ECL: {code} is no concept of the release that is loaded")
            if not active:
                self.retired.setdefault(code)

    def _selected(self, expression: Expression) -> AbstractSet[str]:
        found = self._some(expression)
        return self._everything() if found is None else found

    def _some(self, expression: Expression) -> Selection:
        if isinstance(expression, Reference):
            return frozenset({expression.code} - self.retired.keys())
        if isinstance(expression, Anything):
            return None
        if isinstance(expression, Related):
            return self._related(expression.operator, self._some(expression.operand))
        if isinstance(expression, Member):
            return self._collect(map(self._hierarchy.members, self._refsets(expression)))
        if isinstance(expression, Every):
            sets = [found for found in map(self._some, expression.parts) if found is not None]
            return frozenset.intersection(*map(frozenset, sets)) if sets else None
        if isinstance(expression, Some):
            several = [self._some(part) for part in expression.parts]
            return None if None in several else frozenset().union(*(found for found in several if found is not None))
        if isinstance(expression, Without):
            return self._without(self._some(expression.kept), self._some(expression.taken))
        if isinstance(expression, Dotted):
            return self._refiner(expression).values(self._selected(expression.focus), expression.attribute)
        refiner = self._refiner(expression)
        refinement = expression.refinement
        return frozenset(code for code in self._selected(expression.focus) if refiner.holds(refinement, code))

    def _has(self, expression: Expression, code: str) -> bool:
        if isinstance(expression, Reference):
            return expression.code == code
        if isinstance(expression, Anything):
            return True
        if isinstance(expression, Every):
            return all(self._has(part, code) for part in expression.parts)
        if isinstance(expression, Some):
            return any(self._has(part, code) for part in expression.parts)
        if isinstance(expression, Without):
            return self._has(expression.kept, code) and not self._has(expression.taken, code)
        if isinstance(expression, Refined):
            return self._has(expression.focus, code) and self._refiner(expression).holds(expression.refinement, code)
        if isinstance(expression, Related) and expression.operator in _DOWN:
            operand = self._some(expression.operand)
            if operand is not None:
                if expression.operator in _SELF and code in operand:
                    return True
                near = expression.operator in _NEXT
                above = self._hierarchy.parents(code) if near else self._hierarchy.ancestors(code)
                return any(one in operand for one in above)
        return code in self._selected(expression)

    def _related(self, operator: Operator, operand: Selection) -> Selection:
        """What an operator reaches."""
        here = self._hierarchy
        if operand is None:
            if operator in _SELF:
                return None
            other_side = here.parents if operator in _DOWN else here.children
            return frozenset(code for code in self._everything() if other_side(code))
        if operator in _DOWN:
            step = here.children if operator in _NEXT else here.descendants
        else:
            step = here.parents if operator in _NEXT else here.ancestors
        found: set[str] = set()
        for code in operand:
            # What lies beyond a concept that was reached from another one was reached with it.
            if operator in _NEXT or code not in found:
                found |= self._collect([step(code)])
        return found | operand if operator in _SELF else found

    def _collect(self, several: Iterable[Iterable[str]]) -> set[str]:
        """One set of several, counted while it grows."""
        found: set[str] = set()
        for codes in several:
            for code in codes:
                self._pay(1)
                found.add(code)
        return found

    def _refsets(self, expression: Member) -> AbstractSet[str]:
        refsets = self._some(expression.operand)
        if refsets is None:
            raise Invalid.at("", "not-supported", "ECL: the members of any reference set (^ *) are not read")
        return refsets

    def _without(self, kept: Selection, taken: Selection) -> AbstractSet[str]:
        if taken is None:
            return frozenset()
        return (self._everything() if kept is None else kept) - taken

    def _refiner(self, expression: Refined | Dotted) -> Refiner:
        made = self._refiners.get(id(expression))
        if made is None:
            made = self._refiners[id(expression)] = Refiner(self._hierarchy, self._some, self._pay)
        return made
