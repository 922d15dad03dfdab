"""Wrong and hostile arguments: each failure is a sentence and an exit code, no traceback, nothing of a document."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from importlib.resources import files
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from service.cli import COMMANDS, main
from service.commands.speaking import BROKEN, refusing
from service.config import Settings
from service.pipeline import Options, Source
from service.publishing import publish
from service.store.reports import Store
from tests.findings import make_body
from tests.unit.cli.conftest import Run

BIG = "9" * 40
ID = "00000000-0000-4000-8000-000000000000"


@pytest.fixture
def good(run: Run, tmp_path: Path) -> str:
    """A database with a report, and files of every wrong kind; our id of the report."""
    assert run("migrate").exit_code == 0
    store = Store(os.environ["LESIONBRIDGE_DATABASE_URL"])
    made = publish(Source(make_body(), default_sender=Settings().default_sender), Options(), store)
    store.close()
    (tmp_path / "good.json").write_bytes(make_body())
    (tmp_path / "good.ndjson").write_bytes(make_body() + b"\n")
    (tmp_path / "binary").write_bytes(bytes(range(256)))
    (tmp_path / "folder").mkdir()
    return str(made.id)


def commands(group: click.Group, *before: str) -> list[tuple[str, ...]]:
    """Every command with those of its groups."""
    found: list[tuple[str, ...]] = []
    context = click.Context(group)
    for name in group.list_commands(context):
        one = group.get_command(context, name)
        assert one is not None
        found += commands(one, *before, name) if isinstance(one, click.Group) else [(*before, name)]
    return found


@pytest.mark.parametrize("command", commands(main), ids=" ".join)
def test_every_command_has_help_and_refuses_an_option_that_is_not_there(run: Run, command: tuple[str, ...]) -> None:
    told = run(*command, "--help")
    assert (told.exit_code, "Usage:" in told.stdout) == (0, True)
    refused = run(*command, "--no-such-option")
    assert (refused.exit_code, "No such option" in refused.stderr) == (2, True)
    assert command[0] in COMMANDS


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("check", "good.json", "--mapping", "binary"), "binary: the mapping file is not UTF-8"),
        (("convert", "good.json", "--to", "html", "--mapping", "binary"), "binary: the mapping file is not UTF-8"),
        (("convert", "", "--to", "html", "-o", "out"), "'': No such file or directory"),
        (("convert", "good.json", "--to", "html", "-o", "folder"), "folder: Is a directory"),
        (("convert", "good.json", "--to", "html", "-o", "/dev/full"), "No space left on device"),
        (("convert", "good.json", "--to", "html", "-o", "x.html", "--loss", "folder"), "folder: Is a directory"),
        (("convert", "folder", "--to", "html", "-o", "good.json"), "good.json: is a file"),
        (("convert", "good.ndjson", "--to", "html", "-o", "good.json"), "good.json: is a file"),
        (("convert", "good.ndjson", "--to", "html", "-o", "x.ndjson", "--loss", "folder"), "folder: Is a directory"),
        (("unmapped", "export", "-o", "folder"), "folder: Is a directory"),
        (("unmapped", "resolve", "--id", BIG, "--as", "x", "--author", "y"), "is not in the range"),
        (("backup", "none/copy"), "No such file or directory"),
        (("backup", "/proc/copy"), "No such file or directory"),
        (("terminology", "import", "folder"), "folder: is a folder: name its files"),
        (("report", "no-such-id"), "no report of this sender has this id; --sender names another one"),
        (("report", "\udcff"), "what was given is no UTF-8"),
        (("patient", "merge", "", "SURVIVOR"), "an id or an issuer is empty"),
        (("patient", "merge", "a" * 257, "SURVIVOR"), "too long"),
        (("purge", "--days", BIG), "is not in the range"),
        (("deliveries", "--limit", BIG), "is not in the range"),
        (("audit", "export", "--after", BIG), "is not in the range"),
        (("unmapped", "list", "--min", BIG), "is not in the range"),
        (("key", "create", "k", "--scope", "convert", "--days", BIG), "is not in the range"),
        (("key", "create", "k", "--scope", "convert", "--rate", BIG), "is not in the range"),
        (("key", "create", "k", "--scope", "convert", "--bytes", BIG), "is not in the range"),
        (("serve", "--port", BIG), "setting port (--port): is 0 to 65535"),
        (("serve", "--workers", BIG), "setting workers (--workers): is 0 to 1000"),
        (("worker", "--metrics-port", BIG), "is not in the range"),
        (("listen", "--metrics-port", BIG), "is not in the range"),
    ],
)
def test_a_wrong_argument_is_refused_in_a_sentence(run: Run, good: str, arguments: tuple[str, ...], said: str) -> None:
    done = run(*arguments)
    assert (done.exit_code, said in done.stderr) == (2, True), done.stderr
    assert "Doe" not in done.stderr
    assert good not in done.stderr


def test_what_a_terminal_can_not_show_is_not_called_a_wrong_argument() -> None:
    @click.command()
    @refusing
    def show() -> None:
        click.echo("płat czołowy")

    done = CliRunner(charset="iso8859-1").invoke(show, catch_exceptions=False)
    assert (done.exit_code, "the output is in iso8859-1, which lacks" in done.stderr) == (2, True), done.stderr
    assert "czo" not in done.stderr
    assert CliRunner().invoke(show, catch_exceptions=False).stdout == "płat czołowy\n"


def test_an_output_that_can_not_be_written_is_refused(run: Run, good: str) -> None:
    for one in (("report", good), ("report", good, "--get", "sr")):
        done = run(*one, "-o", "folder")
        assert (done.exit_code, done.stderr) == (2, "folder: Is a directory\n")


def test_a_run_that_could_not_begin_leaves_nothing_to_go_on_with(run: Run, good: str, tmp_path: Path) -> None:
    asked = ("convert", "good.ndjson", "--to", "html", "-o", "x.ndjson", "--errors")
    assert run(*asked, "none/errors").exit_code == 2
    assert not (tmp_path / "x.ndjson.journal").exists()
    assert run(*asked, "errors.ndjson").exit_code == 0


NEEDS_TABLES = [
    ("report", ID),
    ("amend", ID, "good.json", "--kind", "correct"),
    ("cancel", ID),
    ("deliveries",),
    ("replay", "--all"),
    ("delivery", "show", ID),
    ("delivery", "compare", ID, ID),
    ("delivery", "edit", ID),
    ("patient", "merge", "A", "B"),
    ("purge", "--days", "9"),
    ("key", "list"),
    ("key", "create", "k", "--scope", "convert"),
    ("key", "revoke", "k"),
    ("audit", "export"),
    ("audit", "verify"),
    ("unmapped", "list"),
    ("unmapped", "export"),
]


@pytest.mark.parametrize("command", NEEDS_TABLES, ids=" ".join)
def test_a_database_that_can_not_be_used_says_why_and_what_to_do(
    run: Run, tmp_path: Path, command: tuple[str, ...]
) -> None:
    file = tmp_path / "cli.sqlite3"
    absent = run(*command)
    assert (absent.exit_code, absent.stderr.count("\n")) == (2, 1)
    assert "there is no database yet: run `lesionbridge migrate`" in absent.stderr
    assert not file.exists()
    assert run("migrate", "--to", "0005").exit_code == 0
    older = run(*command)
    assert (older.exit_code, "at step 0005, this version needs" in older.stderr) == (2, True)
    with sqlite3.connect(file) as live:
        live.execute("UPDATE alembic_version SET version_num = '9999'")
    newer = run(*command)
    assert (newer.exit_code, "does not know: use the newer one" in newer.stderr) == (2, True)
    for left in tmp_path.glob("cli.sqlite3*"):
        left.unlink()
    file.write_bytes(b"a letter to the editor" * 100)
    other = run(*command)
    assert (other.exit_code, "the file is no database of SQLite" in other.stderr) == (2, True)


def test_a_copy_of_a_newer_program_replaces_nothing(run: Run, good: str, tmp_path: Path) -> None:
    assert run("backup", "copy.sqlite3").exit_code == 0
    with sqlite3.connect(tmp_path / "copy.sqlite3") as copy:
        copy.execute("UPDATE alembic_version SET version_num = '9999'")
    refused = run("restore", "copy.sqlite3", "--replace")
    assert (refused.exit_code, "of step 9999, which this version does not know" in refused.stderr) == (2, True)
    assert json.loads(run("report", good).stdout_bytes)["id"] == good


def test_a_defect_of_ours_is_named_by_kind_and_place_and_not_by_its_text(monkeypatch: pytest.MonkeyPatch) -> None:
    @refusing
    def fails() -> None:
        raise LookupError("Doe^Jane")

    heard: list[str] = []
    monkeypatch.setattr("service.commands.speaking.say", heard.append)
    with pytest.raises(SystemExit) as ended:
        fails()
    assert ended.value.code == BROKEN
    assert heard[0].startswith("lesionbridge: a defect of ours, LookupError at service/commands/speaking.py:")
    assert "Doe" not in heard[0]


def lesionbridge(*arguments: str, out: int) -> subprocess.CompletedProcess[bytes]:
    """The command as a process of its own, which writes where it is told to."""
    command = [sys.executable, "-m", "service.cli", *arguments]
    return subprocess.run(command, stdout=out, stderr=subprocess.PIPE, check=False, timeout=120)


@pytest.mark.parametrize("command", [("audit", "export"), ("report", "MR-2026-000481"), ("unmapped", "export")])
def test_a_reader_that_has_enough_gets_no_traceback(good: str, command: tuple[str, ...]) -> None:
    assert good
    read, write = os.pipe()
    os.close(read)
    done = lesionbridge(*command, out=write)
    os.close(write)
    assert (done.returncode, done.stderr) == (1, b"")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no device that is always full")
@pytest.mark.parametrize("command", [("audit", "export"), ("report", "MR-2026-000481"), ("unmapped", "export")])
def test_a_full_disk_is_said(good: str, command: tuple[str, ...]) -> None:
    assert good
    with Path("/dev/full").open("wb") as full:
        done = lesionbridge(*command, out=full.fileno())
    assert (done.returncode, b"No space left on device" in done.stderr) == (2, True), done.stderr
    assert b"Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("name", "said"), [("binary", "binary:1: the table is not UTF-8"), ("none", "none:1: there is")]
)
def test_a_file_of_issuers_that_can_not_be_read_is_refused(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, said: str
) -> None:
    (tmp_path / "binary").write_bytes(bytes(range(256)))
    monkeypatch.setenv("LESIONBRIDGE_ISSUERS_FILE", str(tmp_path / name))
    refused = run("code", "brain")
    assert (refused.exit_code, said in refused.stderr) == (2, True), refused.stderr


@pytest.mark.parametrize("table", ["codings.csv", "report.toml"])
def test_a_table_that_is_not_utf_8_is_a_defect(run: Run, tmp_path: Path, table: str) -> None:
    for kind in ("terminology", "mappings"):
        shutil.copytree(str(files(kind)), tmp_path / kind)
    (found,) = [one for kind in ("terminology", "mappings") for one in (tmp_path / kind).rglob(table)]
    found.write_bytes(bytes(range(256)))
    told = run("terminology", "check", "--terminology", "terminology", "--mappings", "mappings")
    assert (told.exit_code, f"{table}:1: the table is not UTF-8" in told.stderr) == (1, True)


@pytest.mark.usefixtures("run")
def test_a_worker_says_what_it_waits_for() -> None:
    command = [sys.executable, "-m", "service.cli", "worker"]
    worker = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    try:
        assert worker.stderr is not None
        assert worker.stderr.readline().startswith("there is no database yet: run `lesionbridge migrate`")
    finally:
        worker.kill()
        worker.communicate()
