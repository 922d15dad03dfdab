"""Workflows run on both databases, as the store does."""

from tests.unit.store.conftest import database_url, store

__all__ = ["database_url", "store"]
