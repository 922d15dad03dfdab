"""The whole of a received document as nested lists: an appendix of the page, for what no lesion report can hold."""

from collections.abc import Sequence
from typing import Final

from service.domain.received import OutlineItem
from service.formats.html.phrases import Say, english
from service.formats.html.text import inline

_PLAIN: Final = frozenset({"", "CONTAINS"})


APPENDIX: Final = '<details class="received">'
"""What stands on a page where the appendix begins, and nowhere else: texts are escaped."""


def received(outline: Sequence[OutlineItem], say: Say = english) -> str:
    """The appendix, empty where there is no outline."""
    if not outline:
        return ""
    title = say("Content of the received document")
    return f"{APPENDIX}<summary>{title}</summary>{_lists(outline)}</details>"


def _lists(outline: Sequence[OutlineItem]) -> str:
    """Each item in the list of the one above it; a depth that is skipped opens the lists between."""
    parts: list[str] = []
    depth = -1
    for item in outline:
        if item.depth > depth:
            parts.append("<ul><li>" * (item.depth - depth))
        else:
            parts.append("</li></ul>" * (depth - item.depth) + "</li><li>")
        depth = item.depth
        parts.append(_item(item))
    parts.append("</li></ul>" * (depth + 1))
    return "".join(parts)


def _item(item: OutlineItem) -> str:
    """Name and value; how an item stands to the one above it where that is more than being part of it."""
    name = f"<b>{inline(item.name)}</b>" if item.name else f"<small>{inline(item.kind)}</small>"
    value = f" {_lines(item.value)}" if item.value else ""
    relation = "" if item.relationship in _PLAIN else f" <small>{inline(item.relationship.lower())}</small>"
    return f"{name}{value}{relation}"


def _lines(text: str) -> str:
    return "<br/>".join(inline(line) for line in text.splitlines())
