"""Bad documents that are made when they are needed: none of them fits on a page."""

from collections.abc import Callable
from dataclasses import dataclass

from service.domain.errors import Invalid, Refused, TooLarge, Unreadable
from tests.documents import as_bytes, make_document

MEGABYTE = 1024 * 1024


@dataclass(frozen=True)
class Huge:
    """How to make a body, and the one (pointer, rule) that it is refused for."""

    name: str
    make: Callable[[], bytes]
    pointer: str
    rule: str
    error: type[Refused] = Invalid


def _filled(unit: bytes, size: int = 15 * MEGABYTE) -> bytes:
    return unit * (size // len(unit))


def lesions(number: int) -> bytes:
    """A document with so many lesions, else right."""
    return as_bytes(make_document(lesions=[{"id": f"L{n}", "finding": "brain metastasis"} for n in range(number)]))


def _points(number: int) -> bytes:
    image = {"sopClass": "1.2.3", "sop": "1.2.3.4", "series": "1.2.4", "polygon": {"points": [[0.5, 1]] * number}}
    return as_bytes(make_document(lesions=[{"id": "L1", "finding": "brain metastasis", "images": [image]}]))


def _members(name: str, number: int) -> bytes:
    lesion = {"id": "L1", "finding": "brain metastasis", name: {f"x{n}": "1 mm" for n in range(number)}}
    return as_bytes(make_document(lesions=[lesion]))


HUGE = [
    Huge("50 MB of nothing", lambda: b" " * (50 * MEGABYTE), "", "limit", TooLarge),
    Huge("50 MB of brackets", lambda: b"[" * (50 * MEGABYTE), "", "limit", TooLarge),
    Huge("10,000 lesions", lambda: lesions(10_000), "/lesions", "limit"),
    Huge("a polygon of 20,000 points", lambda: _points(20_000), "/lesions/0/images/0/polygon/points", "points"),
    Huge("2,000 measurements", lambda: _members("measurements", 2_000), "/lesions/0/measurements", "limit"),
    Huge("2,000 descriptors", lambda: _members("descriptors", 2_000), "/lesions/0/descriptors", "limit"),
    Huge("brackets", lambda: _filled(b"["), "", "limit"),
    Huge("empty lists", lambda: b"[" + _filled(b"[],") + b"0]", "", "limit"),
    Huge("empty objects", lambda: b"[" + _filled(b"{},") + b"0]", "", "limit"),
    Huge("small objects", lambda: b"[" + _filled(b'{"":0},') + b"0]", "", "limit"),
    Huge("numbers", lambda: b"[" + _filled(b"0.5,") + b"0]", "", "limit"),
    Huge("one number", lambda: b'{"a":' + _filled(b"9") + b"}", "/a", "number"),
    Huge("one decimal", lambda: b'{"a":[0.' + _filled(b"9") + b",NaN]}", "/a/1", "number"),
    Huge("quotes", lambda: _filled(b'"'), "", "json", Unreadable),
    Huge("escapes", lambda: b'["' + _filled(b"\\u0000") + b'"]', "/0", "character"),
    Huge("backslashes", lambda: b'["' + _filled(b"\\\\") + b'\\u0007"]', "/0", "character"),
    Huge("one long name", lambda: b'{"' + _filled(b"x") + b'": 1}', "", "limit"),
]
"""Every bad document that is large."""
