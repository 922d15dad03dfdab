"""Whatever is killed, whenever: gone on with, a conversion leaves the bytes that an unbroken run leaves."""

import os
import random
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from multiprocessing import get_context
from pathlib import Path

import pytest

from service.commands import lines as crew
from service.commands.lines import Converted, Killed
from tests.findings import make_body
from tests.unit.cli.conftest import Run

TIMES = 3
"""So often a run is killed, at moments of chance, before it may end."""
MARKING = """
import sys
import service.commands.ndjson as n
from service.cli import main

n.MARK_S, n.SMALL = 0.0, 0
main()
"""
BAD = b'{"no": "report"}'


def odd_lines(count: int) -> bytes:
    """Reports with CRLF or LF, blank lines, refused ones and ones with a loss; no newline at the end."""
    made = []
    for turn in range(1, count + 1):
        body = make_body(report__id=f"r{turn}", lesions__0__site="frontal loeb" if turn % 5 == 0 else "liver")
        line = {0: BAD, 1: b""}.get(turn % 7, body.replace(b"\n", b""))
        made.append(line + (b"\r\n" if turn % 2 else b"\n"))
    return b"".join(made).rstrip(b"\r\n")


def started(folder: Path, *more: str, out: str = "out.ndjson", to: str = "fhir-r4") -> "subprocess.Popen[bytes]":
    """A conversion by two processes that makes a mark after each part."""
    sides = ("--errors", "errors.ndjson", "--loss", "loss.json", "--jobs", "2")
    return subprocess.Popen(
        [sys.executable, "-c", MARKING, "convert", "../in.ndjson", "--to", to, "-o", out, *sides, *more],
        cwd=folder,
        env=os.environ | {"LESIONBRIDGE_DATABASE_URL": f"sqlite:///{folder}/x.sqlite3"},
        stderr=subprocess.PIPE,
        start_new_session=True,
    )


def children(process: int) -> list[int]:
    """The processes that it began."""
    try:
        return [int(one) for one in Path(f"/proc/{process}/task/{process}/children").read_text().split()]
    except OSError:
        return []


def parent(process: "subprocess.Popen[bytes]") -> None:
    """Kill who began."""
    process.kill()


def child(process: "subprocess.Popen[bytes]") -> None:
    """Kill one of those that convert."""
    for one in children(process.pid)[:1]:
        os.kill(one, signal.SIGKILL)


def both(process: "subprocess.Popen[bytes]") -> None:
    """Kill all of them at once."""
    os.killpg(process.pid, signal.SIGKILL)


def everything(folder: Path, out: str) -> dict[str, bytes]:
    """What a run left, by name."""
    names = [folder / name for name in ("errors.ndjson", "loss.json")]
    made = [folder / out] if out.endswith("ndjson") else sorted((folder / out).iterdir())
    return {str(file.relative_to(folder)): file.read_bytes() for file in (*names, *made)}


@pytest.mark.parametrize(
    ("kill", "out", "to"), [(parent, "out", "sr"), (child, "out.ndjson", "fhir-r4"), (both, "out.ndjson", "fhir-r4")]
)
def test_killed_at_any_moment_the_bytes_are_those_of_an_unbroken_run(
    tmp_path: Path, kill: Callable[["subprocess.Popen[bytes]"], None], out: str, to: str
) -> None:
    (tmp_path / "in.ndjson").write_bytes(odd_lines(300))
    for name in ("whole", "broken"):
        (tmp_path / name).mkdir()
    whole = started(tmp_path / "whole", out=out, to=to)
    whole.communicate(timeout=300)
    assert whole.returncode == 2
    moments, killed, journal = random.Random(6), 0, tmp_path / "broken" / f"{out}.journal"
    for _ in range(TIMES):
        run = started(tmp_path / "broken", "--resume", out=out, to=to)
        before = journal.read_bytes().count(b"\n") if journal.exists() else 1
        while run.poll() is None and (not journal.exists() or journal.read_bytes().count(b"\n") <= before):
            time.sleep(0.001)
        time.sleep(moments.random() / 50)
        if run.poll() is None:
            kill(run)
            killed += 1
        run.communicate(timeout=300)
        if not journal.exists():
            break
    if journal.exists():
        started(tmp_path / "broken", "--resume", out=out, to=to).communicate(timeout=300)
    assert killed > 0
    assert not journal.exists()
    assert everything(tmp_path / "broken", out) == everything(tmp_path / "whole", out)


@pytest.mark.parametrize("sent", [0, 3, 1000])
def test_a_process_killed_in_the_middle_of_its_answer_is_seen_as_killed(sent: int) -> None:
    context = get_context("fork")
    ours, theirs = context.Pipe()
    process = context.Process(target=_half_an_answer, args=(theirs, sent))
    process.start()
    theirs.close()
    process.join()
    with pytest.raises(Killed):
        crew._answer(ours)


def _half_an_answer(pipe: object, sent: int) -> None:
    whole = (100_000).to_bytes(4, "big") + b"x" * 100_000
    os.write(pipe.fileno(), whole[:sent])  # type: ignore[attr-defined]  # a Connection
    os.kill(os.getpid(), signal.SIGKILL)


def test_what_a_process_could_not_write_is_told_as_that() -> None:
    ours, theirs = get_context("fork").Pipe()
    theirs.send(OSError(28, "No space left on device"))
    with pytest.raises(OSError, match="No space left"):
        crew._answer(ours)
    theirs.send(Converted(made=1))
    assert crew._answer(ours).made == 1


def test_a_full_disk_ends_the_run_which_can_be_gone_on_with(tmp_path: Path) -> None:
    (tmp_path / "in.ndjson").write_bytes(odd_lines(100))
    for name in ("whole", "full"):
        (tmp_path / name).mkdir()
    started(tmp_path / "whole").communicate(timeout=300)
    full = started(tmp_path / "full")
    resource.prlimit(full.pid, resource.RLIMIT_FSIZE, (100_000, resource.RLIM_INFINITY))
    _, said = full.communicate(timeout=300)
    assert full.returncode == 2
    assert b"Traceback" not in said
    assert b"Exception ignored" not in said
    assert b"File too large" in said
    started(tmp_path / "full", "--resume").communicate(timeout=300)
    assert everything(tmp_path / "full", "out.ndjson") == everything(tmp_path / "whole", "out.ndjson")


@pytest.mark.parametrize("content", [b"", b"\n\r\n \n"])
def test_a_file_without_a_line_becomes_one_without_a_line(run: Run, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "in.ndjson").write_bytes(content)
    done = run(
        "convert", "in.ndjson", "--to", "fhir-r4", "-o", "out.ndjson", "--errors", "e.ndjson", "--loss", "l.json"
    )
    assert done.exit_code == 0
    assert [(tmp_path / name).read_bytes() for name in ("out.ndjson", "e.ndjson", "l.json")] == [b"", b"", b"[]\n"]


def test_a_side_file_is_not_the_journal(run: Run, tmp_path: Path) -> None:
    (tmp_path / "in.ndjson").write_bytes(odd_lines(2))
    done = run("convert", "in.ndjson", "--to", "fhir-r4", "-o", "x.ndjson", "--errors", "x.ndjson.journal")
    assert done.exit_code == 2
    assert "files of their own" in done.stderr
