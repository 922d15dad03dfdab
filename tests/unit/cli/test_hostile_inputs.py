"""Inputs that are no file to be read: links to themselves, pipes, what is gone by now, names that are no text."""

import json
import os
import subprocess
import sys
import time
from contextlib import AbstractContextManager
from pathlib import Path
from typing import IO

import pytest

from service.commands import inputs
from tests.findings import make_body
from tests.unit.cli.conftest import Run

LOSSY = make_body(lesions__0__site="frontal loeb")
CLI = [sys.executable, "-m", "service.cli"]


@pytest.fixture
def loop(tmp_path: Path) -> str:
    """A link that leads to itself."""
    (tmp_path / "loop.json").symlink_to("loop.json")
    (tmp_path / "loop.ndjson").symlink_to("loop.ndjson")
    (tmp_path / "loop").symlink_to("loop")
    return "loop.json"


@pytest.mark.parametrize(
    "command",
    [
        ("convert", "loop.json", "--to", "html"),
        ("convert", "loop.json", "--to", "html", "-o", "loop.json"),
        ("convert", "good.json", "--to", "html", "-o", "loop"),
        ("convert", "good.json", "--to", "html", "-o", "x.html", "--loss", "loop.json"),
        ("convert", "good.json", "--to", "html", "--seg", "loop"),
        ("convert", "good.json", "--to", "html", "--mapping", "loop"),
        ("convert", "loop.ndjson", "--to", "html", "-o", "x.ndjson"),
        ("convert", "--ndjson", "loop", "--to", "html", "-o", "x.ndjson"),
        ("convert", "good.ndjson", "--to", "html", "-o", "loop.ndjson"),
        ("convert", "good.ndjson", "--to", "html", "-o", "loop"),
        ("convert", "good.ndjson", "--to", "html", "-o", "x.ndjson", "--errors", "loop"),
        ("convert", "folder", "--to", "html", "-o", "loop"),
        ("convert", "--from", "csv", "loop", "--to", "html"),
        ("check", "loop.json"),
        ("check", "good.json", "--sr", "loop"),
        ("route", "loop.json"),
        ("batch", "send", "loop.ndjson"),
        ("overlay", "check", "loop"),
        ("unmapped", "resolve", "loop", "--author", "a"),
        ("terminology", "import", "loop"),
        ("terminology", "check", "--mappings", "loop"),
        ("restore", "loop"),
    ],
    ids=" ".join,
)
def test_a_link_to_itself_is_a_sentence(run: Run, tmp_path: Path, loop: str, command: tuple[str, ...]) -> None:
    assert run("migrate").exit_code == 0
    (tmp_path / "good.json").write_bytes(make_body())
    (tmp_path / "good.ndjson").write_bytes(make_body() + b"\n")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "a.json").write_bytes(make_body())
    done = run(*command)
    assert (done.exit_code, "loop" in done.stderr) == (2, True), done.stderr
    assert (tmp_path / loop).is_symlink()


def test_what_can_not_be_read_of_a_folder_is_refused_by_its_name_and_the_rest_goes_on(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    for name in ("a.json", "b.json", "c.json"):
        (folder / name).write_bytes(make_body(report__id=name))
    (folder / "broken.json").symlink_to("nowhere")
    (folder / "loop.json").symlink_to("loop.json")
    (folder / "large.json").write_bytes(b" " * 20_000)
    os.mkfifo(folder / "pipe.json")
    (folder / "folder.json").mkdir()
    monkeypatch.setenv("LESIONBRIDGE_LIMIT_BODY_BYTES", "10000")

    def vanishes(path: str | Path) -> AbstractContextManager[IO[bytes]]:
        """What was there when the folder was listed."""
        (folder / "b.json").unlink(missing_ok=True)
        return opened(path)

    opened = inputs.opened
    monkeypatch.setattr(inputs, "opened", vanishes)
    done = run("convert", "in", "--to", "html", "-o", "out")
    assert done.exit_code == 2
    for name, why in {
        "b": "it can't be read (No such file or directory)",
        "broken": "it can't be read (No such file or directory)",
        "loop": "it can't be read (Too many levels of symbolic links)",
        "large": "the document is larger than 10000 bytes",
    }.items():
        assert f"in/{name}.json: " in done.stderr
        assert why in done.stderr
    assert {file.name for file in (tmp_path / "out").iterdir()} == {"a.html", "c.html"}
    assert "2 converted, 4 refused" in done.stderr
    checked = run("check", "in")
    assert (checked.exit_code, checked.stdout.count("1 lesion")) == (2, 2), checked.stdout


def test_a_document_that_is_too_large_is_named(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert run("migrate").exit_code == 0
    monkeypatch.setenv("LESIONBRIDGE_LIMIT_BODY_BYTES", "10")
    (tmp_path / "a.json").write_bytes(b" " * 11)
    for command in (("convert", "a.json", "--to", "html"), ("check", "a.json")):
        assert run(*command).stderr.startswith("a.json: too large\n")
    assert run("convert", "-", "--to", "html", input=b" " * 11).stderr.startswith("(standard input): too large\n")


@pytest.mark.parametrize(
    ("device", "said"),
    [
        ("/dev/null", "no reader knows"),
        ("/dev/zero", "larger than"),
        ("/proc/self/mem", "/proc/self/mem: Input/output error"),
        ("/", ""),
    ],
)
def test_a_device_or_a_folder_without_documents_is_answered(run: Run, device: str, said: str) -> None:
    done = run("convert", device, "--to", "html")
    assert (done.exit_code, "defect" in done.stderr) == (2, False), done.stderr
    assert said in done.stderr


def test_a_pipe_that_nobody_writes_into_is_waited_for_and_that_is_said(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe.json"
    os.mkfifo(pipe)
    waits = subprocess.Popen(
        [*CLI, "convert", str(pipe), "--to", "findings"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert waits.stderr is not None
    assert b"pipe.json: a pipe that nobody writes into yet: waiting (Ctrl-C ends it)" in waits.stderr.readline()
    pipe.write_bytes(make_body())
    out, _ = waits.communicate(timeout=180)
    assert (waits.returncode, json.loads(out)["report"]["id"]) == (0, "MR-2026-000481")


def test_of_a_pipe_with_a_writer_nothing_is_said(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inputs, "PATIENCE_S", 0.2)
    os.mkfifo(tmp_path / "pipe.json")
    writes = subprocess.Popen(["sh", "-c", 'cat good > "$0"', "pipe.json"], cwd=tmp_path)
    (tmp_path / "good").write_bytes(make_body())
    with inputs.opened("pipe.json") as file:
        time.sleep(0.5)
        assert file.read()
    writes.wait()


ODD = b"a\xff\nb.json"
SAID = "a\\xff<U+000A>b.json"


def test_a_name_that_is_no_text_or_of_two_lines_is_one_line_everywhere(run: Run, tmp_path: Path) -> None:
    name = os.fsdecode(ODD)
    (tmp_path / name).write_bytes(LOSSY)
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / name).write_bytes(LOSSY)
    (tmp_path / f"{name}.ndjson").write_bytes(LOSSY.replace(b"\n", b"") + b"\n")
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / name).write_bytes(b"{")

    done = run("convert", "in", "--to", "html", "-o", "out", "--loss", "loss.json")
    assert (done.exit_code, done.stderr.startswith("1 converted, 0 refused")) == (0, True), done.stderr
    assert json.loads((tmp_path / "loss.json").read_text())[0]["source"] == f"in/{SAID}"
    assert [os.fsencode(one.name) for one in (tmp_path / "out").iterdir()] == [ODD.replace(b".json", b".html")]

    done = run("convert", f"{name}.ndjson", "--to", "html", "-o", "out.ndjson", "--loss", "loss.json")
    assert (done.exit_code, done.stderr.startswith("1 converted, 0 refused")) == (0, True), done.stderr
    assert json.loads((tmp_path / "loss.json").read_text())[0]["source"] == f"{SAID}.ndjson, line 1"

    checked = run("check", name)
    assert (checked.exit_code, checked.stdout.startswith(f"{SAID}: 1 lesion")) == (0, True), checked.stderr
    refused = run("convert", "bad", "--to", "html", "-o", "out")
    assert refused.stderr.startswith(f"bad/{SAID}: ")
    assert run("convert", f"no{name}", "--to", "html").stderr == f"no{SAID}: No such file or directory\n"
