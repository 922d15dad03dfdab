"""NDJSON comes on standard input, too, and goes to standard output: as a file of it does, but once."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.findings import make_body
from tests.unit.cli.conftest import Run
from tests.unit.cli.test_ndjson import ids, lines

BAD = frozenset({2, 40})
COUNT = 50


@pytest.fixture
def converted(run: Run, tmp_path: Path) -> bytes:
    """What the file becomes."""
    (tmp_path / "in.ndjson").write_bytes(lines(COUNT, BAD))
    run("convert", "in.ndjson", "--to", "fhir-r4", "-o", "file.ndjson")
    return (tmp_path / "file.ndjson").read_bytes()


def test_a_pipe_becomes_what_the_file_becomes(run: Run, tmp_path: Path, converted: bytes) -> None:
    done = run("convert", "--ndjson", "-", "--to", "fhir-r4", input=lines(COUNT, BAD))
    assert done.exit_code == 2
    assert done.stdout_bytes == converted
    assert "(standard input), line 40" in done.stderr
    assert "48 converted, 2 refused" in done.stderr
    assert done.stderr.rstrip().endswith("in standard output")
    assert sorted(file.name for file in tmp_path.glob("*.journal")) == []


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_a_real_pipe_that_can_not_be_sought_is_read(tmp_path: Path, converted: bytes, jobs: str) -> None:
    command = [sys.executable, "-m", "service.cli", "convert", "--ndjson", "-", "--to", "fhir-r4", "--jobs", jobs]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd=tmp_path
    ) as process:
        out, _ = process.communicate(lines(COUNT, BAD), timeout=120)
    assert (process.returncode, out) == (2, converted)


def test_a_folder_has_a_file_of_each_line_and_side_files_name_it(run: Run, tmp_path: Path) -> None:
    arguments = ("-o", "out", "--errors", "errors.ndjson", "--loss", "loss.ndjson")
    report = make_body(lesions__0__site="frontal loeb").replace(b"\n", b"") + b"\n"
    done = run("convert", "--ndjson", "-", "--to", "sr", *arguments, input=report + b"{}\n" + report)
    assert done.exit_code == 2
    assert sorted(file.name for file in (tmp_path / "out").iterdir()) == ["report-000001.dcm", "report-000003.dcm"]
    rows = [json.loads(row) for row in (tmp_path / "errors.ndjson").read_text().splitlines()]
    assert {row["line"] for row in rows} == {2}
    losses = [json.loads(row) for row in (tmp_path / "loss.ndjson").read_text().splitlines()]
    assert {loss["source"] for loss in losses} == {"(standard input), line 1", "(standard input), line 3"}


def test_a_file_of_another_name_is_ndjson_where_that_is_said(run: Run, tmp_path: Path) -> None:
    (tmp_path / "reports.txt").write_bytes(lines(2))
    assert run("convert", "--ndjson", "reports.txt", "--to", "findings", "-o", "out.ndjson").exit_code == 0
    assert ids((tmp_path / "out.ndjson").read_bytes()) == ["r1", "r2"]


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("-", "--to", "sr"), "it is no line of text"),
        (("-", "--to", "findings", "--resume"), "comes once"),
        (("-", "--to", "findings", "-o", "begun.ndjson"), "remove begun.ndjson.journal"),
        (("-", "--to", "findings", "-o", "a.ndjson", "--errors", "a.ndjson"), "files of their own"),
        ((".", "--to", "findings", "-o", "out"), "no folder"),
        (("-", "--to", "findings", "--from", "csv"), "no table"),
    ],
)
def test_what_can_not_be_done_is_said_first(run: Run, tmp_path: Path, arguments: tuple[str, ...], why: str) -> None:
    (tmp_path / "begun.ndjson.journal").write_text("{}\n")
    done = run("convert", "--ndjson", *arguments, input=lines(1))
    assert (done.exit_code, done.stdout) == (2, "")
    assert why in done.stderr
