"""What an expression is evaluated against: concepts in a hierarchy, with relationships and reference sets."""

from collections.abc import Collection, Iterable
from collections.abc import Set as AbstractSet
from typing import NamedTuple, Protocol

Selection = AbstractSet[str] | None
"""Codes of concepts; None is every concept."""


class Relation(NamedTuple):
    """A defining relationship that is no is-a, to a concept; those of group 0 stand in no group."""

    type: str
    target: str
    group: int


class Hierarchy(Protocol):
    """Concepts by code; every answer but `active` is of active concepts only."""

    def active(self, code: str) -> bool | None:
        """Whether a concept is active; None where there is none."""

    def count(self) -> int:
        """How many active concepts there are."""

    def codes(self) -> Iterable[str]:
        """All active concepts."""

    def parents(self, code: str) -> Collection[str]:
        """The concepts right above."""

    def children(self, code: str) -> Collection[str]:
        """The concepts right below."""

    def ancestors(self, code: str) -> Iterable[str]:
        """All concepts above, without itself."""

    def descendants(self, code: str) -> Iterable[str]:
        """All concepts below, without itself."""

    def members(self, refset: str) -> Iterable[str]:
        """The concepts in a reference set."""

    def relations(self, code: str) -> Collection[Relation]:
        """The relationships of a concept."""
