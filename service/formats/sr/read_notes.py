"""What the parts of the reader share while one document is read: its names, its terms, its instances and its losses."""

from collections.abc import Iterator
from functools import cache, lru_cache
from typing import Final

from service.coding import vocabulary
from service.coding.lookup import Vocabulary
from service.coding.retired import SCT, snomed_of_srt
from service.domain.codes import LOCAL_SCHEME, Code, Term
from service.domain.loss import Loss, LossKind
from service.domain.received import Intake
from service.formats.sr.content import Coded, Graphic, Measured, Node, Referenced, Tree
from service.formats.sr.draft import UNNAMED_VALUE

_OLD_SNOMED: Final = frozenset({"SRT", "SNM3", "99SDM"})
"""Designators under which makers wrote the SNOMED RT style codes that PS3.16 annex O maps to SNOMED CT."""
_SHOWN: Final = 200  # characters of a value in a list of losses
NAME_WORDS: Final = "equivalent-meaning-of-concept-name"
SEVERAL: Final = "sr-several-values"
VALUE_WORDS: Final = "equivalent-meaning-of-value"


@cache
def _keys() -> dict[tuple[str, str], str]:
    """Concept keys of the names that templates stand on, by each exact code they have."""
    tables = vocabulary()
    frame = [concept for concept in tables.concepts.values() if concept.group == "sr-structure"]
    frame += [tables.concepts[row.concept] for row in tables.members.values()]
    frame += [tables.concepts[key] for key in ("absent", "multiple", "innumerable")]
    made: dict[tuple[str, str], str] = {}
    for concept in frame:
        for code in (*tables.name(concept.key).codes, *concept.codes):
            made.setdefault((code.system, code.code), concept.key)
    return made


@lru_cache(maxsize=8_192)
def key_of_code(system: str, code: str) -> str:
    """The concept key of a name of the templates, empty for any other."""
    if system in _OLD_SNOMED:
        system, code = SCT, snomed_of_srt().get(code, "")
    return _keys().get((system, code), "")


class Notes:
    """One document being read; ``own``: this project wrote it."""

    __slots__ = ("beside", "classes", "instances", "intake", "losses", "own", "places", "study", "tree", "vocabulary")

    def __init__(self, tree: Tree, intake: Intake, *, own: bool) -> None:
        """Begin with no losses."""
        self.tree = tree
        self.intake = intake
        self.own = own
        self.vocabulary: Vocabulary = vocabulary()
        self.losses: list[Loss] = []
        self.study = ""
        self.instances: dict[str, tuple[str, str, str]] = {}
        """SOP class, series and study of each instance of the evidence sequences."""
        self.classes: dict[str, str] = {}
        """The SOP class of each instance that an item refers to."""
        self.places: dict[str, int] = {}
        """Where each image stands in the image library."""
        self.beside: dict[str, str] = {}
        """The words of a code that says less, where they stand beside it, by its path."""

    def key(self, node: Node) -> str:
        """The concept key of an item's name, empty where the templates have no such name."""
        name = node.name
        return key_of_code(name.code.system, name.code.code) if name is not None and name.code is not None else ""

    def below(self, node: Node, key: str) -> Node | None:
        """The first item below that has this name."""
        return next((child for child in node.children if self.key(child) == key), None)

    def flag(self, where: str, what: str, why: str, rule: str) -> None:
        """Note what is kept, but doubtful or not as it came."""
        self.losses.append(Loss(LossKind.FLAGGED, where, what, why, rule))

    def lack(self, where: str, what: str, why: str, rule: str) -> None:
        """Note what the report must have and the document has not: a stand-in takes its place."""
        self.losses.append(Loss(LossKind.FLAGGED, where, what, why, rule))

    def several(self, where: str, what: str, more: int, kind: str) -> None:
        """Note that more than one stands where an item has one: the first is taken."""
        self.flag(where, what, f"an item has one {kind}, and here are {more} more: the first is taken", SEVERAL)

    def skip(self, node: Node, why: str, rule: str) -> None:
        """Note an item that the report can't hold."""
        if not node.taken:
            node.taken = True
            self.losses.append(Loss(LossKind.SKIPPED, node.path, shown(node), why, rule))

    def skip_all(self, node: Node, why: str, rule: str) -> None:
        """Note an item and all below it."""
        for one in node.walk():
            self.skip(one, why, rule)

    def reached(self, node: Node) -> Node:
        """The item that one by reference stands for (PS3.3 C.17.3.2.5); one step, so that no cycle is followed."""
        return self.tree.by_path.get(node.target, node) if node.target else node

    def words(self, node: Node, key: str) -> str:
        """The precise words that stand below an item (121050, 121051), which is what makes them the item's."""
        said = self.below(node, key)
        if said is None or not isinstance(said.value, str):
            return ""
        said.taken = True
        return said.value

    def name(self, node: Node) -> Term | None:
        """The name of an item as a term, None where it has none."""
        words = self.words(node, NAME_WORDS)
        if node.name is None:
            return Term(words, None, node.path) if words else None
        return self.term(node.name, node.path, words)

    def answer(self, node: Node) -> Term | None:
        """The value of an item as a term; without one it is listed as skipped."""
        value = node.value
        if isinstance(value, Coded):
            node.taken = True
            return self.term(value, node.path, self.words(node, VALUE_WORDS) or self.beside.get(node.path, ""))
        if isinstance(value, str) and node.kind != "CONTAINER":
            node.taken = True
            return Term(value.strip(), None, node.path)
        self.skip(node, "it has no value", "sr-no-value")
        return None

    def term(self, coded: Coded, where: str, words: str = "") -> Term:
        """A coded entry as the sender's term; ``words`` are what was meant where the code says less."""
        code = coded.code
        if coded.more:
            self.several(where, coded.meaning, coded.more, "coded entry")
        if code is not None and code.system == LOCAL_SCHEME and code.code == UNNAMED_VALUE:
            return Term(words or coded.meaning, None, where)
        if code is not None and coded.equivalents:
            code = self._said(code, coded.equivalents, where)
        text = words or coded.meaning or (code.code if code is not None else "")
        return Term(text or "(no value)", code, where)

    def _said(self, code: Code, equivalents: tuple[Code, ...], where: str) -> Code:
        """The code that the coder makes the others of.

        Of ours they are derived again; one of the same system beside the first is the retired code that was sent.
        """
        if not self.own:
            others = ", ".join(f"{other.system} {other.code}" for other in equivalents)
            self.flag(
                where, others[:_SHOWN], "a term has one code; its equivalents are left out", "sr-equivalent-codes"
            )
            return code
        retired = [other for other in equivalents if other.system == code.system]
        return retired[-1] if retired else code

    def rest(self) -> None:
        """List what nothing took: every item is in the report or in this list."""
        for node in self.tree.nodes:
            if not node.taken:
                why = "a lesion report has no place for it"
                if node.target:
                    why = f"it refers to item {node.target}, and a lesion report has no such link"
                self.skip(node, why, "sr-no-place")


def shown(node: Node) -> str:
    """An item in short and on one line, for the list of losses."""
    name = node.name.meaning if node.name is not None and node.name.meaning else node.kind or "item"
    said = " ".join(value_text(node).split())
    return f"{name}: {said}"[:_SHOWN] if said else name[:_SHOWN]


def value_text(node: Node) -> str:
    """The value of an item in words, empty where it has none."""
    value = node.value
    if isinstance(value, Coded):
        return value.meaning
    if isinstance(value, Measured):
        unit = value.unit.meaning or "" if value.unit is not None else ""
        code = value.unit.code if value.unit is not None else None
        said = f"{value.digits} {code.code if code is not None else unit}".strip()
        doubt = value.qualifier.meaning if value.qualifier is not None else ""
        return f"{said} ({doubt})" if said and doubt else said or doubt
    if isinstance(value, Referenced):
        parts = [value.sop_instance]
        parts += [f"frame {number}" for number in value.frames] + [f"segment {number}" for number in value.segments]
        return ", ".join(filter(None, parts))
    if isinstance(value, Graphic):
        return f"{value.graphic_type} of {len(value.numbers)} numbers"
    if node.kind == "CONTAINER" or value is None:
        return f"item {node.target}" if node.target else ""
    return value


def only(nodes: list[Node], kinds: tuple[str, ...]) -> Iterator[Node]:
    """The items of these value types."""
    return (node for node in nodes if node.kind in kinds)
