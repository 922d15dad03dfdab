"""`lesionbridge migrate --to`: nothing is lost unasked."""

from __future__ import annotations

import os

import pytest

from service.commands import serve
from service.store.database import HEAD
from service.store.reports import Store
from tests.unit.cli.conftest import Run


@pytest.fixture
def kept(run: Run) -> None:
    """A database with a key, which step 0003 has no table for."""
    assert run("migrate").exit_code == 0
    assert run("key", "create", "north", "--scope", "convert").exit_code == 0


def step() -> str:
    """Whether the database is of the newest step, else what is wrong."""
    store = Store(os.environ["LESIONBRIDGE_DATABASE_URL"])
    try:
        return "; ".join(store.faults()) or HEAD
    finally:
        store.close()


def test_where_nobody_can_be_asked_it_is_refused_with_what_to_say(run: Run, kept: None) -> None:
    done = run("migrate", "--to", "0003")
    assert done.exit_code == 2
    assert "  1 in api_keys\n" in done.stderr
    assert "nothing is changed: say `lesionbridge migrate --to 0003 --yes`" in done.stderr
    assert step() == HEAD


def test_it_goes_back_when_it_is_said(run: Run, kept: None) -> None:
    assert run("migrate", "--to", "0003", "--yes").exit_code == 0
    assert "step 0003" in step()


def test_what_loses_nothing_is_not_asked_about(run: Run, kept: None) -> None:
    assert run("migrate", "--to", "0004").exit_code == 0
    assert "step 0004" in step()


@pytest.mark.parametrize(("answer", "code", "after"), [("y\n", 0, "step 0003"), ("n\n", 2, HEAD), ("\n", 2, HEAD)])
def test_on_a_terminal_it_asks(
    run: Run, kept: None, monkeypatch: pytest.MonkeyPatch, answer: str, code: int, after: str
) -> None:
    monkeypatch.setattr(serve, "_can_ask", lambda: True)
    done = run("migrate", "--to", "0003", input=answer.encode())
    assert (done.exit_code, "go back? [y/N]" in done.stderr) == (code, True)
    assert after in step()
