"""The command line as a user calls it."""

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from service.cli import main

Run = Callable[..., Result]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Call `lesionbridge` in an empty folder with a database and a data folder of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("LESIONBRIDGE_DATABASE_URL", f"sqlite:///{tmp_path / 'cli.sqlite3'}")

    def call(*arguments: str | Path, input: bytes | None = None) -> Result:  # noqa: A002 - click's own word
        return CliRunner().invoke(main, [str(one) for one in arguments], input=input, catch_exceptions=False)

    return call
