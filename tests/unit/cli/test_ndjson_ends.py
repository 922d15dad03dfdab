"""A run over lines that come once says what it leaves where it is ended; what is closed is said, not stumbled over."""

import json
import os
import pty
import signal
import subprocess
import sys
from multiprocessing.connection import wait
from pathlib import Path

import pytest

from tests.findings import make_body
from tests.unit.cli.test_ndjson import ids, lines

CONVERT = [sys.executable, "-m", "service.cli", "convert", "--to", "findings"]
SIDES = ("-o", "out.ndjson", "--errors", "errors.ndjson", "--jobs", "2")
LOSSY = make_body(lesions__0__site="frontal loeb").replace(b"\n", b"") + b"\n"


def begun(folder: Path, *more: str) -> "subprocess.Popen[bytes]":
    """A run that has converted two lines, and waits for more."""
    process = subprocess.Popen(
        [*CONVERT, "--ndjson", "-", *SIDES, *more],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=folder,
    )
    assert process.stdin is not None
    process.stdin.write(LOSSY * 2)
    process.stdin.flush()
    for _ in range(1200):
        if (folder / "out.ndjson").exists() and (folder / "out.ndjson").read_bytes().count(b"\n") == 2:
            return process
        wait([process.stderr], 0.1)  # type: ignore[list-item]  # what has a fileno can be waited for
    raise AssertionError("nothing was given out")


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 1), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
@pytest.mark.parametrize("loss", ["loss.json", "loss.ndjson"])
def test_who_ends_a_run_is_told_what_is_incomplete(tmp_path: Path, number: int, code: int, loss: str) -> None:
    process = begun(tmp_path, "--loss", loss)
    process.send_signal(number)
    _, said = process.communicate(timeout=180)
    assert process.returncode == code
    assert f"interrupted behind line 2 of what came: incomplete: out.ndjson, errors.ndjson, {loss}." in said.decode()
    assert b"tail -n +3" in said
    assert b"Traceback" not in said
    content = (tmp_path / loss).read_text()
    rows = json.loads(content) if loss == "loss.json" else [json.loads(row) for row in content.splitlines()]
    assert {row["source"] for row in rows} == {"(standard input), line 1", "(standard input), line 2"}


def test_the_files_end_where_the_message_says_and_the_rest_can_be_sent_behind_them(tmp_path: Path) -> None:
    whole = lines(5)
    process = begun(tmp_path)
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=180)
    rest = subprocess.run(
        [*CONVERT, "--ndjson", "-"], input=b"".join(whole.splitlines(True)[2:]), capture_output=True, check=True
    )
    assert len(ids((tmp_path / "out.ndjson").read_bytes() + rest.stdout)) == 5


def test_a_killed_child_is_told_with_what_is_incomplete(tmp_path: Path) -> None:
    process = begun(tmp_path, "--loss", "loss.json")
    child = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    for one in child:
        os.kill(int(one), signal.SIGKILL)
    _, said = process.communicate(LOSSY, timeout=180)
    assert process.returncode == 2
    assert b"incomplete: out.ndjson, errors.ndjson, loss.json" in said
    assert b"a process was killed" in said
    assert json.loads((tmp_path / "loss.json").read_text())


def test_one_that_reads_no_further_is_no_success(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [*CONVERT, "--ndjson", "-", "--jobs", "1", "--loss", "loss.json"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=tmp_path,
    )
    assert process.stdout is not None
    process.stdout.close()
    process.stdout = None
    _, said = process.communicate(LOSSY * 3, timeout=180)
    assert process.returncode == 1
    assert b"interrupted behind line 0 of what came: incomplete: standard output, loss.json." in said
    assert b"Traceback" not in said
    assert b"Exception ignored" not in said
    assert (tmp_path / "loss.json").read_text() == "[]\n"


@pytest.mark.parametrize(
    ("arguments", "closed", "why"),
    [
        (("--ndjson", "-"), "<&-", "standard input is closed: give a file"),
        (("-",), "<&-", "standard input is closed: give a file"),
        (("--from", "csv", "-"), "<&-", "standard input is closed: give a file"),
        (("--ndjson", "-"), ">&-", "standard output is closed: give -o"),
        (("in.json",), ">&-", "standard output is closed: give -o"),
    ],
)
def test_what_is_closed_is_said(tmp_path: Path, arguments: tuple[str, ...], closed: str, why: str) -> None:
    (tmp_path / "in.json").write_bytes(lines(1))
    script = f'exec "$@" {closed}'
    done = subprocess.run(
        ["sh", "-c", script, "sh", *CONVERT, *arguments], input=lines(1), capture_output=True, cwd=tmp_path, check=False
    )
    assert done.returncode == 2
    assert done.stderr.decode().startswith(why)
    assert done.stderr.count(b"\n") == 1


@pytest.mark.parametrize("out_is_terminal", [True, False])
def test_no_bar_stands_among_the_lines_of_a_terminal(tmp_path: Path, out_is_terminal: bool) -> None:
    terminal, theirs = pty.openpty()
    process = subprocess.Popen(
        [*CONVERT, "--ndjson", "-", "--jobs", "1"],
        stdin=subprocess.PIPE,
        stdout=theirs if out_is_terminal else subprocess.DEVNULL,
        stderr=theirs,
        cwd=tmp_path,
        env=os.environ | {"TERM": "xterm"},
    )
    os.close(theirs)
    assert process.stdin is not None
    process.stdin.write(lines(2))
    process.stdin.close()
    shown = b""
    while wait([terminal], 180):
        try:
            shown += os.read(terminal, 65_536)
        except OSError:  # Linux says so that the other end is closed
            break
    os.close(terminal)
    assert process.wait(180) == 0
    assert (b"\x1b[" in shown) is not out_is_terminal
    if out_is_terminal:
        *made, last = shown.splitlines()
        assert (ids(b"\n".join(made)), last) == (["r1", "r2"], b"2 converted, 0 refused, 0 losses; in standard output")
