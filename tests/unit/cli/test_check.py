"""`lesionbridge check`."""

from pathlib import Path

from service.pipeline import Format, Options, Source, convert
from tests.findings import make_body
from tests.unit.cli.conftest import Run


def outputs(folder: Path, body: bytes) -> None:
    """The SR and the bundle of a document."""
    made = convert(Source(body), (Format.SR, Format.FHIR_R4), Options()).outputs
    (folder / "x.dcm").write_bytes(made[Format.SR].content)
    (folder / "x.json").write_bytes(made[Format.FHIR_R4].content)


def test_says_that_all_say_the_same(run: Run) -> None:
    done = run("check", "-", input=make_body())
    assert done.exit_code == 0
    assert "1 lesion, sr-and-fhir-say-the-same" in done.stdout


def test_refuses_a_bad_document_with_its_pointer(run: Run) -> None:
    done = run("check", "-", input=make_body(report__status="done"))
    assert done.exit_code == 2
    assert "/report/status" in done.stderr


def test_holds_given_outputs_to_the_document(run: Run, tmp_path: Path) -> None:
    outputs(tmp_path, make_body())
    assert run("check", "-", "--sr", "x.dcm", "--fhir", "x.json", input=make_body()).exit_code == 0


def test_names_where_given_outputs_differ(run: Run, tmp_path: Path) -> None:
    outputs(tmp_path, make_body(lesions__0__laterality="right"))
    for option, file in (("--sr", "x.dcm"), ("--fhir", "x.json")):
        done = run("check", "-", option, file, input=make_body())
        assert done.exit_code == 2
        assert "laterality" in done.stderr


def test_an_output_that_can_not_be_read_is_a_difference(run: Run, tmp_path: Path) -> None:
    (tmp_path / "x.dcm").write_bytes(b"no DICOM")
    done = run("check", "-", "--sr", "x.dcm", input=make_body())
    assert done.exit_code == 2
    assert "can't be read back" in done.stderr


def test_checks_many(run: Run, tmp_path: Path) -> None:
    (tmp_path / "a.json").write_bytes(make_body())
    (tmp_path / "b.json").write_bytes(b"{")
    done = run("check", "a.json", "b.json")
    assert done.exit_code == 2
    assert "a.json: 1 lesion" in done.stdout
    assert "b.json: unreadable" in done.stderr


def test_holds_what_is_written_in_another_language(run: Run) -> None:
    assert run("check", "-", "--language", "ja", input=make_body()).exit_code == 0
    refused = run("check", "-", "--language", "tlh", input=make_body())
    assert (refused.exit_code, "'tlh' is not one of" in refused.stderr) == (2, True)
