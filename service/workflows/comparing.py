"""What was sent, against what was sent another time: each place that differs, for JSON, DICOM and text."""

from collections.abc import Iterator
from difflib import ndiff
from io import BytesIO
from typing import Any, Final

import orjson

from service.store.versions import Output

MOST: Final = 500
"""Differences that are listed; the rest is counted."""
_ABSENT: Final = object()


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
    elif kinds == {"json"}:
        yield from _walk("", orjson.loads(this.content), orjson.loads(other.content))
    elif kinds == {"dicom"}:
        yield from _walk("", _dicom(this.content), _dicom(other.content))
    else:
        yield from _lines(this.content.decode(errors="replace"), other.content.decode(errors="replace"))


def _kind(media_type: str) -> str:
    name = media_type.partition(";")[0].strip()
    return "json" if name.endswith("json") else "dicom" if name == "application/dicom" else "text"


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
    elif this is _ABSENT or other is _ABSENT or this != other:
        yield _row(place, this, other)


def _lines(this: str, other: str) -> Iterator[dict[str, Any]]:
    for number, line in enumerate(ndiff(this.splitlines(), other.splitlines()), 1):
        if line.startswith(("- ", "+ ")):
            yield _row(f"line {number}", *((line[2:], _ABSENT) if line[0] == "-" else (_ABSENT, line[2:])))


def _row(place: str, this: Any, other: Any) -> dict[str, Any]:
    return {
        "place": place,
        "this": None if this is _ABSENT else this,
        "other": None if other is _ABSENT else other,
    }
