"""Terms compared: which differences of spelling do not change what is meant.

``fold`` is blind to case, Unicode form and blanks; ``Words.normal`` also to hyphens, slashes and commas between words,
to regular plurals and possessives, to British or American spelling, and to a vertebral level written apart (T 10). A
hyphen or plus at the end of a word stays, since "C-" is without contrast and "C+" is with it. Case of an abbreviation
stays (``squeeze``).
"""

import re
import unicodedata
from collections.abc import Mapping

_INVISIBLE = dict.fromkeys(map(ord, "\u00ad\u200b\u2060\ufeff"))
_ALIKE = str.maketrans("’‘ʼ`´‐‑‒–—―−", "'''''-------")
_BETWEEN = re.compile(r"(?<=[^\W_])(?:[-/_]|\s+[-/_]\s+)(?=[^\W_])")
_IDLE = re.compile(r"[,;:()\[\]\"“”]+(?=\s|$)|(?:^|(?<=\s))[,;:()\[\]\"“”]+")
_POSSESSIVE = re.compile(r"(?<=\w)'s\b|(?<=s)'(?!\w)")
_PLAIN = re.compile(r"[a-z0-9 ]*")
_PASSES = 8  # what one pass leaves, the next may take ("vertebraes"); each takes something, so few are enough
_SHORTEST_PLURAL = 4  # letters: "axes", but not the CNS, the pons' "is" or a "gas"

IRREGULAR: dict[str, str] = {
    "axes": "axis",
    "criteria": "criterion",
    "femora": "femur",
    "foci": "focus",
    "gyri": "gyrus",
    "humeri": "humerus",
    "loci": "locus",
    "matrices": "matrix",
    "nidi": "nidus",
    "nuclei": "nucleus",
    "pelves": "pelvis",
    "radii": "radius",
    "sulci": "sulcus",
    "thalami": "thalamus",
}
"""Plurals of the field that no ending tells."""

ORDINALS: dict[str, str] = {
    "1st": "first",
    "2nd": "second",
    "3rd": "third",
    "4th": "fourth",
    "5th": "fifth",
    "6th": "sixth",
    "7th": "seventh",
    "8th": "eighth",
    "9th": "ninth",
    "10th": "tenth",
    "11th": "eleventh",
    "12th": "twelfth",
}
"""Numbers of ribs and vertebrae as they are spoken: "10th thoracic vertebra"."""
_LEVEL = re.compile(r"(?<!\S)(c|l|s|t|th) (?=\d{1,2}(?!\S))")
"""The letter of a vertebral level that is written apart: "T 10", "T-10"."""

_ENDINGS = (
    ("sses", "ss"),  # masses
    ("uses", "us"),  # sinuses
    ("shes", "sh"),
    ("ches", "ch"),
    ("xes", "x"),
    ("tases", "tasis"),  # metastases
    ("noses", "nosis"),  # stenoses
    ("roses", "rosis"),  # necroses
    ("boses", "bosis"),  # thromboses
    ("yses", "ysis"),  # epiphyses
    ("ties", "ty"),
    ("cies", "cy"),
    ("sies", "sy"),
    ("ries", "ry"),
    ("dies", "dy"),
    ("bies", "by"),
    ("mies", "my"),
    ("lies", "ly"),
    ("rae", "ra"),  # vertebrae
)
_PLURALS = tuple(plural for plural, _ in _ENDINGS)
_NO_PLURAL = ("ss", "us", "is", "'s")


def _clean(text: str) -> str:
    """One Unicode form, one kind of dash and apostrophe, single blanks."""
    # Before and after: NFKC takes a free-standing acute accent apart, and makes new dashes of compatibility forms.
    once = unicodedata.normalize("NFKC", text.translate(_ALIKE)).translate(_INVISIBLE).translate(_ALIKE)
    return " ".join(once.split())


def squeeze(text: str) -> str:
    """The text in one Unicode form with single blanks, case kept: how abbreviations are compared."""
    return _clean(text)


def fold(text: str) -> str:
    """The text without regard to case, Unicode form and blanks."""
    if text.isascii():
        folded = " ".join(text.lower().split())
        return folded.replace("`", "'") if "`" in folded else folded
    # Either of NFKC and case folding can undo the other, so they alternate (Unicode 3.13, D146).
    for _ in range(3):
        text = _clean(text.casefold())
    return text


def singular(word: str) -> str:
    """The singular of a folded word as far as its ending tells it; a singular stays as it is."""
    if len(word) < _SHORTEST_PLURAL:
        return word
    if word in IRREGULAR:
        return IRREGULAR[word]
    if word.endswith(_PLURALS):
        plural, single = next(ending for ending in _ENDINGS if word.endswith(ending[0]))
        return word[: -len(plural)] + single
    if word.endswith("s") and not word.endswith(_NO_PLURAL) and word[-2].isalpha():
        return word[:-1]
    return word


class Words:
    """Normal forms under one list of British and American spellings."""

    __slots__ = ("_american", "_known", "_learning")

    def __init__(self, american: Mapping[str, str]) -> None:
        """Take British words with their American spelling, both folded and singular."""
        self._american = dict(american)
        self._known: dict[str, str] = {}
        self._learning = True

    def settle(self) -> None:
        """Remember no more words: the tables are indexed, and what senders write is not kept."""
        self._learning = False

    def normal(self, text: str) -> str:
        """The form in which spelling variants of one term are equal; the same for its own result."""
        text = fold(text)
        if _PLAIN.fullmatch(text):
            return self._words(text)
        for _ in range(_PASSES):
            normal = self._once(text)
            if normal == text:
                break
            text = normal
        return text

    def _once(self, text: str) -> str:
        """One pass of all rules."""
        return self._words(_POSSESSIVE.sub("", _BETWEEN.sub(" ", _IDLE.sub(" ", text))))

    def _words(self, text: str) -> str:
        """Each word in the singular and in American spelling, the letter of a vertebral level with its number."""
        return _LEVEL.sub(r"\1", " ".join([self._word(word) for word in text.split()]))

    def _word(self, word: str) -> str:
        """One word; those of the tables are remembered, since terms share them."""
        known = self._known.get(word)
        if known is None:
            known = word
            for _ in range(_PASSES):
                single = singular(known)
                spelled = ORDINALS.get(single) or self._american.get(single, single)
                if spelled == known:
                    break
                known = spelled
            if self._learning:
                self._known[word] = known
        return known
