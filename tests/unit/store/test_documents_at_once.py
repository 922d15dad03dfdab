"""SRs that name each other and come in the same moment on two connections, on SQLite and PostgreSQL."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any

import orjson
import pytest
from pydicom.sequence import Sequence as Items
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from service.domain.errors import Conflict
from service.doors import Format, Options
from service.formats.sr.document import MANUFACTURER, MODEL_NAME
from service.pipeline import Source
from service.publishing import publish
from service.store.documents import Looked, is_as_seen
from service.store.reports import Store
from service.store.versions import Draft, Stored
from tests import sr_files as sr

FIRST, SECOND, THIRD = (f"{sr.STUDY}.2.{number}" for number in (1, 2, 3))
TOGETHER_S = 60.0
"""Nothing here takes so long, unless those who should meet do not."""


class Between(Store):
    """A store in which something happens after its first look, right before it keeps what it looked for."""

    def __init__(self, url: str, happens: Callable[[], object]) -> None:
        super().__init__(url)
        self._happens: list[Callable[[], object]] = [happens]

    def keep(self, draft: Draft) -> None:
        if self._happens:
            self._happens.pop()()
        super().keep(draft)


def document(uid: str, *before: str, **header: Any) -> bytes:
    """An SR of another maker that names those before it."""
    if before:
        header["PredecessorDocumentsSequence"] = Items([sr.evidence(before, sr.ENHANCED)])
    lesion = sr.group(sr.num(sr.LONG_AXIS, "9", sr.MM), sr.uid(sr.TRACKING_UID, f"{sr.STUDY}.9.1"), identifier="L1")
    return sr.document(sr.container(sr.MEASUREMENTS, lesion), **{"SOPInstanceUID": uid, **header})


def take(store: Store, body: bytes) -> str:
    """Our id of an SR that is taken, or the rule by which it is refused."""
    try:
        return str(publish(Source(body, Format.SR), Options(), store).id)
    except Conflict as error:
        return error.problems[0].rule


def at_once(url: str, *bodies: bytes) -> Sequence[str]:
    """Take each on a connection of its own; every one has looked before any is kept."""
    met = threading.Barrier(len(bodies), timeout=TOGETHER_S)
    with ExitStack() as stack, ThreadPoolExecutor(len(bodies)) as pool:
        stores = [Between(url, met.wait) for _ in bodies]
        for one in stores:
            stack.callback(one.close)
        return list(pool.map(take, stores, bodies))


def reports(store: Store) -> dict[tuple[str, int], Stored]:
    """Every version, by its report and number."""
    return {(one.report_id, one.version): one for one, _ in store.recent(None, limit=100)}


def rules(stored: Stored) -> set[str]:
    """The rules of the losses that its receipt names."""
    return {one.get("rule", "") for one in orjson.loads(stored.receipt)["losses"]}


@pytest.mark.parametrize("_time", range(3))
def test_of_an_sr_and_its_predecessor_at_once_one_is_joined_or_told_why_not(
    store: Store, database_url: str, _time: int
) -> None:
    first, second = at_once(database_url, document(FIRST), document(SECOND, FIRST))
    kept = reports(store)
    if first == "superseded":
        assert kept.keys() == {(SECOND, 1)}
        assert "predecessor-unknown" in rules(kept[SECOND, 1])
        return
    assert kept.keys() == {(FIRST, 1), (FIRST, 2)}
    assert (kept[FIRST, 1].id, kept[FIRST, 2].id) == (first, second)
    assert orjson.loads(kept[FIRST, 2].receipt)["follows"]["id"] == first
    assert "predecessor-unknown" not in rules(kept[FIRST, 2])


def test_a_predecessor_that_is_kept_after_the_look_is_joined(store: Store, database_url: str) -> None:
    late = Between(database_url, lambda: take(store, document(FIRST)))
    take(late, document(SECOND, FIRST))
    late.close()
    assert reports(store).keys() == {(FIRST, 1), (FIRST, 2)}


def test_one_whose_successor_is_kept_after_the_look_is_refused(store: Store, database_url: str) -> None:
    late = Between(database_url, lambda: take(store, document(SECOND, FIRST)))
    assert take(late, document(FIRST)) == "superseded"
    late.close()
    assert reports(store).keys() == {(SECOND, 1)}


def test_a_successor_whose_predecessor_is_joined_meanwhile_is_joined_too(store: Store, database_url: str) -> None:
    take(store, document(FIRST))
    late = Between(database_url, lambda: take(store, document(SECOND, FIRST)))
    take(late, document(THIRD, SECOND))
    late.close()
    assert reports(store).keys() == {(FIRST, number) for number in (1, 2, 3)}


def test_a_lower_number_does_not_pass_a_successor_that_was_kept_meanwhile(store: Store, database_url: str) -> None:
    ours = {"Manufacturer": MANUFACTURER, "ManufacturerModelName": MODEL_NAME}
    take(store, document(FIRST, **ours))
    late = Between(database_url, lambda: take(store, document(SECOND, FIRST, InstanceNumber="7", **ours)))
    assert take(late, document(THIRD, FIRST, InstanceNumber="2", **ours)) == "newest-version"
    late.close()
    assert {number for _, number in reports(store)} == {1, 7}


def test_whoever_looks_waits_for_those_that_keep_in_this_study_and_for_no_others(
    store: Store, database_url: str
) -> None:
    if not database_url.startswith("postgresql"):
        pytest.skip("SQLite has one writer")
    engine = store.documents._engine
    mine, other = Looked("local", sr.STUDY, FIRST), Looked("local", "1.2.3", FIRST)
    with engine.connect() as one, engine.connect() as two:
        assert is_as_seen(one, mine)
        assert is_as_seen(two, other)
        two.execute(text("SET LOCAL lock_timeout = '100ms'"))
        with pytest.raises(OperationalError, match="lock timeout"):
            is_as_seen(two, mine)
        two.rollback()
        one.rollback()
        assert is_as_seen(two, mine)
