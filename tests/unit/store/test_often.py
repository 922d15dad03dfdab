"""A statement that is handed to the driver as it is says and gives what the same one does by SQLAlchemy."""

from typing import Any

import pytest
from sqlalchemy import ClauseElement, Integer, LargeBinary, bindparam, insert, select, text
from sqlalchemy.exc import IntegrityError

from service.domain.errors import Unavailable
from service.store.database import transaction
from service.store.often import Often
from service.store.reports import Store
from service.store.tables import OUTPUTS, VERSIONS
from tests.unit.store.kept import ID, make_draft

NUMBER = bindparam("most", type_=Integer())
STATEMENTS: tuple[tuple[Any, dict[str, Any]], ...] = (
    (
        select(OUTPUTS).where(OUTPUTS.c.version == bindparam("version")).order_by(OUTPUTS.c.role),
        {"version": ID.format(1)},
    ),
    (select(VERSIONS.c.id).where(VERSIONS.c.version <= NUMBER).limit(1), {"most": 3}),
    (select(VERSIONS.c.id).where(VERSIONS.c.sr_instance == "2.25.1"), {}),
    (text("SELECT id, accession FROM versions WHERE said_id = :it AND :it = 'PID'"), {"it": "PID"}),
    (
        text("SELECT role FROM outputs WHERE content = :it").bindparams(bindparam("it", type_=LargeBinary())),
        {"it": b"{}"},
    ),
    (text("SELECT id FROM versions WHERE id LIKE '%1' AND accession = :it"), {"it": None}),
)


@pytest.mark.parametrize(("statement", "values"), STATEMENTS)
def test_it_gives_the_same_rows(store: Store, statement: Any, values: dict[str, Any]) -> None:
    store.keep(make_draft(1))
    often = Often(statement)
    with transaction(store._engine) as connection:
        said = [dict(row._mapping) for row in connection.execute(statement, values)]
        for _ in range(7):  # psycopg prepares what it was given five times
            assert [dict(row._mapping) for row in often.on(connection, values)] == said


def test_it_tells_how_many_rows_it_wrote_and_what_a_constraint_says(store: Store) -> None:
    store.keep(make_draft(1))
    row = {"version": ID.format(1), "role": "other", "media_type": "x/y", "sha256": "", "content": bytes(range(256))}
    made: ClauseElement = insert(OUTPUTS).values({name: bindparam(name) for name in row})
    often = Often(made)
    with transaction(store._engine, writes=True) as connection:
        assert often.on(connection, row).rowcount == 1
    assert store.output(ID.format(1), "other").content == row["content"]
    with pytest.raises(IntegrityError), transaction(store._engine, writes=True) as connection:
        often.on(connection, row)


def test_a_value_that_is_missing_is_said(store: Store) -> None:
    often = Often(text("SELECT :one, :other"))
    with (
        pytest.raises((KeyError, Unavailable), match=r"other|ProgrammingError"),
        transaction(store._engine) as connection,
    ):
        often.on(connection, {"one": "1"})
