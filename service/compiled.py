"""Whether the modules in which a conversion spends its time run as native code (setup.py lists them) or as Python."""

from importlib.machinery import EXTENSION_SUFFIXES
from importlib.util import find_spec
from typing import Final

_SAMPLE: Final = "service.formats.sr.tree"


def is_compiled() -> bool:
    """Whether this is the compiled build, by where one of those modules would come from."""
    found = find_spec(_SAMPLE)
    return found is not None and (found.origin or "").endswith(tuple(EXTENSION_SUFFIXES))


def build() -> str:
    """The name of the build: ``compiled`` or ``pure Python``."""
    return "compiled" if is_compiled() else "pure Python"
