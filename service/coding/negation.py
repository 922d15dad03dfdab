"""Words that deny or doubt: a text that says of a finding that it is not there, or only may be.

In English, and in the languages that the project has labels in. Only to refuse or to flag: nothing is coded by them but
for the list of what is absent, where a leading English one is cut off.
"""

import re
from typing import Final

from service.coding.lookup import Vocabulary
from service.coding.words import fold

NEGATIONS: Final = (
    "no evidence of ",
    "no sign of ",
    "no signs of ",
    "no ",
    "without ",
    "absence of ",
    "negative for ",
)
"""What a negative finding may begin with. It is cut off before the look-up, since the list itself says "absent"."""
NO_NEGATIONS: Final = ("no longer ", "no change", "no significant change")
"""What begins like one and denies no finding."""

_BEGINS: Final = re.compile(
    r"(?:no|not|non|without|absent|absence of|negative for|ruled out|excluded|free of"
    r"|kein(?:e[nmrs]?)?|ohne|nicht|ausschluss|pas de|sans|aucune?|absence de"
    r"|sin|ningun[ao]?|ausencia de|brak|bez|nie ma|wykluczono)(?![\w-])"
    r"|(?:pas|absence) d'"
)
_ENDS: Final = re.compile(
    r"(?<![\w-])(?:absent|excluded|ruled out|denied|not (?:present|seen|identified|found|detected))$"
    r"|(?<![\w-])(?:ausgeschlossen|nicht nachweisbar|absente?|exclue?|descartad[ao]|ausente|nieobecn\w*|wykluczon\w*)$"
    r"|(?:なし|無し|認めず|認めない|みられない|見られない|除外)$"
)
_DOUBTS: Final = re.compile(
    r"(?:possible|possibly|probable|probably|suspected|suspicion of|suspicious for|likely|unlikely|questionable|query"
    r"|rule out|r/o|history of|family history of|status post|risk of)(?![\w-])|\?"
)
"""What a text begins with that says less of a finding than that it is there."""
_OF_NOTHING: Final = re.compile(
    r"(?<!\w)(?:no|not|none|non|absent|absence|without|normal|asymptomatic|benign|appropriate)(?!\w)"
)
"""Words by which a finding itself is that something is missing, or that nothing is found."""
DENYING: Final = frozenset({"absent", "definitely-not"})
"""Certainties that deny what they stand beside."""
LACKING: Final = DENYING | {
    "no-enhancement",
    "non-hemorrhagic",
    "normal",
    "normal-finding",
    "asymptomatic",
    "age-appropriate-finding",
    "benign",
}
"""Answers by which something is not there, or nothing bad is."""
_AFFIRM: Final = frozenset({"present", "definitely", "probably", "known"})


def denies(text: str) -> bool:
    """Whether a text begins or ends with words that deny the rest of it."""
    folded = fold(text)
    if folded.startswith(NO_NEGATIONS):
        return False
    return _BEGINS.match(folded) is not None or _ENDS.search(folded) is not None


def doubts(text: str) -> bool:
    """Whether a text begins with words by which the rest of it is not surely there, or no longer."""
    folded = fold(text)
    return _DOUBTS.match(folded) is not None or folded.endswith("?")


def turned(vocabulary: Vocabulary, key: str, text: str, field: str) -> bool:
    """Whether a text for a concept denies what the concept says is there: "no metastasis" for metastasis.

    In the list of what is absent it says the same as the list.
    """
    if field == "negative" or not denies(text):
        return False
    if key in _AFFIRM:
        return True
    finding = vocabulary.members.get("finding")
    is_finding = finding is not None and (finding.values is None or key in finding.values)
    return is_finding and not _OF_NOTHING.search(fold(vocabulary.concepts[key].label))
