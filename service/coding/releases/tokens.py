"""Words of terms as they are indexed and asked for: folded, without accents, in the singular and American spelling.

A word is kept as it is written and, where that differs, in its normal form, so that the beginning of either finds it.
"""

import re
import unicodedata
from hashlib import blake2b
from typing import Final

from service.coding.words import Words, fold

_WORD: Final = re.compile(r"[^\W_]+")
# Scripts that are written without blanks: each character is a word of its own.
_UNSPACED: Final = re.compile("([\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff])")
_VOWELS: Final = re.compile(r"[aeiouyh]")
IDLE: Final = frozenset(
    [
        "a",
        "an",
        "and",
        "as",
        "at",
        "by",
        "for",
        "from",
        "in",
        "into",
        "no",
        "of",
        "on",
        "or",
        "the",
        "to",
        "with",
        "de",
        "des",
        "du",
        "la",
        "le",
        "les",
        "et",
        "der",
        "die",
        "das",
        "und",
    ]
)
"""Words that tell nothing apart; asked for only when nothing else is."""


def plain(text: str) -> str:
    """The text folded and without accents."""
    folded = fold(text)
    if folded.isascii():
        return folded
    bare = "".join(c for c in unicodedata.normalize("NFKD", folded) if not unicodedata.combining(c))
    return _UNSPACED.sub(r" \1 ", unicodedata.normalize("NFKC", bare))


def split(text: str) -> list[str]:
    """The words of a text in order."""
    return _WORD.findall(plain(text))


def skeleton(word: str) -> str:
    """What is left of a word when vowels, h and doubled letters are dropped: misspelled words often share it."""
    made = word[:1]
    for letter in _VOWELS.sub("", word[1:]):
        if letter != made[-1]:
            made += letter
    return made


class Normal:
    """Normal forms of words, at most ``most`` of them remembered: releases have few words and many terms."""

    def __init__(self, words: Words, most: int = 20_000) -> None:
        """Take the spellings."""
        self._words = words
        self._most = most
        self._known: dict[str, str] = {}

    def word(self, word: str) -> str:
        """One word's normal form."""
        known = self._known.get(word)
        if known is None:
            if len(self._known) >= self._most:
                self._known.clear()
            known = self._known[word] = self._words.normal(word)
        return known

    def hash(self, words: list[str]) -> int:
        """A number that terms share whose words are equal in normal form, in any order: 64 bits, signed."""
        key = " ".join(sorted(map(self.word, words)))
        return int.from_bytes(blake2b(key.encode(), digest_size=8).digest(), "little", signed=True)
