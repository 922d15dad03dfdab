"""Which shelf a deployment has: its PostgreSQL where it has one, otherwise a folder."""

from functools import cache
from pathlib import Path

from service.coding.releases.postgres_shelf import PostgresShelf
from service.coding.releases.shelf import ReleaseShelf, Shelf


@cache
def open_shelf(folder: Path, database_url: str = "") -> ReleaseShelf:
    """The shelf of a folder, or of a PostgreSQL database, for which files are then built in the folder."""
    return PostgresShelf(database_url, folder) if database_url else Shelf(folder)
