"""Versions of one report that come in the same moment to two processes, on SQLite and PostgreSQL."""

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from dataclasses import replace
from typing import Final

import pytest
from sqlalchemy import Connection

from service.domain.errors import Conflict
from service.store import keeping
from service.store.keeping import Asked, Seen, look
from service.store.reports import Store, Taken
from tests.unit.store.kept import make_draft

BESIDE_S: Final = 2.0
"""Time for another one to come to the same point, where nothing keeps it away."""


def test_two_patients_are_not_let_in_beside_each_other(
    store: Store, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.keep(replace(make_draft(1), patient_issuer=None, accession=None))
    looked = threading.Barrier(2)

    def slowly(connection: Connection, asked: Asked) -> Seen:
        seen = look(connection, asked)
        with suppress(threading.BrokenBarrierError):
            looked.wait(BESIDE_S)
        return seen

    monkeypatch.setattr(keeping, "look", slowly)

    def keep(number: int) -> str:
        with closing(Store(database_url)) as other:
            for _ in range(3):
                before = other.newest_before("local", "R1", number)
                assert before is not None
                draft = make_draft(number, predecessor=before.id)
                with suppress(Taken):
                    try:
                        other.keep(replace(draft, patient_issuer=f"ISSUER {number}", accession=None))
                    except Conflict as refused:
                        return refused.problems[0].rule
                    return "kept"
        return "taken"

    with ThreadPoolExecutor(2) as pool:
        assert set(pool.map(keep, (2, 3))) == {"kept", "version-patient"}
