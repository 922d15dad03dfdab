"""The sections of a Composition: their texts, where nothing else says findings and impression."""

from __future__ import annotations

import re
from collections.abc import Iterable
from html import unescape
from typing import Final

from service.formats.fhir.read_bundle import Document
from service.formats.fhir.read_node import Node
from service.formats.fhir.read_terms import layout

_LEVELS: Final = 8  # of sections within sections
_NAMES: Final = {
    "findings": "findings",
    "findings-section": "findings",
    "impression": "impression",
    "impression-section": "impression",
    "conclusion": "impression",
}
_BREAK: Final = re.compile(r"<(?:br|/p|/div|/li|/tr|/h[1-6])\b[^>]*>", re.IGNORECASE)
_TAG: Final = re.compile(r"<[^>]*>")


class Sections:
    """Reads the sections beside the texts that Observations and the DiagnosticReport say."""

    def __init__(self, document: Document, composition: Node | None, said: dict[str, list[str]]) -> None:
        """``said`` are texts by name: findings, impression."""
        self._document = document
        self._composition = composition
        self._said = said
        self._narrative = _generated(composition.value.get("text")) if composition is not None else ""

    def texts(self, conclusion: str | None) -> dict[str, list[str]]:
        """All that is said as findings and as impression, each text once."""
        made = {name: list(dict.fromkeys(parts)) for name, parts in self._said.items()}
        if conclusion is not None:
            made["impression"] = [conclusion, *(part for part in made["impression"] if not _in(part, [conclusion]))]
        found: dict[str, list[str]] = {name: [] for name in made}
        if self._composition is not None:
            self._walk(self._composition, made, found, 0)
        return {name: made[name] or found[name] for name in made}

    def _walk(self, owner: Node, said: dict[str, list[str]], found: dict[str, list[str]], level: int) -> None:
        for section in owner.nodes("section") if level < _LEVELS else ():
            for reference in section.nodes("entry"):
                target = self._document.look(reference, self._composition or owner)
                if target is not None:
                    self._document.target(reference, self._composition or owner)
            self._section(section, said, found)
            self._walk(section, said, found, level + 1)

    def _section(self, section: Node, said: dict[str, list[str]], found: dict[str, list[str]]) -> None:
        name = _NAMES.get(str(layout(section.value.get("code"))))
        narrative = section.value.get("text")
        div = narrative.get("div") if isinstance(narrative, dict) else None
        words = plain(div) if isinstance(div, str) else ""
        if words and words == self._narrative and section.nodes("entry"):
            return  # it is made of the entries, as that of the document is: no words of somebody's
        known = [text for parts in said.values() for text in parts]
        if not words or _in(words, known):
            section.take("text", "title", "code")
        elif name is not None and not said[name] and len(words) <= section.noted.intake.limits.text_characters:
            found[name].append(words)
            section.take("text", "title", "code")


def _generated(narrative: object) -> str:
    """The words of a narrative that is generated from what its resource says."""
    if not isinstance(narrative, dict) or narrative.get("status") != "generated":
        return ""
    div = narrative.get("div")
    return plain(div) if isinstance(div, str) else ""


def plain(div: str) -> str:
    """The words of an XHTML narrative, a line each block."""
    text = unescape(_TAG.sub("", _BREAK.sub("\n", div)))
    lines = (" ".join(line.split()) for line in text.splitlines())
    return "\n".join(line for line in lines if line)


def _in(text: str, known: Iterable[str]) -> bool:
    """Whether a text says nothing that a known one does not, white space aside."""
    wanted = "".join(text.split())
    return any(wanted in "".join(one.split()) for one in known)
