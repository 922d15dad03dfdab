"""`lesionbridge overlay` and `lesionbridge unmapped`, as a terminologist calls them."""

import csv
import io
import json
from pathlib import Path

import pytest

from service.domain.limits import Limits
from service.pipeline import Options, Source
from service.publishing import publish
from service.store.reports import Store
from tests.databases import with_tables
from tests.findings import make_body
from tests.unit.cli.conftest import Run
from tests.unit.coding.overlays.lines import line, table

WORD = "Stirnlappen"
SITE = line(field="site", term=WORD, concept="frontal-lobe")


@pytest.fixture
def stored(run: Run, tmp_path: Path) -> Store:
    """A database with a report whose site nobody knows."""
    made = Store(with_tables(f"sqlite:///{tmp_path / 'cli.sqlite3'}"))
    publish(Source(make_body(lesions__0__site=WORD), limits=Limits()), Options(), made)
    return made


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """An overlay of the sender `local`."""
    made = tmp_path / "local.csv"
    made.write_bytes(table(SITE))
    return made


def test_a_check_says_that_it_stands(run: Run, file: Path) -> None:
    done = run("overlay", "check", file)
    assert (done.exit_code, "1 row, 1 applied" in done.output) == (0, True)


def test_a_check_names_file_and_line(run: Run, file: Path) -> None:
    file.write_bytes(table(SITE, line(field="site", term="X", concept="nowhere")))
    done = run("overlay", "check", file)
    assert done.exit_code == 2
    assert "local.csv:3: there is no concept 'nowhere'" in done.output


def test_refuses_another_kind_of_file(run: Run, tmp_path: Path) -> None:
    (tmp_path / "x.txt").write_text("x")
    assert run("overlay", "check", tmp_path / "x.txt").exit_code == 2


def test_a_preview_lists_old_and_new(run: Run, file: Path, stored: Store) -> None:
    done = run("overlay", "preview", file)
    assert f"/lesions/0/site: {WORD} (text) -> frontal lobe (SCT 83251001)" in done.output
    assert "1 report, 1 otherwise" in done.output
    assert stored.overlays.current() == ()


def test_what_is_loaded_is_the_next_version(run: Run, file: Path, stored: Store) -> None:
    assert run("overlay", "load", file, "--author", "Dr. A").exit_code == 0
    assert run("overlay", "load", file, "--after", "1").exit_code == 0
    assert run("overlay", "load", file, "--after", "1").exit_code == 2
    assert [(one.version, one.author) for one in stored.overlays.versions("local")] == [(2, ""), (1, "Dr. A")]


def test_terms_are_listed_exported_and_resolved(run: Run, stored: Store, tmp_path: Path) -> None:
    assert f"\t1\tlocal\tsite\t{WORD}" in run("unmapped", "list").output
    assert run("unmapped", "export", "-o", "terms.csv").exit_code == 0
    rows = list(csv.DictReader((tmp_path / "terms.csv").open(newline="")))
    made = io.StringIO()
    writer = csv.DictWriter(made, rows[0])
    writer.writeheader()
    writer.writerows([row | {"decision": "frontal-lobe"} for row in rows])
    (tmp_path / "terms.csv").write_text(made.getvalue())
    done = run("unmapped", "resolve", "terms.csv", "--author", "Dr. A")
    assert (done.exit_code, "local: version 1, 1 row" in done.output) == (0, True)
    assert "0 open terms" in run("unmapped", "list").output


def test_one_term_is_resolved_by_its_number(run: Run, stored: Store) -> None:
    (term,), _ = stored.unmapped.list({}, limit=1)
    assert run("unmapped", "resolve", "--id", str(term.id), "--as", "ignore", "--author", "A").exit_code == 0
    assert [one.state for one in stored.unmapped.get([term.id])] == ["ignored"]
    assert run("unmapped", "resolve", "--author", "A").exit_code == 2


def test_the_mounted_folder_is_used_by_a_conversion(run: Run, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    body = make_body(lesions__0__site=WORD)
    before = json.loads(run("convert", "-", "--to", "fhir-r4", input=body).stdout)
    monkeypatch.setenv("LESIONBRIDGE_OVERLAYS_FOLDER", str(file.parent))
    after = json.loads(run("convert", "-", "--to", "fhir-r4", input=body).stdout)
    assert ("83251001" in str(before), "83251001" in str(after)) == (False, True)


def test_does_not_start_with_a_mounted_defect(run: Run, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file.write_bytes(table(line(field="site", term="X", concept="nowhere")))
    monkeypatch.setenv("LESIONBRIDGE_OVERLAYS_FOLDER", str(file.parent))
    done = run("code", "left", "--field", "laterality")
    assert (done.exit_code, "local.csv:2" in done.output) == (2, True)
