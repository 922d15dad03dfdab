"""A session of requests whose exchange ends in time: its own time-outs are for one read, and a peer may drip on."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection


class Hurried:
    """A session for one thread; takes nothing from the environment: neither proxies nor passwords."""

    def __init__(self) -> None:
        """Nothing is connected yet."""
        self._used: Any = None
        self._sock: Any = None
        self._is_over = False
        self.session = requests.Session()
        self.session.trust_env = False
        adapter = _adapter(self)
        self.session.mount("http://", adapter)
        self.session.mount("https://", adapter)

    @contextmanager
    def within(self, seconds: float) -> Iterator[None]:
        """Hang up on what takes longer, whatever it waits for; what came until then is cut off."""
        self._used = self._sock = None
        self._is_over = False
        timer = threading.Timer(seconds, self._end)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    @property
    def is_over(self) -> bool:
        """Whether the time of the last exchange ended before it did."""
        return self._is_over

    def uses(self, connection: Any) -> None:
        """The connection is about to carry the request."""
        self._used, self._sock = connection, connection.sock

    def _end(self) -> None:
        self._is_over = True
        # A connection forgets its socket where an answer without a length goes on to the end of it.
        sock = getattr(self._used, "sock", None) or self._sock
        if sock is not None:
            with suppress(OSError):  # it is gone already
                sock.shutdown(socket.SHUT_RDWR)


def _adapter(hurried: Hurried) -> HTTPAdapter:
    class Told(HTTPConnection):
        """Says when it is used."""

        def connect(self) -> None:
            hurried.uses(self)
            super().connect()
            hurried.uses(self)

        def putrequest(self, *args: Any, **settings: Any) -> None:
            hurried.uses(self)
            super().putrequest(*args, **settings)

    class Secure(Told, HTTPSConnection):
        """The same over TLS."""

    class PlainPool(HTTPConnectionPool):
        ConnectionCls = Told

    class SecurePool(HTTPSConnectionPool):
        ConnectionCls = Secure

    made = HTTPAdapter(max_retries=0)
    made.poolmanager.pool_classes_by_scheme = {"http": PlainPool, "https": SecurePool}
    return made
