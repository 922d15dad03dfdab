"""What an archive gives back may be made to take memory or to break the reader: it is no DICOM file then."""

from __future__ import annotations

import tracemalloc
import zlib
from io import BytesIO

import pytest
from pydicom import Dataset, FileMetaDataset, dcmread
from pydicom.uid import UID, ExplicitVRLittleEndian

from service.delivery import dicom_content
from service.delivery.commitment import _CANNOT, _DESK, _Awaited, _verdict
from service.delivery.destination import Answer, Failed, Outcome
from service.delivery.dicom_content import NotDicom, read
from service.domain.emitted import SrReference

DEFLATED = "1.2.840.10008.1.2.1.99"
ITEM = b"\x40\x00\x30\xa7SQ\0\0\xff\xff\xff\xff\xfe\xff\x00\xe0\xff\xff\xff\xff"
END = b"\xfe\xff\x0d\xe0\0\0\0\0\xfe\xff\xdd\xe0\0\0\0\0"


def filed(content: bytes, syntax: str) -> bytes:
    """A file with this content as its data set."""
    made = Dataset()
    made.file_meta = FileMetaDataset()
    made.file_meta.MediaStorageSOPClassUID, made.file_meta.MediaStorageSOPInstanceUID = UID("1.2"), UID("1.3")
    made.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    into = BytesIO()
    made.save_as(into, enforce_file_format=True)
    head = into.getvalue()
    assert not dcmread(BytesIO(head))
    if syntax == DEFLATED:
        plain, deflated = b"1.2.840.10008.1.2.1\0", DEFLATED.encode()
        head = head.replace(b"UI\x14\0" + plain, b"UI\x16\0" + deflated)
        head = head[:140] + (int.from_bytes(head[140:144], "little") + 2).to_bytes(4, "little") + head[144:]
    return head + content


def packed(content: bytes) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    return packer.compress(content) + packer.flush()


def test_a_deflated_object_is_read() -> None:
    assert read(filed(packed(b"\x08\x00\x18\x00UI\x04\x001.3\0"), DEFLATED)).SOPInstanceUID == "1.3"


def test_a_deflated_bomb_is_not_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dicom_content, "_UNPACKED", 1_000_000)
    bomb = filed(packed(bytes(50_000_000)), DEFLATED)
    tracemalloc.start()
    try:
        with pytest.raises(NotDicom):
            read(bomb)
        assert tracemalloc.get_traced_memory()[1] < 10_000_000
    finally:
        tracemalloc.stop()


def test_an_object_that_is_nested_too_deep_is_none() -> None:
    with pytest.raises(NotDicom):
        read(filed(ITEM * 3_000 + END * 3_000, "1.2.840.10008.1.2.1"))


def test_what_a_peer_says_is_printable_and_bounded() -> None:
    answer = Answer(Outcome.REFUSED, "a\n\x1b[31mb\0c\u202e" + "x" * 5_000, "A" * 100 + "\r")
    assert answer.reason.startswith("a  [31mb c x")
    assert answer.reason.isprintable()
    assert len(answer.reason) == 2_000
    assert (len(answer.status), answer.status.isprintable()) == (64, True)
    assert str(Failed(Outcome.UNKNOWN, "a\x1b[2Jb")) == "a [2Jb"


SR = SrReference("1.2", "1.2.3", "1.2.4", "1.2.5")


class Report:
    """An N-EVENT-REPORT."""

    event_type = 1

    def __init__(self, content: Dataset | None) -> None:
        self.content = content

    @property
    def event_information(self) -> Dataset:
        """What was sent; as pydicom does, it raises where that can't be decoded."""
        if self.content is None:
            raise RecursionError
        return self.content


def odd(keyword: str, vr: str, value: object) -> Dataset:
    made = Dataset()
    made.TransactionUID = "2.25.1"
    made.add_new(keyword, vr, value)
    return made


def test_a_report_of_commitment_that_can_not_be_read_settles_nothing() -> None:
    assert _DESK.hand_in(Report(None)) == (_CANNOT, None)
    forged = odd("ReferencedSOPSequence", "LO", SR.sop_instance)
    assert _DESK.hand_in(Report(forged)) == (0x0110, None)  # nobody awaits this transaction


@pytest.mark.parametrize("keyword", ["ReferencedSOPSequence", "FailedSOPSequence"])
@pytest.mark.parametrize(("vr", "value"), [("LO", SR.sop_instance), ("US", 7), ("OB", b"12")])
def test_a_report_of_other_shape_commits_to_nothing(keyword: str, vr: str, value: object) -> None:
    awaited = _Awaited(("a", SR.sop_instance), event_type=1, content=odd(keyword, vr, value))
    assert _verdict(awaited, SR).outcome is Outcome.UNKNOWN


def test_a_reason_that_is_no_number_is_none() -> None:
    item = Dataset()
    item.ReferencedSOPInstanceUID = SR.sop_instance
    item.add_new("FailureReason", "US", [1, 2])
    content = odd("FailedSOPSequence", "SQ", [item])
    answer = _verdict(_Awaited(("a", SR.sop_instance), event_type=2, content=content), SR)
    assert answer.status == "0110"
