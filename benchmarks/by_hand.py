"""pydicom by hand: the data set of our SR set attribute by attribute, and written; what one has without any library."""

from io import BytesIO
from typing import Any

import pydicom
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian

Plain = dict[str, Any]


def plain(content: bytes) -> Plain:
    """An SR as nested dicts of keyword and value: what a program that writes by hand starts from."""
    return _plain(pydicom.dcmread(BytesIO(content)))


def _plain(dataset: Dataset) -> Plain:
    return {
        element.keyword: [_plain(item) for item in element.value] if element.VR == "SQ" else element.value
        for element in dataset
    }


def write(said: Plain) -> bytes:
    """The data set of such dicts as Part 10 bytes."""
    dataset = _dataset(said)
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.file_meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    buffer = BytesIO()
    dataset.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()


def _dataset(said: Plain) -> Dataset:
    made = Dataset()
    for keyword, value in said.items():
        setattr(made, keyword, [_dataset(item) for item in value] if _is_sequence(value) else value)
    return made


def _is_sequence(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(item, dict) for item in value)


def read(content: bytes) -> int:
    """Read every element; returns how many there are."""
    return sum(1 for _ in pydicom.dcmread(BytesIO(content)).iterall())
