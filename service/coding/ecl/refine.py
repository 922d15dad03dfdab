"""Refinements held against one concept after the other.

An attribute outside a group is counted over all groups, the same value once. A relationship of group 0 stands for a
group by itself (RF2: relationshipGroup 0 groups nothing).
"""

from collections.abc import Callable, Iterable
from collections.abc import Set as AbstractSet
from typing import Final

from service.coding.ecl.relations import Hierarchy, Relation, Selection
from service.coding.ecl.syntax import AllOf, Expression, HasAttribute, HasGroup, OneOf, Refinement
from service.domain.errors import Invalid

_UNGROUPED: Final = 0


class Refiner:
    """One refinement, its names and values selected once."""

    def __init__(
        self, hierarchy: Hierarchy, select: Callable[[Expression], Selection], pay: Callable[[int], None]
    ) -> None:
        """Take what selects the names and values; ``pay`` counts what is looked at."""
        self._hierarchy = hierarchy
        self._select = select
        self._pay = pay
        self._sides: dict[int, tuple[Selection, Selection]] = {}
        self._sources: dict[int, dict[str, int]] = {}

    def holds(self, refinement: Refinement, code: str) -> bool:
        """Whether a concept has what the refinement says."""
        relations = tuple(self._hierarchy.relations(code))
        self._pay(1 + len(relations))
        return self._holds(refinement, code, relations)

    def values(self, codes: Iterable[str], name: Expression) -> AbstractSet[str]:
        """The values that an attribute has in some concepts."""
        names = self._select(name)
        found: set[str] = set()
        for code in codes:
            relations = self._hierarchy.relations(code)
            self._pay(1 + len(relations))
            found.update(one.target for one in relations if names is None or one.type in names)
        return found

    def _holds(self, refinement: Refinement, code: str, relations: tuple[Relation, ...]) -> bool:
        if isinstance(refinement, AllOf):
            return all(self._holds(part, code, relations) for part in refinement.parts)
        if isinstance(refinement, OneOf):
            return any(self._holds(part, code, relations) for part in refinement.parts)
        if isinstance(refinement, HasGroup):
            groups = _groups(relations)
            return refinement.times.hold(sum(self._within(refinement.inside, group) for group in groups))
        if refinement.reverse:
            return refinement.times.hold(self._pointing(refinement).get(code, 0))
        return refinement.times.hold(self._count(refinement, relations))

    def _within(self, inside: Refinement, group: tuple[Relation, ...]) -> bool:
        """Whether one group has what stands between the braces."""
        if isinstance(inside, AllOf):
            return all(self._within(part, group) for part in inside.parts)
        if isinstance(inside, OneOf):
            return any(self._within(part, group) for part in inside.parts)
        if isinstance(inside, HasGroup) or inside.reverse:
            raise Invalid.at("", "not-supported", "ECL: a reversed attribute in a group is not read")
        return inside.times.hold(self._count(inside, group))

    def _count(self, attribute: HasAttribute, relations: Iterable[Relation]) -> int:
        """How many values of the attribute are as wanted, each once."""
        names, values = self._both(attribute)
        return len(
            {
                (one.type, one.target)
                for one in relations
                if (names is None or one.type in names) and (values is None or one.target in values) is attribute.equal
            }
        )

    def _both(self, attribute: HasAttribute) -> tuple[Selection, Selection]:
        known = self._sides.get(id(attribute))
        if known is None:
            known = self._sides[id(attribute)] = (self._select(attribute.name), self._select(attribute.value))
        return known

    def _pointing(self, attribute: HasAttribute) -> dict[str, int]:
        """By concept: how many concepts of the value have it as the value of the attribute."""
        known = self._sources.get(id(attribute))
        if known is not None:
            return known
        names, values = self._both(attribute)
        if values is None or not attribute.equal:
            self._pay(self._hierarchy.count())
        chosen = self._hierarchy.codes() if values is None or not attribute.equal else values
        made: dict[str, int] = {}
        for source in chosen:
            if not attribute.equal and (values is None or source in values):
                continue
            relations = self._hierarchy.relations(source)
            self._pay(1 + len(relations))
            for target in {one.target for one in relations if names is None or one.type in names}:
                made[target] = made.get(target, 0) + 1
        self._sources[id(attribute)] = made
        return made


def _groups(relations: tuple[Relation, ...]) -> list[tuple[Relation, ...]]:
    """The groups of a concept, each relationship of group 0 as one by itself."""
    grouped: dict[int, list[Relation]] = {}
    for one in relations:
        if one.group != _UNGROUPED:
            grouped.setdefault(one.group, []).append(one)
    alone = [(one,) for one in relations if one.group == _UNGROUPED]
    return [*alone, *map(tuple, grouped.values())]
