"""An SR document as its tree: what its items are called, and what they answer.

Bytes become a tree by ``decode``, which is no part of the writer; what the tree says is read here by codes alone.
"""

from collections.abc import Iterable, Iterator

from service.check.displays import codes_of_tree
from service.check.sr_header import codes_of_header
from service.check.sr_words import UNNAMED
from service.check.values import ABSENT, answer_value, codes_value
from service.coding import Vocabulary
from service.domain.codes import Code
from service.formats.sr.coded import CodedEntry
from service.formats.sr.decode import decode_file
from service.formats.sr.tree import ContentItem


class Document:
    """One document; its items by the keys of the names that the templates have."""

    def __init__(self, content: bytes, vocabulary: Vocabulary) -> None:
        """Parse it; raises ValueError when the bytes are none of ours."""
        self.elements, self.root = decode_file(content)
        self._vocabulary = vocabulary
        self._keys: dict[tuple[str, str], str] = {}
        self.learn(
            ("equivalent-meaning-of-concept-name", "equivalent-meaning-of-value", "imaging-procedure", ABSENT), ()
        )

    @property
    def reference(self) -> tuple[str, str, str]:
        """SOP class, instance and series of the document."""
        said = self.elements
        return said["SOPClassUID"], said["SOPInstanceUID"], said["SeriesInstanceUID"]

    def codes(self) -> Iterator[Code]:
        """Every code of the document."""
        yield from codes_of_header(self.elements)
        yield from codes_of_tree(self.root)

    def learn(self, concepts: Iterable[str], members: Iterable[str]) -> None:
        """Know these names: concepts by their key, coded members by that of their row."""
        named = {key: key for key in concepts} | {key: self._vocabulary.members[key].concept for key in members}
        codes = {key: self._vocabulary.name(concept).codes[0] for key, concept in named.items()}
        self._keys |= {(code.system, code.code): key for key, code in codes.items()}

    def key(self, item: ContentItem) -> str | None:
        """The key of an item's name."""
        return self.key_of(item.concept_name) if item.concept_name is not None else None

    def key_of(self, entry: CodedEntry) -> str | None:
        """The key of a coded entry."""
        return self._keys.get((entry.codes[0].system, entry.codes[0].code))

    def below(self, item: ContentItem, key: str) -> ContentItem | None:
        """The first item of this name below another."""
        return next((child for child in item.children if self.key(child) == key), None)

    def name(self, item: ContentItem) -> str:
        """The name of an item; in its own words where its code says less or nothing."""
        words = self.below(item, "equivalent-meaning-of-concept-name")
        codes: tuple[Code, ...] = item.concept_name.codes if item.concept_name is not None else ()
        if words is None:
            return codes_value(codes)
        return codes_value(codes if codes[0].code != UNNAMED else (), words.value)

    def answer(self, item: ContentItem, beside: str | None = None, *, imprecise: bool = False) -> str:
        """The value of a CODE or TEXT item; ``beside`` are words of the code that do not stand below it.

        ``imprecise``: a stand-in code is there where only the words say it.
        """
        if item.value_type == "TEXT":
            return codes_value((), item.value)
        codes: tuple[Code, ...] = item.value.codes
        below = self.below(item, "equivalent-meaning-of-value")
        words = below.value if below is not None else beside
        if words is not None and (
            (imprecise and self.key_of(item.value) == "imaging-procedure") or codes[0].code == UNNAMED
        ):
            return codes_value((), words)
        return codes_value(codes, words)

    def statement(self, item: ContentItem, beside: str | None = None) -> str:
        """A field and its answer; *absent* is one word, however many codes it has."""
        is_absent = item.value_type == "CODE" and self.key_of(item.value) == ABSENT
        return answer_value(self.name(item), ABSENT if is_absent else self.answer(item, beside))
