"""The coded entries whose Code Meaning a dialect wants in its own words."""

from functools import cache

from service.coding import vocabulary
from service.domain.codes import Code
from service.formats.sr.coded import CodedEntry, coded_entry
from service.formats.sr.dialects import DIALECTS, Dialect


def meanings_of(dialect: Dialect) -> dict[tuple[str, str], CodedEntry]:
    """Scheme and value of a code to the entry with the dialect's meaning; a code stays what it is (PS3.3 8.3)."""
    return _meanings(dialect.name)


@cache
def _meanings(dialect: str) -> dict[tuple[str, str], CodedEntry]:
    made = {}
    for key, meaning in DIALECTS[dialect].meanings:
        code = vocabulary().code(key)
        made[code.system, code.code] = coded_entry((Code(code.system, code.code, meaning),))
    return made
