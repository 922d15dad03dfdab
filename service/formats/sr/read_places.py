"""The items of a measurement group by their names, and where its finding is, wherever makers say it.

Site, side and topographical modifier stand in the group (TID 1410, 1411, 1501), below its finding, or below each of its
numbers (TID 300 rows 5 to 7).
"""

from collections.abc import Iterator
from typing import Final

from service.domain.codes import Code, Term
from service.formats.sr.content import Coded, Node
from service.formats.sr.read_notes import Notes, key_of_code
from service.formats.sr.read_words import put_back

_OF_FINDING: Final = frozenset({"finding-site", "laterality", "topographical-modifier", "certainty"})
"""What makers put below the finding, too: it says the same of the lesion there."""
_ANSWERS: Final = "qualitative-evaluations"
_Place = tuple[Code, tuple[Code | None, ...]]
"""A site with the codes of what stands below it."""


class Group:
    """The items of one group by the concept keys of their names, each handed out once."""

    __slots__ = ("_found", "_items", "_notes", "node")

    def __init__(self, notes: Notes, node: Node, items: tuple[Node, ...]) -> None:
        """Sort the items."""
        self._notes = notes
        self.node = node
        self._items = put_back(notes, items)
        self._sort()
        if self._has_container():
            self._items = put_back(notes, self._flat(items))
            self._sort()

    def _sort(self) -> None:
        self._found: dict[str, list[Node]] = {}
        for child in self._items:
            self._found.setdefault(self._notes.key(child), []).append(child)

    def _has_container(self) -> bool:
        return any(node.kind == "CONTAINER" for node in self._found.get(_ANSWERS, ()))

    def _flat(self, items: tuple[Node, ...]) -> tuple[Node, ...]:
        """The items with those of a container of answers, as some makers have it, beside them."""
        flat: list[Node] = []
        for item in items:
            if item.kind == "CONTAINER" and self._notes.key(item) == _ANSWERS:
                item.taken = True
                flat += item.children
            else:
                flat.append(item)
        return tuple(flat)

    def numbers(self) -> list[Node]:
        """Its numbers; none where nothing stands below any."""
        found = [node for node in self._items if node.kind == "NUM"]
        return found if any(node.children for node in found) else []

    def all(self, key: str) -> list[Node]:
        """All items of a name."""
        return self._found.pop(key, [])

    def named(self, key: str) -> list[Node]:
        """All items of a name, which stay."""
        return self._found.get(key, [])

    def give(self, node: Node) -> None:
        """Hand out one item."""
        self._found[self._notes.key(node)].remove(node)

    def give_back(self, node: Node) -> None:
        """Take one item back: it is none of what it was asked for as."""
        self._found.setdefault(self._notes.key(node), []).append(node)

    def add(self, key: str, node: Node) -> None:
        """Take an item from below another one in, after those of the group itself."""
        self._found.setdefault(key, []).append(node)

    def first(self, key: str, *kinds: str) -> Node | None:
        """The one item of a name; others beside it are listed, since a lesion has one of it."""
        found = [node for node in self.all(key) if not kinds or node.kind in kinds]
        for more in found[1:]:
            self._notes.skip_all(more, f"a lesion has one {key.replace('-', ' ')}", "sr-one-of-a-kind")
        return found[0] if found else None

    def term(self, key: str) -> Term | None:
        """The one answer of a name."""
        node = self.first(key)
        return self._notes.answer(node) if node is not None else None

    def text(self, key: str) -> str | None:
        """The one text of a name."""
        node = self.first(key)
        if node is None:
            return None
        if isinstance(node.value, Coded):
            node.taken = True
            return node.value.meaning or None
        if isinstance(node.value, str) and node.kind != "CONTAINER":
            node.taken = True
            return node.value
        self._notes.skip(node, "it has no value", "sr-no-value")
        return None

    def rest(self) -> Iterator[Node]:
        """What was not handed out, in document order."""
        left = {id(node) for nodes in self._found.values() for node in nodes}
        return (child for child in self._items if id(child) in left)


def finding_of(notes: Notes, group: Group) -> Term | None:
    """The finding; its place, its side and how sure it is are those of the group where they stand below it."""
    node = group.first("finding")
    if node is None:
        return None
    for child in node.children:
        key = notes.key(child)
        if key in _OF_FINDING:
            group.add(key, child)
        elif _is_absent(child):
            group.add("certainty", child)
    return notes.answer(node)


def _is_absent(node: Node) -> bool:
    """Whether an answer is *absent*, whatever it answers: of a finding, that it is not there."""
    value = node.value
    code = value.code if isinstance(value, Coded) else None
    return code is not None and key_of_code(code.system, code.code) == "absent"


def site_of(notes: Notes, group: Group) -> tuple[Term | None, Term | None, Term | None]:
    """Where the lesion is, with the side and the modifier that stand below the site or, without one, beside it."""
    _take_sites_of_numbers(notes, group)
    node = group.first("finding-site")
    beside = (group.first("laterality"), group.first("topographical-modifier"))
    if node is None:
        side, topography = (notes.answer(one) if one is not None else None for one in beside)
        return None, side, topography
    site = notes.answer(node)
    found: list[Term | None] = []
    for key, other in zip(("laterality", "topographical-modifier"), beside, strict=True):
        below = [child for child in node.children if notes.key(child) == key]
        below += [other] if other is not None else []
        found.append(notes.answer(below[0]) if below else None)
        for more in below[1:]:
            notes.skip_all(more, f"a lesion has one {key.replace('-', ' ')}", "sr-one-of-a-kind")
    return site, found[0], found[1]


def _take_sites_of_numbers(notes: Notes, group: Group) -> None:
    """The one place that all numbers have is the lesion's where the group names none, and said twice where it does."""
    below = [notes.below(node, "finding-site") for node in group.numbers()]
    own = group.named("finding-site")
    if not any(below) or (group.named("laterality") and not own):
        return
    places = {_place(node) for node in below}
    wanted = _place(own[0]) if own else places.pop() if len(places) == 1 else None
    if wanted is None:
        return
    same = [node for node in below if node is not None and _place(node) == wanted]
    for node in same if own else same[1:]:
        for one in node.walk():
            one.taken = True
    if not own:
        group.add("finding-site", same[0])


def _place(node: Node | None) -> _Place | None:
    value = node.value if node is not None else None
    if node is None or not isinstance(value, Coded) or value.code is None:
        return None
    return value.code, tuple([one.value.code if isinstance(one.value, Coded) else None for one in node.children])
