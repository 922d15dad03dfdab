"""The wheel works outside the repository: built from what is tracked, installed by the lock, called from elsewhere.

The Dockerfile takes the same steps; no container engine is needed to hold them.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("service", "mappings", "terminology")
# One worker does all of it, so that the wheel is built once.
pytestmark = pytest.mark.xdist_group("packaging")


def _run(*command: str | Path, cwd: Path) -> str:
    """Run a command far from the repository; its output is the message if it fails."""
    clean = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "VIRTUAL_ENV")}
    done = subprocess.run(
        [str(part) for part in command], cwd=cwd, env=clean, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def _tracked() -> list[str]:
    """Files of the three packages that git tracks, or that a release archive holds."""
    listed = subprocess.run(["git", "ls-files", *PACKAGES], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode == 0:
        return [name for name in listed.stdout.splitlines() if (ROOT / name).is_file()]
    files = (path for package in PACKAGES for path in (ROOT / package).rglob("*"))
    return [str(path.relative_to(ROOT)) for path in files if path.is_file() and "__pycache__" not in path.parts]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from a copy so that nothing is left in the repository."""
    source = tmp_path_factory.mktemp("source")
    for name in [*_tracked(), "pyproject.toml", "README.md", "LICENSE", "NOTICE"]:
        target = source / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, target)
    target = tmp_path_factory.mktemp("wheel")
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check")
    _run(*pip, "wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", target, source, cwd=target)
    (built,) = target.glob("lesionbridge-*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A new environment with the locked packages and the wheel."""
    home = tmp_path_factory.mktemp("installed")
    _run(sys.executable, "-m", "venv", home / "venv", cwd=home)
    python = home / "venv" / "bin" / "python"
    pip = (python, "-m", "pip", "--disable-pip-version-check", "install", "--quiet")
    _run(*pip, "--require-hashes", "-r", ROOT / "requirements.lock", cwd=home)
    _run(*pip, "--no-deps", "--no-index", wheel, cwd=home)
    return home


def test_every_tracked_file_of_the_packages_is_in_the_wheel(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        packed = set(archive.namelist())

    assert set(_tracked()) - packed == set()


def test_the_wheel_holds_the_three_packages_and_nothing_else(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        tops = {name.split("/")[0] for name in archive.namelist()}

    assert {top for top in tops if not top.endswith(".dist-info")} == set(PACKAGES)


def test_the_licence_and_the_notice_travel_with_the_wheel(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = {name.rsplit("/", 1)[1] for name in archive.namelist() if "/licenses/" in name}

    assert names == {"LICENSE", "NOTICE"}


@pytest.mark.slow
def test_the_installed_command_says_what_it_can_do(installed: Path) -> None:
    told = _run(installed / "venv" / "bin" / "lesionbridge", "--help", cwd=installed)

    assert "convert" in told
    assert "serve" in told


@pytest.mark.slow
def test_the_installed_command_converts_a_report(installed: Path) -> None:
    example = next(iter(sorted((ROOT / "examples").glob("*.json"))))
    command = installed / "venv" / "bin" / "lesionbridge"

    _run(command, "convert", example, "--to", "sr", "-o", installed / "report.dcm", cwd=installed)

    assert (installed / "report.dcm").read_bytes()[128:132] == b"DICM"


@pytest.mark.slow
def test_what_is_installed_needs_nothing_else(installed: Path) -> None:
    _run(installed / "venv" / "bin" / "python", "-m", "pip", "check", cwd=installed)
