"""Whom the items of an SR are about: its patient, unless Subject Class says a fetus or a device (TID 1006, CID 271).

A report is of one patient. What is measured in a fetus is no finding of the mother, whose name the document bears, so
it is listed, not read. A specimen is the patient's own.
"""

from typing import Final

from service.formats.sr.content import Coded, Node
from service.formats.sr.read_notes import Notes, key_of_code

_SUBJECT: Final = "subject-class"
_OTHERS: Final = frozenset({"fetus", "device-subject"})
WHY: Final = "it is said of a {}, and a report is of its patient"
RULE: Final = "sr-subject"


class Subjects:
    """The containers of a document that say whom they are about; what stands in them is about the same."""

    __slots__ = ("_said",)

    def __init__(self, notes: Notes) -> None:
        """Find them; most documents have none."""
        self._said: dict[str, str] = {}
        others = {notes.vocabulary.code(key).code for key in _OTHERS}
        for node in notes.tree.nodes:
            value = node.value
            if isinstance(value, Coded) and value.code is not None and (value.code.code in others or self._said):
                self._put(notes, node, key_of_code(value.code.system, value.code.code))

    def _put(self, notes: Notes, node: Node, subject: str) -> None:
        if notes.key(node) == _SUBJECT and (subject in _OTHERS or self._said):
            self._said.setdefault(node.path.rpartition(".")[0], subject)

    def another(self, node: Node) -> str:
        """What an item is about, where that is not the patient: by the nearest container that says it."""
        path = node.path if self._said else ""
        while path:
            said = self._said.get(path)
            if said is not None:
                return said if said in _OTHERS else ""
            path = path.rpartition(".")[0]
        return ""

    def skip(self, notes: Notes, node: Node) -> bool:
        """List an item and all below it, where it is not about the patient."""
        other = self.another(node)
        if other:
            notes.skip_all(node, WHY.format(notes.vocabulary.concepts[other].label.casefold()), RULE)
        return bool(other)
