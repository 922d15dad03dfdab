"""multipart/related, read back by Python's own MIME parser."""

from email import message_from_bytes
from email.policy import HTTP

from service.api.multipart import BOUNDARY, Part, related

PARTS = (
    Part("a.json", "application/fhir+json; fhirVersion=4.0", b'{"a":1}'),
    Part("b.dcm", "application/dicom", bytes(range(256)) + b"\r\n--"),
)


def test_every_part_comes_out_as_it_went_in() -> None:
    head, body = related(PARTS)
    message = message_from_bytes(b"Content-Type: " + head.encode() + b"\r\n\r\n" + body, policy=HTTP)
    parts = list(message.iter_parts())
    assert [str(part["Content-Type"]).replace('"', "") for part in parts] == [part.media_type for part in PARTS]
    assert [part.get_payload(decode=True) for part in parts] == [part.content for part in PARTS]


def test_names_its_root() -> None:
    message = message_from_bytes(b"Content-Type: " + related(PARTS)[0].encode() + b"\r\n\r\n", policy=HTTP)
    assert message["Content-Type"].params["type"] == "application/fhir+json"
    assert message["Content-Type"].params["start"] == "<a.json@lesionbridge>"


def test_the_same_parts_give_the_same_bytes() -> None:
    assert related(PARTS) == related(PARTS)


def test_no_part_holds_the_boundary() -> None:
    parts = (*PARTS, Part("c.bin", "application/octet-stream", f"\r\n--{BOUNDARY}--\r\n".encode()))
    head, body = related(parts)
    assert BOUNDARY not in head
    message = message_from_bytes(b"Content-Type: " + head.encode() + b"\r\n\r\n" + body, policy=HTTP)
    assert [part.get_payload(decode=True) for part in message.iter_parts()] == [part.content for part in parts]
