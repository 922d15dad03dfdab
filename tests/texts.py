"""hypothesis strategies for single values of a document: texts in several scripts, UIDs, times, numbers, names."""

from functools import cache
from typing import Any

from hypothesis import strategies as st

Strategy = st.SearchStrategy[Any]

_LETTERS = "abcxyzABCXYZ0189 .-/()'^~<>&\"%äßłżéñ山田太郎やまだمريضعليΩ😀"
_NAME_LETTERS = "abcXYZ -'.äßłżéñ山田太郎やまだمريضعلي"


@cache
def lines(most: int = 24, letters: str = _LETTERS) -> Strategy:
    """Strings on one line, without white space around."""
    return st.text(letters, min_size=1, max_size=most).map(str.strip).filter(bool)


@cache
def prose() -> Strategy:
    """Free text of one or more lines."""
    return st.text(_LETTERS + "\n\t", min_size=1, max_size=80).map(str.strip).filter(bool)


@cache
def uids() -> Strategy:
    """UIDs of the 2.25 root, of many lengths."""
    return st.integers(0, 2**128 - 1).map("2.25.{}".format)


@cache
def dates() -> Strategy:
    """Dates as exact as a year, a month or a day; shifted ones are years before anybody was scanned."""
    return st.tuples(st.dates(), st.sampled_from([4, 7, 10])).map(lambda pair: pair[0].isoformat()[: pair[1]])


@cache
def zones() -> Strategy:
    """Offsets from UTC, as FHIR and DICOM have them."""
    return st.sampled_from(["Z", "+00:00", "+01:00", "-05:00", "+05:45", "+14:00"])


@cache
def instants() -> Strategy:
    """Times with their zone, with and without a fraction."""
    fractions = st.sampled_from(["", ".5", ".25", ".123456"])
    return st.tuples(st.datetimes(), fractions, zones()).map(
        lambda made: made[0].isoformat(timespec="seconds") + made[1] + made[2]
    )


@cache
def times() -> Strategy:
    """Dates, instants, and times without a zone."""
    return dates() | instants() | st.datetimes().map(lambda made: made.isoformat(timespec="seconds"))


@cache
def decimals() -> Strategy:
    """Numbers as written: trailing zeros, small and large ones, negative ones."""
    return st.tuples(st.integers(-(10**8), 10**8), st.integers(0, 6)).map(_written)


def _written(made: tuple[int, int]) -> str:
    digits, places = made
    whole, rest = divmod(abs(digits), 10**places)
    return f"{'-' if digits < 0 else ''}{whole}" + (f".{rest:0{places}}" if places else "")


@cache
def words() -> Strategy:
    """Terms in one word or several."""
    return lines()


@cache
def coded() -> Strategy:
    """Terms that are a code of the sender's own scheme, with and without display."""
    return st.fixed_dictionaries(
        {"system": st.sampled_from(["99SITE", "99LAB"]), "code": lines(12, "abcXYZ0189-.")},
        optional={"display": lines()},
    )


@cache
def names() -> Strategy:
    """Names of persons as PN strings and as parts, in one to three groups."""
    part = lines(8, _NAME_LETTERS)
    groups = st.lists(st.lists(part, min_size=1, max_size=5).map("^".join), min_size=1, max_size=3).map("=".join)
    parts = dict.fromkeys(("family", "given", "middle", "prefix", "suffix"), part)
    group = st.fixed_dictionaries({}, optional=parts).filter(bool)
    more = {"ideographic": group, "phonetic": group}
    return groups | st.fixed_dictionaries({}, optional={**parts, **more}).filter(bool)
