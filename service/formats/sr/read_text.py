"""Every other SR (text reports, CAD, dose, key objects): its narrative as text, and its tree as an outline.

What stands in the narrative is in the list of losses, too, as kept in words: a report has codes and numbers of lesions
only. What is no narrative is listed as left out, item by item.
"""

from collections.abc import Iterator
from typing import Final

from service.domain.loss import Loss, LossKind
from service.domain.received import OutlineItem
from service.formats.sr.content import Node
from service.formats.sr.read_notes import Notes, shown, value_text

_TEXTUAL: Final = frozenset(f"1.2.840.10008.5.1.4.1.1.88.{tail}" for tail in ("11", "22", "33", "34", "35"))
"""Basic Text, Enhanced, Comprehensive, Comprehensive 3D and Extensible SR (PS3.4 B.5)."""
_TABULAR: Final = ("10001", "10011", "10021", "10030", "10040", "4000", "4100", "4120", "2010")
"""Templates of dose, CAD and key object documents: of these only the texts are narrative (PS3.16)."""
_IMPRESSIONS: Final = frozenset({"impression", "impressions", "conclusion"})
_OF_SECTION: Final = frozenset({"HAS CONCEPT MOD"})
_OF_ANSWER: Final = frozenset({"HAS CONCEPT MOD", "HAS PROPERTIES"})
SAID: Final = ("TEXT", "CODE", "NUM", "DATE", "TIME", "DATETIME", "PNAME")


def is_textual(sop_class: str, root: Node) -> bool:
    """Whether codes and numbers of a document are part of its narrative."""
    template = root.value if isinstance(root.value, str) else ""
    return (sop_class in _TEXTUAL or not sop_class) and template.removeprefix("TID").strip() not in _TABULAR


def narrative(notes: Notes, kinds: tuple[str, ...]) -> tuple[str | None, str | None]:
    """Findings and impression in words, section by section, at most as long as a text may be."""
    findings: list[str] = []
    impression: list[str] = []
    _section(notes, notes.tree.root, kinds, (findings, impression), in_impression=False)
    return _bounded(notes, findings, "findings"), _bounded(notes, impression, "impression")


def _section(
    notes: Notes, node: Node, kinds: tuple[str, ...], texts: tuple[list[str], list[str]], *, in_impression: bool
) -> None:
    for child in node.children:
        key = notes.key(child)
        concludes = in_impression or key in _IMPRESSIONS
        into = texts[1] if concludes else texts[0]
        name = child.name.meaning if child.name is not None else ""
        if child.taken or child.relationship not in ("CONTAINS", ""):
            continue
        if child.kind == "CONTAINER":
            at = len(into)
            _section(notes, child, kinds, texts, in_impression=concludes)
            if len(into) > at:
                more = modifiers(notes, child, _OF_SECTION)
                if more or (name and not (concludes and key in _IMPRESSIONS)):
                    into.insert(at, f"{name}{more}:".strip())
        elif child.kind in kinds and value_text(child):
            plain = concludes and key in _IMPRESSIONS
            words = value_text(child).strip()
            _keep(notes, child, f"its {'impression' if concludes else 'findings'}")
            more = modifiers(notes, child)
            into.append(f"{words}{more}" if plain or not name else f"{name}: {words}{more}")


def modifiers(notes: Notes, node: Node, relationships: frozenset[str] = _OF_ANSWER) -> str:
    """What modifies an item, in brackets behind it: without its side, or an "absent", it would say something else."""
    said = []
    for child in node.children:
        if child.taken or child.relationship not in relationships or child.kind not in SAID or not value_text(child):
            continue
        name = child.name.meaning if child.name is not None else ""
        _keep(notes, child, "brackets behind what it modifies")
        words = f"{value_text(child).strip()}{modifiers(notes, child)}"
        said.append(f"{name}: {words}" if name else words)
    return f" ({'; '.join(said)})" if said else ""


def _keep(notes: Notes, node: Node, place: str) -> None:
    node.taken = True
    why = f"a lesion report has no field for it: kept in words in {place}"
    notes.losses.append(Loss(LossKind.FLAGGED, node.path, shown(node), why, "sr-as-text"))


def _bounded(notes: Notes, lines: list[str], what: str) -> str | None:
    text = "\n".join(line.replace("\r\n", "\n").replace("\r", "\n") for line in lines)
    most = notes.intake.limits.text_characters
    if len(text) > most:
        notes.losses.append(
            Loss(LossKind.SKIPPED, "1", what, f"the text is longer than {most} characters: cut there", "sr-text")
        )
        text = text[:most]
    return text or None


def title(root: Node) -> str:
    """The title of a document: the meaning of its root's name."""
    return root.name.meaning if root.name is not None and root.name.meaning else "Document without title"


def outline(root: Node) -> Iterator[OutlineItem]:
    """Every item of the tree, in document order."""
    for node in root.walk():
        name = node.name.meaning if node.name is not None else ""
        depth = node.path.count(".")
        yield OutlineItem(depth, node.relationship, node.kind or "by reference", name, value_text(node))
