"""The sender's texts, names and times as markup: the only functions through which a text enters it.

Markup characters are escaped, characters that XML 1.0 does not have (2.2) become U+FFFD, and whatever has a direction
of its own is isolated, so that an Arabic name can't turn the digits beside it around (Unicode UAX 9).
"""

import re
import unicodedata
from collections.abc import Callable
from functools import lru_cache

from service.domain.names import NameGroup, PersonName
from service.domain.times import DateTime

_ILLEGAL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_HARMLESS = bytes({*b"\t\n\r", *range(0x20, 0x100)} - {0xED, 0xEF})
"""The bytes of UTF-8 of which none is in that of an illegal character: U+D800 to U+FFFF begin with one of two more."""
_DIRECTED = re.compile(
    "[\u0590-\u08ff\u200e\u200f\u202a-\u202e\u2066-\u2069\ufb1d-\ufdff\ufe70-\ufefe\U00010800-\U00010fff\U0001e800-\U0001efff]"
)
_RIGHT_TO_LEFT = frozenset({"R", "AL", "RLE", "RLO", "RLI"})
_STRONG = _RIGHT_TO_LEFT | {"L", "LRE", "LRO", "LRI"}
_LANGUAGE = re.compile(r"[A-Za-z]{2,8}(?:-[A-Za-z0-9]{1,8})*")
_LINE_END = re.compile(r"\r\n?|[\x0b\x0c\x85\u2028\u2029]")
_BLANK_LINES = re.compile(r"\n[ \t]*\n\s*")


def clean(markup: str) -> str:
    """The markup with U+FFFD for each character that XML 1.0 can't hold, not even as a reference (XML 1.0, 2.2)."""
    # Nothing is left of nearly every report, which is found twenty times as fast as each character is looked for.
    suspect = markup.encode("utf-8", "surrogatepass").translate(None, _HARMLESS)
    return _ILLEGAL.sub("\ufffd", markup) if suspect else markup


def inline(text: str) -> str:
    """A text as element content, isolated where it holds right-to-left letters or directional marks."""
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    if text.isascii():
        return escaped
    if _DIRECTED.search(text) is not None:
        return f'<span dir="{direction(text)}">{escaped}</span>'
    return escaped


label = lru_cache(maxsize=8192)(inline)
"""`inline` for the words of a concept, remembered: they come from the vocabulary and hold nothing of a patient."""


def attribute(text: str) -> str:
    """A text as the value of an attribute in double quotes."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")


def block(text: str, language: str) -> str:
    """A free text as paragraphs in its own language: a blank line parts them, a line end breaks the line."""
    head = f"<p{language_attributes(language)}"
    paragraphs = []
    for paragraph in _BLANK_LINES.split(_LINE_END.sub("\n", text).strip()):
        escaped = paragraph.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("\n", "<br/>")
        turn = f' dir="{direction(paragraph)}"' if _DIRECTED.search(paragraph) is not None else ""
        paragraphs.append(f"{head}{turn}>{escaped}</p>")
    return "".join(paragraphs)


def direction(text: str) -> str:
    """``rtl`` or ``ltr``, by its first character of a strong direction (UAX 9, P2)."""
    for character in text:
        kind = unicodedata.bidirectional(character)
        if kind in _STRONG:
            return "rtl" if kind in _RIGHT_TO_LEFT else "ltr"
    return "ltr"


def language_attributes(language: str) -> str:
    """``lang`` and ``xml:lang`` of a language tag, nothing where the sender's word for it is no such tag (BCP 47)."""
    if _LANGUAGE.fullmatch(language) is None:
        return ""
    return f' lang="{language}" xml:lang="{language}"'


def when(time: DateTime) -> str:
    """A date, or a date and time with its zone, as precise as written; whole minutes without ``:00``."""
    if not time.has_time:
        return time.text
    clock = time.text[11:]
    zone = re.search(r"Z|[+-][0-9]{2}:[0-9]{2}$", clock)
    at = clock[: zone.start()] if zone else clock
    hours = at.removesuffix(":00") if at.count(":") == 2 else at
    offset = "" if zone is None else " UTC" if zone[0] in ("Z", "+00:00") else f" UTC{zone[0]}"
    return f"{time.date} {hours}{offset}"


def filed_name(name: PersonName) -> str:
    """A patient's name as files are sorted: family name first, every group of it."""
    return _groups(name, _filed)


def spoken_name(name: PersonName) -> str:
    """A physician's name as it is spoken: prefix, given, family, suffix, and every other group of it."""
    return _groups(name, _spoken)


def _groups(name: PersonName, alphabetic: Callable[[NameGroup], str]) -> str:
    shown = (alphabetic(name.alphabetic), _spaced(name.ideographic), _spaced(name.phonetic))
    return " · ".join(inline(group) for group in shown if group)


def _filed(group: NameGroup) -> str:
    first = " ".join(filter(None, (group.given, group.middle)))
    return ", ".join(filter(None, (group.family, first, group.prefix, group.suffix)))


def _spoken(group: NameGroup) -> str:
    full = " ".join(filter(None, (group.prefix, group.given, group.middle, group.family)))
    return ", ".join(filter(None, (full, group.suffix)))


def _spaced(group: NameGroup) -> str:
    return " ".join(filter(None, group.parts))
