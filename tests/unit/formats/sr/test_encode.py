from io import BytesIO

import pydicom
import pytest
from pydicom import config
from pydicom.datadict import dictionary_VR, tag_for_keyword
from pydicom.uid import ImplicitVRLittleEndian

from service.formats.sr.attributes import ATTRIBUTES, encode_dataset
from service.formats.sr.decode import decode_file
from service.formats.sr.encode import IMPLEMENTATION_CLASS_UID, encode_file, root_elements
from service.formats.sr.items import CodeItem
from tests.unit.formats.sr.items import NAME, entry, every_item

HEADER = {
    "SOPClassUID": "1.2.840.10008.5.1.4.1.1.88.34",
    "SOPInstanceUID": "1.2.3",
    "SpecificCharacterSet": "ISO_IR 192",
}


def _file() -> bytes:
    return encode_file({**HEADER, **root_elements(every_item())})


def test_every_attribute_has_the_tag_and_vr_of_the_dictionary() -> None:
    for keyword, (tag, representation) in ATTRIBUTES.items():
        assert tag_for_keyword(keyword) == tag
        assert dictionary_VR(tag) == representation


def test_the_attributes_stand_in_the_order_of_their_tags() -> None:
    tags = [tag for tag, _ in ATTRIBUTES.values()]
    assert tags == sorted(tags)


def test_what_is_written_is_read_back_the_same() -> None:
    header, tree = decode_file(_file())
    assert tree == every_item()
    assert header == HEADER
    displays = [[code.display for code in item.concept_name.codes] for item in tree.walk() if item.concept_name]
    assert displays == [
        [code.display for code in item.concept_name.codes] for item in every_item().walk() if item.concept_name
    ]


def test_pydicom_reads_every_element_and_writes_the_same_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(config.settings, "reading_validation_mode", config.RAISE)
    dataset = pydicom.dcmread(BytesIO(_file()))
    list(dataset.iterall())
    again = BytesIO()
    dataset.save_as(again, enforce_file_format=True)
    assert again.getvalue() == _file()


def test_the_file_names_its_class_instance_and_implementation() -> None:
    meta = pydicom.dcmread(BytesIO(_file())).file_meta
    assert meta.MediaStorageSOPInstanceUID == "1.2.3"
    assert meta.TransferSyntaxUID == "1.2.840.10008.1.2.1"
    assert meta.ImplementationClassUID == IMPLEMENTATION_CLASS_UID
    assert str(meta.ImplementationVersionName).startswith("LESIONBRIDGE_")


def test_refuses_a_root_with_a_relationship() -> None:
    with pytest.raises(ValueError, match="root"):
        root_elements(CodeItem(NAME, entry("SCT|1|one"), "CONTAINS"))


def test_a_value_that_does_not_fit_names_its_attribute() -> None:
    with pytest.raises(ValueError, match="StudyDescription"):
        encode_dataset({"StudyDescription": "x" * 65})


@pytest.mark.parametrize("cut", [0, 131, 150, 400, -2])
def test_refuses_bytes_that_are_cut_off(cut: int) -> None:
    with pytest.raises((ValueError, KeyError, IndexError)):
        decode_file(_file()[:cut])


def test_refuses_an_attribute_that_is_none_of_ours() -> None:
    dataset = pydicom.dcmread(BytesIO(_file()))
    dataset.PatientWeight = "70"
    made = BytesIO()
    dataset.save_as(made, enforce_file_format=True)
    with pytest.raises(ValueError, match=r"0010,1030"):
        decode_file(made.getvalue())


def test_refuses_another_transfer_syntax() -> None:
    dataset = pydicom.dcmread(BytesIO(_file()))
    dataset.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian
    made = BytesIO()
    dataset.save_as(made, enforce_file_format=True, implicit_vr=True, little_endian=True)
    with pytest.raises(ValueError, match=r"\w"):
        decode_file(made.getvalue())
