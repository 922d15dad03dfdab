"""The coded names that the templates stand on, by their key in ``terminology``, ready to be put into items."""

from functools import cache

from service.coding import vocabulary
from service.formats.sr.coded import CodedEntry, coded_entry


@cache
def name(key: str) -> CodedEntry:
    """The concept's primary code, without equivalents: the frame of a template is read by one code only."""
    return coded_entry(vocabulary().name(key).codes[:1])


@cache
def member(key: str) -> CodedEntry:
    """The name of a coded member of the report, by its row in ``mappings/report.toml``."""
    return name(vocabulary().members[key].concept)
