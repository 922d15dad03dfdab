"""Every reader under a coverage-guided fuzzer: a short run each time, a long one by hand (`python -m tests.fuzz`)."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from service.doors import READERS, Format

ROOT = Path(__file__).parents[2]
RUNS = 1_500


@pytest.mark.oracle("atheris")
@pytest.mark.parametrize("form", list(READERS))
def test_a_reader_refuses_what_it_can_not_read_and_nothing_worse(
    form: Format, oracle: Callable[[str], Path], tmp_path: Path
) -> None:
    fuzzer = oracle("fuzz/atheris").parent
    command = [sys.executable, "-m", "tests.fuzz", form, "--runs", str(RUNS), "--seconds", "60"]
    done = subprocess.run(
        [*command, "--corpus", str(tmp_path)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{fuzzer}"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2_000:]
    assert "stat::number_of_executed_units" in done.stderr
    assert "Instrumenting service.formats." in done.stderr, "the readers are not seen by the fuzzer"
    assert not list(tmp_path.glob("found-*"))
