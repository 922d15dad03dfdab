"""Words that name a side: left or right, in English, Latin and the languages that the project has labels in.

Only to refuse: nothing is coded by them. A term whose words say "links" is reason enough not to believe that it means
the right, in whatever language the rest of the report is.
"""

import re
from typing import Final

from service.coding.words import fold

LEFT: Final = "left"
RIGHT: Final = "right"
"""Keys of the concepts."""

# French "droit" is straight, too: the straight sinus, gyrus rectus, the rectus muscles. English "sinister" is evil.
_STRAIGHT: Final = r"(?<!sinus )(?<!gyrus )(?<!muscle )(?<!muscles )(?<!grand )(?<!grands )"
_NAMES: Final = re.compile(
    r"(?<![^\W_])(?:"
    r"(?P<left>left(?:ward|wards|sided)?|link(?:e[mnrs]?|s\w*)|gauches?|izquierd[ao]s?|izq|izda|izdo"
    r"|lew(?:y|a|ą|e|ego|ej|emu|ym|ych|ymi|o)|lewostronn\w*|sinist(?:ra|rum|ri))"
    rf"|(?P<right>right(?:ward|wards|sided)?|recht(?:e[mnrs]?|s\w*)|{_STRAIGHT}droits?|droites?|derech[ao]s?|dcha|dcho"
    r"|praw(?:y|a|ą|e|ego|ej|emu|ym|ych|ymi|o)|prawostronn\w*|dext(?:er|ra|rum|ri))"
    r")(?![^\W_])"
)
_GLYPHS: Final = {"左": LEFT, "右": RIGHT}
"""Of a script without blanks: they stand within a word. Both together are "both sides"."""
# L is lumbar before a number and before what stands in the spine; "li." and "re." are German.
_BEGINS: Final = re.compile(
    r"\(?(?:(?P<left>lt?|li(?=\.))|(?P<right>rt?|re(?=\.)))(?:[.)]+ ?| )(?!\d|spin|vertebr|dis[ck]|level|-)"
)
_ENDS: Final = re.compile(r"(?<=[\s,(])(?:(?P<left>lt?|li(?=\.))|(?P<right>rt?|re(?=\.)))[.)]*$")
_BOTH: Final = re.compile(
    r"(?<![^\W_])(?:bilat(?:eral(?:e|es|ly|is)?|éra(?:l|le|ux|les))?|both|beide[mnrs]?|beidseit\w*|ambos|ambas"
    r"|obustronn\w*)(?![^\W_])|両側|左右"
)
_RADIOTHERAPY: Final = re.compile(r"(?<![^\W_])rt(?![^\W_])")


def side_in(text: str) -> str | None:
    """The side that the words of a text name, where they name one only."""
    folded = fold(text)
    named = {found.lastgroup for found in _NAMES.finditer(folded)}
    if not folded.isascii():
        named |= {side for glyph, side in _GLYPHS.items() if glyph in folded}
    return named.pop() if len(named) == 1 else None


def side_of_place(text: str) -> str | None:
    """`side_in`, or the side that a letter before or after the words for a place says: "R femur", "kidney (lt)"."""
    return side_in(text) or _abbreviated(fold(text))


def side_of_finding(text: str) -> str | None:
    """`side_in`, or the side that a letter before or after the words says; RT is radiotherapy as well as right."""
    folded = fold(text)
    return side_in(text) or (None if _RADIOTHERAPY.search(folded) else _abbreviated(folded))


def is_of_both(text: str) -> bool:
    """Whether words of a text say that both sides are meant."""
    return _BOTH.search(fold(text)) is not None


def _abbreviated(folded: str) -> str | None:
    """The side of an abbreviation at either end of a text that has no word for one, where both ends agree."""
    if any(_NAMES.finditer(folded)):
        return None
    found = {match.lastgroup for match in (_BEGINS.match(folded), _ENDS.search(folded)) if match is not None}
    return found.pop() if len(found) == 1 else None
