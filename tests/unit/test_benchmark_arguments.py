"""Every benchmark says what it takes when it is asked, and begins nothing then, or when it is asked for what is not."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
RUN = '__name__ == "__main__"'
MODULES = sorted(
    ".".join(path.relative_to(ROOT).with_suffix("").parts)
    for path in (ROOT / "benchmarks").rglob("*.py")
    # One that is started under an environment of its own, which this one lacks.
    if RUN in path.read_text() or path.name == "__main__.py"
)


def called(module: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """A benchmark that ends before it measures."""
    command = [sys.executable, "-m", module.removesuffix(".__main__"), *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)


@pytest.mark.parametrize("module", MODULES)
def test_a_benchmark_says_what_it_takes_and_refuses_what_it_does_not_know(module: str) -> None:
    told = called(module, "--help")
    assert (told.returncode, told.stdout.partition(":")[0]) == (0, "usage")
    refused = called(module, "--nonsense")
    assert refused.returncode == 2
    assert "usage:" in refused.stderr


@pytest.mark.parametrize("module", ["benchmarks.served", "benchmarks.serving"])
def test_the_servers_are_asked_a_number_of_times_from_one(module: str) -> None:
    assert "--requests" in called(module, "--help").stdout
    refused = called(module, "--requests", "0")
    assert refused.returncode == 2
    assert "invalid positive value: '0'" in refused.stderr
