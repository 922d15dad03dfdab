"""The bytes of a SEG before a library reads them: nothing in them unpacks to more than a deployment takes.

pydicom unpacks a deflated data set whole, however large it becomes.
"""

import struct
import zlib
from typing import Final

DEFLATED: Final = b"1.2.840.10008.1.2.1.99"
_EXPLICIT_LITTLE: Final = b"1.2.840.10008.1.2.1\0"
_META_START: Final = 132
_TRANSFER_SYNTAX: Final = 0x0010
_LONG_FORM: Final = (b"OB", b"OW", b"OF", b"SQ", b"UC", b"UR", b"UT", b"UN")
"""VRs whose length has 32 bits (PS3.5 7.1.2)."""


def plain(content: bytes, most: int) -> bytes:
    """A Part 10 file whose data set is not deflated, the same otherwise; raises ValueError past ``most`` bytes.

    A file that names the deflated transfer syntax anywhere but where it belongs is refused, so that no other reading of
    its meta information can unpack it.
    """
    if DEFLATED not in content:
        return content
    place, end = _transfer_syntax(content)
    if content[slice(*place)].rstrip(b"\0 ") != DEFLATED:
        raise ValueError("its meta information does not say how it is encoded")
    unpacker = zlib.decompressobj(-zlib.MAX_WBITS)  # PS3.5 A.5
    try:
        made = unpacker.decompress(content[end:], most + 1)
    except zlib.error as error:
        raise ValueError("its deflated data set can't be unpacked") from error
    if len(made) > most:
        raise ValueError(f"its data set unpacks to more than {most} bytes (limits.body_bytes)")
    return _meta(_EXPLICIT_LITTLE) + made


def _transfer_syntax(content: bytes) -> tuple[tuple[int, int], int]:
    """Where the Transfer Syntax UID stands, and where the meta information ends (PS3.10 7.1)."""
    found, position = (0, 0), _META_START
    while content[position : position + 2] == b"\x02\0" and position + 12 <= len(content):
        element, representation, length = struct.unpack_from("<H2sH", content, position + 2)
        start = position + 8
        if representation in _LONG_FORM:
            (length,), start = struct.unpack_from("<I", content, start), start + 4
        position = start + length
        if element == _TRANSFER_SYNTAX:
            found = (start, position)
    return found, position


def _meta(transfer_syntax: bytes) -> bytes:
    """Preamble and meta information that name the transfer syntax, and nothing else that a mask is read by."""
    named = struct.pack("<HH2sH", 2, _TRANSFER_SYNTAX, b"UI", len(transfer_syntax)) + transfer_syntax
    return bytes(128) + b"DICM" + struct.pack("<HH2sHI", 2, 0, b"UL", 4, len(named)) + named
