"""What a code is called beside itself: a receiver shows the display, so a wrong one is a wrong statement.

A code is known by scheme and value alone, and no meaning is normative (PS3.3 8.3). But what is written here has the
display of the report or that of the tables, whatever its case.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from service.check.values import Fact
from service.coding import Vocabulary
from service.domain.codes import LOCAL_SCHEME, Code
from service.formats.sr.coded import CodedEntry, meaning
from service.formats.sr.tree import ContentItem

_Displays = dict[tuple[str, str], set[str]]
_NAMED_FREELY = ((LOCAL_SCHEME, "unnamed"),)
"""Codes that say no more than the words beside them."""
_of_tables: dict[int, tuple[Vocabulary, _Displays]] = {}


class Displays:
    """The displays of the codes that a report and the tables know."""

    def __init__(self, tables: Vocabulary, report: Iterable[Code]) -> None:
        """Those of the tables are gathered once."""
        kept = _of_tables.get(id(tables))
        if kept is None or kept[0] is not tables:
            _of_tables.clear()
            concepts = tables.concepts.values()
            codes = [coding.code for concept in concepts for coding in concept.codings]
            codes += [Code(LOCAL_SCHEME, concept.key, concept.label) for concept in concepts]
            kept = _of_tables[id(tables)] = (tables, _gathered(codes))
        self._tables = kept[1]
        self._report = _gathered(report)

    def wrong(self, codes: Iterable[Code]) -> Iterator[Fact]:
        """The codes whose display is another; one that nobody knows may be called as it likes."""
        for code in dict.fromkeys((code.system, code.code, code.display) for code in codes):
            system, value, display = code
            known = self._tables.get((system, value), set()) | self._report.get((system, value), set())
            if known and (system, value) not in _NAMED_FREELY and _plain(display) not in known:
                yield Fact("display", f"{system} {value} is called {display}")


def _gathered(codes: Iterable[Code]) -> _Displays:
    made: _Displays = {}
    for code in codes:
        made.setdefault((code.system, code.code), set()).update({_plain(code.display), _plain(meaning(code.display))})
    return made


def _plain(text: str) -> str:
    return text.casefold()


def codes_of_tree(root: ContentItem) -> Iterator[Code]:
    """Every code of an SR's tree: of names, values and units."""
    for item in root.walk():
        entries = [item.concept_name, item.value, getattr(item.value, "unit", None)]
        for entry in entries:
            if isinstance(entry, CodedEntry):
                yield from entry.codes


def codings_of(node: Any, designator: Mapping[str, str]) -> Iterator[Code]:
    """Every Coding with a display, anywhere below a JSON value."""
    waiting = [node]
    while waiting:
        here = waiting.pop()
        if isinstance(here, list):
            waiting += here
        elif isinstance(here, dict):
            if "display" in here and "system" in here and "code" in here:
                yield Code(designator.get(here["system"], here["system"]), here["code"], here["display"])
            waiting += [child for child in here.values() if not isinstance(child, str)]
