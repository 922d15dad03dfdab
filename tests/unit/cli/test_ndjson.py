"""An NDJSON file is converted on several processes, and after a kill no line is done twice or lost."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from service.commands import ndjson, progress
from service.commands.conversion import Conversion, Wish
from service.commands.journal import Journal, Mark, OtherRun, Running
from service.commands.lines import PART_LINES, WINDOW, Line, Part, Work, converted, parts
from service.config import Settings
from service.doors import Format, Options
from tests.findings import make_body
from tests.unit.cli.conftest import Run

BAD = b'{"no": "report"}'


def lines(count: int, bad: frozenset[int] = frozenset()) -> bytes:
    """A file of reports, numbered from 1, with some lines that are none."""
    made = (BAD if turn in bad else make_body(report__id=f"r{turn}") for turn in range(1, count + 1))
    return b"".join(line.replace(b"\n", b"") + b"\n" for line in made)


def ids(out: bytes) -> list[str]:
    """The report ids of a converted file, line by line."""
    return [json.loads(line)["report"]["id"] for line in out.splitlines()]


@pytest.fixture
def no_small_files(monkeypatch: pytest.MonkeyPatch) -> None:
    """Short files are converted by several processes, too."""
    monkeypatch.setattr(ndjson, "SMALL", 0)


@pytest.mark.usefixtures("no_small_files")
def test_several_processes_write_what_one_does_in_the_same_order(run: Run, tmp_path: Path) -> None:
    (tmp_path / "in.ndjson").write_bytes(lines(5 * PART_LINES, frozenset({3, 40})))
    for jobs in ("1", "2"):
        done = run("convert", "in.ndjson", "--to", "findings", "-o", f"{jobs}.ndjson", "--jobs", jobs)
        assert done.exit_code == 2
        assert "78 converted, 2 refused" in done.stderr
    assert (tmp_path / "1.ndjson").read_bytes() == (tmp_path / "2.ndjson").read_bytes()
    expected = [f"r{turn}" for turn in range(1, 5 * PART_LINES + 1) if turn not in {3, 40}]
    assert ids((tmp_path / "2.ndjson").read_bytes()) == expected


@pytest.mark.parametrize("form", ["findings", "fhir-r4", "fhir-r5", "hl7v2", "html"])
def test_a_line_is_what_the_document_alone_becomes(run: Run, tmp_path: Path, form: str) -> None:
    (tmp_path / "in.ndjson").write_bytes(lines(2))
    (tmp_path / "one.json").write_bytes(lines(1))
    assert run("convert", "in.ndjson", "--to", form, "-o", "out.ndjson").exit_code == 0
    assert run("convert", "one.json", "--to", form, "-o", "one.out").exit_code == 0
    first, _ = (tmp_path / "out.ndjson").read_bytes().splitlines()
    alone = (tmp_path / "one.out").read_bytes()
    if form in {"hl7v2", "html"}:
        assert json.loads(first) == alone.decode()
    else:
        assert json.loads(first) == json.loads(alone)


def test_each_problem_of_a_line_is_a_row_of_the_errors(run: Run, tmp_path: Path) -> None:
    (tmp_path / "in.ndjson").write_bytes(lines(1) + b"\n" + BAD + b"\n" + b"nonsense\n")
    done = run("convert", "in.ndjson", "--to", "sr", "-o", "out", "--errors", "errors.ndjson")
    rows = [json.loads(line) for line in (tmp_path / "errors.ndjson").read_text().splitlines()]
    assert done.exit_code == 2
    assert {row["line"] for row in rows} == {3, 4}
    assert all({"line", "pointer", "rule", "detail"} <= set(row) for row in rows)
    assert "line 3" not in done.stderr


def test_a_line_over_the_limit_is_refused_and_the_next_one_is_read(tmp_path: Path) -> None:
    (tmp_path / "in.ndjson").write_bytes(b"x" * 200_000 + b"\n" + b"y" * 100 + b"\r\n" + b"z" * 101)
    with (tmp_path / "in.ndjson").open("rb") as file:
        (part,) = parts(file, 100, 0)
    assert [(line.number, line.body is None) for line in part.lines] == [(1, True), (2, False), (3, True)]
    assert part.end == (tmp_path / "in.ndjson").stat().st_size


def test_the_list_of_losses_is_json_and_names_the_lines(run: Run, tmp_path: Path) -> None:
    body = make_body(lesions__0__site="frontal loeb")
    (tmp_path / "in.ndjson").write_bytes((body.replace(b"\n", b"") + b"\n") * 2)
    run("convert", "in.ndjson", "--to", "sr", "-o", "a", "--loss", "loss.json")
    run("convert", "in.ndjson", "--to", "sr", "-o", "b", "--loss", "loss.ndjson")
    losses = json.loads((tmp_path / "loss.json").read_text())
    assert {one["source"] for one in losses} >= {"in.ndjson, line 1", "in.ndjson, line 2"}
    assert [json.loads(line) for line in (tmp_path / "loss.ndjson").read_text().splitlines()] == losses


def test_no_more_than_a_window_is_read_ahead(tmp_path: Path) -> None:
    read = 0

    def counted() -> Iterator[Part]:
        nonlocal read
        for turn in range(1, 41):
            read += 1
            yield Part((Line(turn, BAD),), turn, turn)

    wish = Wish(Format.FINDINGS, Format.FINDINGS, Options(), Settings(database_url=f"sqlite:///{tmp_path}/x.sqlite3"))
    for taken, (part, made) in enumerate(
        converted(Work(Conversion(wish), "in.ndjson", None, losses=False), counted(), 2), 1
    ):
        assert part.last == taken
        assert len(made.refusals) == 1
        assert read - taken < 2 * WINDOW
    assert read == 40


@pytest.mark.parametrize("out", ["out.ndjson", "out"])
def test_a_killed_run_goes_on_with_no_line_twice_or_lost(tmp_path: Path, out: str) -> None:
    (tmp_path / "in.ndjson").write_bytes(lines(600, frozenset({5, 300, 599})))
    begin = _started(tmp_path, out, hold=3)
    _wait_for_marks(tmp_path / f"{out}.journal", 3)
    begin.kill()
    begin.wait()
    done = 0
    for line in (tmp_path / f"{out}.journal").read_bytes().split(b"\n")[1:-1]:
        done = json.loads(line)["lines"]
    assert 0 < done < 600
    resumed = _started(tmp_path, out, "--resume")
    _, said = resumed.communicate(timeout=600)
    assert resumed.returncode == 2
    assert b"597 converted, 3 refused" in said
    expected = [f"r{turn}" for turn in range(1, 601) if turn not in {5, 300, 599}]
    if out.endswith("ndjson"):
        assert ids((tmp_path / out).read_bytes()) == expected
    else:
        found = [json.loads(file.read_bytes())["report"]["id"] for file in sorted((tmp_path / out).iterdir())]
        assert found == expected
    rows = [json.loads(line)["line"] for line in (tmp_path / "errors.ndjson").read_text().splitlines()]
    assert sorted(set(rows)) == [5, 300, 599]
    assert rows == sorted(rows)
    assert not (tmp_path / f"{out}.journal").exists()


def test_the_processes_end_with_the_one_that_began_them(tmp_path: Path) -> None:
    (tmp_path / "in.ndjson").write_bytes(lines(600))
    begun = _started(tmp_path, "out.ndjson", hold=2)
    _wait_for_marks(tmp_path / "out.ndjson.journal", 2)
    children = Path(f"/proc/{begun.pid}/task/{begun.pid}/children").read_text().split()
    assert len(children) == 2
    begun.kill()
    begun.wait()
    end = time.monotonic() + 120
    while any(_lives(int(one)) for one in children) and time.monotonic() < end:
        time.sleep(0.05)
    assert not any(_lives(int(one)) for one in children)


def test_a_killed_process_ends_the_run_which_can_be_gone_on_with(tmp_path: Path) -> None:
    (tmp_path / "in.ndjson").write_bytes(lines(600))
    begun = _started(tmp_path, "out.ndjson", hold=2)
    _wait_for_marks(tmp_path / "out.ndjson.journal", 2)
    child = Path(f"/proc/{begun.pid}/task/{begun.pid}/children").read_text().split()[0]
    os.kill(int(child), signal.SIGKILL)
    _, said = begun.communicate(timeout=600)
    assert begun.returncode == 2
    assert b"--resume" in said
    resumed = _started(tmp_path, "out.ndjson", "--resume")
    resumed.communicate(timeout=600)
    assert ids((tmp_path / "out.ndjson").read_bytes()) == [f"r{turn}" for turn in range(1, 601)]


def test_who_ends_a_run_is_told_how_it_goes_on(tmp_path: Path) -> None:
    (tmp_path / "in.ndjson").write_bytes(lines(100))
    begun = _started(tmp_path, "out.ndjson", hold=2)
    _wait_for_marks(tmp_path / "out.ndjson.journal", 2)
    begun.send_signal(signal.SIGINT)
    _, said = begun.communicate(timeout=600)
    assert begun.returncode == 1
    assert b"interrupted; `--resume` goes on" in said
    assert b"Traceback" not in said
    _started(tmp_path, "out.ndjson", "--resume").communicate(timeout=600)
    assert ids((tmp_path / "out.ndjson").read_bytes()) == [f"r{turn}" for turn in range(1, 101)]


def test_what_ends_too_early_ends_on_its_own_line(run: Run, tmp_path: Path) -> None:
    (tmp_path / "in.ndjson").write_bytes(b'{"report":\r\n')
    done = run("convert", "in.ndjson", "--to", "sr", "-o", "out")
    assert "in.ndjson, line 1" in done.stderr
    assert "line 1, column 11" in done.stderr


def test_a_run_that_was_interrupted_is_not_begun_anew_by_mistake(run: Run, tmp_path: Path) -> None:
    (tmp_path / "in.ndjson").write_bytes(lines(2))
    (tmp_path / "out.journal").write_bytes(b'{"version":"another"}\n')
    assert "--resume" in run("convert", "in.ndjson", "--to", "sr", "-o", "out").stderr
    other = run("convert", "in.ndjson", "--to", "sr", "-o", "out", "--resume")
    assert other.exit_code == 2
    assert "since then the version has changed" in other.stderr


def test_the_last_whole_mark_of_a_torn_journal_counts(tmp_path: Path) -> None:
    place = tmp_path / "x.journal"
    journal = Journal.open(place, {"run": "1"}, resume=False)
    journal.note(Mark(lines=7))
    journal.close()
    with place.open("ab") as file:
        file.write(b'{"lines": 9')
    again = Journal.open(place, {"run": "1"}, resume=True)
    assert again.mark == Mark(lines=7)
    again.note(Mark(lines=8))
    again.close()
    assert Journal.open(place, {"run": "1"}, resume=True).mark == Mark(lines=8)
    with pytest.raises(OtherRun):
        Journal.open(place, {"run": "2"}, resume=True)


def test_two_processes_are_not_at_one_run(tmp_path: Path) -> None:
    place = tmp_path / "x.journal"
    journal = Journal.open(place, {}, resume=False)
    script = (
        "import sys; from pathlib import Path; from service.commands.journal import Journal;"
        "Journal.open(Path(sys.argv[1]), {}, resume=True)"
    )
    other = subprocess.run([sys.executable, "-c", script, str(place)], capture_output=True, check=False)
    journal.close()
    assert Running.__name__.encode() in other.stderr


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("in.ndjson", "--to", "sr"), "-o FOLDER"),
        (("in.ndjson", "--to", "sr", "-o", "out.ndjson"), "no line of text"),
        (("in.ndjson", "--to", "findings", "-o", "in.ndjson"), "files of their own"),
        (("in.ndjson", "--to", "findings", "-o", "x.ndjson", "--errors", "x.ndjson"), "files of their own"),
        (("one.json", "--to", "sr", "-o", "x", "--errors", "e"), "for an NDJSON file"),
    ],
)
def test_what_can_not_be_done_is_said_first(run: Run, tmp_path: Path, arguments: tuple[str, ...], why: str) -> None:
    (tmp_path / "in.ndjson").write_bytes(lines(1))
    (tmp_path / "one.json").write_bytes(lines(1))
    done = run("convert", *arguments)
    assert done.exit_code == 2
    assert why in done.stderr
    assert (tmp_path / "in.ndjson").read_bytes() == lines(1)


def test_progress_says_rate_and_time_left(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "SAY_S", 0.0)
    (tmp_path / "in.ndjson").write_bytes(lines(3 * PART_LINES))
    said = run("convert", "in.ndjson", "--to", "findings", "-o", "out.ndjson").stderr
    assert "lines a second" in said
    assert " left" in said
    assert "100 %" in said


MARKING = """
import sys
import service.commands.ndjson as n
from service.cli import main

left, note = {hold}, n.Journal.note

def held(self, mark):
    global left
    note(self, mark)
    left -= 1
    if left == 0:
        sys.stdin.read()

n.MARK_S, n.SMALL, n.Journal.note = 0.0, 0, held
main()
"""


def _started(folder: Path, out: str, *more: str, hold: int = 0) -> subprocess.Popen[bytes]:
    """A conversion that makes a mark after each part, and waits after so many of them."""
    command = ["convert", "in.ndjson", "--to", "findings", "-o", out, "--errors", "errors.ndjson", "--jobs", "2", *more]
    environment = os.environ | {"LESIONBRIDGE_DATABASE_URL": f"sqlite:///{folder}/x.sqlite3"}
    return subprocess.Popen(
        [sys.executable, "-c", MARKING.format(hold=hold), *command],
        cwd=folder,
        env=environment,
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def _wait_for_marks(journal: Path, marks: int) -> None:
    end = time.monotonic() + 300
    while not journal.exists() or journal.read_bytes().count(b"\n") <= marks:
        assert time.monotonic() < end
        time.sleep(0.01)


def _lives(process: int) -> bool:
    try:
        return "Z" not in Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
