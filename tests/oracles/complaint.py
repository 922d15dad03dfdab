"""What a judge says, where the judges are installed, and how their programs are run."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
JAVA_QUICK = ("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")
"""Options of a JVM whose run is too short for what it compiles better, or collects with many threads, to pay."""


@dataclass(frozen=True, slots=True)
class Complaint:
    """One objection of one judge to one file; `missing`: the judge could not be asked, since it is not installed."""

    file: str
    oracle: str
    message: str
    missing: bool = False

    def __str__(self) -> str:
        return f"{Path(self.file).name}: {self.oracle}: {self.message}"


def json_object(line: str) -> dict[str, Any]:
    """The JSON object that a line of a judge's output is; empty where it is none: libraries print there too."""
    try:
        told = json.loads(line) if line.startswith("{") else {}
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}


class NotInstalled(Exception):
    """The judge is not on this machine; the message says what is missing."""


def home() -> Path:
    """Folder that the judges are installed in."""
    return Path(os.environ.get("LESIONBRIDGE_ORACLES") or Path.home() / ".cache" / "lesionbridge-oracles")


def program(name: str) -> str:
    """Path of a program of the system."""
    found = shutil.which(name)
    if not found:
        raise NotInstalled(f"{name} is not installed")
    return found


def installed(*parts: str) -> Path:
    """Path below the judges' folder."""
    path = home().joinpath(*parts)
    if not path.exists():
        raise NotInstalled(f"{'/'.join(parts)} is not installed")
    return path


def node_script(name: str) -> Path:
    """Copy of our script beside the installed npm packages: an ES module finds packages only from where it lies."""
    source = HERE / "node" / name
    target = installed("node", "node_modules").parent / name
    if not target.exists() or target.read_bytes() != source.read_bytes():
        fresh = target.with_suffix(f".{os.getpid()}")
        fresh.write_bytes(source.read_bytes())
        fresh.replace(target)
    return target


@dataclass(frozen=True, slots=True)
class Answer:
    """What a program printed and how it ended."""

    status: int
    out: str
    err: str

    @property
    def text(self) -> str:
        return self.err + self.out


def run(*command: str | Path, timeout_s: float = 600) -> Answer:
    """Run a program to its end; never raises for its exit status."""
    done = subprocess.run([str(part) for part in command], capture_output=True, timeout=timeout_s, check=False)
    return Answer(done.returncode, done.stdout.decode("utf-8", "replace"), done.stderr.decode("utf-8", "replace"))
