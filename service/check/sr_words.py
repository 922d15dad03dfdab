"""What a measurement group says in words: beside a code that says less, or instead of one."""

from collections.abc import Iterable
from typing import NamedTuple

from service.formats.sr.coded import CodedEntry
from service.formats.sr.tree import ContentItem

UNNAMED = "unnamed"
"""Code Value of a code that says no more than the words beside it."""


class Worded(NamedTuple):
    """A text of a group: its field by code or only by its label, the code that says less, and the words."""

    field: CodedEntry | None
    label: str
    beside: CodedEntry | None
    text: str

    def is_of(self, item: ContentItem) -> bool:
        """Whether it stands beside this item."""
        if item.value_type != "CODE" or self.beside is None or self.beside != item.value or item.concept_name is None:
            return False
        if self.field is not None:
            return self.field.codes[0] == item.concept_name.codes[0]
        return any(child.value_type == "TEXT" and child.value == self.label for child in item.children)


class Words:
    """The texts of one group, each for one item."""

    def __init__(self, said: Iterable[Worded]) -> None:
        """None is used yet."""
        self._left = list(said)

    def of(self, item: ContentItem) -> str | None:
        """The words of a coded item, by its field and its code; used up by this."""
        found = next((said for said in self._left if said.is_of(item)), None)
        if found is None:
            return None
        self._left.remove(found)
        return found.text

    def left(self) -> tuple[Worded, ...]:
        """Those that are nobody's."""
        return tuple(self._left)
