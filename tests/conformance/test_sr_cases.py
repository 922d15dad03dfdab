"""Other makers' SR files: all are read, and every content item is in the report or in the list of losses.

What a file holds is walked by pydicom, which the reader does not use.
"""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pydicom
import pytest

from service.app import create_app
from service.coding import vocabulary
from service.coding.coder import code_report
from service.config import Settings
from service.domain.received import Intake, Received
from service.domain.uids import is_uid
from service.formats.findings.write import write as write_findings
from service.formats.sr.read import read
from service.pipeline import WRITERS, Format, Options, Source, convert
from service.store.reports import Store

pytestmark = pytest.mark.cases


def files(cases: Path) -> list[Path]:
    return sorted((cases / "sr").glob("*.dcm"))


def received(path: Path) -> Received:
    return read(path.read_bytes(), Intake())


def items(item: Any, path: str = "1") -> Iterator[tuple[str, Any]]:
    """Every content item with its path, by pydicom."""
    yield path, item
    for number, child in enumerate(item.get("ContentSequence", ()), 1):
        yield from items(child, f"{path}.{number}")


def named(item: Any, code: str) -> bool:
    return any(name.get("CodeValue") == code for name in item.get("ConceptNameCodeSequence", ()))


def is_tid_1500(data: Any) -> bool:
    return named(data, "126000")


def test_all_files_are_read(cases: Path) -> None:
    paths = files(cases)
    assert len(paths) == 43
    for path in paths:
        report = received(path).report
        assert report.lesions or report.findings or report.impression, path.name


def test_every_group_and_every_number_of_tid_1500_is_there(cases: Path) -> None:
    checked = 0
    for path in files(cases):
        data = pydicom.dcmread(path, force=True)
        if not is_tid_1500(data):
            continue
        checked += 1
        found = received(path)
        groups = {at for at, item in items(data) if named(item, "125007") and item.ValueType == "CONTAINER"}
        numbers = {
            at
            for at, item in items(data)
            if item.get("ValueType") == "NUM" and item.get("MeasuredValueSequence") and at.rpartition(".")[0] in groups
        }
        report = found.report
        assert {lesion.where for lesion in report.lesions} == groups, path.name
        assert {one.where for lesion in report.lesions for one in lesion.measurements} == numbers, path.name
        for at, item in items(data):
            if at in numbers:
                said = next(one for lesion in report.lesions for one in lesion.measurements if one.where == at)
                measured = item.MeasuredValueSequence[0]
                assert str(said.value) == str(measured.NumericValue.original_string).strip()
                assert said.unit.code is not None
                assert said.unit.code.code == measured.MeasurementUnitsCodeSequence[0].CodeValue
    assert checked == 13


def said(item: Any) -> list[str]:
    """What an item says, in words that must be found in the report."""
    kind = item.get("ValueType", "")
    if kind == "CODE":
        (code,) = item.ConceptCodeSequence
        return [str(code.get("CodeValue") or code.get("LongCodeValue") or code.get("URNCodeValue"))]
    if kind in ("IMAGE", "COMPOSITE", "WAVEFORM"):
        return [str(item.ReferencedSOPSequence[0].ReferencedSOPInstanceUID)]
    if kind == "NUM":
        return [str(item.MeasuredValueSequence[0].NumericValue)]
    if kind in ("SCOORD", "SCOORD3D"):
        return [str(float(number))[:5] for number in item.GraphicData[:2]]
    lines = {
        "TEXT": "TextValue",
        "UIDREF": "UID",
        "PNAME": "PersonName",
        "DATE": "Date",
        "TIME": "Time",
        "DATETIME": "DateTime",
    }
    value = item.get(lines[kind]) if kind in lines else None
    return [str(value).rstrip("^ ")] if value else []


def test_every_content_item_is_in_the_report_or_in_the_list_of_losses(cases: Path) -> None:
    """A value is looked for in the whole of the findings JSON, names of persons and languages in their own forms."""
    for path in files(cases):
        data = pydicom.dcmread(path, force=True)
        data.decode()
        found = received(path)
        listed = {loss.where for loss in found.losses}
        text = re.sub(r"\s+", " ", write_findings(found.report).decode().replace("\\n", " "))
        for at, item in items(data):
            if at in listed or item.get("ValueType") == "CONTAINER" or named(item, "121005"):
                continue
            if named(item, "121049") or named(item, "121046"):  # language and country make one tag
                continue
            for word in said(item):
                plain = re.sub(r"\s+", " ", word.replace('"', '\\"'))
                assert plain in text, (path.name, at, word)


def test_a_dropped_item_would_be_seen(cases: Path) -> None:
    """The test above can fail: without its losses a file has items that are nowhere."""
    path = cases / "sr" / "dose_rdsr_eurocolumbus.dcm"
    data = pydicom.dcmread(path)
    text = write_findings(received(path).report).decode()
    missing = [at for at, item in items(data) if item.get("ValueType") == "NUM" and said(item)[0] not in text]
    assert missing


def test_every_file_becomes_every_format_and_the_outputs_say_the_same(cases: Path) -> None:
    for path in files(cases):
        source = Source(path.read_bytes(), Format.SR)
        targets = tuple(WRITERS)
        made = convert(source, targets, Options(check=True))
        assert set(made.outputs) == set(targets)


def test_losses_name_their_place(cases: Path) -> None:
    """A content item path, or the keyword of an attribute."""
    for path in files(cases):
        for loss in received(path).losses:
            assert re.fullmatch(r"1(\.[0-9]+)*|[A-Z][A-Za-z]+", loss.where), loss
            assert loss.rule.startswith("sr-")
            assert loss.why


def test_negative_areas_are_reported_and_doubted(cases: Path) -> None:
    report = received(cases / "sr" / "tid1500_ohif_1.dcm").report
    coded = code_report(report, vocabulary())
    (area,) = coded.lesions[1].measurements
    assert str(area.value) == "-396.48041148671"
    assert area.concept.concept == "area"
    assert any(loss.rule == "value-range" and loss.where == area.where for loss in coded.losses)


def test_old_snomed_codes_are_translated(cases: Path) -> None:
    coded = code_report(received(cases / "sr" / "tid1500_dcmqi_ctliver_result.dcm").report, vocabulary())
    (liver,) = coded.lesions
    assert liver.site is not None
    assert (liver.site.codes[0].system, liver.site.codes[0].code) == ("SCT", "10200004")
    assert {one.derivation.concept for one in liver.measurements if one.derivation is not None} >= {"mean", "maximum"}


def test_uids_of_the_report_are_uids(cases: Path) -> None:
    for path in files(cases):
        report = received(path).report
        assert is_uid(report.study.uid)
        assert is_uid(report.id) or report.id.startswith("2.25.")


def test_every_file_is_published_and_served_in_every_format(cases: Path, tmp_path: Path) -> None:
    empty = tmp_path / "empty.sqlite3"
    store = Store(f"sqlite:///{empty}")
    store.migrate()
    store.close()
    for path in files(cases):
        # A database for each: makers of examples gave one accession number to several patients.
        own = shutil.copy(empty, tmp_path / f"{path.stem}.sqlite3")
        client = create_app(Settings(database_url=f"sqlite:///{own}", log_level="error")).test_client()
        content = path.read_bytes()
        answer = client.post("/v1/reports?check=full", data=content, headers={"Content-Type": "application/dicom"})
        assert answer.status_code == 201, (path.name, answer.json)
        assert answer.json is not None
        here = answer.json["links"]["self"]
        served = {role: client.get(f"{here}/{role}") for role in ("sr", "fhir", "html", "findings", "hl7v2")}
        assert {one.status_code for one in served.values()} == {200}, path.name
        came = "source" if "source" in answer.json["links"] else "sr"
        assert client.get(f"{here}/{came}").data == content, path.name
