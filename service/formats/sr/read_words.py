"""What a measurement group of ours says in words: beside a code that says less, or instead of one.

Such a TEXT is named (C0034375, UMLS, "Qualitative Evaluations"), its field stands below it as (121050), the code that
says less as (121051): docs/conformance-sr.md. Here it goes back to its field, so that the rest of the reader sees one
item with its words.
"""

from service.formats.sr.content import Coded, Node
from service.formats.sr.read_notes import NAME_WORDS, VALUE_WORDS, Notes

_WORDED = "qualitative-evaluations"


def put_back(notes: Notes, items: tuple[Node, ...]) -> tuple[Node, ...]:
    """The items of a group with each answer in words under its own field; words beside a code go to that code."""
    made: list[Node] = []
    for node in items:
        if node.kind == "TEXT" and isinstance(node.value, str) and notes.key(node) == _WORDED:
            made.extend(_one(notes, node, items))
        else:
            made.append(node)
    return tuple(made)


def _one(notes: Notes, node: Node, items: tuple[Node, ...]) -> tuple[Node, ...]:
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
    for other in items:
        for code in (other, *other.children):
            if code.path not in notes.beside and _is_of(notes, code, field, less):
                notes.beside[code.path] = words
                node.taken = field.taken = less.taken = True
                return ()
    return (node,)


def _under(node: Node, field: Node, words: str) -> Node:
    """A text under the name of its field; a field that is only words keeps these below it."""
    made = Node()
    made.path, made.kind, made.relationship, made.target, made.taken = node.path, "TEXT", "CONTAINS", "", False
    made.value = words
    made.name = field.value if isinstance(field.value, Coded) else None
    made.children = () if isinstance(field.value, Coded) else (field,)
    node.taken = field.taken = True
    return made


def _is_of(notes: Notes, code: Node, field: Node, less: Node) -> bool:
    """Whether a code is the one that says less, under the same field."""
    if not (isinstance(code.value, Coded) and isinstance(less.value, Coded) and code.value.code == less.value.code):
        return False
    if isinstance(field.value, Coded):
        return code.name is not None and code.name.code == field.value.code
    own = notes.below(code, NAME_WORDS)
    return own is not None and own.value == field.value
