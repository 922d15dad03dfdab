"""DICOM JSON (PS3.18 F): the report is that of the same SR as a file; what is no value is listed with its place."""

import json
from collections.abc import Callable
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any

import pydicom
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.domain.errors import Invalid, Problem, Refused, TooLarge, Unreadable
from service.domain.limits import Limits
from service.domain.received import Intake, Received
from service.doors import READERS, Format, detect, media_type
from service.formats.sr.read import read as read_file
from service.formats.sr.read_json import encoded, read
from service.formats.sr.write import write
from tests import sr_files as sr
from tests.report_set import REPORTS, regions_report

Json = dict[str, Any]
ONE = sr.measured(sr.num(sr.LONG_AXIS, "14.20", sr.MM, sr.shape("POLYLINE", [1.0, 2.0, 3.0, 4.5])), PatientName="Ö^J")


def as_json(content: bytes) -> Json:
    return pydicom.dcmread(BytesIO(content)).to_json_dict()


def reading(said: object, **limits: int) -> Received:
    return read(json.dumps(said).encode(), Intake(limits=Limits(**limits)))


def changed(change: Callable[[Json], object]) -> Received:
    """The report of the example after a change of its JSON."""
    said = as_json(ONE)
    change(said)
    return reading(said)


def below(said: Json, *steps: int) -> Json:
    """A content item by its place."""
    for step in steps:
        said = said["0040A730"]["Value"][step]
    return said


@pytest.mark.parametrize("name", REPORTS)
def test_the_report_of_a_json_is_that_of_the_file(name: str) -> None:
    content = write(REPORTS[name]()).content
    file, found = read_file(content, Intake()), reading(as_json(content))
    assert (found.report, found.losses) == (file.report, file.losses)
    assert found.sr is None


@pytest.mark.cases
def test_the_report_of_others_json_is_that_of_their_file(cases: Path) -> None:
    for said, file in (
        ("pairs/hl7_dicom-sr/Example-MeasurementReport.dicom.json", "sr/tid1500_hl7_dicomsr_example.dcm"),
        ("sr/tid1500_hl7_dicomsr_example.dicom.json", "sr/tid1500_hl7_dicomsr_example.dcm"),
        ("sr/tid1500_ohif_1.dicom.json", "sr/tid1500_ohif_1.dcm"),
    ):
        found = read((cases / said).read_bytes(), Intake())
        assert found.report == read_file((cases / file).read_bytes(), Intake()).report, said
        # OHIF's sample has no VR anywhere; what stands in no table can't be told.
        assert {loss.what for loss in found.losses if loss.rule == "sr-json-value"} <= {
            "(0008,3002)",
            "(0009,1010)",
            "(0009,1011)",
            "(0009,1012)",
        }


@pytest.mark.cases
def test_every_file_of_others_gives_the_same_report_as_json(cases: Path) -> None:
    files = sorted((cases / "sr").glob("tid1500*.dcm"))
    assert files
    for path in files:
        data = pydicom.dcmread(path)
        data.decode()
        found, file = reading(data.to_json_dict()), read_file(path.read_bytes(), Intake())
        assert found.report.lesions == file.report.lesions, path.name


def test_a_number_keeps_its_digits() -> None:
    def write_number(said: Json) -> None:
        below(said, 0, 0, 2)["0040A300"]["Value"][0]["0040A30A"]["Value"] = ["DIGITS"]

    said = as_json(ONE)
    write_number(said)
    found = read(json.dumps(said).replace('"DIGITS"', "14.200").encode(), Intake())
    assert str(found.report.lesions[0].measurements[0].value) == "14.200"


@pytest.mark.parametrize(
    "change",
    [
        lambda said: said["00100010"]["Value"].__setitem__(0, "Ö^J"),
        lambda said: said["00080016"].pop("vr"),
        lambda said: said["00080016"].__setitem__("Value", said["00080016"]["Value"][0]),
        lambda said: said.__setitem__("00080005", {"vr": "CS", "Value": ["ISO_IR 100"]}),
        lambda said: said.__setitem__("00020010", {"vr": "UI", "Value": ["1.2.840.10008.1.2.2"]}),
    ],
    ids=["name as a string", "no VR", "no list", "another character set", "meta information"],
)
def test_what_writers_do_otherwise_is_read(change: Callable[[Json], object]) -> None:
    found, file = changed(change), read_file(ONE, Intake())
    assert (found.report, found.losses) == (file.report, file.losses)


NO_VALUES: tuple[tuple[str, object, str], ...] = (
    ("00080050", {"vr": "SH", "BulkDataURI": "x"}, "AccessionNumber"),
    ("00080050", {"vr": "SH", "Value": [{}]}, "AccessionNumber"),
    ("00080050", {"vr": "SH", "Value": [True]}, "AccessionNumber"),
    ("00080050", {"vr": "SH", "Value": ["x" * 70_000]}, "AccessionNumber"),
    ("00080050", {"vr": "XX"}, "AccessionNumber"),
    ("00080050", "A481", "AccessionNumber"),
    ("AccessionNumber", {}, "1"),
    ("00091001", {}, "1"),
    ("00091001", {"vr": "US", "Value": [1.5]}, "1"),
    ("00091001", {"vr": "US", "Value": [70_000]}, "1"),
    ("00091001", {"vr": "FL", "Value": [1e300]}, "1"),
    ("00091001", {"vr": "FL", "Value": [[]]}, "1"),
    ("00091001", {"vr": "AT", "Value": ["x"]}, "1"),
    ("00091001", {"vr": "OB", "InlineBinary": "?"}, "1"),
    ("00091001", {"vr": "LO", "InlineBinary": "AA=="}, "1"),
    ("00091001", {"vr": "OB", "Value": [1]}, "1"),
    ("00081199", {"vr": "SQ", "Value": ["x"]}, "ReferencedSOPSequence"),
    ("00100010", {"vr": "PN", "Value": [{"Alphabetic": "Doe=Roe"}]}, "PatientName"),
    ("00100010", {"vr": "PN", "Value": [{"Alphabetic": "Doe", "Phonetic": "Do\\e"}]}, "PatientName"),
    ("00100010", {"vr": "PN", "Value": ["Doe\\Roe"]}, "PatientName"),
    *(
        (tag, {"vr": vr, "Value": ["1\\2"]}, where)
        for tag, vr, where in (
            ("00100020", "LO", "PatientID"),
            ("00080050", "SH", "AccessionNumber"),
            ("00091001", "UC", "1"),
            ("00091001", "IS", "1"),
            ("00091001", "DS", "1"),
            ("00080060", "CS", "Modality"),
            ("0020000D", "UI", "StudyInstanceUID"),
        )
    ),
    *(("00091001", {"vr": vr, "Value": ["one", "two"]}, "1") for vr in ("LT", "ST", "UT", "UR")),
)


@pytest.mark.parametrize(("tag", "attribute", "where"), NO_VALUES)
def test_what_is_no_value_is_left_out_and_listed(tag: str, attribute: object, where: str) -> None:
    found = changed(lambda said: said.__setitem__(tag, attribute))
    rule = "sr-json-bulk" if "BulkDataURI" in str(attribute) else "sr-json-value"
    what = f"({tag[:4]},{tag[4:]})" if tag[0] == "0" else tag
    assert (where, what, rule) in {(loss.where, loss.what, loss.rule) for loss in found.losses}
    assert len(found.report.lesions) == 1


def test_of_a_tag_in_two_spellings_the_first_is_read_and_the_other_listed() -> None:
    found = changed(lambda said: said.__setitem__("0040a730", {"vr": "SQ"}))
    assert ("1", "0040a730", "sr-json-value") in {(loss.where, loss.what, loss.rule) for loss in found.losses}
    assert found.report == read_file(ONE, Intake()).report


def test_a_value_that_is_elsewhere_is_listed_with_the_path_of_its_content_item() -> None:
    found = changed(lambda said: below(said, 0, 0, 0).__setitem__("0040A160", {"vr": "UT", "BulkDataURI": "x"}))
    assert ("1.1.1.1", "sr-json-bulk") in {(loss.where, loss.rule) for loss in found.losses}


def test_a_backslash_in_a_value_is_listed_with_the_path_of_its_content_item() -> None:
    entry = below(as_json(ONE), 0, 0, 0)["0040A043"]["Value"][0]
    entry["00080104"]["Value"] = ["C:\\scans"]
    found = changed(lambda said: below(said, 0, 0, 0)["0040A043"].__setitem__("Value", [entry]))
    assert ("1.1.1.1", "(0008,0104)") in {(loss.where, loss.what) for loss in found.losses}


@pytest.mark.parametrize("vr", ["LT", "ST", "UT", "UR"])
def test_a_backslash_is_a_character_of_a_text_of_one_value(vr: str) -> None:
    made, losses = encoded(json.dumps({"00091001": {"vr": vr, "Value": ["C:\\scans"]}}).encode(), Limits())
    assert (made.count(b"C:\\scans"), losses) == (1, ())


def test_several_values_are_parted_as_pydicom_parts_them() -> None:
    made, losses = encoded(json.dumps({"00091001": {"vr": "LO", "Value": ["a", None, "b"]}}).encode(), Limits())
    read_back = pydicom.dcmread(BytesIO(made), force=True)
    assert (list(read_back[0x00091001].value), losses) == (["a", "", "b"], ())


def test_every_vr_is_encoded_as_pydicom_has_it() -> None:
    data = pydicom.Dataset()
    values: dict[str, Any] = {
        "AT": [0x00080016, 0x0040A730],
        "FD": [1.5, float("-inf")],
        "FL": [1.5, -2.25],
        "OB": b"\x01\x02\x03\x04",
        "SL": [-1, 2],
        "SS": [-1, 2],
        "SV": [-(2**40)],
        "UL": [1, 2**31],
        "UN": b"\x01\x02",
        "US": [1, 65_535],
        "UV": [2**60],
        "UC": ["a", "b"],
        "UR": "http://x",
        "DS": ["1.50", "2"],
        "IS": [3, 4],
    }
    for number, (vr, value) in enumerate(values.items()):
        data.add_new(0x00091001 + number, vr, value)
    said = data.to_json_dict()
    said["00091002"]["Value"][1] = "-inf"  # JSON has no literal for it (PS3.18 F.2.3)
    made, losses = encoded(json.dumps(said).encode(), Limits())
    assert losses == ()
    back = pydicom.dcmread(BytesIO(made), force=True)
    for element in data:
        assert back[element.tag].VR == element.VR
        assert back[element.tag].value == element.value, element.VR


def test_a_list_of_one_is_read_and_of_more_refused() -> None:
    said = as_json(ONE)
    assert reading([said]).report == reading(said).report
    for many in ([], [said, said]):
        with pytest.raises(Invalid) as refused:
            reading(many)
        assert refused.value.problems[0].rule == "sr-json-one"


@pytest.mark.parametrize("said", [[1], ["x"], [[]]])
def test_what_is_no_data_set_is_refused(said: object) -> None:
    with pytest.raises(Unreadable):
        reading(said)


def test_past_a_limit_it_is_refused() -> None:
    with pytest.raises(TooLarge):
        reading(as_json(ONE), body_bytes=100)
    with pytest.raises(Invalid):
        reading(as_json(ONE), values=100)
    deep: Json = {}
    for _ in range(200):
        deep = {"0040A730": {"vr": "SQ", "Value": [deep]}}
    with pytest.raises(Invalid):
        reading(deep)


def test_it_is_known_by_how_it_begins_and_kept_under_its_own_name() -> None:
    for content in (json.dumps(as_json(ONE)).encode(), json.dumps([as_json(ONE)], indent=2).encode()):
        assert detect(content) is Format.SR
        assert media_type(Format.SR, content) == "application/dicom+json"
        assert READERS[Format.SR](content, Intake()).report.lesions
    assert media_type(Format.SR, ONE) == "application/dicom"


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["vr", "Value", "BulkDataURI", "InlineBinary", "0040A730", "00080100"]), inner
        )
    ),
    max_leaves=8,
)
_PLACES = st.lists(st.integers(0, 30), min_size=1, max_size=12)


@cache
def example() -> bytes:
    return json.dumps(as_json(write(regions_report()).content)).encode()


@settings(deadline=None)
@given(_PLACES, _VALUES)
def test_a_json_with_anything_anywhere_is_read_or_refused(steps: list[int], value: object) -> None:
    """Random values at random places of a whole document: nothing but a refusal is raised."""
    said: Any = json.loads(example())
    at = said
    for step in steps:
        keys = list(at) if isinstance(at, dict) else range(len(at))
        if not keys:
            break
        key = list(keys)[step % len(keys)]
        if step == steps[-1] or not isinstance(at[key], (dict, list)):
            at[key] = value
            break
        at = at[key]
    problems: tuple[Problem, ...] = ()
    try:
        assert read(json.dumps(said).encode(), Intake()).report.study.uid
    except Refused as refused:
        problems = refused.problems
    assert all(problem.rule and problem.detail for problem in problems)
