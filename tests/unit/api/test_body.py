"""Bodies: plain, gzip, broken, too large."""

import gzip
import io
import zlib

import pytest
from flask import Flask, Request, request
from marshmallow import Schema, fields
from werkzeug.exceptions import ClientDisconnected

from service.api import body
from service.domain.errors import Invalid, TooLarge, Unreadable, UnsupportedMedia

APP = Flask(__name__)
LIMIT = 1000


class Small(Schema):
    """Something to load."""

    a = fields.Integer(required=True)


def sent(content: bytes, **headers: str) -> Request:
    """A request with a body."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    with APP.test_request_context("/", method="POST", data=content, headers=named):
        return request._get_current_object()  # type: ignore[attr-defined,no-any-return]  # the proxy's own way out


def test_reads_a_plain_body() -> None:
    assert body.read(sent(b"abc"), LIMIT) == b"abc"


@pytest.mark.parametrize("name", ["gzip", "x-gzip", "GZIP"])
def test_reads_a_gzip_body(name: str) -> None:
    assert body.read(sent(gzip.compress(b"abc", mtime=0), Content_Encoding=name), LIMIT) == b"abc"


def test_a_gzip_body_may_be_as_large_as_the_limit_and_no_larger() -> None:
    assert len(body.read(sent(gzip.compress(b"x" * LIMIT, mtime=0), Content_Encoding="gzip"), LIMIT)) == LIMIT
    with pytest.raises(TooLarge):
        body.read(sent(gzip.compress(b"x" * (LIMIT + 1)), Content_Encoding="gzip"), LIMIT)


def test_a_bomb_is_never_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    bomb = gzip.compress(bytes(50_000_000))
    seen: list[int] = []
    real = zlib.decompressobj

    class Counting:
        """Counts what comes out."""

        def __init__(self, wbits: int) -> None:
            self.inner = real(wbits)

        def decompress(self, raw: bytes, most: int) -> bytes:
            """Unpack and count."""
            content = self.inner.decompress(raw, most)
            seen.append(len(content))
            return content

    monkeypatch.setattr(body.zlib, "decompressobj", Counting)  # type: ignore[attr-defined]  # the module's own import
    with pytest.raises(TooLarge):
        body.read(sent(bomb, Content_Encoding="gzip"), LIMIT)
    assert sum(seen) <= LIMIT + 1


@pytest.mark.parametrize(
    "content",
    [b"no gzip", b"", gzip.compress(b"abc", mtime=0)[:-3], gzip.compress(b"abc", mtime=0) + b"more", b"\x1f\x8b"],
)
def test_refuses_broken_gzip(content: bytes) -> None:
    with pytest.raises(Unreadable):
        body.read(sent(content, Content_Encoding="gzip"), LIMIT)


@pytest.mark.parametrize("name", ["br", "deflate", "gzip, gzip", "zstd"])
def test_refuses_another_encoding(name: str) -> None:
    with pytest.raises(UnsupportedMedia):
        body.read(sent(b"abc", Content_Encoding=name), LIMIT)


def test_a_json_body_says_so() -> None:
    with pytest.raises(UnsupportedMedia):
        body.read_json(sent(b'{"a": 1}'), Small())


@pytest.mark.parametrize("content", [b"", b"{", b'{"a": NaN}', b"\xff", b"[" * 5000])
def test_refuses_what_is_not_json(content: bytes) -> None:
    with pytest.raises(Unreadable):
        body.read_json(sent(content, Content_Type="application/json"), Small())


def test_names_the_place_of_each_problem() -> None:
    with pytest.raises(Invalid) as raised:
        body.read_json(sent(b'{"b/~": 1}', Content_Type="application/json"), Small())
    assert {problem.pointer for problem in raised.value.problems} == {"/a", "/b~1~0"}


class Dripping(io.RawIOBase):
    """A server's stream that gives two bytes at a time, and fails or ends after some."""

    def __init__(self, content: bytes, failure: OSError | None = None) -> None:
        super().__init__()
        self.left, self.failure, self.asked = content, failure, 0

    def read(self, most: int = -1) -> bytes:
        """The next bytes."""
        self.asked += most
        if not self.left and self.failure is not None:
            raise self.failure
        given, self.left = self.left[: min(most, 2)], self.left[min(most, 2) :]
        return given


def of_length(stream: Dripping, length: int) -> Request:
    """A request whose body is said to have so many bytes."""
    return Request({"wsgi.input": stream, "CONTENT_LENGTH": str(length), "REQUEST_METHOD": "POST"})


def test_a_body_that_comes_in_pieces_is_read_to_its_length_and_no_further() -> None:
    stream = Dripping(b"abcdefg" + b"POST /next")
    assert body.read(of_length(stream, 7), LIMIT) == b"abcdefg"
    assert stream.left == b"POST /next"


def test_a_body_that_ends_early_is_refused() -> None:
    with pytest.raises(Unreadable, match="ends before"):
        body.read(of_length(Dripping(b"abc"), 7), LIMIT)


def test_a_client_that_is_gone_is_no_failure_of_ours() -> None:
    with pytest.raises(ClientDisconnected):
        body.read(of_length(Dripping(b"abc", ConnectionResetError()), 7), LIMIT)


def test_nothing_is_read_of_a_body_that_says_that_it_is_too_large() -> None:
    stream = Dripping(b"abc")
    with pytest.raises(TooLarge):
        body.read(of_length(stream, LIMIT + 1), LIMIT)
    assert stream.asked == 0
