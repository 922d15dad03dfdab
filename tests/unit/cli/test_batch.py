"""`lesionbridge batch`: which batches there are, how far each is, and the end of one."""

import os
import pty
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result
from sqlalchemy import text

from service.app import create_app
from service.commands import batch as commands
from service.config import Settings
from service.domain.errors import Problem, Unavailable
from service.store.batches import KEPT, REFUSED, STATES, Batch, BatchStore, Outcome, PartDue
from service.store.reports import Store
from tests.findings import make_body
from tests.unit.cli.conftest import Run

NOWHERE = "00000000-0000-4000-8000-000000000000"


@pytest.fixture
def batches(run: Run, tmp_path: Path) -> BatchStore:
    """Those of the database of the command line."""
    assert run("migrate").exit_code == 0
    return Store(f"sqlite:///{tmp_path / 'cli.sqlite3'}").batches


def made(batches: BatchStore, lines: int = 3) -> str:
    """A batch of one part."""
    name = batches.begin("", {})
    batches.add(name, 0, 1, [b"{}"] * lines)
    batches.ready(name, lines)
    return name


def worked(batches: BatchStore, *outcomes: str) -> PartDue:
    """A part of which the first lines have an outcome."""
    (run,) = batches.claim(1)
    for line, outcome in enumerate(outcomes, 1):
        problems = (Problem("/lesions/0/site", "required", "it is missing"),) if outcome == REFUSED else ()
        batches.told(run, Outcome(line, outcome, None if problems else "a", problems))
    return run


def test_the_states_are_those_of_the_store() -> None:
    assert commands.STATES == STATES


def test_lists_the_newest_first_and_by_state(run: Run, batches: BatchStore) -> None:
    first, second = made(batches), made(batches)
    batches.cancel(first)
    received = batches.begin("", {})
    done = run("batch", "list")
    assert (done.exit_code, done.stderr) == (0, "2 batches\n")
    assert [row.split("\t")[:2] for row in done.stdout.splitlines()] == [[second, "running"], [first, "cancelled"]]
    assert received not in done.stdout
    assert run("batch", "list", "--state", "cancelled").stdout.startswith(first)
    assert run("batch", "list", "--limit", "1").stdout.splitlines()[0].split("\t")[3:] == ["0/3", "0", "0", "0"]


def test_shows_how_far_it_is_and_why_lines_were_refused(run: Run, batches: BatchStore) -> None:
    name = made(batches)
    worked(batches, KEPT, REFUSED)
    said = dict(row.split("\t") for row in run("batch", "show", name).stdout.splitlines())
    assert said | {"rate": "", "leftSeconds": "", "created": ""} == {
        "id": name,
        "state": "running",
        "created": "",
        "settled": "",
        "total": "3",
        "done": "2",
        "kept": "1",
        "known": "0",
        "refused": "1",
        "rate": "",
        "leftSeconds": "",
    }
    assert float(said["rate"]) > 0
    assert said["leftSeconds"].isdigit()
    last = run("batch", "show", name, "--refused").stdout.splitlines()[-1]
    assert last == "line 2\t/lesions/0/site\trequired\tit is missing"


def ending(batches: BatchStore, monkeypatch: pytest.MonkeyPatch, *steps: Callable[[], object]) -> None:
    """Each time that somebody would wait, the next of these happens instead."""
    left = iter(steps)
    monkeypatch.setattr("service.commands.batch.time.sleep", lambda _seconds: next(left)())
    assert batches.is_waiting()


def followed(run: Run, name: str) -> Result:
    """What comes of following it, without a terminal."""
    done = run("batch", "follow", name)
    assert done.stdout == "", "progress is no output"
    return done


def test_follows_until_it_is_done(run: Run, batches: BatchStore, monkeypatch: pytest.MonkeyPatch) -> None:
    name, parts = made(batches), []
    monkeypatch.setattr(commands, "SAY_S", 0.0)
    ending(
        batches,
        monkeypatch,
        lambda: None,
        lambda: parts.append(worked(batches, KEPT, KEPT)),
        lambda: batches.ended(parts[0]) if batches.told(parts[0], Outcome(3, KEPT, "b")) else None,
    )
    done = followed(run, name)
    assert done.exit_code == 0
    waiting, working, over = done.stderr.splitlines()
    assert waiting == "0 of 3 lines, 0 kept, 0 known, 0 refused, not begun yet: is a worker running?"
    assert working.startswith("2 of 3 lines, 2 kept, 0 known, 0 refused, ")
    assert working.endswith(" left")
    assert over == "done: 3 of 3 lines, 3 kept, 0 known, 0 refused"


def test_says_by_its_exit_that_lines_were_refused_or_that_it_was_cancelled(
    run: Run, batches: BatchStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = made(batches, 1)
    batches.ended(worked(batches, REFUSED))
    assert followed(run, name).exit_code == 2
    name = made(batches)
    ending(batches, monkeypatch, lambda: batches.cancel(name))
    done = followed(run, name)
    assert done.exit_code == 2
    assert "cancelled: 0 of 3 lines" in done.stderr


def test_waits_on_while_the_database_is_away(run: Run, batches: BatchStore, monkeypatch: pytest.MonkeyPatch) -> None:
    name, get, tries = made(batches, 1), BatchStore.get, []

    def away(self: BatchStore, batch: str) -> Batch:
        tries.append(batch)
        if len(tries) == 2:
            raise Unavailable(Problem("", "database", "it is away"))
        return get(self, batch)

    monkeypatch.setattr(BatchStore, "get", away)
    ending(batches, monkeypatch, lambda: None, lambda: batches.ended(worked(batches, KEPT)))
    assert followed(run, name).exit_code == 0


def test_cancels_and_says_what_is_not_taken_up(run: Run, batches: BatchStore) -> None:
    name = made(batches)
    worked(batches, KEPT)
    done = run("batch", "cancel", name)
    assert done.exit_code == 0
    assert done.stderr == "cancelled: 1 of 3 lines, 1 kept, 0 known, 0 refused; 2 lines not taken up\n"
    assert batches.get(name).state == "cancelled"


@pytest.mark.parametrize("command", ["show", "follow", "cancel"])
def test_one_that_is_not_there_is_said(run: Run, batches: BatchStore, command: str) -> None:
    done = run("batch", command, NOWHERE)
    assert (done.exit_code, "nothing is stored under this id" in done.stderr) == (2, True)
    assert "named by its id" in run("batch", command, "Doe").stderr
    assert batches.list(limit=1) == ()


def test_one_that_is_done_is_not_cancelled(run: Run, batches: BatchStore) -> None:
    name = made(batches, 1)
    batches.ended(worked(batches, KEPT))
    done = run("batch", "cancel", name)
    assert (done.exit_code, "nothing is left to cancel" in done.stderr) == (2, True)


def test_on_a_terminal_there_is_a_bar(batches: BatchStore, tmp_path: Path) -> None:
    name = made(batches)
    worked(batches, KEPT)
    ours, theirs = pty.openpty()
    environment = os.environ | {"LESIONBRIDGE_DATABASE_URL": f"sqlite:///{tmp_path / 'cli.sqlite3'}", "TERM": "xterm"}
    command = [sys.executable, "-m", "service.cli", "batch", "follow", name]
    with subprocess.Popen(command, env=environment, stderr=theirs, stdout=subprocess.PIPE) as process:
        os.close(theirs)
        seen = b""
        while "━".encode() not in seen or b"33%" not in seen:
            seen += os.read(ours, 4096)
        batches.cancel(name)
        assert process.wait(180) == 2
        assert process.stdout is not None
        assert process.stdout.read() == b""
    os.close(ours)


def lines(*names: str) -> bytes:
    """Reports, one a line."""
    return b"\n".join(make_body(report__id=name).replace(b"\n", b"") for name in names)


def test_sends_a_file_or_what_comes_and_says_the_id(run: Run, batches: BatchStore, tmp_path: Path) -> None:
    (tmp_path / "in.ndjson").write_bytes(lines("a", "b") + b"\n\n")
    done = run("batch", "send", "in.ndjson", "--dialect", "air", "--sender", "hospital a", "--from", "findings")
    assert (done.exit_code, done.stderr) == (0, "2 lines to be worked on\n")
    found = batches.get(done.stdout.strip())
    assert (found.state, found.lines, found.sender) == ("running", 2, "hospital a")
    assert (found.asked["options"]["dialect"], found.asked["form"]) == ("air", "findings")
    piped = run("batch", "send", "-", input=lines("c"))
    assert batches.get(piped.stdout.strip()).lines == 1


def test_what_is_sent_is_what_rest_would_have_kept(run: Run, batches: BatchStore, tmp_path: Path) -> None:
    app = create_app(Settings(database_url=f"sqlite:///{tmp_path / 'cli.sqlite3'}", log_level="error"))
    head = {"Content-Type": "application/x-ndjson"}
    answer = app.test_client().post("/v1/batches?bundle=single&check=full", data=lines("a"), headers=head)
    assert answer.json is not None
    sent = run("batch", "send", "-", "--bundle", "single", "--check", input=lines("a")).stdout.strip()
    assert {**batches.get(sent).asked, "request": ""} == {**batches.get(answer.json["id"]).asked, "request": ""}


@pytest.mark.parametrize(
    ("content", "more", "why"),
    [
        (b"\n \n", (), "there is no line in it"),
        (b"{}\n" * 40, (), "limits.batch_bytes"),
        (b"{}", ("--deliver", "nowhere"), "there is no destination of this name"),
    ],
)
def test_one_that_is_refused_leaves_nothing(
    run: Run, batches: BatchStore, monkeypatch: pytest.MonkeyPatch, content: bytes, more: tuple[str, ...], why: str
) -> None:
    monkeypatch.setenv("LESIONBRIDGE_LIMIT_BATCH_BYTES", "100")
    done = run("batch", "send", "-", *more, input=content)
    assert (done.exit_code, done.stdout) == (2, "")
    assert why in done.stderr
    with batches._engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM batches")).scalar() == 0
