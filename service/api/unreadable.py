"""What is answered to bytes that are no request: gunicorn refuses them before the application is asked.

Its own page is HTML that repeats the sender's bytes, and so does its log. Ours is problem+json with the headers that
every answer has, and says how many bytes are taken, never which came.
"""

import ssl
from email.utils import formatdate
from http import HTTPStatus
from typing import Any, Final
from uuid import uuid4

import orjson
import structlog
from gunicorn import util  # type: ignore[import-untyped]  # gunicorn ships no types
from gunicorn.http import errors  # type: ignore[import-untyped]

from service.api.observe import HEADERS
from service.api.problems import PROBLEM_JSON, Verdict, judge, problem_json
from service.api.sending import Together
from service.api.staying import StayingWorker
from service.delivery.handshake import reason
from service.domain.errors import Problem, frames

_OF_OURS: Final = (errors.InvalidResponseHeader, errors.InvalidResponseHeaderName)
"""What an answer is at fault for, not what came."""

_log = structlog.get_logger()


class Worker(StayingWorker):
    """Gunicorn's worker with threads, whose own refusals are problems as all others are."""

    def init_process(self) -> None:
        """Work; a setting is looked for some twenty times a request, so each is made a member of the settings."""
        for name, setting in self.cfg.settings.items():
            if not hasattr(type(self.cfg), name):
                self.cfg.__dict__[name] = setting.get()
        super().init_process()

    def handle_request(self, req: Any, conn: Any) -> bool:
        """Answer a request; whether its connection may be kept."""
        own = conn.sock
        conn.sock = together = Together(own)
        try:
            kept: bool = super().handle_request(req, conn)
        finally:
            conn.sock = own
        together.end()
        return kept

    def _keepalive_after(self, conn: Any, keepalive: Any) -> bool:
        """Whether a connection is kept: nothing has to be drained where the body was read to its length."""
        if keepalive and getattr(conn.parser.mesg.body.reader, "length", None) == 0:
            return True
        kept: bool = super()._keepalive_after(conn, keepalive)
        return kept

    def handle_error(self, req: Any, client: Any, addr: Any, exc: BaseException) -> None:
        """Answer what can't be read, or what broke; the connection is closed by whoever calls."""
        structlog.contextvars.clear_contextvars()  # of whoever was answered in this thread before
        request_id, name, address = uuid4().hex, type(exc).__name__, addr[0] if addr else ""
        if isinstance(exc, ssl.SSLError):
            _log.warning("unreadable", error=name, address=address, reason=reason(exc), openssl=exc.reason)
            return  # TLS has said what there is to say, and its socket is closed
        verdict = self._verdict(exc)
        said = {"error": name, "address": address, "request_id": request_id}
        if verdict.status == HTTPStatus.INTERNAL_SERVER_ERROR:
            _log.error("failed", status=int(verdict.status), **said, rule=verdict.problems[0].rule, at=frames(exc))
        elif req is not None:
            _log.warning("unreadable", **said)  # the rest of a body whose request is answered
            return
        else:
            _log.warning("unreadable", status=int(verdict.status), **said)
        try:
            util.write_nonblock(client, page(verdict, request_id))
        except OSError:
            return  # whoever sent it is gone

    def _verdict(self, exc: BaseException) -> Verdict:
        """What it means to the sender, in words that hold none of its bytes."""
        if isinstance(exc, _OF_OURS) or not isinstance(exc, errors.ParseException):
            return judge(Exception())
        status, why = HTTPStatus.BAD_REQUEST, "the request line or a header field can't be read (RFC 9112 3, 5)"
        if isinstance(exc, errors.LimitRequestLine):
            status = HTTPStatus.REQUEST_URI_TOO_LONG
            why = f"the request line has at most {self.cfg.limit_request_line} bytes"
        elif isinstance(exc, errors.LimitRequestHeaders):
            status = HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE
            most, bytes_each = self.cfg.limit_request_fields, self.cfg.limit_request_field_size
            why = f"there are at most {most} header fields, of at most {bytes_each} bytes each"
        elif isinstance(exc, errors.UnsupportedTransferCoding):
            status, why = HTTPStatus.NOT_IMPLEMENTED, "a body comes with Content-Length, or chunked (Transfer-Encoding)"
        elif isinstance(exc, errors.ExpectationFailed):
            status, why = HTTPStatus.EXPECTATION_FAILED, "all that may be expected is 100-continue"
        elif isinstance(exc, errors.InvalidHTTPVersion):
            why = "HTTP is spoken in version 1.0 and 1.1"
        problem = Problem("", f"http-{int(status)}", why)
        return Verdict(status, status.phrase, "about:blank", retryable=False, problems=(problem,))


def page(verdict: Verdict, request_id: str) -> bytes:
    """The whole answer, for a connection that is closed after it."""
    body = orjson.dumps(problem_json(verdict, request_id))
    headers = {
        "Date": formatdate(usegmt=True),
        "Connection": "close",
        "Content-Type": PROBLEM_JSON,
        "Content-Length": str(len(body)),
        "X-Request-ID": request_id,
        **HEADERS,
    }
    lines = [f"HTTP/1.1 {int(verdict.status)} {HTTPStatus(verdict.status).phrase}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode("ascii") + body
