"""What a measurement group of ours says in words: beside a code that says less, or instead of one.

Such a TEXT is named (C0034375, UMLS, "Qualitative Evaluations"), its field stands below it as (121050), the code that
says less as (121051): docs/conformance-sr.md. Here it goes back to its field, so that the rest of the reader sees one
item with its words.
"""

from service.domain.codes import Code
from service.formats.sr.content import Coded, Node
from service.formats.sr.read_notes import NAME_WORDS, VALUE_WORDS, Notes

_WORDED = "qualitative-evaluations"
_Key = tuple[Code | str | None, Code | None]
"""A field, by its code or in words, and the code that answers it."""


def put_back(notes: Notes, items: tuple[Node, ...]) -> tuple[Node, ...]:
    """The items of a group with each answer in words under its own field; words beside a code go to that code."""
    made: list[Node] = []
    codes: dict[_Key, list[Node]] = {}
    for node in items:
        if node.kind == "TEXT" and isinstance(node.value, str) and notes.key(node) == _WORDED:
            codes = codes or _codes(notes, items)
            made.extend(_one(notes, node, codes))
        else:
            made.append(node)
    return tuple(made)


def _codes(notes: Notes, items: tuple[Node, ...]) -> dict[_Key, list[Node]]:
    """The coded answers by field and code, the last first, so that each is taken from the end and once."""
    found: dict[_Key, list[Node]] = {}
    for item in reversed(items):
        for node in (*reversed(item.children), item):
            if node.kind == "CODE" and isinstance(node.value, Coded) and node.name is not None:
                own = notes.below(node, NAME_WORDS)
                field = own.value if own is not None and isinstance(own.value, str) else node.name.code
                found.setdefault((field, node.value.code), []).append(node)
    return found


def _one(notes: Notes, node: Node, codes: dict[_Key, list[Node]]) -> tuple[Node, ...]:
    """The item under its field; none where its words were given to a code; itself where it is nothing of ours."""
    field, less = notes.below(node, NAME_WORDS), notes.below(node, VALUE_WORDS)
    if field is None or not isinstance(node.value, str):
        return (node,)
    label = field.value.meaning if isinstance(field.value, Coded) else field.value
    if not isinstance(label, str) or not node.value.startswith(f"{label}: "):
        return (node,)
    words = node.value[len(label) + 2 :]
    if less is None:
        return (_under(node, field, words),)
    beside = less.value.code if isinstance(less.value, Coded) else None
    waiting = codes.get((field.value.code if isinstance(field.value, Coded) else label, beside))
    if not waiting:
        return (node,)
    notes.beside[waiting.pop().path] = words
    node.taken = field.taken = less.taken = True
    return ()


def _under(node: Node, field: Node, words: str) -> Node:
    """A text under the name of its field; a field that is only words keeps these below it."""
    made = Node()
    made.path, made.kind, made.relationship, made.target, made.taken = node.path, "TEXT", "CONTAINS", "", False
    made.value = words
    made.name = field.value if isinstance(field.value, Coded) else None
    made.children = () if isinstance(field.value, Coded) else (field,)
    node.taken = field.taken = True
    return made
