"""Standard output that is closed, full or no longer read: every command says so, and nothing is lost unsaid."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import IO

import pytest

from service.cli import main
from service.commands.streams import Closed
from service.pipeline import Options, Source
from service.publishing import publish
from service.store.circuits import Heard, Verdict
from service.store.delivery_rows import State
from service.store.reports import Store
from service.store.runs import May
from service.store.turns import Told
from tests.databases import with_tables
from tests.destinations import RecordingDestination
from tests.findings import make_body
from tests.releases import Generated
from tests.unit.cli.test_hostile import commands
from tests.unit.coding.overlays.lines import line, table
from tests.unit.workflows.peers import accept, peer

ANSWERS = {
    "convert": ["good.json", "--to", "html"],
    "check": ["good.json"],
    "report": ["REPORT"],
    "amend": ["REPORT", "good.json", "--kind", "correct"],
    "cancel": ["REPORT"],
    "deliveries": ["--tries"],
    "delivery show": ["DELIVERY"],
    "delivery compare": ["DELIVERY", "DELIVERY"],
    "delivery edit": ["DELIVERY", "--language", "de"],
    "batch send": ["good.ndjson"],
    "batch list": [],
    "batch show": ["BATCH"],
    "patient merge": ["PID-11235", "PID-2", "--issuer", "HOSP"],
    "key create": ["north", "--scope", "convert"],
    "key list": [],
    "audit export": [],
    "audit verify": [],
    "code": ["brain"],
    "terminology check": [],
    "terminology import": ["RELEASE", "--name", "another"],
    "terminology list": [],
    "terminology search": ["brain"],
    "overlay check": ["local.csv"],
    "overlay load": ["local.csv"],
    "overlay preview": ["local.csv"],
    "unmapped list": [],
    "unmapped export": [],
    "unmapped resolve": ["--id", "1", "--as", "frontal-lobe", "--author", "Dr. A"],
    "destination list": [],
    "destination test": ["pacs"],
}
"""What answers on standard output, with arguments that have an answer."""
SAYS_NOTHING = {
    "migrate",
    "replay",
    "give-up",
    "batch follow",
    "batch cancel",
    "purge",
    "backup",
    "restore",
    "key revoke",
    "terminology remove",
    "route",
}
"""What writes to standard error only."""
SERVERS = {"serve", "worker", "listen"}
CHANGES = {
    "amend": "the version is kept as ",
    "cancel": "the version is kept as ",
    "delivery edit": "the delivery is written again, as ",
    "batch send": "the batch is kept as ",
    "patient merge": "merged; the same merge again says what has to come again",
    "key create": "the key is made, and can't be shown again: revoke it",
    "terminology import": "in use as another",
    "overlay load": "in use as version 1",
    "unmapped resolve": "1 term decided",
}
"""What changes something, and what it says of that where it can't answer."""


@pytest.fixture
def world(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rf2: Generated, request: pytest.FixtureRequest
) -> dict[str, str]:
    """A deployment with one of each that a command needs, and what its things are called."""
    monkeypatch.chdir(tmp_path)
    url = with_tables(f"sqlite:///{tmp_path / 'cli.sqlite3'}")
    (tmp_path / "good.json").write_bytes(make_body(report__issued="2026-03-03T08:00:00+01:00"))
    (tmp_path / "good.ndjson").write_bytes(make_body() + b"\n")
    (tmp_path / "local.csv").write_bytes(table(line(field="site", term="our other lobe", concept="frontal-lobe")))
    (tmp_path / "in").mkdir()
    (tmp_path / "destinations.toml").write_text(
        f'[destinations.pacs]\nkind = "folder"\npath = "{tmp_path / "in"}"\ntakes = "html"\n'
    )
    for name, value in {
        "DATABASE_URL": url,
        "DESTINATIONS_FILE": "destinations.toml",
        "TERMINOLOGY_FOLDER": str(tmp_path / "terminology"),
    }.items():
        monkeypatch.setenv(f"LESIONBRIDGE_{name}", value)
    store = Store(url)
    report = publish(Source(make_body(lesions__0__site="our own lobe")), Options(), store).id
    version = accept(store, peer(RecordingDestination("pacs")), report__id="R2")
    (delivery,) = store.deliveries.of(version)
    turn = store.runs.begin(delivery.id, 1, "worker-0", May(overtake={"sr"}))
    assert turn is not None
    told = Told("refused", "422", "no", (), Heard(Verdict.WORKS), State.REFUSED, again_s=None, counts=False)
    store.runs.told(turn, store.now(), "worker-0", told)
    batch = store.batches.begin("", {})
    store.batches.add(batch, 0, 1, [b"{}"])
    store.batches.ready(batch, 1)
    store.close()
    if getattr(request.node, "callspec", None) and request.node.callspec.params["command"] == "terminology list":
        assert ended("terminology", "import", str(rf2.path), "--name", "sct") == 0
    assert ended("key", "create", "one", "--scope", "convert") == 0
    return {"REPORT": str(report), "DELIVERY": delivery.id, "BATCH": batch, "RELEASE": str(rf2.path)}


def ended(*arguments: str) -> int:
    """The exit code of a command."""
    with pytest.raises(SystemExit) as end:
        main.main(arguments, prog_name="lesionbridge")
    return int(end.value.code or 0)


def kept() -> tuple[object, ...]:
    """How much is kept."""
    store = Store(os.environ["LESIONBRIDGE_DATABASE_URL"])
    found = (
        len(store.search({}, limit=9)),
        len(store.deliveries.list({}, limit=9)),
        len(store.batches.list(limit=9)),
        len(store.keys.all()),
        len(store.overlays.current()),
        store.unmapped.list({"state": "open"}, limit=9)[1],
        store.patients.names("PID-11235", None),
        len(list(Path("terminology").glob("*.sqlite3"))),
    )
    store.close()
    return found


def closed() -> IO[str]:
    return Closed()  # type: ignore[return-value]  # stands in its place


def full() -> IO[str]:
    return Path("/dev/full").open("w", encoding="utf-8")


def unread() -> IO[str]:
    read, write = os.pipe()
    os.close(read)
    return open(write, "w", encoding="utf-8")  # noqa: PTH123 - a descriptor


@pytest.fixture
def out(monkeypatch: pytest.MonkeyPatch) -> Callable[[IO[str]], None]:
    """Put something in the place of standard output."""
    return lambda stream: monkeypatch.setattr(sys, "stdout", stream)


def arguments(command: str, world: dict[str, str]) -> list[str]:
    return [*command.split(), *(world.get(one, one) for one in ANSWERS[command])]


def test_every_command_is_here() -> None:
    assert {" ".join(one) for one in commands(main)} == ANSWERS.keys() | SAYS_NOTHING | SERVERS
    assert CHANGES.keys() <= ANSWERS.keys()


@pytest.mark.parametrize("command", ANSWERS)
def test_with_standard_output_closed_nothing_is_done(
    command: str, world: dict[str, str], out: Callable[[IO[str]], None], capsys: pytest.CaptureFixture[str]
) -> None:
    before = kept()
    out(closed())
    assert ended(*arguments(command, world)) == 2
    said = capsys.readouterr().err
    assert said.startswith("standard output is closed: ")
    assert said.count("\n") == 1
    assert kept() == before


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no device that is always full")
@pytest.mark.parametrize("command", ANSWERS)
def test_an_answer_that_finds_no_room_is_said(
    command: str, world: dict[str, str], out: Callable[[IO[str]], None], capsys: pytest.CaptureFixture[str]
) -> None:
    before = kept()
    with full() as stream:
        out(stream)
        assert ended(*arguments(command, world)) == 2
    said = capsys.readouterr().err
    assert "standard output can't be written: No space left on device\n" in said
    assert CHANGES.get(command, "") in said
    assert (kept() != before) == (command in CHANGES)


@pytest.mark.parametrize("command", ANSWERS)
def test_a_reader_that_has_enough_ends_it_quietly_and_hears_of_what_was_done(
    command: str, world: dict[str, str], out: Callable[[IO[str]], None], capsys: pytest.CaptureFixture[str]
) -> None:
    stream = unread()
    out(stream)
    assert ended(*arguments(command, world)) == 1
    with suppress(BrokenPipeError):
        stream.close()
    said = capsys.readouterr().err
    assert ("Traceback" in said, CHANGES.get(command, "") in said) == (False, True)
    assert "defect" not in said


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["key", "--help"], ["key", "create", "--help"]])
def test_help_that_can_not_be_written_is_no_success(
    arguments: list[str], out: Callable[[IO[str]], None], capsys: pytest.CaptureFixture[str]
) -> None:
    out(closed())
    assert ended(*arguments) == 2
    assert "standard output can't be written: it is closed" in capsys.readouterr().err


def test_a_file_gets_what_standard_output_can_not(
    world: dict[str, str], out: Callable[[IO[str]], None], tmp_path: Path
) -> None:
    out(closed())
    for command in ("report", "delivery show", "unmapped export", "convert"):
        assert ended(*arguments(command, world), "-o", "answer") == 0
        assert (tmp_path / "answer").stat().st_size
        (tmp_path / "answer").unlink()


def process(script: str, *arguments: str, **more: object) -> subprocess.CompletedProcess[bytes]:
    """A command in a shell, which redirects what it likes."""
    command = ["sh", "-c", f'exec "$@" {script}', "sh", sys.executable, "-m", "service.cli", *arguments]
    return subprocess.run(command, capture_output=True, check=False, timeout=120, **more)  # type: ignore[call-overload,no-any-return]  # subprocess's own options


@pytest.mark.parametrize(
    ("script", "said"),
    [
        (">&-", b"standard output is closed: let it lead to a file, or to /dev/null\n"),
        ("<&- >&-", b"standard output is closed: let it lead to a file, or to /dev/null\n"),
        (">/dev/full", b"standard output can't be written: No space left on device\n"),
        (">/dev/full 2>&1", b""),
        (">/dev/full 2>&-", b""),
    ],
)
def test_a_real_process_ends_with_the_reason_and_its_exit_code(script: str, said: bytes) -> None:
    done = process(script, "code", "brain")
    assert (done.returncode, done.stderr) == (2, said)


def test_what_is_closed_gives_no_file_its_number(tmp_path: Path) -> None:
    url = with_tables(f"sqlite:///{tmp_path / 'cli.sqlite3'}")
    environ = os.environ | {"LESIONBRIDGE_DATABASE_URL": url}
    for closed in (">&-", "2>&-", "<&-", "<&- >&- 2>&-"):
        done = process(closed, "purge", "--days", "9", env=environ)
        assert (done.returncode, b"defect" in done.stderr) == (0, False), done.stderr
        assert done.stdout == b""
        done = process(closed, "migrate", "--to", "0011", env=environ)
        assert (done.returncode, b"defect" in done.stderr) == (0, False), done.stderr
        assert process(closed, "migrate", env=environ).returncode == 0


def test_a_batch_is_sent_from_standard_input_and_one_that_is_closed_is_said(tmp_path: Path) -> None:
    url = with_tables(f"sqlite:///{tmp_path / 'cli.sqlite3'}")
    environ = os.environ | {"LESIONBRIDGE_DATABASE_URL": url}
    done = process("", "batch", "send", "-", env=environ, input=make_body().replace(b"\n", b"") + b"\n")
    assert (done.returncode, done.stderr) == (0, b"1 line to be worked on\n")
    done = process("<&-", "batch", "send", "-", env=environ)
    assert (done.returncode, done.stderr.startswith(b"standard input is closed: ")) == (2, True), done.stderr


def test_a_step_back_that_loses_something_is_refused_where_nobody_can_be_asked(tmp_path: Path) -> None:
    environ = os.environ | {"LESIONBRIDGE_DATABASE_URL": with_tables(f"sqlite:///{tmp_path / 'cli.sqlite3'}")}
    assert process("", "key", "create", "north", "--scope", "convert", env=environ).returncode == 0
    done = process("<&-", "migrate", "--to", "0003", env=environ)
    assert (done.returncode, b"--yes` if that is meant" in done.stderr) == (2, True), done.stderr


def test_a_closed_stream_takes_nothing() -> None:
    with pytest.raises(OSError, match="it is closed"):
        Closed().write("x")
    assert isinstance(Closed(), io.TextIOBase)
