"""A multipart/related body taken apart (RFC 2387, RFC 2046 5.1): bounded, and nothing guessed."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from service.domain.errors import Invalid, Problem, Unreadable
from service.domain.limits import Limits

# RFC 2046 5.1.1 allows 70 characters; Orthanc's client sends 73.
_BOUNDARY: Final = re.compile(rb"[0-9A-Za-z'()+_,\-./:=? ]{0,199}[0-9A-Za-z'()+_,\-./:=?]")


@dataclass(frozen=True, slots=True)
class Part:
    """One part: its media type in small letters without parameters, and its bytes."""

    media_type: str
    content: bytes


def parts(body: bytes, boundary: str, limits: Limits) -> Iterator[Part]:
    """The parts of a body.

    Raises Unreadable where the boundary is none, is not there, or the body ends early; Invalid for more parts, or
    longer headers, than the limits ``instances`` and ``part_header_bytes`` let.
    """
    said = boundary.encode("latin-1", "replace")
    if not _BOUNDARY.fullmatch(said):
        raise Unreadable(Problem("headers:Content-Type", "multipart", "multipart/related needs its boundary"))
    delimiter = b"--" + said
    at = 0 if body.startswith(delimiter) else body.find(b"\r\n" + delimiter) + 2
    if at == 1:
        raise Unreadable(Problem("", "multipart", "the boundary that Content-Type names is not in the body"))
    number = 0
    while True:
        at += len(delimiter)
        if body.startswith(b"--", at):
            return
        number += 1
        if number > limits.instances:
            raise Invalid(Problem("", "limit", f"there are more than {limits.instances} parts (limits.instances)"))
        line = body.find(b"\r\n", at)
        end = body.find(b"\r\n" + delimiter, at)
        # Only blanks may stand between a delimiter and its line's end (RFC 2046 5.1.1).
        if line < 0 or end < 0 or body[at:line].strip(b" \t"):
            raise Unreadable(Problem(f"part[{number}]", "multipart", "the body ends within a part"))
        yield _part(body[line + 2 : end] if line < end else b"", number, limits.part_header_bytes)
        at = end + 2


def _part(whole: bytes, number: int, most: int) -> Part:
    if whole.startswith(b"\r\n"):
        return Part("", whole[2:])
    head, blank, content = whole.partition(b"\r\n\r\n")
    if len(head) > most:
        why = f"the headers of a part are longer than {most} bytes (limits.part_header_bytes)"
        raise Invalid(Problem(f"part[{number}]", "limit", why))
    if not blank:
        raise Unreadable(Problem(f"part[{number}]", "multipart", "the headers of a part have no end"))
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.strip().lower() == b"content-type":
            return Part(value.split(b";")[0].strip().lower().decode("latin-1"), content)
    return Part("", content)
