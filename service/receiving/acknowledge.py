"""Acknowledgments of HL7 v2 messages (HL7 v2.5.1 2.9.2, 2.9.3, 2.15.5, 2.15.8): ASCII, whatever the message was in."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from service.domain.errors import LesionBridgeError, NotFound, Problem
from service.receiving import statuses
from service.store.patients import OTHER_ISSUER, UNKNOWN

MOST_ERRORS: Final = 10
"""ERR segments in one acknowledgment; the rest is found once these are mended."""
_PLACE: Final = re.compile(r"([A-Z][A-Z0-9]{2})(?:\[(\d+)\])?(?:[-.](\d+))?")
_ENCODING: Final = "^~\\&"
_CONDITIONS: Final = frozenset({"", "AL", "NE", "ER", "SU"})
"""When an acknowledgment is asked for (table 0155)."""
_ODD: Final = re.compile(r"[^\r -~]")
"""What no answer holds: signs beyond ASCII, and control characters, of which two make the frame (C.4)."""
_COMMIT: Final = {"AA": "CA", "AE": "CE", "AR": "CR"}
_DEFAULT: Final = r"MSH|^~\&|||||||ACK||P|2.5.1"
_SEVERITIES: Final = {UNKNOWN: "I", OTHER_ISSUER: "W"}
"""Rules of what is said beside success (table 0516); all else is an error, E."""
_LAST_OF_OLD: Final = (2, 4)
"""The last version whose ERR has one field with all (2.5 has several)."""
_TEXT: Final = 200


@dataclass(frozen=True, slots=True)
class Heading:
    """What the header of a message says, as far as it can be read."""

    line: str
    kind: str = ""
    event: str = ""
    sender: str = ""
    facility: str = ""
    accept: str = ""
    application: str = ""

    @property
    def is_enhanced(self) -> bool:
        """Whether it asks for acknowledgments by itself (2.9.3); else there is one, of the application (2.9.2)."""
        return bool(self.accept or self.application)


def heading(message: bytes) -> Heading:
    """The header of a message; an empty one where it has none."""
    from service.formats.hl7v2.message import header

    line = header(message)
    if not line.startswith("MSH") or not _is_sign(line[3:4]) or line.count(line[3]) < 8:
        return Heading("")
    fields = line.split(line[3])
    fields += [""] * (16 - len(fields))
    signs = fields[1]
    if line[3] in _ENCODING or line[3] in signs:
        return Heading("")
    if len(signs) < 4 or len(set(signs)) < len(signs) or not all(map(_is_sign, signs)):
        # What it says can't part an answer; by the usual ones its own parts are read as well.
        fields[1] = _ENCODING
        line = line[3].join(fields)
    kinds = [*fields[8].split(line[4]), "", ""]
    sender, facility = (fields[number].split(line[4])[0].strip() for number in (2, 3))
    asked = [one.strip() for one in fields[14:16]]
    if not all(one in _CONDITIONS for one in asked):
        asked = ["", ""]  # who asks for what the table does not have is answered all the same
    return Heading(line, kinds[0].strip(), kinds[1].strip(), sender, facility, *asked)


def _is_sign(text: str) -> bool:
    """Whether it can be a delimiter of an answer: printable ASCII that no text is made of."""
    return text.isascii() and text.isprintable() and not text.isalnum() and not text.isspace() and text != ""


def answers(
    head: Heading, error: Exception | None, stamp: str, control_id: str, notices: Sequence[Problem] = ()
) -> list[bytes]:
    """The acknowledgments that a message asks for: of the system that keeps it, of the application, or of both.

    ``stamp`` is MSH-7, ``control_id`` makes MSH-10; the application says the ``notices`` of what it took. Both are
    given once the report is kept: nothing is promised before.
    """
    code = "AA" if error is None else statuses.hl7(error).ack
    if not head.is_enhanced:
        return [_message(head, code, error, stamp, control_id, notices)]
    made = []
    if _wanted(head.accept, error):
        made.append(_message(head, _COMMIT[code], error, stamp, f"{control_id}C"))
    if _wanted(head.application, error):
        made.append(_message(head, code, error, stamp, control_id, notices))
    return made


def _wanted(asked: str, error: Exception | None) -> bool:
    """Table 0155: always, on success, on an error, never."""
    return asked == "AL" or (asked == "SU" and error is None) or (asked == "ER" and error is not None)


def _message(
    head: Heading, code: str, error: Exception | None, stamp: str, control_id: str, notices: Sequence[Problem] = ()
) -> bytes:
    import hl7

    source = _parsed(head)
    there = source.segment("MSH")
    header = source.create_segment([source.create_field(["MSH"])])
    told = {1: str(there(1)), 2: str(there(2)), 7: stamp, 10: control_id}
    told |= {to: _field(there, of) for to, of in ((3, 5), (4, 6), (5, 3), (6, 4), (11, 11), (12, 12))}
    for number, text in sorted(told.items()):
        header.assign_field(text, number)
    component = str(there(2))[0]
    kinds = ("ACK", head.event, "ACK") if head.event else ("ACK",)
    header.assign_field(component.join(kinds), 9)
    acknowledged = source.create_segment([source.create_field(["MSA"])])
    acknowledged.assign_field(code, 1)
    acknowledged.assign_field(_field(there, 10), 2)
    segments = [header, acknowledged]
    said = _said(error) if error is not None else notices[:MOST_ERRORS]
    if said:
        row = statuses.hl7(error) if error is not None else statuses.hl7(NotFound())
        version = tuple(int(part) for part in re.findall(r"\d{1,9}", _field(there, 12))[:2])
        old = bool(version) and version <= _LAST_OF_OLD
        if old:
            acknowledged.assign_field(source.escape(said[0].detail)[:80], 3)
        if error is not None or not old:  # an ERR of old has no severity: it would be an error beside AA
            segments += [_error(source, problem, row, old=old) for problem in said]
    made: hl7.Message = source.create_message(segments)
    return _ODD.sub("?", str(made)).encode()


def _error(source: Any, problem: Problem, row: statuses.Meaning, *, old: bool) -> Any:
    """One ERR: where (ERL), which condition, how severe it is, and what to do."""
    made = source.create_segment([source.create_field(["ERR"])])
    component, sub = str(source.segment("MSH")(2))[0], str(source.segment("MSH")(2))[3:4] or "&"
    place = _PLACE.match(problem.pointer)
    where = [place[1], place[2] or "1", place[3] or ""] if place is not None else []
    while where and not where[-1]:
        where.pop()
    if old:
        condition = sub.join((row.condition, row.words, "HL70357"))
        made.assign_field(component.join([*[*where, "", "", ""][:3], condition]), 1)
        return made
    if where:
        made.assign_field(component.join(where), 2)
    made.assign_field(component.join((row.condition, row.words, "HL70357")), 3)
    made.assign_field(_SEVERITIES.get(problem.rule, "E"), 4)
    made.assign_field(component.join((source.escape(problem.rule), "", "L")), 5)
    made.assign_field(source.escape(f"{problem.pointer} {problem.rule}".strip())[:_TEXT], 7)
    made.assign_field(source.escape(problem.detail[:_TEXT]), 8)
    return made


def _said(error: Exception) -> Sequence[Problem]:
    if isinstance(error, LesionBridgeError) and error.problems:
        return error.problems[:MOST_ERRORS]
    return (Problem("", "internal", "the service failed; its log has it"),)


def _parsed(head: Heading) -> Any:
    """The header as the library has it; the usual one where there is none."""
    import hl7

    try:
        return hl7.parse(head.line + "\r") if head.line else hl7.parse(_DEFAULT + "\r")
    except (hl7.exceptions.HL7Exception, ValueError, IndexError, AssertionError):
        return hl7.parse(_DEFAULT + "\r")


def _field(segment: Any, number: int) -> str:
    try:
        return str(segment(number))
    except IndexError:
        return ""
