"""The data set around a tree as bytes: Part 10, explicit VR little endian, explicit lengths (PS3.10 7, PS3.5 7)."""

from service.domain.uids import derive_uid
from service.formats.sr import vr
from service.formats.sr.attributes import Dataset, encode_dataset, short
from service.formats.sr.tree import SEPARATE, ContentItem, content_sequence, template_sequence

TRANSFER_SYNTAX = "1.2.840.10008.1.2.1"  # Explicit VR Little Endian
IMPLEMENTATION_CLASS_UID = derive_uid("implementation-class")
IMPLEMENTATION_VERSION_NAME = "LESIONBRIDGE_1"

_PREAMBLE = bytes(128) + b"DICM"


def root_elements(root: ContentItem) -> dict[str, bytes]:
    """The root container as elements of the data set (PS3.3 C.17.3)."""
    if root.value_type != "CONTAINER" or root.relationship_type is not None or root.concept_name is None:
        raise ValueError("the root is a CONTAINER with a title and no relationship")
    made = {
        "ValueType": short("ValueType", vr.cs("CONTAINER")),
        "ConceptNameCodeSequence": root.concept_name.as_name,
        "ContinuityOfContent": SEPARATE,
    }
    if root.value is not None:
        made["ContentTemplateSequence"] = template_sequence(root.value)
    if root.children:
        made["ContentSequence"] = content_sequence(root.children)
    return made


def file_meta(sop_class: str, sop_instance: str) -> bytes:
    """Preamble, prefix and File Meta Information (PS3.10 7.1)."""
    body = b"".join(
        [
            b"\x02\x00\x01\x00OB\0\0\x02\0\0\0\0\x01",  # File Meta Information Version
            _meta(0x02, b"UI", vr.ui(sop_class)),
            _meta(0x03, b"UI", vr.ui(sop_instance)),
            _meta(0x10, b"UI", vr.ui(TRANSFER_SYNTAX)),
            _meta(0x12, b"UI", vr.ui(IMPLEMENTATION_CLASS_UID)),
            _meta(0x13, b"SH", vr.sh(IMPLEMENTATION_VERSION_NAME)),
        ]
    )
    return _PREAMBLE + b"\x02\x00\x00\x00UL\x04\x00" + len(body).to_bytes(4, "little") + body


def _meta(element: int, representation: bytes, value: bytes) -> bytes:
    return b"\x02\x00" + element.to_bytes(2, "little") + representation + len(value).to_bytes(2, "little") + value


def encode_file(dataset: Dataset) -> bytes:
    """A whole Part 10 file; the data set brings SOPClassUID and SOPInstanceUID as strings."""
    return file_meta(dataset["SOPClassUID"], dataset["SOPInstanceUID"]) + encode_dataset(dataset)
