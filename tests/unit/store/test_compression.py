"""How PostgreSQL compresses what is kept as bytes, and that it is read whatever it was compressed with."""

from dataclasses import replace
from typing import Any

from sqlalchemy import text

from service.store.database import transaction
from service.store.reports import Store
from service.store.versions import output
from tests.unit.store.kept import ID, make_draft

METHODS = "SELECT enumvals FROM pg_settings WHERE name = 'default_toast_compression'"
USED = "SELECT pg_column_compression(content) FROM outputs WHERE role = 'fhir' ORDER BY version"
ONLY_PGLZ = "CREATE VIEW public.pg_settings AS SELECT 'default_toast_compression' AS name, ARRAY['pglz'] AS enumvals"
CONTENT = b'{"resourceType":"Observation"}' * 1000


def keep(store: Store, number: int) -> None:
    """Keep a version with an output that is worth compressing, the next of its report."""
    before = ID.format(number - 1) if number > 1 else None
    one = make_draft(number, predecessor=before)
    store.keep(replace(one, outputs=(output("fhir", "application/fhir+json", CONTENT),)))


def asked(store: Store, statement: str) -> list[Any]:
    """The first column of what is asked of PostgreSQL; nothing on SQLite, which compresses nothing."""
    with transaction(store._engine, writes=True) as connection:
        if connection.dialect.name != "postgresql":
            return []
        found = connection.execute(text(statement))
        return list(found.scalars()) if found.returns_rows else []


def test_what_is_kept_is_read_on_either_side_of_the_step(database_url: str) -> None:
    store = Store(database_url)
    store.migrate("0011")
    keep(store, 1)
    store.migrate()
    keep(store, 2)
    assert store.lost_with("0011") == ()
    store.migrate("0011")
    keep(store, 3)
    store.migrate()
    assert [store.output(ID.format(number), "fhir").content for number in (1, 2, 3)] == [CONTENT] * 3
    methods = asked(store, METHODS)
    new = "lz4" if methods and "lz4" in methods[0] else "pglz"
    assert asked(store, USED) == (["pglz", new, "pglz"] if methods else [])
    store.close()


def test_a_server_without_lz4_is_left_as_it_is(database_url: str) -> None:
    # Its own view, found before that of the system, stands for what such a server says.
    found_first = "&options=-csearch_path%3Dpublic,pg_catalog" if database_url.startswith("postgresql") else ""
    store = Store(database_url + found_first)
    asked(store, ONLY_PGLZ)
    store.migrate()
    keep(store, 1)
    assert asked(store, USED) in ([], ["pglz"])
    asked(store, "DROP VIEW public.pg_settings")
    store.close()
