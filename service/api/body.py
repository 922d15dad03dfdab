"""Reading a request body without ever holding more of it than the deployment allows."""

import zlib
from collections.abc import Iterator
from typing import Any

import orjson
from flask import Request
from marshmallow import Schema, ValidationError
from werkzeug.exceptions import ClientDisconnected

from service.domain.errors import Invalid, Problem, TooLarge, Unreadable, UnsupportedMedia

SMALL = 65_536
"""Bytes of a body that is not a report."""
CHUNK = 65_536
_GZIP = 16 + zlib.MAX_WBITS


def read(request: Request, limit: int) -> bytes:
    """The body's bytes, at most ``limit`` of them as sent and as unpacked.

    Raises UnsupportedMedia for a Content-Encoding but gzip, Unreadable for a body that ends early, TooLarge.
    """
    encoding = request.headers.get("Content-Encoding", "identity").strip().lower()
    if encoding not in {"identity", "gzip", "x-gzip"}:
        raise UnsupportedMedia(Problem("", "content-encoding", "a body comes plain or as gzip", ("gzip", "identity")))
    raw = _received(request, limit)
    return raw if encoding == "identity" else _unzip(raw, limit)


def _received(request: Request, limit: int) -> bytes:
    """The body as sent. Werkzeug's own reading cuts a chunked body off at the limit and says nothing."""
    length = request.content_length
    if length is not None:
        return _of_length(request, length, limit)
    raw = bytearray()
    while chunk := request.stream.read(min(CHUNK, limit + 1 - len(raw))):
        raw += chunk
        if len(raw) > limit:
            raise TooLarge(_too_large())
    return bytes(raw)


def _of_length(request: Request, length: int, limit: int) -> bytes:
    """A body with a Content-Length: no more is asked of the server's own stream, so it may be read as it is."""
    if length > limit:
        raise TooLarge(_too_large())
    stream = request.environ["wsgi.input"]
    try:
        raw: bytes = stream.read(min(CHUNK, length))
        if len(raw) < length:
            pieces = [raw]
            left = length - len(raw)
            while left and pieces[-1]:
                pieces.append(stream.read(min(CHUNK, left)))
                left -= len(pieces[-1])
            raw = b"".join(pieces)
    except (OSError, ValueError) as error:
        raise ClientDisconnected from error
    if len(raw) != length:
        raise Unreadable(Problem("", "content-length", "the body ends before its Content-Length"))
    return raw


def _too_large() -> Problem:
    return Problem("", "limit", "the body is larger than this deployment takes")


def _unzip(raw: bytes, limit: int) -> bytes:
    inflate = zlib.decompressobj(_GZIP)
    try:
        content = inflate.decompress(raw, limit + 1)
    except zlib.error:
        raise Unreadable(Problem("", "gzip", "Content-Encoding says gzip, the body is not")) from None
    if len(content) > limit:
        raise TooLarge(Problem("", "limit", "the body is larger than this deployment takes once it is unpacked"))
    if not inflate.eof:
        raise Unreadable(Problem("", "gzip", "the gzip body ends early"))
    if inflate.unused_data:
        raise Unreadable(Problem("", "gzip", "there is something after the gzip body"))
    return content


class Unzipped:
    """A gzip body that is unpacked as it comes, a piece of bounded size at a time."""

    def __init__(self) -> None:
        """Begin."""
        self._inflate = zlib.decompressobj(_GZIP)

    def add(self, chunk: bytes) -> Iterator[bytes]:
        """What some more bytes hold; raises Unreadable."""
        if self._inflate.eof:
            raise Unreadable(Problem("", "gzip", "there is something after the gzip body"))
        full = True
        while chunk or full:
            try:
                content = self._inflate.decompress(chunk, CHUNK)
            except zlib.error:
                raise Unreadable(Problem("", "gzip", "Content-Encoding says gzip, the body is not")) from None
            yield content
            # With all input taken, a full piece may have left some behind.
            chunk, full = self._inflate.unconsumed_tail, len(content) == CHUNK
        if self._inflate.unused_data:
            raise Unreadable(Problem("", "gzip", "there is something after the gzip body"))

    def end(self) -> None:
        """Hold that the body came to its end."""
        if not self._inflate.eof:
            raise Unreadable(Problem("", "gzip", "the gzip body ends early"))


def read_json(request: Request, schema: Schema, rule: str = "search") -> dict[str, Any]:
    """A small JSON body as a schema has it; raises UnsupportedMedia, Unreadable, Invalid by ``rule``."""
    if request.mimetype != "application/json":
        raise UnsupportedMedia(Problem("", "content-type", "the body is JSON", ("application/json",)))
    try:
        data = orjson.loads(read(request, SMALL))
    except orjson.JSONDecodeError:
        raise Unreadable(Problem("", "json", "the body is not JSON")) from None
    try:
        return dict(schema.load(data))
    except ValidationError as error:
        raise Invalid(*_problems("", error.messages, rule)) from None


def _problems(pointer: str, messages: Any, rule: str) -> Iterator[Problem]:
    if isinstance(messages, dict):
        for name, more in messages.items():
            step = str(name).replace("~", "~0").replace("/", "~1")
            yield from _problems(pointer if name == "_schema" else f"{pointer}/{step}", more, rule)
    else:
        for text in messages if isinstance(messages, list) else [messages]:
            yield Problem(pointer, rule, str(text))
