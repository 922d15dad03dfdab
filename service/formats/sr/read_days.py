"""Of which day the items of an SR are: what was observed on a day before the study is not what stands now.

A document that compares holds the numbers of the study before, too: with an Observation DateTime of that day (PS3.3
C.17.3), or on the images of that study. The first are listed, not read; of the others nobody says when they were made,
so they are flagged.
"""

from typing import Final

from service.domain.codes import Term
from service.domain.report import Lesion
from service.domain.times import DateTime
from service.formats.sr.content import Node
from service.formats.sr.read_notes import Notes
from service.formats.sr.read_times import date_time
from service.formats.sr.times import local

OTHER_TIME: Final = "sr-other-time"
OTHER_STUDY: Final = "sr-other-study"


class Days:
    """Which items are of a day before the study; none where no item says its day, or the study has none."""

    __slots__ = ("_before", "_started")

    def __init__(self, notes: Notes, started: DateTime | None, offset: str) -> None:
        """Look at all items; ``offset`` is the zone of the document."""
        self._started = started
        self._before: dict[str, bool] = {}
        if started is None or not started.da:
            return
        for path, said in notes.tree.observed.items():
            when = date_time(said, offset, notes.intake)
            day = local(when, started)[0] if when is not None and started.has_zone else when.da if when else ""
            if day:
                self._before[path] = day < started.da

    def groups(self, notes: Notes, nodes: tuple[Node, ...]) -> tuple[Node, ...]:
        """The groups that are of the study; the others are listed. Where all are before, the study has a wrong day."""
        return self._now(notes, nodes, nodes) if self._before else nodes

    def items(self, notes: Notes, nodes: tuple[Node, ...]) -> tuple[Node, ...]:
        """Likewise the items of a group of the study; its numbers tell whether all are before."""
        return self._now(notes, nodes, _numbers(nodes)) if self._before else nodes

    def _now(self, notes: Notes, nodes: tuple[Node, ...], telling: tuple[Node, ...]) -> tuple[Node, ...]:
        if all(map(self._is_before, telling)):
            return nodes
        kept = []
        for node in nodes:
            if self._is_before(node):
                notes.skip_all(node, "it was observed on a day before the study: not what stands now", OTHER_TIME)
            else:
                kept.append(node)
        return tuple(kept)

    def _is_before(self, node: Node) -> bool:
        """Whether an item is of a day before the study: by itself, the nearest item above, or by all its numbers."""
        path = node.path
        while path:
            said = self._before.get(path)
            if said is not None:
                return said
            path = path.rpartition(".")[0]
        numbers = _numbers(node.children) if node.kind == "CONTAINER" else ()
        return bool(numbers) and all(self._before.get(number.path, False) for number in numbers)


def _numbers(nodes: tuple[Node, ...]) -> tuple[Node, ...]:
    return tuple([node for node in nodes if node.kind == "NUM"])


def flag_other_studies(notes: Notes, found: tuple[Lesion[Term], ...]) -> None:
    """Flag lesions that other studies alone show, beside some that this one shows; ours says what it means."""
    seen = [lesion for lesion in found if lesion.images]
    elsewhere = [lesion for lesion in seen if all(shown.image.study is not None for shown in lesion.images)]
    if notes.own or len(elsewhere) == len(seen):
        return
    for lesion in elsewhere:
        why = "all its images are of another study: what was measured there may be of that day. Kept as it came"
        notes.flag(lesion.where, lesion.id, why, OTHER_STUDY)
