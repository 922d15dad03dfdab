"""Terms compared: which differences of spelling do not change what is meant.

``fold`` is blind to case, Unicode form and blanks; ``Words.normal`` also to hyphens, slashes and commas between words,
to regular plurals and possessives, and to British or American spelling. A hyphen or plus at the end of a word stays,
since "C-" is without contrast and "C+" is with it. Case of an abbreviation stays (``squeeze``).
"""

import re
import unicodedata
from collections.abc import Mapping

_INVISIBLE = dict.fromkeys(map(ord, "\u00ad\u200b\u2060\ufeff"))
_ALIKE = str.maketrans("’‘ʼ`´‐‑‒–—―−", "'''''-------")
_BETWEEN = re.compile(r"(?<=[^\W_])(?:[-/_]|\s+[-/_]\s+)(?=[^\W_])")
_IDLE = re.compile(r"[,;:()\[\]\"“”]+(?=\s|$)|(?:^|(?<=\s))[,;:()\[\]\"“”]+")
_POSSESSIVE = re.compile(r"(?<=\w)'s\b|(?<=s)'(?!\w)")
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
        return " ".join(text.lower().split()).translate(_ALIKE)
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
    for plural, single in _ENDINGS:
        if word.endswith(plural):
            return word[: -len(plural)] + single
    if word.endswith("s") and not word.endswith(_NO_PLURAL) and word[-2].isalpha():
        return word[:-1]
    return word


class Words:
    """Normal forms under one list of British and American spellings."""

    __slots__ = ("_american",)

    def __init__(self, american: Mapping[str, str]) -> None:
        """Take British words with their American spelling, both folded and singular."""
        self._american = dict(american)

    def normal(self, text: str) -> str:
        """The form in which spelling variants of one term are equal; the same for its own result."""
        text = fold(text)
        for _ in range(_PASSES):
            normal = self._once(text)
            if normal == text:
                break
            text = normal
        return text

    def _once(self, text: str) -> str:
        """One pass of all rules."""
        plain = _POSSESSIVE.sub("", _BETWEEN.sub(" ", _IDLE.sub(" ", text)))
        words = (self._american.get(single, single) for single in map(singular, plain.split()))
        return " ".join(words)
