"""The tables of ``terminology`` and ``mappings`` loaded and checked once, and the coder that resolves a report's terms.

`vocabulary` gives the tables of this distribution; `Vocabulary.load` reads others. `service.coding.coder.code_report`
makes a `CodedReport` of a `LesionReport`.
"""

from functools import cache
from importlib.resources import files

from service.coding.lookup import Vocabulary

__all__ = ["Vocabulary", "vocabulary"]


@cache
def vocabulary() -> Vocabulary:
    """The tables of this distribution, loaded and checked once in a process; raises TableError with every defect."""
    return Vocabulary.load(files("terminology"), files("mappings"))
