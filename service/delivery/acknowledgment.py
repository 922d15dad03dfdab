"""An HL7 v2 acknowledgment: MSA-1 and what stands beside it (HL7 v2.5.1 2.15). Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

_SEGMENT: Final = b"\r"
_ASKED: Final = frozenset({"AL", "SU", "ER"})


class NotHl7(ValueError):
    """Bytes that are no HL7 v2 message."""


@dataclass(frozen=True, slots=True)
class Acknowledgment:
    """``code`` is MSA-1, ``control_id`` MSA-2; ``said`` is MSA-3 and the ERR segments, verbatim."""

    code: str
    control_id: str
    said: str


@dataclass(frozen=True, slots=True)
class Expected:
    """What a message asks for: its control id (MSH-10), and which acknowledgments (MSH-15, MSH-16)."""

    control_id: str
    commit: bool
    application: bool


def expected(message: bytes) -> Expected:
    """What is to come for a message: with MSH-15 and MSH-16 empty one of the application (original mode)."""
    header = _fields(_segments(message)[0])
    accept, application = header[14:15], header[15:16]
    said = ["".join(accept), "".join(application)]
    if not any(said):
        return Expected(_field(header, 9), commit=False, application=True)
    return Expected(_field(header, 9), commit=said[0] in _ASKED, application=said[1] in _ASKED)


def read(message: bytes) -> Acknowledgment:
    """The acknowledgment in a message; raises NotHl7."""
    segments = _segments(message)
    errors = []
    found: list[str] | None = None
    for segment in segments[1:]:
        if segment.startswith("MSA"):
            found = segment.split(segments[0][3])
        elif segment.startswith("ERR"):
            errors.append(segment)
    if found is None or len(found) < 3:
        raise NotHl7("it has no MSA segment")
    said = [text for text in (found[3] if len(found) > 3 else "", *errors) if text]
    return Acknowledgment(found[1].strip(), found[2].strip(), " / ".join(said))


def _segments(message: bytes) -> list[str]:
    """The segments as text. What is no UTF-8 is read as Latin-1: codes and ids are ASCII in either."""
    try:
        text = message.decode("utf-8")
    except UnicodeDecodeError:
        text = message.decode("latin-1")
    listed = [line for line in text.replace("\n", "\r").split("\r") if line.strip()]
    if not listed or not listed[0].startswith("MSH") or len(listed[0]) < 8:
        raise NotHl7("it does not begin with MSH")
    return listed


def _fields(header: str) -> list[str]:
    return header.split(header[3])


def _field(header: list[str], number: int) -> str:
    return header[number].strip() if len(header) > number else ""
