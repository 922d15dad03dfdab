"""What the store promises, on SQLite and PostgreSQL."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from service.domain.errors import Conflict, NotFound
from service.store.patients import KeptId
from service.store.reports import Store, Taken
from service.store.versions import Draft, Key, Stored
from tests.unit.store.kept import ID, make_draft


def beside(store: Store, report: str, version: int) -> tuple[Stored | None, Stored | None]:
    """The version of a report that is there, and the one below it."""
    found = store.around("local", report, version)
    return found.here, found.before


def test_gives_back_what_was_kept(store: Store) -> None:
    draft = make_draft()
    store.keep(draft)
    assert store.get(draft.stored.id) == draft.stored
    assert beside(store, "R1", 1) == (draft.stored, None)
    assert beside(store, "R1", 3) == (None, draft.stored)
    assert store.output(draft.stored.id, "sr") == draft.outputs[1]


@pytest.mark.parametrize("look", [lambda s: s.get("x"), lambda s: s.output("x", "sr"), lambda s: s.versions("x")])
def test_says_not_found_for_an_unknown_id(store: Store, look: Any) -> None:
    with pytest.raises(NotFound):
        look(store)


def test_keeps_a_version_once(store: Store) -> None:
    store.keep(make_draft())
    with pytest.raises(Taken):
        store.keep(make_draft(2, version=1))
    with pytest.raises(NotFound):
        store.get(ID.format(2))


def test_one_sr_uid_never_names_two_contents(store: Store) -> None:
    first = make_draft()
    store.keep(first)
    with pytest.raises(Taken):
        store.keep(make_draft(2, predecessor=first.stored.id, sr=first.stored.sr))


def test_a_failed_keep_leaves_nothing_behind(store: Store) -> None:
    store.keep(make_draft(key=Key("k", "d")))
    with pytest.raises(Taken):  # the key is in use, which shows only after report, version and outputs are in
        store.keep(make_draft(2, key=Key("k", "e"), report_id="R2"))
    assert store.around("local", "R2", 2).here is None
    assert store.search({"report_id": "R2"}, limit=9) == ()


def test_a_successor_must_follow_the_newest_version_before_it(store: Store) -> None:
    first = make_draft(1)
    store.keep(first)
    with pytest.raises(Taken):
        store.keep(make_draft(3))
    store.keep(make_draft(3, predecessor=first.stored.id))
    assert [one.version for one in store.versions(first.stored.id)] == [1, 3]


def test_the_version_before_is_the_highest_below(store: Store) -> None:
    store.keep(make_draft(1))
    store.keep(make_draft(3, predecessor=ID.format(1)))
    before_two, before_four = store.newest_before("local", "R1", 2), store.newest_before("local", "R1", 4)
    assert (before_two.version if before_two else None, before_four.version if before_four else None) == (1, 3)
    assert store.newest_before("other", "R1", 4) is None


def test_a_key_names_what_it_made_for_its_sender_only(store: Store) -> None:
    draft = make_draft(key=Key("k", "d"))
    store.keep(draft)
    assert store.keyed("local", "k") == ("d", draft.stored)
    assert store.keyed("other", "k") is None


@pytest.mark.parametrize(
    ("condition", "found"),
    [
        ({"report_id": "R1"}, 1),
        ({"report_id": "R1", "sender": "other"}, 0),
        ({"accession": "A481"}, 1),
        ({"study_uid": "1.2.3"}, 1),
        ({"patient_id": "PID", "patient_issuer": "HOSP"}, 1),
        ({"patient_id": "PI%"}, 0),
        ({"status": "final"}, 1),
        ({"issued_from": datetime.fromisoformat("2026-03-02T10:41:00+01:00")}, 1),
        ({"issued_from": datetime.fromisoformat("2026-03-02T10:41:00.000001+01:00")}, 0),
        ({"issued_before": datetime.fromisoformat("2026-03-02T10:41:00+01:00")}, 0),
        ({"issued_before": datetime.fromisoformat("2026-03-02T10:42:00+01:00")}, 1),
    ],
)
def test_finds_by_every_condition(store: Store, condition: dict[str, Any], found: int) -> None:
    store.keep(make_draft())
    assert len(store.search(condition, limit=10)) == found


def test_finds_no_more_than_asked_for(store: Store) -> None:
    store.keep(make_draft(1))
    store.keep(make_draft(2, predecessor=ID.format(1)))
    assert len(store.search({"report_id": "R1"}, limit=1)) == 1


def test_of_many_at_once_exactly_one_keeps_the_version(store: Store) -> None:
    def attempt(number: int) -> bool:
        try:
            store.keep(make_draft(number, version=1))
        except Taken:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sorted(pool.map(attempt, range(1, 9))) == [False] * 7 + [True]
    assert len(store.search({"report_id": "R1"}, limit=10)) == 1


def test_is_there_after_a_restart(database_url: str) -> None:
    first = Store(database_url)
    first.migrate()
    first.keep(make_draft())
    first.close()
    second = Store(database_url)
    assert second.get(ID.format(1)) == make_draft().stored
    second.close()


def test_a_version_is_found_under_the_id_that_it_says_once_the_tables_go_back(store: Store) -> None:
    store.keep(make_draft())
    store.patients.merge(KeptId("NEW", "HOSP"), KeptId("PID", "HOSP"))
    assert len(store.search({"patient_id": "NEW"}, limit=9)) == 1
    store.migrate("0005")
    store.migrate()
    assert [len(store.search({"patient_id": one}, limit=9)) for one in ("NEW", "PID")] == [0, 1]
    assert [one.id for one in store.patients.merge(KeptId("NEW"), KeptId("PID", "HOSP")).reports] == [ID.format(1)]


def test_of_two_patients_with_one_accession_number_at_once_one_is_refused(store: Store) -> None:
    drafts = [
        replace(make_draft(number, report_id=f"R{number}", version=1), patient_id=f"P{number}")
        for number in range(1, 7)
    ]

    def kept(draft: Draft) -> bool:
        try:
            store.keep(draft)
        except Conflict:
            return False
        return True

    with ThreadPoolExecutor(6) as pool:
        assert sum(pool.map(kept, drafts)) == 1
