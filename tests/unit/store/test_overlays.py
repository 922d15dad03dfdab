"""Overlays and unmapped terms in the store, on SQLite and PostgreSQL; the tables' step forward and back."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import inspect

from service.domain.errors import Conflict, NotFound
from service.store import database, overlays
from service.store.overlays import NewOverlay
from service.store.reports import Store, Taken
from service.store.unmapped import IGNORED, RESOLVED, Decision, Unmapped
from tests.unit.store.kept import ID, make_draft

TERM = Unmapped("local", "site", "Stirnlappen", "stirnlappen", "de", suggestions=("frontal lobe",))


def make_overlay(content: bytes = b"a", **changes: object) -> NewOverlay:
    """An overlay of the sender local."""
    return replace(NewOverlay("local", "text/csv", content, 1, "A"), **changes)  # type: ignore[arg-type]  # the test's own members


def counts(store: Store) -> dict[str, int]:
    """Every term with its count."""
    return {one.term: one.count for one in store.unmapped.list({}, limit=100)[0]}


def keep(store: Store, number: int, *terms: Unmapped) -> None:
    """Keep a report with terms that nobody knew."""
    draft = make_draft(number, id=ID.format(number), report_id=f"R{number}", version=1)
    store.keep(replace(draft, unmapped=terms))


def test_a_version_follows_the_other_and_none_is_lost(store: Store) -> None:
    for content in (b"a", b"b"):
        store.overlays.keep(make_overlay(content))
    assert [(one.version, one.content) for one in store.overlays.versions("local")] == [(2, b"b"), (1, b"a")]
    back = store.overlays.roll_back("local", 1, "B")
    assert (back.version, back.content, back.origin, back.author) == (3, b"a", "version 1", "B")
    assert store.overlays.get("local", 2).content == b"b"


def test_the_newest_of_every_sender_is_current(store: Store) -> None:
    for sender, content in (("b", b"1"), ("a", b"2"), ("b", b"3")):
        store.overlays.keep(make_overlay(content, sender=sender))
    assert [(one.sender, one.content) for one in store.overlays.current()] == [("a", b"2"), ("b", b"3")]


def test_the_stamp_grows_with_every_version(store: Store) -> None:
    stamps = [store.overlays.stamp()]
    for _ in range(2):
        store.overlays.keep(make_overlay())
        stamps.append(store.overlays.stamp())
    store.overlays.roll_back("local", 1, "")
    stamps.append(store.overlays.stamp())
    assert stamps == sorted(set(stamps))
    assert stamps[0] == 0


@pytest.mark.parametrize("versions", [0, 1, 2])
def test_a_look_around_a_report_tells_the_stamp_of_its_moment(store: Store, versions: int) -> None:
    for number in range(1, versions + 1):
        store.keep(make_draft(number, predecessor=ID.format(number - 1) if number > 1 else None))
    assert store.around("local", "R1", 2).uploads.stamp() == 0
    store.overlays.keep(make_overlay())
    found = store.around("local", "R1", 2)
    then = store.overlays.stamp()
    store.overlays.keep(make_overlay(b"later"))
    assert (found.uploads.stamp(), found.uploads.stamp() < store.overlays.stamp()) == (then, True)
    assert found.uploads.current() == store.overlays.current()


def test_refuses_a_version_made_from_another_than_the_current(store: Store) -> None:
    store.overlays.keep(make_overlay(after=0))
    with pytest.raises(Conflict):
        store.overlays.keep(make_overlay(after=0))


@pytest.mark.parametrize("version", [None, 2])
def test_says_that_there_is_no_such_version(version: int | None, store: Store) -> None:
    if version is not None:
        store.overlays.keep(make_overlay())
    with pytest.raises(NotFound):
        store.overlays.get("local", version)


def test_uploads_at_once_are_all_kept_or_refused(store: Store) -> None:
    def upload(number: int) -> bool:
        try:
            store.overlays.keep(make_overlay(str(number).encode()))
        except Conflict:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        kept = sum(pool.map(upload, range(16)))
    versions = store.overlays.versions("local")
    assert [one.version for one in versions] == list(range(kept, 0, -1))
    assert len({one.content for one in versions}) == kept > 0


def test_a_term_is_counted_with_its_report(store: Store) -> None:
    keep(store, 1, TERM, TERM)
    keep(store, 2, replace(TERM, term="STIRNLAPPEN", suggestions=()))
    (found,), total = store.unmapped.list({}, limit=10)
    assert (found.term, found.count, found.language, found.suggestions) == ("Stirnlappen", 3, "de", ("frontal lobe",))
    assert total == 1
    assert found.first_seen <= found.last_seen


def test_a_term_of_another_sender_field_or_language_is_another(store: Store) -> None:
    others = (
        replace(TERM, sender="other"),
        replace(TERM, field="other"),
        replace(TERM, language="other"),
        replace(TERM, system="other"),
        replace(TERM, form="other"),
    )
    keep(store, 1, TERM, *others)
    assert store.unmapped.list({}, limit=1)[1] == 6


def test_a_report_that_is_not_kept_counts_nothing(store: Store) -> None:
    keep(store, 1, TERM)
    with pytest.raises(Taken):
        keep(store, 1, TERM)
    assert counts(store) == {"Stirnlappen": 1}


def test_reports_at_once_are_all_counted(store: Store) -> None:
    terms = [replace(TERM, term=name, form=name) for name in "abcdef"]
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda n: keep(store, n, *(terms if n % 2 else reversed(terms))), range(1, 9)))
    assert counts(store) == dict.fromkeys("abcdef", 8)


def test_the_most_frequent_come_first_and_conditions_hold(store: Store) -> None:
    rare = replace(TERM, term="rare", form="rare", field="finding")
    keep(store, 1, rare, TERM, TERM)
    listed = [one.term for one in store.unmapped.list({}, limit=10)[0]]
    assert listed == ["Stirnlappen", "rare"]
    assert [one.term for one in store.unmapped.list({"field": "finding"}, limit=10)[0]] == ["rare"]
    assert [one.term for one in store.unmapped.list({"min": 2}, limit=10)[0]] == ["Stirnlappen"]
    assert store.unmapped.list({"sender": "nobody"}, limit=10) == ((), 0)
    assert [one.term for one in store.unmapped.list({}, limit=1, offset=1)[0]] == ["rare"]


def test_a_decision_and_its_version_are_kept_together_or_not_at_all(store: Store) -> None:
    keep(store, 1, TERM)
    (term,), _ = store.unmapped.list({}, limit=1)
    decision = Decision(term.id, RESOLVED, "frontal-lobe", "A")
    store.overlays.grow([make_overlay(after=0)], [decision])
    (closed,) = store.unmapped.get([term.id])
    assert (closed.state, closed.decision, closed.author) == (RESOLVED, "frontal-lobe", "A")
    with pytest.raises(Conflict):
        store.overlays.grow([make_overlay(after=0)], [replace(decision, state=IGNORED)])
    assert store.unmapped.get([term.id])[0].state == RESOLVED


def test_says_that_there_is_no_such_term(store: Store) -> None:
    with pytest.raises(NotFound):
        store.unmapped.get([1])


def test_the_reports_that_came_last_come_first(store: Store) -> None:
    for number in (1, 2, 3):
        draft = make_draft(number, report_id=f"R{number}", version=1, received=f"2026-03-02T09:42:0{number}.000000Z")
        store.keep(
            replace(draft, outputs=(*draft.outputs, replace(draft.outputs[0], role="findings", content=b"said")))
        )
    assert [(one.report_id, content) for one, content in store.recent(None, limit=2)] == [
        ("R3", b"said"),
        ("R2", b"said"),
    ]
    assert list(store.recent("nobody", limit=2)) == []


def test_the_tables_go_a_step_back_and_forward_again_with_the_reports_in_them(database_url: str) -> None:
    store = Store(database_url)
    store.migrate()
    keep(store, 1, TERM)
    store.overlays.keep(make_overlay())
    engine = database.open_engine(database_url)
    config = Config()
    config.set_main_option("script_location", str(Path(database.__file__).parent / "migrations"))
    with database.transaction(engine, writes=True) as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, "0001")
    assert not {"overlays", "unmapped"} & set(inspect(engine).get_table_names())
    assert "at step 0001" in store.faults()[0]
    store.migrate()
    assert store.faults() == ()
    assert store.get(ID.format(1)).report_id == "R1"
    assert store.overlays.current() == ()
    assert counts(store) == {}
    engine.dispose()
    store.close()


def test_who_sees_a_stamp_sees_every_upload_below_it(store: Store, database_url: str) -> None:
    if store._engine.dialect.name != "postgresql":
        pytest.skip("SQLite has one writer")
    with ThreadPoolExecutor(1) as pool:
        with store.overlays._in_turn() as connection:
            overlays._keep(connection, make_overlay(sender="alpha"), store.now())
            later = pool.submit(store.overlays.keep, make_overlay(sender="beta"))
            with pytest.raises(TimeoutError):
                later.result(0.5)
            assert (store.overlays.stamp(), store.overlays.current()) == (0, ())
        assert later.result(30).version == 1
    assert [one.sender for one in store.overlays.current()] == ["alpha", "beta"]
