"""The wheel works outside the repository: built from what is tracked, installed by the lock, called from elsewhere.

The Dockerfile takes the same steps; no container engine is needed to hold them.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
import requests

from tests import image
from tests.databases import another, postgres, postgres_programs

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


def tracked() -> list[str]:
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
    for name in [*tracked(), "pyproject.toml", "setup.py", "README.md", "LICENSE", "NOTICE"]:
        target = source / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, target)
    target = tmp_path_factory.mktemp("wheel")
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check")
    _run(*pip, "wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", target, source, cwd=target)
    (built,) = target.glob("lesionbridge-*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path) -> Iterator[Path]:
    """A new environment with the locked packages and the wheel, where any user may read it."""
    with TemporaryDirectory(prefix="lb-installed-") as folder:
        home = Path(folder)
        home.chmod(0o755)
        _install(wheel, home)
        yield home


def _install(wheel: Path, home: Path) -> None:
    """The steps of the Dockerfile."""
    _run(sys.executable, "-m", "venv", home / "venv", cwd=home)
    python = home / "venv" / "bin" / "python"
    pip = (python, "-m", "pip", "--disable-pip-version-check", "install", "--quiet")
    _run(*pip, "--require-hashes", "-r", ROOT / "requirements.lock", cwd=home)
    _run(*pip, "--no-deps", "--no-index", wheel, cwd=home)


def test_every_tracked_file_of_the_packages_is_in_the_wheel(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        packed = set(archive.namelist())

    assert set(tracked()) - packed == set()


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


READ_ONLY = """
for folder; do
  [ "$folder" = -- ] && break
  mount --bind "$folder" "$folder"
  shift
done
shift
mount -o remount,bind,ro /
exec setpriv --bounding-set=-all --inh-caps=-all --no-new-privs "$@"
"""
"""As a container engine does with `read_only`, `cap_drop` and `no-new-privileges`: FOLDER... -- COMMAND."""


def _contained(folders: list[Path], *command: str | Path) -> list[str]:
    """A command that may write into these folders only, and has no capability."""
    start = ["unshare", "--mount", "--propagation", "private", "sh", "-euc", READ_ONLY, "sh"]
    return [*start, *map(str, folders), "--", *map(str, command)]


def _can_contain(folder: Path) -> bool:
    """Whether this machine lets us: it needs root, and a kernel that lets root make a mount namespace."""
    if os.geteuid() != 0 or not shutil.which("unshare") or not shutil.which("setpriv"):
        return False
    tried = subprocess.run(
        _contained([folder], "sh", "-c", f"touch {folder}/in && ! touch {folder.parent}/out"),
        capture_output=True,
        check=False,
    )
    return tried.returncode == 0


def _ended(process: subprocess.Popen[str], seconds: float) -> int:
    """How a process ends that is told to stop."""
    process.send_signal(signal.SIGTERM)
    return process.wait(timeout=seconds)


@pytest.mark.slow
def test_what_is_installed_runs_on_a_read_only_root_without_capabilities(installed: Path) -> None:
    """As in the container: migrations, a key, service and worker on PostgreSQL, a report delivered; home is empty."""
    with TemporaryDirectory(prefix="lb-image-") as folder:
        place = Path(folder)
        written = [place / "tmp", place / "outbox"]
        for one in [*written, place / "home"]:
            one.mkdir()
        if postgres_programs() is None or not _can_contain(place / "tmp"):
            pytest.skip("needs PostgreSQL, and root to mount what is there read-only")
        with postgres() as server:
            _deliver_one(installed, place, written, another(server, "image"))


def _deliver_one(installed: Path, place: Path, written: list[Path], database_url: str) -> None:
    """All steps of a deployment, each a process of its own."""
    (place / "settings.toml").write_text(f'database_url = "{database_url}"\n', encoding="utf-8")
    (place / "destinations.toml").write_text(
        f'[destinations.outbox]\nkind = "folder"\npath = "{place / "outbox"}"\ntakes = "sr"\n', encoding="utf-8"
    )
    environment = image.environment() | {
        "PATH": f"{installed / 'venv' / 'bin'}:/usr/bin:/bin",
        "HOME": str(place / "home"),
        "XDG_DATA_HOME": str(place),
        "TMPDIR": str(place / "tmp"),
        "LESIONBRIDGE_CONFIG": str(place / "settings.toml"),
        "LESIONBRIDGE_DESTINATIONS_FILE": str(place / "destinations.toml"),
        "LESIONBRIDGE_ACCESS": "required",
        "LESIONBRIDGE_MIGRATE": "false",
        "LESIONBRIDGE_DELIVER_INSIDE": "false",
        "LESIONBRIDGE_WORKERS": "2",
    }

    def start(*arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            _contained(written, installed / "venv" / "bin" / "lesionbridge", *arguments),
            cwd=place / "home",
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    def done(*arguments: str) -> str:
        process = start(*arguments)
        told, _ = process.communicate(timeout=120)
        assert process.returncode == 0, arguments
        return told.strip()

    done("migrate")
    key = done("key", "create", "first", "--scope", "report.write", "--scope", "report.read")
    service, worker = start("serve", "--port", "0"), start("worker")
    try:
        told = next(match for line in service.stdout or () if (match := re.search(r"http://\S+", line)))
        report = (ROOT / "examples" / "bone-ct-pelvis-blastic.json").read_bytes()
        url = f"{told[0]}/v1/reports?deliver=outbox"
        headers = {"Content-Type": "application/vnd.lesionbridge.findings+json"}
        ready = requests.get(f"{told[0]}/health/ready", timeout=120).json()
        closed = requests.post(url, report, headers=headers, timeout=120)
        created = requests.post(url, report, headers={**headers, "X-API-Key": key}, timeout=120)
        until = time.monotonic() + 120
        while not list((place / "outbox").glob("*.dcm")) and time.monotonic() < until:
            time.sleep(0.2)
    finally:
        ends = (_ended(service, 80), _ended(worker, 60))

    assert ready["faults"] == []
    assert (closed.status_code, created.status_code) == (401, 201), created.text
    assert len(list((place / "outbox").glob("*.dcm"))) == 1
    assert ends == (0, 0)
    assert list((place / "home").iterdir()) == []
