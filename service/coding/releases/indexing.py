"""The last steps of an import: what each concept is called, and what it is found by.

Concepts get a rank, the better ones first, and are indexed in that order: a search reads the index from the front and
may stop early, so that one for a common word costs no more than one for a rare one.
"""

import re
from collections import Counter
from collections.abc import Collection, Iterator
from typing import Final

from service.coding.releases.build import Build
from service.coding.releases.store import Use
from service.coding.releases.tokens import Normal, skeleton, split
from service.coding.words import Words

_TAG: Final = re.compile(r" \(([^()]+)\)$")
# Radiologists report what is seen and where: drugs, organisms and the like come last. SNOMED CT's semantic tags.
_FIRST: Final = frozenset({"body structure", "disorder", "finding", "morphologic abnormality", "procedure", ""})
_LAST: Final = frozenset({"product", "clinical drug", "organism", "substance", "medicinal product"})
_HEARD: Final = 0x3FFF
_WORDS: Final = 500_000  # more than any release has
_HALF: Final = 1 << 63


def finish(build: Build, words: Words, used: Collection[tuple[str, str]]) -> None:
    """Index what was loaded; ``used`` are (system, code) that the project's own tables use, which come first."""
    build.index()
    build.once("search", lambda: _search(build, Normal(words, _WORDS), used))


def _search(build: Build, normal: Normal, used: Collection[tuple[str, str]]) -> int:
    """Labels, words, forms and ranks in one pass over the designations."""
    build.open_search()
    documents: list[str] = []
    order: list[tuple[int, int, int, int]] = []
    counted: Counter[str] = Counter()
    tags: dict[str, int] = {}
    labels: list[tuple[int, str, int]] = []
    forms: set[int] = set()  # hash and number in one integer: a release has a million of them
    dialect = build.connection.execute("select bit from dialect where name = 'en-US'").fetchone()
    american = 1 << dialect[0] if dialect else 0
    codes = dict(build.connection.execute("select id, designator from code_system"))
    total = build.first_number()
    for n, system, code, active, rows in _concepts(build):
        if not n & _HEARD:
            build.progress("search", n, total)
        display, tag = _label(code, rows, american)
        labels.append((n, display, tags.setdefault(tag, len(tags))))
        known: set[str] = {code.lower()} if not code.isdigit() else set()
        shortest = len(display)
        for _, term, use, _, _ in rows:
            if use == Use.DEFINITION:
                continue
            found = split(term)
            known.update(found)
            if active:
                forms.add((normal.hash(found) + _HALF) << 32 | n)
            shortest = min(shortest, len(term))
        known.update([normal.word(word) for word in known])
        counted.update(known)
        documents.append(" ".join(known))
        weight = 0 if (codes[system], code) in used else 1 if tag in _FIRST else 3 if tag in _LAST else 2
        order.append((not active, weight, shortest, n))
    build.insert("insert into tag values (?, ?)", ((number, tag) for tag, number in tags.items()))
    build.insert("insert into label values (?, ?, ?)", labels)
    build.insert("insert into form values (?, ?)", (((one >> 32) - _HALF, one & 0xFFFFFFFF) for one in sorted(forms)))
    first = labels[0][0] if labels else 1
    ranked = sorted(order)
    build.insert("insert into ranked values (?, ?)", ((rank, one[3]) for rank, one in enumerate(ranked, 1)))
    build.insert(
        "insert into search (rowid, words) values (?, ?)",
        ((rank, documents[one[3] - first]) for rank, one in enumerate(ranked, 1)),
    )
    build.progress("search index", 0, 0)
    build.connection.execute("insert into search (search) values ('optimize')")
    build.insert(
        "insert into word values (?, ?, ?, ?, ?)",
        ((word, word[0], len(word), skeleton(word), count) for word, count in sorted(counted.items())),
    )
    build.index_words()
    return len(labels)


_Row = tuple[str, str, int, int, int]


def _concepts(build: Build) -> Iterator[tuple[int, int, str, int, list[_Row]]]:
    """Each concept with its designations (language, term, use, preferred, acceptable), in order of numbers."""
    rows: list[_Row] = []
    last: tuple[int, int, str, int] | None = None
    query = (
        "select c.n, c.system, c.code, c.active, d.language, d.term, d.use, d.preferred, d.acceptable"
        " from concept c left join designation d on d.n = c.n order by c.n"
    )
    for n, system, code, active, *said in build.connection.execute(query):
        if last is None or n != last[0]:
            if last is not None:
                yield (*last, rows)
            last, rows = (n, system, code, active), []
        if said[0] is not None:
            rows.append(tuple(said))
    if last is not None:
        yield (*last, rows)


def _label(code: str, rows: list[_Row], american: int) -> tuple[str, str]:
    """What a concept is called (the US English preferred term first), and its semantic tag."""
    best, display, tag = (9, 9), code, ""
    for language, term, use, preferred, _ in rows:
        if use == Use.DEFINITION:
            continue
        name = term
        if use == Use.FULLY_SPECIFIED:
            match = _TAG.search(term)
            if match and not tag:
                tag, name = match[1], term[: match.start()]
        rating = (0 if language.startswith("en") else 1, _choice(use, preferred, american))
        if rating < best:
            best, display = rating, name
    return display, tag


def _choice(use: int, preferred: int, american: int) -> int:
    """How good a designation is as a display, 0 best."""
    if use == Use.SYNONYM:
        return 1 if preferred & american else 2 if preferred else 4
    return {Use.PREFERRED: 0, Use.FULLY_SPECIFIED: 3}.get(Use(use), 5)
