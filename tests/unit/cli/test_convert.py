"""`lesionbridge convert`."""

import json
from io import BytesIO
from pathlib import Path

import pytest
from pydicom import dcmread

from service.doors import SUFFIXES, WRITERS
from service.formats.fhir.profiles.modes import MODES
from service.pipeline import PROFILES, Format, Options, Source, convert
from tests.findings import make_body
from tests.unit.cli.conftest import Run
from tests.unit.receiving.test_hl7 import FOREIGN


def expected(to: Format) -> bytes:
    """What the pipeline makes of the example."""
    return convert(Source(make_body()), (to,), Options()).outputs[to].content


@pytest.mark.parametrize("to", list(WRITERS))
def test_writes_every_format_to_a_file(run: Run, tmp_path: Path, to: Format) -> None:
    (tmp_path / "in.json").write_bytes(make_body())
    assert run("convert", "in.json", "--to", to, "-o", "out").exit_code == 0
    assert (tmp_path / "out").read_bytes() == expected(to)


def test_reads_standard_input_and_writes_standard_output(run: Run) -> None:
    done = run("convert", "-", "--to", "sr", input=make_body())
    assert (done.exit_code, done.stdout_bytes) == (0, expected(Format.SR))


def test_knows_the_dicom_json_of_an_sr(run: Run) -> None:
    said = json.dumps(dcmread(BytesIO(expected(Format.SR))).to_json_dict())
    done = run("convert", "-", "--to", "findings", input=said)
    assert done.exit_code == 0
    assert json.loads(done.stdout_bytes)["lesions"][0]["finding"] == "brain-metastasis"


def test_names_the_losses_on_standard_error(run: Run) -> None:
    done = run("convert", "-", "--to", "fhir-r4", input=make_body(lesions__0__site="frontal loeb"))
    assert done.exit_code == 0
    assert "uncoded: /lesions/0/site: frontal loeb" in done.stderr
    assert "did you mean: frontal lobe" in done.stderr
    assert json.loads(done.stdout_bytes)["resourceType"] == "Bundle"


def test_writes_the_losses_as_json(run: Run, tmp_path: Path) -> None:
    run("convert", "-", "--to", "sr", "--loss", "loss.json", input=make_body(lesions__0__site="frontal loeb"))
    listed = json.loads((tmp_path / "loss.json").read_text())
    assert {"kind", "where", "what", "why"} <= set(listed[0])
    assert ("uncoded", "/lesions/0/site") in {(loss["kind"], loss["where"]) for loss in listed}


def test_an_empty_list_of_losses_is_written_too(run: Run, tmp_path: Path) -> None:
    body = make_body(lesions__0__topography=None)
    run("convert", "-", "--to", "sr", "--loss", "loss.json", input=body)
    assert isinstance(json.loads((tmp_path / "loss.json").read_text()), list)


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        (make_body(report__status="done"), "/report/status"),
        (make_body(lesions__0__laterality="upwards"), "/lesions/0/laterality"),
        (make_body(surplus=1), "/surplus"),
        (b"{", ""),
    ],
)
def test_refuses_with_exit_2_and_the_pointer(run: Run, body: bytes, pointer: str) -> None:
    done = run("convert", "-", "--to", "sr", input=body)
    assert (done.exit_code, done.stdout_bytes) == (2, b"")
    assert (pointer or "(whole document)") in done.stderr


def test_says_what_can_be_read(run: Run) -> None:
    done = run("convert", "-", "--to", "sr", input=b"GIF89a")
    assert done.exit_code == 2
    assert "candidates: findings, " in done.stderr


def test_a_file_that_is_not_there_is_exit_2(run: Run) -> None:
    done = run("convert", "none.json", "--to", "sr")
    assert done.exit_code == 2
    assert "none.json: No such file" in done.stderr


def test_writing_options_are_passed_on(run: Run) -> None:
    done = run("convert", "-", "--to", "fhir-r4", "--bundle", "document", "--check", input=make_body())
    assert json.loads(done.stdout_bytes)["type"] == "document"
    done = run("convert", "-", "--to", "fhir-r5", "--encoding", "xml", "--check", input=make_body())
    assert done.stdout_bytes.startswith(b'<?xml version="1.0" encoding="UTF-8"?>\n<Bundle xmlns="http://hl7.org/fhir">')
    done = run("convert", "-", "--to", "sr", "--dialect", "ohif", "--iod", "comprehensive", input=make_body())
    assert dcmread(BytesIO(done.stdout_bytes)).SOPClassUID.name == "Comprehensive SR Storage"


@pytest.mark.parametrize("profile", PROFILES)
def test_every_profile_can_be_asked_for(run: Run, profile: str) -> None:
    mode = MODES[profile]
    target = f"fhir-{mode.releases[0].lower()}"
    asked = ("--profile", profile, "--bundle", mode.bundles[0], "--check")
    done = run("convert", "-", "--to", target, *asked, input=make_body())
    assert done.exit_code == 0
    assert mode.canonical in done.stdout


def test_a_profile_of_another_release_is_refused(run: Run) -> None:
    done = run("convert", "-", "--to", "fhir-r4", "--profile", "dicom-sr", input=make_body())
    assert done.exit_code == 2
    assert "dicom-sr is FHIR R5" in done.stderr


def test_a_file_of_a_folder_is_named_by_its_encoding(run: Run, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.json").write_bytes(make_body())
    for target, name in (("fhir-r4", "a.fhir.xml"), ("fhir-r5", "a.fhir-r5.xml"), ("findings", "a.json")):
        out = tmp_path / target
        assert run("convert", str(tmp_path / "in"), "--to", target, "--encoding", "xml", "-o", str(out)).exit_code == 0
        assert [file.name for file in out.iterdir()] == [name]


def fill(folder: Path) -> None:
    """Two good documents, a bad one and one that is no JSON."""
    folder.mkdir()
    (folder / "a.json").write_bytes(make_body())
    (folder / "b.json").write_bytes(make_body(report__id="other"))
    (folder / "c.json").write_bytes(b"{")
    (folder / "notes.txt").write_text("not mine")


@pytest.mark.parametrize("to", list(WRITERS))
def test_converts_a_folder_and_sums_up(run: Run, tmp_path: Path, to: Format) -> None:
    fill(tmp_path / "in")
    done = run("convert", "in", "--to", to, "-o", "out", "--loss", "loss.json")
    assert done.exit_code == 2
    assert {path.name for path in (tmp_path / "out").iterdir()} == {f"a{SUFFIXES[to]}", f"b{SUFFIXES[to]}"}
    assert "2 converted, 1 refused" in done.stderr
    assert "c.json" in done.stderr
    assert all("source" in loss for loss in json.loads((tmp_path / "loss.json").read_text()))


def test_converts_the_lines_of_an_ndjson_file(run: Run, tmp_path: Path) -> None:
    (tmp_path / "all.ndjson").write_bytes(make_body() + b"\n\n" + make_body(report__id="other") + b"\n")
    done = run("convert", "all.ndjson", "--to", "sr", "-o", "out")
    assert done.exit_code == 0
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["all-000001.dcm", "all-000003.dcm"]


def test_many_documents_need_a_folder(run: Run, tmp_path: Path) -> None:
    fill(tmp_path / "in")
    done = run("convert", "in", "--to", "sr")
    assert done.exit_code == 2
    assert "-o FOLDER" in done.stderr


def test_a_document_over_the_limit_is_refused(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LESIONBRIDGE_LIMIT_BODY_BYTES", "100")
    done = run("convert", "-", "--to", "sr", input=make_body())
    assert done.exit_code == 2
    assert "limits.body_bytes" in done.stderr


def test_a_wrong_setting_is_named(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LESIONBRIDGE_PROT", "1")
    done = run("convert", "-", "--to", "sr", input=make_body())
    assert done.exit_code == 2
    assert "LESIONBRIDGE_PROT" in done.stderr


def test_finds_out_that_a_file_is_an_sr(run: Run, tmp_path: Path) -> None:
    (tmp_path / "in.dcm").write_bytes(expected(Format.SR))
    done = run("convert", "in.dcm", "--to", "findings")
    assert done.exit_code == 0
    assert json.loads(done.stdout_bytes)["lesions"][0]["id"] == "L1"


def test_the_srs_of_a_folder_are_converted(run: Run, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.dcm").write_bytes(expected(Format.SR))
    assert run("convert", "in", "--to", "fhir-r4", "-o", "out").exit_code == 0
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["a.fhir.json"]


def test_segments_are_measured_by_the_masks_of_a_folder(run: Run, tmp_path: Path) -> None:
    from tests.unit.test_measuring import MASK, VOLUME, body, measurements

    (tmp_path / "in.json").write_bytes(body())
    (tmp_path / "masks").mkdir()
    (tmp_path / "masks" / "a.dcm").write_bytes(MASK)
    done = run("convert", "in.json", "--to", "findings", "--seg", "masks")
    assert done.exit_code == 0
    assert measurements(done.stdout_bytes)["volume"]["value"] == pytest.approx(VOLUME)


def test_a_time_without_a_zone_is_one_of_the_site_as_over_rest(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "receiving.toml"
    file.write_text('[sites.north]\nzone = "Asia/Tokyo"\n', encoding="utf-8")
    monkeypatch.setenv("LESIONBRIDGE_RECEIVING_FILE", str(file))
    for sender, offset in (("north", "+09:00"), ("south", "+00:00")):
        monkeypatch.setenv("LESIONBRIDGE_DEFAULT_SENDER", sender)
        done = run("convert", "-", "--from", "hl7v2", "--to", "findings", input=FOREIGN.encode())
        assert json.loads(done.stdout_bytes)["report"]["issued"].endswith(offset)
