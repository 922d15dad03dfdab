"""A thread stays at its connection for a moment: who sends one request after the other is answered by the same thread.

gunicorn gives each connection back to the thread that looks at all of them and takes it up again with the next
request: a pipe, two calls of epoll and two changes of thread, at each of which the interpreter is waited for.
"""

import select
from collections import deque
from typing import Any, Final

from gunicorn.workers.gthread import ThreadWorker  # type: ignore[import-untyped]  # gunicorn ships no types

STAY_MS: Final = 1
"""How long a thread waits for the next request. Nobody waits for the thread meanwhile, but who comes within it."""


class StayingWorker(ThreadWorker):  # type: ignore[misc]  # gunicorn ships no types
    """Gunicorn's worker with threads; each answers what follows at once on its connection, unless others wait."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Take what gunicorn gives; nobody waits yet."""
        super().__init__(*args, **kwargs)
        self._waiting: deque[object] = deque()  # a connection each that no thread has taken up; its ends are atomic

    def enqueue_req(self, conn: Any) -> None:
        """Let a thread take up a connection that has a request."""
        self._waiting.append(conn)
        super().enqueue_req(conn)

    def handle(self, conn: Any) -> Any:
        """Answer the requests of a connection; what gunicorn is to do with it then."""
        self._waiting.popleft()
        while True:
            kept = super().handle(conn)
            if kept is not True or conn.is_http2 or self._waiting or not self.alive or not _has_more(conn):
                return kept


def _has_more(conn: Any) -> bool:
    """Whether the next request has begun, or its sender has hung up, before it is given back."""
    if conn.parser.unreader.buf.getvalue() or getattr(conn.sock, "pending", int)():
        return True  # read already, or decrypted
    poll = select.poll()
    poll.register(conn.sock, select.POLLIN)
    return bool(poll.poll(STAY_MS))
