"""An interrupted conversion is gone on with only where all that shapes its output is as it was; what is not is said."""

import os
from pathlib import Path

import pytest

from service.commands import identity
from tests.findings import make_body
from tests.unit.cli.conftest import Run

ISSUERS = b"key,uri,oid,source\nHOSP,urn:oid:2.25.1,2.25.1,the site\n"
OVERLAY = b"field,system,code,term,concept,relationship,source\nsite,,,Leberchen,liver,,the site\n"
RECEIVING = b'[sites.north]\nzone = "Europe/Berlin"\n'
LIST = b'{"releases": []}'
FILES = {
    "in.ndjson": make_body().replace(b"\n", b"") + b"\n",
    "mask.dcm": b"one mask",
    "issuers.csv": ISSUERS,
    "receiving.toml": RECEIVING,
    "overlays/north.csv": OVERLAY,
    "terminology/current.json": LIST,
}
CHANGED = {
    "in.ndjson": (FILES["in.ndjson"] * 2, "the input"),
    "mask.dcm": (b"two mask", "the mask mask.dcm"),
    "issuers.csv": (ISSUERS.replace(b"2.25.1", b"2.25.2"), "the file of setting issuers_file (issuers.csv)"),
    "receiving.toml": (RECEIVING.replace(b"Berlin", b"London"), "the file of setting receiving_file (receiving.toml)"),
    "overlays/north.csv": (OVERLAY.replace(b"Leberchen", b"Leberlein"), "the overlay overlays/north.csv"),
    "overlays/south.csv": (OVERLAY, "the overlay overlays/south.csv"),
}
ASKED = ("convert", "in.ndjson", "--to", "fhir-r4", "-o", "out.ndjson", "--seg", "mask.dcm")


def write(name: str, content: bytes) -> None:
    """A file with other bytes that says it was changed when it was before."""
    path = Path(name)
    before = path.stat() if path.exists() else None
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content)
    if before is not None:
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


@pytest.fixture
def interrupted(run: Run, monkeypatch: pytest.MonkeyPatch) -> Run:
    """The command line after a conversion that left its journal."""
    for name, content in FILES.items():
        write(name, content)
    for setting in ("issuers_file=issuers.csv", "receiving_file=receiving.toml", "overlays_folder=overlays"):
        name, _, path = setting.partition("=")
        monkeypatch.setenv(f"LESIONBRIDGE_{name.upper()}", path)
    monkeypatch.setenv("LESIONBRIDGE_TERMINOLOGY_FOLDER", "terminology")
    with monkeypatch.context() as broken:
        broken.setattr("service.commands.journal.Journal.end", lambda *_: None)
        assert run(*ASKED).exit_code == 0
    return run


def refused(run: Run, *more: str) -> str:
    """What is said when it shall be gone on with; nothing is written."""
    before = Path("out.ndjson").read_bytes()
    done = run(*ASKED, *more, "--resume")
    assert done.exit_code == 2
    assert Path("out.ndjson").read_bytes() == before
    return done.stderr


def test_what_is_as_it_was_is_gone_on_with(interrupted: Run) -> None:
    assert interrupted(*ASKED, "--resume").exit_code == 0
    assert not Path("out.ndjson.journal").exists()


@pytest.mark.parametrize("name", CHANGED)
def test_the_content_of_a_file_counts_and_the_file_is_named(interrupted: Run, name: str) -> None:
    content, words = CHANGED[name]
    write(name, content)
    assert f"since then {words} has changed. Put back what it was, or remove it to begin anew" in refused(interrupted)


def test_a_file_that_only_has_another_place_has_not_changed(interrupted: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("issuers.csv").rename("moved.csv")
    monkeypatch.setenv("LESIONBRIDGE_ISSUERS_FILE", "moved.csv")
    assert interrupted(*ASKED, "--resume").exit_code == 0


def test_an_overlay_that_is_gone_is_named(interrupted: Run) -> None:
    Path("overlays/north.csv").unlink()
    assert "the overlay overlays/north.csv has changed" in refused(interrupted)


def test_other_releases_are_named(interrupted: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(identity, "_releases", lambda _here: "others")
    assert f"{identity.RELEASES} has changed" in refused(interrupted)


@pytest.mark.parametrize("more", [("--to", "fhir-r5"), ("--bundle", "single"), ("--errors", "e.ndjson")], ids=str)
def test_an_option_is_named(interrupted: Run, more: tuple[str, str]) -> None:
    assert f"option {more[0]} has changed" in refused(interrupted, *more)


def test_a_setting_is_named_and_several_things_are(interrupted: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LESIONBRIDGE_DEFAULT_ZONE", "Asia/Tokyo")
    assert "setting default_zone has changed" in refused(interrupted)
    assert "option --dialect, setting default_zone have changed" in refused(interrupted, "--dialect", "air")


def test_a_journal_that_is_none_is_said_to_be_none(interrupted: Run) -> None:
    Path("out.ndjson.journal").write_bytes(b"nonsense\n")
    assert "can't be read as the journal of a run" in refused(interrupted)


def test_every_setting_that_a_conversion_reads_is_compared() -> None:
    """`service.commands.speaking.received` and `site` take these from the settings."""
    read = {"default_sender", "limits", "issuers_file", "default_zone", "receiving_file", "overlays_folder"}
    assert read <= {*identity.SETTINGS, *identity.FILES, *identity.FOLDERS}
