"""The facts of this format that are tables: names of code systems (HL7 table 0396), character sets (HL7 table 0211)."""

import csv
import io
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Final

from service.coding import vocabulary
from service.domain.codes import LOCAL_SCHEME
from service.domain.report import Status

LOCAL: Final = "L"
"""A local code, as table 0396 has it."""

WRITTEN: Final[Mapping[Status, tuple[str, str]]] = {
    Status.PRELIMINARY: ("P", "P"),
    Status.FINAL: ("F", "F"),
    Status.AMENDED: ("C", "C"),
    Status.CORRECTED: ("C", "C"),
    Status.APPENDED: ("C", "C"),
    Status.CANCELLED: ("X", "X"),
    Status.ENTERED_IN_ERROR: ("C", "W"),
}
"""OBR-25 (table 0123) and OBX-11 (table 0085) of each status; W: post original as wrong."""

READ: Final[Mapping[str, Status]] = {
    "P": Status.PRELIMINARY,
    "R": Status.PRELIMINARY,
    "A": Status.PRELIMINARY,
    "S": Status.PRELIMINARY,
    "I": Status.PRELIMINARY,
    "O": Status.PRELIMINARY,
    "M": Status.PRELIMINARY,
    "F": Status.FINAL,
    "C": Status.CORRECTED,
    "X": Status.CANCELLED,
}
"""What OBR-25 says (table 0123)."""
_WORDS: Final[Mapping[str, Status]] = {
    "prelim": Status.PRELIMINARY,
    "preliminary": Status.PRELIMINARY,
    "wet read": Status.PRELIMINARY,
    "final": Status.FINAL,
    "corrected": Status.CORRECTED,
    "amended": Status.AMENDED,
    "addendum": Status.APPENDED,
    "appended": Status.APPENDED,
    "canceled": Status.CANCELLED,
    "cancelled": Status.CANCELLED,
    "entered in error": Status.ENTERED_IN_ERROR,
}
"""What systems in the field write in the place of a code. A first letter tells nothing: a wet read is not wrong (W),
and what is cancelled is not corrected (C)."""


_RESULT_WORDS: Final[Mapping[str, str]] = {"canceled": "X", "cancelled": "X", "entered in error": "W", "deleted": "D"}


def status_of(said: str) -> Status | None:
    """The status that OBR-25 or OBX-11 says by its code or in a word; None for one that nobody knows."""
    return READ.get(said.upper()) or _WORDS.get(_folded(said))


def result_code(said: str) -> str:
    """What OBX-11 says by its code (table 0085), or in a word for one; empty where it is neither."""
    return said.upper() if len(said) == 1 else _RESULT_WORDS.get(_folded(said), "")


def _folded(said: str) -> str:
    return " ".join(said.casefold().split())


@cache
def _rows(name: str) -> tuple[dict[str, str], ...]:
    text = files("mappings").joinpath(name).read_text(encoding="utf-8")
    return tuple(csv.DictReader(io.StringIO(text)))


@cache
def _paired(named: str, meant: str) -> Mapping[str, str]:
    """Two columns of the code systems. What a message names is looked up and not kept: there is no end of names."""
    return {row[named]: row[meant] for row in _rows("hl7v2_systems.csv")}


def system_name(designator: str) -> str:
    """How v2 names a code system of a DICOM designator: table 0396; one that partners agree on is ``99zzz``."""
    known = _paired("designator", "name")
    if designator in known:
        return known[designator]
    return designator if designator.startswith("99") else f"99{designator}"


def designator(name: str) -> str:
    """The DICOM designator of a code system named in a message; one that no table knows keeps its name.

    A system without a name, or ``L``, is local to the sender (table 0396).
    """
    known = _paired("name", "designator")
    if name in known:
        return known[name]
    if name in ("", LOCAL):
        return "99LOCAL"
    if name == LOCAL_SCHEME:
        return name
    if name.removeprefix("99") in vocabulary().systems:
        return name.removeprefix("99")
    return vocabulary().designator(name) or (name if name.startswith("99") else f"99{name}")


@cache
def charsets() -> Mapping[str, str]:
    """The decoder of each character set of table 0211; empty where there is none."""
    return {row["name"]: row["codec"] for row in _rows("hl7v2_charsets.csv")}
