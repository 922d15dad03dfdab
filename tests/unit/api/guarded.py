"""A service that asks who calls, and keys for it."""

from pathlib import Path
from typing import Any

from flask import Flask
from werkzeug.test import TestResponse

from service.access.keys import new_key
from service.access.principal import Scope
from service.app import create_app
from service.config import Settings
from service.store.access import KeptKey
from service.store.reports import Store
from tests.databases import with_tables
from tests.findings import make_body

JSON = {"Content-Type": "application/json"}


class Service:
    """An application with access required, and keys for it."""

    def __init__(self, folder: Path, **more: Any) -> None:
        """Make its tables in a folder; further settings."""
        self.url = with_tables(f"sqlite:///{folder / 'x.sqlite3'}")
        self.store = Store(self.url)
        self.app: Flask = create_app(Settings(database_url=self.url, access="required", log_level="error", **more))

    def key(self, *scopes: Scope, sender: str = "", **more: Any) -> dict[str, str]:
        """The header of a new key."""
        shown, identity, digest = new_key()
        row: dict[str, Any] = {"rate_per_minute": 0, "body_bytes": 0, "created": self.store.now()} | more
        self.store.keys.add(KeptKey(identity, identity, sender, " ".join(scopes), digest, **row))
        return {"X-API-Key": shown}

    def ask(self, method: str, path: str, headers: dict[str, str] | None = None, body: bytes = b"") -> TestResponse:
        """The answer to a request."""
        return self.app.test_client().open(path, method=method, headers={**JSON, **(headers or {})}, data=body)

    def publish(self, headers: dict[str, str], **changes: Any) -> TestResponse:
        """The answer to a report."""
        return self.ask("POST", "/v1/reports", headers, make_body(**changes))
