"""The lock files: exact, hashed, whole, and free of addresses."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
LOCKS = ("requirements.lock", "requirements-dev.lock")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _locked(lock: str) -> dict[str, str]:
    text = (ROOT / lock).read_text(encoding="utf-8")
    return {_normal(name): version for name, version in re.findall(r"^([\w.-]+)(?:\[.*\])?==(\S+)", text, re.MULTILINE)}


def _names(requirements: list[str | dict[str, str]]) -> set[str]:
    return {_normal(re.split(r"[\[<>=~! ;]", entry)[0]) for entry in requirements if isinstance(entry, str)}


@pytest.mark.parametrize("lock", LOCKS)
def test_every_entry_is_an_exact_version_with_hashes(lock: str) -> None:
    entries = re.split(r"\n(?=\S)", (ROOT / lock).read_text(encoding="utf-8").strip())

    loose = [entry.split()[0] for entry in entries if "==" not in entry.split()[0] or "--hash=sha256:" not in entry]
    assert loose == []


@pytest.mark.parametrize("lock", LOCKS)
def test_no_index_address_or_path_is_named(lock: str) -> None:
    text = (ROOT / lock).read_text(encoding="utf-8")

    assert re.findall(r"https?:|--(?:extra-)?index|--find-links|file:|^\s*[#/].*", text, re.MULTILINE) == []


def test_the_run_time_lock_holds_every_dependency_and_the_build_backend() -> None:
    wanted = _names(PROJECT["project"]["dependencies"]) | _names(PROJECT["dependency-groups"]["build"])

    assert wanted - _locked("requirements.lock").keys() == set()


def test_the_development_lock_holds_the_run_time_in_the_same_versions() -> None:
    assert _locked("requirements.lock").items() - _locked("requirements-dev.lock").items() == set()
    assert _names(PROJECT["dependency-groups"]["dev"]) - _locked("requirements-dev.lock").keys() == set()


def test_the_backend_that_builds_is_the_one_that_is_locked() -> None:
    (required,) = PROJECT["build-system"]["requires"]

    assert required == f"setuptools=={_locked('requirements.lock')['setuptools']}"
