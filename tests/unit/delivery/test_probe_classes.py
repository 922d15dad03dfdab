"""A test of an archive fails by what its destination writes, and says the rest."""

from pathlib import Path

import pytest

from service.delivery.dimse import EXPLICIT, IMPLICIT, SOP_CLASSES, VERIFICATION, WRITTEN
from service.formats.sr.basic_text import SOP_CLASS as BASIC_TEXT
from service.formats.sr.dialects import DIALECTS, Dialect
from service.formats.sr.rejection import SOP_CLASS as KEY_OBJECT
from service.formats.sr.relationships import Iod
from tests.unit.cli.conftest import Run, run
from tests.unit.delivery.test_cstore import destination, peer

__all__ = ["run"]
ENHANCED, COMPREHENSIVE_3D = Iod.ENHANCED.sop_class, Iod.COMPREHENSIVE_3D.sop_class


@pytest.mark.parametrize("row", DIALECTS.values(), ids=lambda row: row.name)
def test_each_dialect_names_what_it_writes(row: Dialect) -> None:
    # Comprehensive is never needed: nothing is written by reference (service/formats/sr/write.py).
    iods = tuple(one.sop_class for one in row.iods if one is not Iod.COMPREHENSIVE)
    assert WRITTEN[row.name] == ((BASIC_TEXT,) if row.words else iods)


@pytest.mark.parametrize(
    ("dialect", "taken", "failed"),
    [
        ("", {ENHANCED, COMPREHENSIVE_3D}, set()),
        ("strict", {ENHANCED}, {COMPREHENSIVE_3D}),
        ("enhanced", {ENHANCED}, set()),
        ("ohif", {ENHANCED}, set()),
        ("text", {BASIC_TEXT}, set()),
        ("text", {ENHANCED}, {BASIC_TEXT}),
        ("air", {ENHANCED}, {COMPREHENSIVE_3D}),
        ("enhanced", {KEY_OBJECT}, {ENHANCED}),
    ],
)
def test_only_a_class_that_is_written_fails(dialect: str, taken: set[str], failed: set[str]) -> None:
    with peer({uid: [EXPLICIT] for uid in (*taken, VERIFICATION)} | {VERIFICATION: [IMPLICIT]}) as port:
        _, *echoes = destination(port, dialect=dialect, verify="none").probe()
    by_name = {f"{name} is taken": uid for uid, name in SOP_CLASSES.items()}
    assert {by_name[echo.tried] for echo in echoes if echo.passed} == taken
    assert {by_name[echo.tried] for echo in echoes if echo.passed is False and echo.needed} == failed


def probed(run: Run, folder: Path, port: int, dialect: str) -> tuple[int, list[str], str]:
    """Exit code, marks, and all that was said."""
    (folder / "destinations.toml").write_text(
        f'[destinations.p]\nkind = "cstore"\nhost = "127.0.0.1"\nport = {port}\ncalled = "PEER"\nverify = "none"\n'
        f'dialect = "{dialect}"\n'
    )
    done = run("destination", "test", "p")
    return done.exit_code, [line[:6].strip() for line in done.stdout.splitlines()], done.stdout


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LESIONBRIDGE_DESTINATIONS_FILE", str(tmp_path / "destinations.toml"))
    return tmp_path


def test_an_archive_without_echo_that_takes_what_is_written_is_no_failure(run: Run, folder: Path) -> None:
    with peer({ENHANCED: [EXPLICIT]}) as port:
        code, marks, said = probed(run, folder, port, "enhanced")
    assert (code, marks) == (0, ["notice", "ok", "notice", "notice", "notice", "notice"])
    assert "it takes no C-ECHO" in said
    assert "rejection notes are refused" in said


def test_a_class_that_is_written_and_not_taken_is_a_failure_with_the_way_out(run: Run, folder: Path) -> None:
    with peer({ENHANCED: [EXPLICIT]}) as port:
        code, marks, said = probed(run, folder, port, "strict")
    assert (code, marks.count("FAILED")) == (1, 1)
    assert "the dialect `enhanced` leaves these out" in said


def test_nobody_there_is_a_failure(run: Run, folder: Path) -> None:
    with peer({ENHANCED: [EXPLICIT]}) as port:
        pass
    code, marks, _ = probed(run, folder, port, "enhanced")
    assert (code, marks) == (1, ["FAILED", "FAILED"])
