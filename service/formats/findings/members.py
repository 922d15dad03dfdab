"""The members of a JSON object, each read by what its name stands for; what has no business there is refused."""

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

from service.formats.findings.fields import Reader
from service.formats.findings.rules import Rule
from service.formats.reading import Reading, member


def read_members(
    members: dict[str, tuple[str, Reader]], required: frozenset[str], value: Any, where: str, reading: Reading
) -> dict[str, Any]:
    """The members of an object in one pass, by the names that the domain has for them; problems are noted.

    ``members`` is in the order of the contract; ``required`` are those that must be there.
    """
    values: dict[str, Any] = {}
    if type(value) is not dict:
        reading.refuse_type(where, value, "an object")
        return values
    for name, item in value.items():
        known = members.get(name)
        if known is None:
            refuse_member(name, where, reading, members)
        else:
            values[known[0]] = known[1](item, f"{where}/{name}", reading)
    if not required <= value.keys():
        for name in members:
            if name in required and name not in value:
                reading.refuse(f"{where}/{name}", Rule.REQUIRED, "Give this member.")
    return values


def refuse_member(name: str, where: str, reading: Reading, known: Mapping[str, object]) -> None:
    """Note a member that is not part of the contract, and the one that may be meant."""
    if len(name) > reading.limits.term_characters:
        reading.refuse(
            where, Rule.LIMIT, f"A name of a member has at most {reading.limits.term_characters} characters."
        )
        return
    # Looking for it takes time, so only for the first few.
    near = tuple(get_close_matches(name, known, n=1)) if reading.found < 10 else ()
    hint = f"Did you mean {near[0]}?" if near else "Leave it out."
    reading.refuse(member(where, name), Rule.UNKNOWN_MEMBER, f"There is no such member. {hint}", near)
