"""The side that a site's own words name, in English and in the languages that the project has labels in.

Only to refuse: a machine-made label is no word to look a concept up by, but one that says "links" is reason enough not
to believe that its term means the right.
"""

from typing import Final

from service.coding.index import EVERYWHERE
from service.coding.labels import labels, languages
from service.coding.loading import LEFT, RIGHT, SIDE
from service.coding.lookup import Vocabulary
from service.coding.words import fold

_SHORTEST: Final = 4  # letters: "left", "links"; "re" and "li" are also other things
_OTHER: Final = {LEFT: RIGHT, RIGHT: LEFT}


class SideWords:
    """Words for left and right."""

    __slots__ = ("_glyphs", "_stems", "_whole")

    def __init__(self, vocabulary: Vocabulary) -> None:
        """Take the designations of both sides, and the labels of every language."""
        self._whole = {
            fold(term): concept
            for scope in (SIDE, EVERYWHERE)
            for term, concept in vocabulary.designations.terms.get(scope, {}).items()
            if concept in _OTHER and len(term) >= _SHORTEST and " " not in term
        }
        self._stems: dict[str, str] = {}
        self._glyphs: dict[str, str] = {}
        for language in languages():
            said = labels(language)
            words = {side: set(fold(said[side].text).split()) if side in said else set() for side in _OTHER}
            for side, other in _OTHER.items():
                for word in words[side] - words[other]:
                    if len(word) < _SHORTEST:
                        self._glyphs[word] = side  # a script without blanks: it stands within a word
                    else:
                        self._stems[word[:-1]] = side  # links, linke, linker; gauche, gauches

    def said(self, text: str) -> str | None:
        """The side that the words of a text name, where they name one only."""
        folded = fold(text)
        words = {word.strip(".,;:()[]-/") for word in folded.replace("-", " ").split()}
        named = {self._whole[word] for word in words if word in self._whole}
        named |= {side for stem, side in self._stems.items() if any(word.startswith(stem) for word in words)}
        named |= {side for glyph, side in self._glyphs.items() if glyph in folded}
        return named.pop() if len(named) == 1 else None
