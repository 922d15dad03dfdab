"""What comes through a pipe is given out as it comes, by whatever name the pipe has."""

import os
import socket
import subprocess
import sys
import threading
from contextlib import suppress
from multiprocessing.connection import wait
from pathlib import Path

import pytest

from service.commands.arriving import Arriving
from service.commands.lines import PART_LINES, parts
from tests.unit.cli.conftest import Run
from tests.unit.cli.test_ndjson import ids, lines

CONVERT = [sys.executable, "-m", "service.cli", "convert", "--to", "findings", "--ndjson"]


def sent(path: Path, content: bytes) -> threading.Thread:
    """Who writes into a pipe; where nobody opens it, he waits, and ends with the process."""

    def send() -> None:
        with suppress(BrokenPipeError):
            path.write_bytes(content)

    sender = threading.Thread(target=send, daemon=True)
    sender.start()
    return sender


@pytest.mark.parametrize("name", ["pipe", "pipe.ndjson"])
def test_a_named_pipe_is_read_once_into_a_file(run: Run, tmp_path: Path, name: str) -> None:
    os.mkfifo(tmp_path / name)
    sender = sent(tmp_path / name, lines(40))
    done = run("convert", "--ndjson", name, "--to", "findings", "-o", "out.ndjson")
    assert (done.exit_code, done.stderr) == (0, "40 converted, 0 refused, 0 losses; in out.ndjson\n")
    sender.join(180)
    assert ids((tmp_path / "out.ndjson").read_bytes()) == [f"r{turn}" for turn in range(1, 41)]
    assert not (tmp_path / "out.ndjson.journal").exists()


def test_a_substituted_process_goes_to_standard_output_and_into_a_folder(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(lines(2))
    for out in ((), ("-o", "out")):
        ours, theirs = os.pipe()
        os.write(theirs, lines(2))
        os.close(theirs)
        done = subprocess.run(
            [*CONVERT, f"/dev/fd/{ours}", *out], pass_fds=[ours], capture_output=True, cwd=tmp_path, check=False
        )
        os.close(ours)
        assert (done.returncode, ids(done.stdout)) == (0, [] if out else ["r1", "r2"])
    assert [file.name for file in sorted((tmp_path / "out").iterdir())] == ["report-000001.json", "report-000002.json"]


@pytest.mark.parametrize(
    ("arguments", "why"),
    [(("--resume",), "comes once"), ((), "remove keep.ndjson")],
)
def test_what_a_pipe_can_not_do_leaves_what_is_there(
    run: Run, tmp_path: Path, arguments: tuple[str, ...], why: str
) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "keep.ndjson").write_bytes(b"kept")
    (tmp_path / "keep.ndjson.journal").write_bytes(b"{}\n")
    done = run("convert", "--ndjson", "pipe", "--to", "findings", "-o", "keep.ndjson", *arguments)
    assert done.exit_code == 2
    assert why in done.stderr
    assert (tmp_path / "keep.ndjson").read_bytes() == b"kept"


def test_an_input_that_can_not_be_opened_costs_no_output(run: Run, tmp_path: Path) -> None:
    (tmp_path / "keep.ndjson").write_bytes(b"kept")
    with socket.socket(socket.AF_UNIX) as unopened:
        unopened.bind("in.ndjson")  # in the folder of the call: a whole path may be too long for a socket
        assert run("convert", "in.ndjson", "--to", "findings", "-o", "keep.ndjson").exit_code == 2
    assert (tmp_path / "keep.ndjson").read_bytes() == b"kept"
    assert not (tmp_path / "keep.ndjson.journal").exists()


@pytest.mark.parametrize("source", ["in.ndjson", "-"])
def test_an_overlay_that_is_wrong_costs_no_output(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str
) -> None:
    (tmp_path / "overlays").mkdir()
    (tmp_path / "overlays" / "x.csv").write_text("no,such,columns\n")
    monkeypatch.setenv("LESIONBRIDGE_OVERLAYS_FOLDER", str(tmp_path / "overlays"))
    (tmp_path / "in.ndjson").write_bytes(lines(1))
    (tmp_path / "keep.ndjson").write_bytes(b"kept")
    done = run("convert", "--ndjson", source, "--to", "findings", "-o", "keep.ndjson", input=lines(1))
    assert done.exit_code == 2
    assert "defects in the tables" in done.stderr
    assert (tmp_path / "keep.ndjson").read_bytes() == b"kept"
    assert not (tmp_path / "keep.ndjson.journal").exists()


def test_standard_input_is_no_output(tmp_path: Path) -> None:
    (tmp_path / "a.ndjson").write_bytes(lines(1))
    with (tmp_path / "a.ndjson").open("rb") as file:
        done = subprocess.run(
            [*CONVERT, "-", "-o", "a.ndjson"], stdin=file, capture_output=True, cwd=tmp_path, check=False
        )
    assert done.returncode == 2
    assert b"files of their own" in done.stderr
    assert (tmp_path / "a.ndjson").read_bytes() == lines(1)


@pytest.mark.parametrize("jobs", ["1", "2"])
@pytest.mark.parametrize("count", [1, PART_LINES, 2 * PART_LINES + 1])
def test_all_that_came_is_given_out_though_no_more_comes(tmp_path: Path, jobs: str, count: int) -> None:
    with subprocess.Popen(
        [*CONVERT, "-", "--jobs", jobs], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=tmp_path
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        content = lines(2 * count)
        half = len(lines(count))
        for piece in (content[:half], content[half:]):
            process.stdin.write(piece)
            process.stdin.flush()
            for _ in range(count):
                assert wait([process.stdout.fileno()], 180), "it waits for more"
                # Unbuffered, so that what the next look waits for is not held here already.
                assert _line(process.stdout.fileno()).endswith(b"\n")
        process.stdin.close()
        assert process.wait(180) == 0


def _line(descriptor: int) -> bytes:
    line = b""
    while not line.endswith(b"\n"):
        assert wait([descriptor], 180)
        line += os.read(descriptor, 1)
    return line


def test_a_file_holds_what_came_before_the_run_ends(tmp_path: Path) -> None:
    ours, theirs = os.pipe()
    process = subprocess.Popen([*CONVERT, "-", "-o", "out.ndjson"], stdin=ours, stderr=subprocess.PIPE, cwd=tmp_path)
    os.write(theirs, lines(1))
    try:
        for _ in range(600):
            if (tmp_path / "out.ndjson").exists() and (tmp_path / "out.ndjson").read_bytes().endswith(b"\n"):
                break
            with suppress(subprocess.TimeoutExpired):
                process.wait(0.1)
        assert ids((tmp_path / "out.ndjson").read_bytes()) == ["r1"]
    finally:
        os.close(theirs)
        process.communicate(timeout=180)


def test_lines_arrive_as_they_would_be_read_from_a_file() -> None:
    content = b"a\n\nbb\r\n" + b"x" * 50 + b"\n" + b"y" * 10 + b"\nend"
    ours, theirs = os.pipe()
    arriving = Arriving(ours, 12)
    assert not arriving.ready()
    found = parts(arriving, 10, 0)
    for at in range(0, len(content), 7):
        os.write(theirs, content[at : at + 7])
    os.close(theirs)
    made = [line for part in found for line in part.lines]
    os.close(ours)
    assert [(line.number, line.body) for line in made] == [
        (1, b"a"),
        (3, b"bb"),
        (4, None),
        (5, b"y" * 10),
        (6, b"end"),
    ]


def test_a_line_that_is_half_there_is_not_ready() -> None:
    ours, theirs = os.pipe()
    arriving = Arriving(ours, 100)
    os.write(theirs, b"one\ntw")
    assert arriving.ready()
    assert arriving.readline(100) == b"one\n"
    assert not arriving.ready()
    os.write(theirs, b"o\n")
    assert arriving.ready()
    assert arriving.readline(100) == b"two\n"
    os.close(theirs)
    assert arriving.ready()
    assert arriving.readline(100) == b""
    os.close(ours)
