"""A session of requests whose connections are known while they are used, so that a deadline can end them."""

from __future__ import annotations

import threading
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection


def session(local: threading.local) -> requests.Session:
    """A session that tells ``local.watch`` which connection it uses, and takes nothing from the environment."""
    made = requests.Session()
    made.trust_env = False  # neither proxies nor passwords that nobody configured here
    adapter = _Watched(local)
    made.mount("http://", adapter)
    made.mount("https://", adapter)
    return made


class _Watched(HTTPAdapter):
    """Pools of watched connections."""

    def __init__(self, local: threading.local) -> None:
        self._local = local
        super().__init__(max_retries=0)

    def init_poolmanager(self, *args: Any, **settings: Any) -> None:
        super().init_poolmanager(*args, **settings)
        local = self._local

        class Told(HTTPConnection):
            """Says when it is used, and when it stands; an older one of the pool stands already."""

            def connect(self) -> None:
                local.watch.uses(self)
                super().connect()
                local.watch.uses(self)
                local.watch.connected = True

            def putrequest(self, *args: Any, **settings: Any) -> None:
                local.watch.uses(self)
                if self.sock is not None and not local.watch.connected:
                    local.watch.connected = local.watch.reused = True
                super().putrequest(*args, **settings)

        class Secure(Told, HTTPSConnection):
            """The same over TLS."""

        class PlainPool(HTTPConnectionPool):
            ConnectionCls = Told

        class SecurePool(HTTPSConnectionPool):
            ConnectionCls = Secure

        self.poolmanager.pool_classes_by_scheme = {"http": PlainPool, "https": SecurePool}
