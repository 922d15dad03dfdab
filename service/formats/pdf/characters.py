"""Which characters the fonts of this room can show; the others are written as their code points, and counted.

A glyph alone is not enough: letters that run from right to left, and marks that have to be placed on a letter, need
shaping that is not done here. So such a text is never drawn in a wrong order: it stands as ``[U+05D3 U+05D5]``.
"""

import re
import unicodedata
from collections.abc import Collection
from typing import Final

_RIGHT_TO_LEFT: Final = frozenset({"R", "AL", "AN", "RLE", "RLO", "RLI", "LRE", "LRO", "LRI", "PDF", "PDI", "FSI"})
_PLACED: Final = frozenset({"Mn", "Mc", "Me", "Cf", "Cc", "Co", "Cs", "Cn"})
_MARKUP: Final = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
_BLANKS: Final = re.compile(r"[ \t\n\r]+")


class Characters:
    """Makes of texts what can be drawn; ``missing`` counts the characters that could not."""

    def __init__(self, glyphs: Collection[int]) -> None:
        """Take the code points that every font in use has a glyph for."""
        self._glyphs = glyphs
        self.missing = 0

    def shown(self, text: str) -> str:
        """A text as markup, composed (Unicode NFC), with blanks as HTML has them."""
        made: list[str] = []
        codes: list[str] = []
        for character in _BLANKS.sub(" ", unicodedata.normalize("NFC", text)):
            if not self._can(character):
                codes.append(f"U+{ord(character):04X}")
                continue
            if codes:
                made.append(f"[{' '.join(codes)}]")
                self.missing += len(codes)
                codes = []
            made.append(_MARKUP.get(character, character))
        if codes:
            made.append(f"[{' '.join(codes)}]")
            self.missing += len(codes)
        return "".join(made)

    def _can(self, character: str) -> bool:
        if character.isascii():
            return character.isprintable()
        # A soft hyphen has a glyph, but whoever lays out leaves it away: `A<soft hyphen>1` would be drawn as `A1`.
        placed = unicodedata.category(character) in _PLACED
        return (
            ord(character) in self._glyphs and not placed and unicodedata.bidirectional(character) not in _RIGHT_TO_LEFT
        )
