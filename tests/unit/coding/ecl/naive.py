"""A small release, and ECL evaluated on it by its definitions alone: no wildcard kept back, no walk, no cache."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field

from service.coding.ecl import syntax as ecl
from service.coding.ecl.relations import Relation


@dataclass
class SmallRelease:
    """Concepts with their parents, relations and reference sets; an acyclic graph."""

    above: dict[str, frozenset[str]]
    related: dict[str, tuple[Relation, ...]] = field(default_factory=dict)
    refsets: dict[str, frozenset[str]] = field(default_factory=dict)
    retired: frozenset[str] = frozenset()

    def active(self, code: str) -> bool | None:
        return False if code in self.retired else True if code in self.above else None

    def count(self) -> int:
        return len(self.above)

    def codes(self) -> Iterable[str]:
        return list(self.above)

    def parents(self, code: str) -> Collection[str]:
        return self.above.get(code, frozenset())

    def children(self, code: str) -> Collection[str]:
        return {one for one, parents in self.above.items() if code in parents}

    def ancestors(self, code: str) -> Iterable[str]:
        return _closure(code, self.parents)

    def descendants(self, code: str) -> Iterable[str]:
        return _closure(code, self.children)

    def members(self, refset: str) -> Iterable[str]:
        return self.refsets.get(refset, frozenset())

    def relations(self, code: str) -> Collection[Relation]:
        return self.related.get(code, ())


def _closure(code: str, step: Callable[[str], Collection[str]]) -> set[str]:
    found: set[str] = set()
    edge = set(step(code))
    while edge:
        found |= edge
        edge = {next_one for one in edge for next_one in step(one)} - found
    return found


def subsumed(release: SmallRelease, code: str, by: str) -> bool:
    """Whether a path of parents leads from ``code`` to ``by``; a concept does not subsume itself here."""
    return any(parent == by or subsumed(release, parent, by) for parent in release.above[code])


def selects(release: SmallRelease, expression: ecl.Expression, code: str) -> bool:
    """Whether one concept is selected, by the definition of each operator."""
    match expression:
        case ecl.Reference(wanted):
            return code == wanted
        case ecl.Anything():
            return True
        case ecl.Related(operator, operand):
            return any(
                selects(release, operand, other) and _reaches(release, operator, other, code) for other in release.above
            )
        case ecl.Member(operand):
            return any(
                selects(release, operand, refset) and code in members for refset, members in release.refsets.items()
            )
        case ecl.Every(parts):
            return all(selects(release, part, code) for part in parts)
        case ecl.Some(parts):
            return any(selects(release, part, code) for part in parts)
        case ecl.Without(kept, taken):
            return selects(release, kept, code) and not selects(release, taken, code)
        case ecl.Dotted(focus, attribute):
            return any(
                selects(release, focus, other)
                and any(one.target == code and selects(release, attribute, one.type) for one in relations)
                for other, relations in release.related.items()
            )
        case ecl.Refined(focus, refinement):
            return selects(release, focus, code) and _refined(release, refinement, code, release.relations(code))
    raise AssertionError(expression)


def _reaches(release: SmallRelease, operator: ecl.Operator, start: str, code: str) -> bool:
    sign = operator.value
    if len(sign.rstrip("!")) == 2 and start == code:  # << and >>
        return True
    upper, lower = (start, code) if sign[0] == "<" else (code, start)
    return upper in release.above[lower] if sign.endswith("!") else subsumed(release, lower, upper)


def _refined(release: SmallRelease, refinement: ecl.Refinement, code: str, relations: Collection[Relation]) -> bool:
    match refinement:
        case ecl.AllOf(parts):
            return all(_refined(release, part, code, relations) for part in parts)
        case ecl.OneOf(parts):
            return any(_refined(release, part, code, relations) for part in parts)
        case ecl.HasGroup(inside, times):
            numbers = {one.group for one in relations} - {0}
            groups = [[one for one in relations if one.group == number] for number in numbers]
            groups += [[one] for one in relations if one.group == 0]
            return times.hold(len([group for group in groups if _refined(release, inside, code, group)]))
        case ecl.HasAttribute(name, value, equal, True, times):
            sources = [
                other
                for other in release.above
                if selects(release, value, other) is equal
                and any(one.target == code and selects(release, name, one.type) for one in release.relations(other))
            ]
            return times.hold(len(sources))
        case ecl.HasAttribute(name, value, equal, False, times):
            found = {
                (one.type, one.target)
                for one in relations
                if selects(release, name, one.type) and selects(release, value, one.target) is equal
            }
            return times.hold(len(found))
    raise AssertionError(refinement)
