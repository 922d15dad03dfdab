"""`lesionbridge worker` holds the words of rules as `serve` does: the lines of batches go by them."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.unit.cli.conftest import Run


@pytest.fixture
def rules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    file = tmp_path / "receiving.toml"
    monkeypatch.setenv("LESIONBRIDGE_RECEIVING_FILE", str(file))
    return file


def test_a_rule_that_nothing_can_meet_stops_the_start(run: Run, rules: Path) -> None:
    rules.write_text('[[routes]]\nname = "a"\nmodality = ["MR, CT"]\ndeliver = []\n', encoding="utf-8")
    done = run("worker")
    assert (done.exit_code, "routes[0].modality" in done.stderr) == (2, True)


@pytest.mark.usefixtures("run")
def test_a_rule_that_may_never_be_met_is_doubted_aloud(rules: Path) -> None:
    rules.write_text('[[routes]]\nname = "a"\nmodality = ["XY"]\ndeliver = []\n', encoding="utf-8")
    worker = subprocess.Popen([sys.executable, "-m", "service.cli", "worker"], stderr=subprocess.PIPE, text=True)
    try:
        assert worker.stderr is not None
        said = worker.stderr.readline()
        assert ("rule doubted" in said, "routes[0].modality" in said) == (True, True)
    finally:
        worker.kill()
        worker.communicate()
