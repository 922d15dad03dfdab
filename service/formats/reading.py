"""One reading of one document: its limits, and every problem found in it with its pointer."""

from enum import StrEnum

from service.domain.errors import Invalid, Problem
from service.domain.limits import Limits

MOST_PROBLEMS = 100
"""Problems listed of one document; the rest is counted, so that an answer stays small whatever was sent."""


class TextRule(StrEnum):
    """Why a JSON text, or a value for its type alone, is refused: the rules that all formats in JSON share."""

    JSON = "json"
    UTF8 = "utf-8"
    DUPLICATE_MEMBER = "duplicate-member"
    CHARACTER = "character"
    NUMBER = "number"
    LIMIT = "limit"
    TYPE = "type"
    NULL = "null"


def member(where: str, name: str) -> str:
    """The JSON pointer of a member of the object at ``where`` (RFC 6901 section 3: ``~`` and ``/`` are escaped)."""
    if "~" in name or "/" in name:
        name = name.replace("~", "~0").replace("/", "~1")
    return f"{where}/{name}"


class Reading:
    """What goes along while a document is read. ``found`` counts the problems, ``problems`` holds the first of them.

    ``inexact``: a number that should keep its digits came as a float. ``words`` are terms, and ``tokens`` the ends of
    pointers by names of members, that were found to be right before: a document says the same ones again and again.
    """

    __slots__ = ("default_sender", "found", "inexact", "limits", "problems", "tokens", "words")

    def __init__(self, limits: Limits, default_sender: str = "") -> None:
        """Start with no problem; ``default_sender`` is who sends where the document does not say it."""
        self.limits = limits
        self.default_sender = default_sender
        self.found = 0
        self.inexact = False
        self.problems: list[Problem] = []
        self.tokens: dict[str, str] = {}
        self.words: set[str] = set()

    def refuse(self, where: str, rule: StrEnum, detail: str, candidates: tuple[str, ...] = ()) -> None:
        """Note a problem and go on, so that a sender learns of all of them at once."""
        self.found += 1
        if self.found <= MOST_PROBLEMS:
            self.problems.append(Problem(where, rule.value, detail, candidates))

    def refuse_type(self, where: str, value: object, wanted: str) -> None:
        """Note that ``value`` is not what the member holds; null has its own rule."""
        if value is None:
            self.refuse(where, TextRule.NULL, "Leave out a member that has no value.")
        else:
            self.refuse(where, TextRule.TYPE, f"Give {wanted}, not {json_type(value)}.")

    def check(self) -> None:
        """Raise Invalid with all problems, if there are any."""
        if not self.found:
            return
        problems = list(self.problems)
        if self.found > MOST_PROBLEMS:
            problems.append(Problem("", TextRule.LIMIT, f"{self.found - MOST_PROBLEMS} more problems are not listed."))
        raise Invalid(*problems)


def json_type(value: object) -> str:
    """What JSON calls a value, with its article."""
    if isinstance(value, bool):
        return "true or false"
    if isinstance(value, str):
        return "a string"
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, list):
        return "a list"
    return "null" if value is None else "a number"
