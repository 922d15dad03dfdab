"""What a reader of the markup sees: its words, its elements and their attributes, by parsers that are not ours."""

import xml.etree.ElementTree as ET
from html.parser import HTMLParser

_INVISIBLE = {"style", "title", "head"}
_APART = {"p", "br", "td", "th", "li", "tr", "dt", "dd", "h1", "h2", "h3", "div", "section", "table", "summary"}


class Html(HTMLParser):
    """A page as an HTML parser reads it: ``words`` (visible, one space between), ``elements``, ``attributes``."""

    def __init__(self, markup: str) -> None:
        super().__init__(convert_charrefs=True)
        self._open: list[str] = []
        self._text: list[str] = []
        self.elements: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.feed(markup)
        self.close()

    @property
    def words(self) -> str:
        """The visible text."""
        return squeezed("".join(self._text))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element and what it says of itself."""
        self.elements.append(tag)
        self.attributes.extend((tag, name, value or "") for name, value in attrs)
        if tag not in {"br", "meta"}:
            self._open.append(tag)
        if tag in _APART:
            self._text.append(" ")

    def handle_endtag(self, tag: str) -> None:
        """Close the element: every one is closed in its turn."""
        if tag in {"br", "meta"}:
            return
        assert self._open.pop() == tag
        if tag in _APART:
            self._text.append(" ")

    def handle_data(self, data: str) -> None:
        """Keep what is seen."""
        if not _INVISIBLE.intersection(self._open):
            self._text.append(data)


def xml_words(markup: str) -> str:
    """The text of well-formed XML, with a space where a block ends."""
    parts: list[str] = []

    def walk(element: ET.Element) -> None:
        apart = " " if element.tag.rpartition("}")[2] in _APART else ""
        parts.append(apart + (element.text or ""))
        for child in element:
            walk(child)
            parts.append(child.tail or "")
        parts.append(apart)

    walk(ET.fromstring(markup))
    return squeezed("".join(parts))


def xml_elements(markup: str) -> list[str]:
    """The names of all elements with their namespaces, in document order."""
    return [element.tag for element in ET.fromstring(markup).iter()]


def squeezed(text: str) -> str:
    """A text with one space for all white space between words."""
    return " ".join(text.split())
