"""What earlier messages of a report said and this one says no more is deleted, OBX by OBX (table 0085, D).

A receiver may keep observations by name and sub-id (HL7 v2.5.1, 7.4.2.3 and 7.4.2.4) and put new ones over them.
Lesions are numbered, so one that is no more would leave the last number standing: a lesion twice, once as of yesterday.
"""

from collections.abc import Sequence
from typing import Final

from service.domain.emitted import Emitted

_TYPE, _NAME, _SUB, _STATUS = 2, 3, 4, 11
_DELETED: Final = "D"


def with_deleted(segments: Sequence[str], earlier: Sequence[Emitted]) -> list[str]:
    """The OBX of a message, numbered anew behind those that delete what only the messages ``earlier`` had.

    These come first: a receiver that does not look at sub-ids would else delete what it has just stored.
    """
    here = {_key(fields) for fields in map(_fields, segments)}
    gone: list[str] = []
    for message in earlier:
        for fields in map(_fields, message.content.decode().split("\r")):
            if fields[0] != "OBX" or fields[_STATUS] == _DELETED or _key(fields) in here:
                continue
            here.add(_key(fields))
            gone.append(f"OBX||{fields[_TYPE]}|{fields[_NAME]}|{fields[_SUB]}|||||||{_DELETED}")
    return [f"OBX|{turn}|{one.split('|', 2)[2]}" for turn, one in enumerate([*gone, *segments], 1)]


def _fields(segment: str) -> list[str]:
    fields = segment.split("|")
    return fields + [""] * (_STATUS + 1 - len(fields))


def _key(fields: Sequence[str]) -> tuple[str, str, str]:
    """What an observation is kept by: code and system of its name, or its words where it has no code; its sub-id."""
    code, words, system = (*fields[_NAME].split("^"), "", "")[:3]
    return (code, system, fields[_SUB]) if code else (words, "", fields[_SUB])
