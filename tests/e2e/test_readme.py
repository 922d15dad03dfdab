"""What the README shows is what happens: its commands are run, its output compared; `...` stands for anything."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from service.api.negotiation import OFFERS
from service.doors import MEDIA_TYPES
from service.pipeline import DIALECTS, Format, Options, Source, convert
from tests.e2e.test_service import ROOT, demo, serving

README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```console\n(.*?)```", README, re.DOTALL)


def steps(block: str) -> list[tuple[str, str]]:
    """The commands of a block, each with the output shown below it."""
    return [(command, shown) for command, shown in re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", block, re.MULTILINE)]


def matches(shown: str, said: str) -> bool:
    """Whether output is as shown; a line `...` stands for any lines, `...` within one for any text."""
    pattern = re.escape(shown.rstrip() + "\n").replace(re.escape("...\n"), "(?:.*\n)*").replace(re.escape("..."), ".*")
    return re.fullmatch(pattern, said.rstrip() + "\n") is not None


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A place to run the commands in, with the examples."""
    shutil.copytree(ROOT / "examples", tmp_path / "examples", ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


def run(command: str, folder: Path) -> str:
    """What a command of the README says."""
    done = subprocess.run(
        ["bash", "-c", f"{command} 2>&1"], cwd=folder, capture_output=True, text=True, timeout=120, check=False
    )
    return done.stdout


def test_the_demo_says_what_is_shown(folder: Path) -> None:
    [(command, shown)] = steps(BLOCKS[0])
    assert command == "make demo"
    assert "examples/run_demo.py" in (ROOT / "Makefile").read_text(encoding="utf-8")
    # How many terms of an example have a code grows with the vocabulary; that is no promise of the README.
    counts = re.compile(r"\d+ codes for \d+ terms(, \d+ left as text)?")
    assert matches(counts.sub("N codes", shown), counts.sub("N codes", demo(folder).stdout))


@pytest.mark.parametrize(("command", "shown"), steps(BLOCKS[1]))
def test_a_command_says_what_is_shown(folder: Path, command: str, shown: str) -> None:
    called = command.replace("lesionbridge", f"PYTHONPATH={ROOT} {sys.executable} -m service.cli", 1)
    said = run(called, folder)
    assert matches(shown, said), said


def test_the_requests_answer_what_is_shown(folder: Path) -> None:
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed")
    with serving(folder) as running:
        for command, shown in steps(BLOCKS[2]):
            said = run(command.replace("http://127.0.0.1:8080", running.address), folder)
            assert matches(shown, said), said
    assert (folder / "again.json").read_bytes() == (folder / "receipt.json").read_bytes()


def test_every_block_of_commands_is_run() -> None:
    assert len(BLOCKS) == 3


def test_the_findings_shown_are_taken() -> None:
    [shown] = re.findall(r"```json\n(.*?)```", README, re.DOTALL)
    outcome = convert(Source(shown.encode()), (Format.SR, Format.FHIR_R4), Options(check=True))
    assert len(outcome.report.lesions) == len(json.loads(shown)["lesions"])
    assert outcome.report.lesions[0].finding.codes


def test_every_format_and_media_type_is_listed() -> None:
    for name in [*Format, *DIALECTS, *MEDIA_TYPES, *(offer.media_type for offer in OFFERS)]:
        assert f"`{name}" in README


def test_every_link_leads_to_a_file() -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", README):
        assert (ROOT / target).exists(), target
