"""The language of a report: a tag by RFC 5646 that the vocabulary can name in an SR (TID 1204)."""

import re
from typing import Final

from service.coding.lookup import Vocabulary
from service.coding.notes import Notes
from service.domain.errors import Invalid

SYSTEM: Final = "RFC5646"
"""Designator of language tags (PS3.16 table 8-1)."""
_TAG = re.compile(r"(?P<language>[a-zA-Z]{2,3})(?:-(?P<script>[a-zA-Z]{4}))?(?:-(?P<region>[a-zA-Z]{2}|[0-9]{3}))?")
_WHERE = "/report/language"


def canonical(tag: str) -> str | None:
    """The tag in the case that RFC 5646 section 2.1.1 recommends (en-US, zh-Hans); None for what is no plain tag."""
    match = _TAG.fullmatch(tag)
    if match is None:
        return None
    script, region = match["script"], match["region"]
    parts = (match["language"].lower(), script and script.title(), region and region.upper())
    return "-".join(part for part in parts if part)


def check_language(tag: str, vocabulary: Vocabulary, notes: Notes) -> None:
    """Refuse what is no language tag; flag one that has no name here."""
    known = canonical(tag)
    if known is None:
        notes.refuse(Invalid, _WHERE, "language", "A language is a tag such as en, en-US or zh-Hans.")
    elif (SYSTEM, known) not in vocabulary.by_code:
        notes.flag(_WHERE, tag, "The language has no name in the vocabulary. Kept as it came.", "unknown-language")
