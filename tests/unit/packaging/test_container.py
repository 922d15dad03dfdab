"""The Dockerfile and the compose file, held by linters since no container engine is at hand."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from service.config import load
from tests import image

ROOT = Path(__file__).resolve().parents[3]
BIN = Path(sys.executable).parent
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")


def _run(*command: str | Path) -> str:
    done = subprocess.run([str(part) for part in command], cwd=ROOT, capture_output=True, text=True, check=False)
    return "" if done.returncode == 0 else done.stdout + done.stderr or f"exit {done.returncode}"


def test_hadolint_finds_nothing_in_the_dockerfile() -> None:
    assert _run(BIN / "hadolint", "Dockerfile") == ""


def test_the_compose_file_obeys_the_compose_specification() -> None:
    assert _run(BIN / "check-jsonschema", "--builtin-schema", "vendor.compose-spec", "docker-compose.yml") == ""


def test_the_image_runs_as_a_numbered_user_that_is_not_root() -> None:
    users = re.findall(r"^USER (\d+):(\d+)$", DOCKERFILE, re.MULTILINE)

    assert users
    assert all(int(number) > 0 for pair in users for number in pair)


def test_the_image_says_no_setting_since_it_would_count_more_than_a_deployments_file() -> None:
    assert [name for name in image.environment() if name.startswith("LESIONBRIDGE_")] == []


def test_the_image_alone_keeps_its_database_in_its_volume(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in image.environment().items():
        monkeypatch.setenv(name, value)
    (volume,) = re.findall(r"^VOLUME (\S+)$", DOCKERFILE, re.MULTILINE)

    assert load(image.environment()).database_url == f"sqlite:///{volume}/lesionbridge.sqlite3"


def test_the_image_installs_by_hash_and_has_a_health_check() -> None:
    assert "--require-hashes -r requirements.lock" in DOCKERFILE
    assert re.search(r"^HEALTHCHECK .*\\\n\s+CMD .*/health/live", DOCKERFILE, re.MULTILINE)


def test_what_the_dockerfile_copies_is_there_and_is_let_through() -> None:
    sources = [
        name for line in re.findall(r"^COPY (?!--from)(.*)$", DOCKERFILE, re.MULTILINE) for name in line.split()[:-1]
    ]
    let_through = re.findall(r"^!(.*)$", (ROOT / ".dockerignore").read_text(encoding="utf-8"), re.MULTILINE)

    assert [name for name in sources if not (ROOT / name).exists()] == []
    assert set(sources) == set(let_through)
