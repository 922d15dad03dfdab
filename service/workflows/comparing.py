"""What was sent, against what was sent another time: each place that differs, for JSON, DICOM and text."""

import json
import re
from collections.abc import Iterator
from difflib import SequenceMatcher
from io import BytesIO
from itertools import zip_longest
from typing import Any, Final

from service.store.versions import Output

MOST: Final = 500
"""Differences that are listed; the rest is counted."""
_ABSENT: Final = object()
_TAGS: Final = re.compile(r">(?=<)")


def compare(this: Output, other: Output) -> dict[str, Any]:
    """The differences of two outputs, ordered as in the documents."""
    found = [] if this.sha256 == other.sha256 else list(_differences(this, other))
    return {
        "same": this.sha256 == other.sha256,
        "mediaTypes": [this.media_type, other.media_type],
        "digests": [this.sha256, other.sha256],
        "differences": found[:MOST],
        "more": max(0, len(found) - MOST),
    }


def _differences(this: Output, other: Output) -> Iterator[dict[str, Any]]:
    kinds = {_kind(this.media_type), _kind(other.media_type)}
    if len(kinds) > 1:
        yield _row("", this.media_type, other.media_type)
        return
    match kinds.pop():
        case "json":
            found = _walk("", _json(this.content), _json(other.content))
        case "dicom":
            found = _walk("", _dicom(this.content), _dicom(other.content))
        case "text":
            found = _lines(this.content, other.content)
        case _:
            found = iter(())
    first = next(found, None)
    if first is None:
        # Layout, the encoding of a number, a page for printers: what can be told apart is in the digests.
        first = _row("", f"{len(this.content)} bytes", f"{len(other.content)} bytes")
    yield first
    yield from found


def _kind(media_type: str) -> str:
    name = media_type.partition(";")[0].strip()
    if name.endswith("json"):
        return "json"
    return {"application/dicom": "dicom", "application/pdf": "pdf"}.get(name, "text")


class _Written(str):
    """A number with a point or an exponent, as it is written."""

    __slots__ = ()


def _json(content: bytes) -> Any:
    """A document whose numbers are as they are written: 12.50 is another one than 12.5."""
    return json.loads(content, parse_float=_Written)


def _dicom(content: bytes) -> Any:
    """A Part 10 file as the DICOM JSON Model has it (PS3.18 F.2): a place is a path of tags."""
    from pydicom import dcmread  # dear to import, and seldom asked for

    return dcmread(BytesIO(content)).to_json_dict()


def _walk(place: str, this: Any, other: Any) -> Iterator[dict[str, Any]]:
    """Each place below that differs, as a JSON pointer (RFC 6901)."""
    if isinstance(this, dict) and isinstance(other, dict):
        for name in dict.fromkeys([*this, *other]):
            step = str(name).replace("~", "~0").replace("/", "~1")
            yield from _walk(f"{place}/{step}", this.get(name, _ABSENT), other.get(name, _ABSENT))
    elif isinstance(this, list) and isinstance(other, list):
        for at in range(max(len(this), len(other))):
            pair = [side[at] if at < len(side) else _ABSENT for side in (this, other)]
            yield from _walk(f"{place}/{at}", *pair)
    elif this is _ABSENT or other is _ABSENT or type(this) is not type(other) or this != other:
        yield _row(place, this, other)


def _lines(this: bytes, other: bytes) -> Iterator[dict[str, Any]]:
    """Each line that differs, by its number in this document, or in the other where only that has it."""
    mine, others = _cut(this), _cut(other)
    # Lines only, with what often comes left aside: to look within each pair of lines takes hours of a long message.
    for kind, start, end, at, until in SequenceMatcher(None, mine, others).get_opcodes():
        if kind == "equal":
            continue
        for step, pair in enumerate(zip_longest(mine[start:end], others[at:until], fillvalue=_ABSENT)):
            line = start + step if pair[0] is not _ABSENT else at + step
            yield _row(f"line {line + 1}", *pair)


def _cut(content: bytes) -> list[str]:
    """Lines; of XML that has none its tags. Bytes that are no UTF-8 stay apart."""
    text = content.decode(errors="backslashreplace")
    lines = text.splitlines()
    return lines if len(lines) > 1 else _TAGS.sub(">\n", text).splitlines()


def _row(place: str, this: Any, other: Any) -> dict[str, Any]:
    return {
        "place": place,
        "this": None if this is _ABSENT else this,
        "other": None if other is _ABSENT else other,
    }
