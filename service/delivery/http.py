"""One request to an HTTP peer: bounded in time and size, TLS verified, nothing followed, nothing guessed.

What went wrong is told apart by how far the request got: before a connection stood nothing can have arrived; after that
the peer may have acted, whatever became of its answer.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

from service.delivery import statuses
from service.delivery.auth import NoToken, Posted, credentials
from service.delivery.destination import Answer, Failed, Outcome
from service.delivery.policy import Timeouts
from service.delivery.secrets import SecretMissing
from service.delivery.settings import Auth, Tls
from service.delivery.trust import files_unusable, no_connection, no_trust

if TYPE_CHECKING:
    import requests

ANSWER_BYTES: Final = 16 * 1024 * 1024
_TOKEN_BYTES: Final = 65_536
_CHUNK: Final = 65_536
_LONGEST_PAUSE_S: Final = 86_400.0
_AGENT: Final = "LesionBridge"


@dataclass(frozen=True, slots=True)
class Reply:
    """Status, headers in small letters, and body of an answer."""

    status: int
    headers: Mapping[str, str]
    content: bytes

    @property
    def media_type(self) -> str:
        """The media type without its parameters, in small letters."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    def text(self, characters: int = 1_000) -> str:
        """What it says, as far as it is text; on one line, since it goes into lists."""
        return " ".join(self.content[: characters * 4].decode("utf-8", "replace").split())[:characters]


class HttpPeer:
    """A server, with who we are to it; used from several threads."""

    def __init__(
        self,
        timeouts: Timeouts,
        tls: Tls,
        auth: Auth | None,
        *,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], float] = time.time,
    ) -> None:
        """Take the settings; nothing is connected yet. ``clock`` never goes back, ``now`` is the time of day."""
        self._timeouts = timeouts
        self._tls = tls
        self._clock = clock
        self._now = now
        self._local = threading.local()
        self._credentials = credentials(auth, self._post_form)

    def ask(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        body: bytes | None = None,
        *,
        most: int = ANSWER_BYTES,
        safe: bool = False,
    ) -> Reply:
        """The answer to a request, whatever its status; raises Failed. A token that ran out is renewed once.

        A peer may close after any answer, and what is on its way by then is lost: a request that changes nothing
        (GET, or ``safe``) is asked again on a connection of its own (RFC 9110 9.2.2).
        """
        try:
            return self._asked(method, url, headers, body, most)
        except _Stale:
            if not (safe or method == "GET"):
                raise
            return self._asked(method, url, headers, body, most)

    def _asked(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None, most: int) -> Reply:
        who = self._who()
        reply = self._once(method, url, {**headers, **who}, body, most)
        if reply.status == 401 and self._credentials.renew(who):
            reply = self._once(method, url, {**headers, **self._who()}, body, most)
        return reply

    def unhappy(self, reply: Reply, said: str = "") -> Answer:
        """What an answer without success means; ``said`` is the peer's reason where its body has one."""
        outcome, meaning = statuses.http(reply.status)
        said = said or reply.text()
        reason = f"{meaning}: {said}" if said else meaning
        return Answer(outcome, reason, str(reply.status), self.pause_s(reply))

    def pause_s(self, reply: Reply) -> float | None:
        """Retry-After in seconds (RFC 9110 10.2.3: a number or a date); more than a day is a day."""
        said = reply.headers.get("retry-after", "").strip()
        if said.isdecimal() and said.isascii():
            return min(float(said), _LONGEST_PAUSE_S)
        try:
            at = parsedate_to_datetime(said)
        except (ValueError, OverflowError):
            return None
        until = (at if at.tzinfo else at.replace(tzinfo=UTC)) - datetime.fromtimestamp(self._now(), UTC)
        return min(max(until.total_seconds(), 0.0), _LONGEST_PAUSE_S)

    def _who(self) -> Mapping[str, str]:
        try:
            return self._credentials.headers()
        except SecretMissing as error:
            raise Failed(Outcome.NOT_SENT, str(error)) from error
        except NoToken as error:
            raise Failed(Outcome.NOT_SENT, str(error), error.retry_after_s) from error

    def _post_form(self, url: str, form: Mapping[str, str]) -> Posted:
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
        try:
            reply = self._once("POST", url, headers, urlencode(form).encode(), _TOKEN_BYTES)
        except Failed as failed:
            raise NoToken(f"the token server: {failed}") from failed
        return Posted(reply.status, reply.content, self.pause_s(reply))

    def _once(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None, most: int) -> Reply:
        import requests

        with self._watch() as watch:
            try:
                with self._session(watch).request(
                    method,
                    url,
                    headers=dict(headers),
                    data=body,
                    timeout=(self._timeouts.connect_s, self._timeouts.read_s),
                    verify=(self._tls.ca_file or True) if self._tls.verify else False,
                    cert=(self._tls.certificate_file, self._tls.key_file) if self._tls.certificate_file else None,
                    allow_redirects=False,
                    stream=True,
                ) as response:
                    return self._read(response, watch, most)
            except requests.exceptions.SSLError as error:
                raise Failed(Outcome.NOT_SENT, files_unusable(self._tls) or no_trust(error)) from error
            except (requests.RequestException, OSError) as error:
                raise self._broken(error, watch) from error

    def _read(self, response: requests.Response, watch: Watch, most: int) -> Reply:
        """The answer to its end; the encoded length is bounded too, since what is read is what is unpacked."""
        content = bytearray()
        for chunk in response.iter_content(_CHUNK):
            content += chunk
            if len(content) > most:
                raise Failed(Outcome.UNKNOWN, f"its answer is larger than {most} bytes")
        if watch.is_over:  # what was cut off may look whole
            raise Failed(Outcome.UNKNOWN, "its answer took too long")
        headers = {name.lower(): value for name, value in response.headers.items()}
        return Reply(response.status_code, headers, bytes(content))

    def _broken(self, error: Exception, watch: Watch) -> Failed:
        """What a broken exchange means: without a connection nothing was sent."""
        import requests

        if not watch.connected and (watch.is_over or isinstance(error, requests.Timeout)):
            return Failed(Outcome.NOT_SENT, "no connection within the time allowed")
        if watch.is_over:
            return Failed(Outcome.UNKNOWN, "its answer took too long")
        if not isinstance(error, requests.RequestException):
            return Failed(Outcome.NOT_SENT, files_unusable(self._tls) or "TLS: its files can't be used")
        if not watch.connected:
            return Failed(Outcome.NOT_SENT, no_connection(error))
        kind = _Stale if watch.reused and isinstance(error, requests.ConnectionError) else Failed
        return kind(Outcome.UNKNOWN, f"the connection ended before a whole answer came ({type(error).__name__})")

    @contextmanager
    def _watch(self) -> Iterator[Watch]:
        """Ends an exchange that passes the time for all of it, even one whose headers come drop by drop."""
        watch = Watch(self._clock, self._timeouts.total_s)
        timer = threading.Timer(self._timeouts.total_s, watch.end)
        timer.daemon = True
        timer.start()
        try:
            yield watch
        finally:
            timer.cancel()

    def _session(self, watch: Watch) -> requests.Session:
        """This thread's session, its connections watched."""
        from service.delivery.watched import session

        found: requests.Session | None = getattr(self._local, "session", None)
        if found is None:
            found = self._local.session = session(self._local)
            found.headers["User-Agent"] = _AGENT
        self._local.watch = watch
        return found


class _Stale(Failed):
    """The connection was one of an exchange before, and the peer had closed it, or closed it now."""


class Watch:
    """One exchange under a deadline: the connection it uses, and whether one stood at all."""

    def __init__(self, clock: Callable[[], float], total_s: float) -> None:
        """Begin now."""
        self._clock = clock
        self._until = clock() + total_s
        self._connection: Any = None
        self._sock: Any = None
        self._ended = False
        self.connected = self.reused = False

    @property
    def is_over(self) -> bool:
        """Whether the time is up."""
        return self._ended or self._clock() > self._until

    def uses(self, connection: Any) -> None:
        """The connection is about to carry the request."""
        self._connection = connection
        self._sock = connection.sock

    def end(self) -> None:
        """Hang up."""
        self._ended = True
        # A connection forgets its socket where an answer without a length goes on to the end of it.
        sock = getattr(self._connection, "sock", None) or self._sock
        if sock is not None:
            import socket

            try:
                sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                return  # it is gone already
