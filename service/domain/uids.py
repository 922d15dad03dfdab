"""UIDs and ids, derived: UUIDv5 of a fixed namespace over canonical JSON, written as ``2.25.`` (PS3.5 B.2)."""

import hashlib
import re
from binascii import hexlify
from collections.abc import Callable
from functools import lru_cache
from json.encoder import encode_basestring
from struct import Struct
from typing import Final
from uuid import UUID, uuid5

NAMESPACE = UUID("5e52f2c1-4b0d-5f5e-9a6e-6c6573696f6e")
"""The project's namespace. It never changes: every UID sent out depends on it."""

_UID = re.compile(r"(?:0|[1-9][0-9]*)(?:\.(?:0|[1-9][0-9]*))+")
_UID_CHARACTERS = 64  # PS3.5 9.1
# Of a SHA-1 in hexadecimal: without the digit of the version, and the last 32 bits.
_FIELDS: Final[Callable[[bytes], tuple[bytes, ...]]] = Struct("8s4sx3sc3s12s8x").unpack
_VARIANT: Final = {b"%x" % digit: b"%x" % (digit & 3 | 8) for digit in range(16)}  # high bits 10 (RFC 9562 4.1)
_BEGUN: Final = hashlib.sha1(NAMESPACE.bytes, usedforsecurity=False)  # a version 5 UUID is SHA-1 (RFC 9562 5.5)
_OTHER_BITS: Final = ~(0xF << 76 | 3 << 62)
_VERSION_5: Final = 5 << 76 | 2 << 62  # and the variant, in a UUID as number (RFC 9562 5.5)


@lru_cache(maxsize=4096)  # a report repeats its class, series and study UIDs, and each is held in several places
def is_uid(text: str) -> bool:
    """Whether it is a DICOM UID: at most 64 characters, no component with a leading zero (PS3.5 9.1)."""
    return len(text) <= _UID_CHARACTERS and _UID.fullmatch(text) is not None and text[0] in "012"


def check_uid(text: str) -> None:
    """Raise ValueError unless it is a DICOM UID."""
    if not is_uid(text):
        raise ValueError("not a DICOM UID (digits and dots, at most 64 characters, no leading zeros)")


def _canonical(parts: list[str | int | None]) -> str:
    """A list in canonical JSON: no blanks, and every character that need not be escaped as it is."""
    written = [
        "null" if one is None else encode_basestring(one) if isinstance(one, str) else f"{one:d}" for one in parts
    ]
    return f"[{','.join(written)}]"


def derive_uuid(role: str, *parts: str | int | None) -> UUID:
    """The UUIDv5 of ``role`` and ``parts`` in canonical JSON; the same parts give the same UUID for ever."""
    return uuid5(NAMESPACE, _canonical([role, *parts]))


def derive_uuid_text(role: str, *parts: str | int | None) -> str:
    """``str(derive_uuid(role, *parts))``, sooner."""
    whole = _BEGUN.copy()
    whole.update(_canonical([role, *parts]).encode())
    return _hyphened(whole.digest()).decode()


def _hyphened(digest: bytes) -> bytes:
    """A SHA-1 as version 5 UUID in lower-case hexadecimal with hyphens (RFC 9562 5.5)."""
    low, middle, high, variant, clock, node = _FIELDS(hexlify(digest))
    return b"%b-%b-5%b-%b%b-%b" % (low, middle, high, _VARIANT[variant], clock, node)


def _uid(digest: bytes) -> str:
    """A SHA-1 as the UID of its version 5 UUID under 2.25 (PS3.5 B.2)."""
    # An object to the compiler (mypyc 2.4.1): what it writes as an int of its own is never let go where it is so large.
    number: object = int.from_bytes(digest[:16], "big") & _OTHER_BITS | _VERSION_5
    return f"2.25.{number}"


class UuidFamily:
    """UUIDs with the same first parts: ``UuidFamily(role, a).text(b)`` is ``str(derive_uuid(role, a, b))``, sooner.

    Likewise ``uid(b)`` is ``derive_uid(role, a, b)``.
    """

    __slots__ = ("_begun",)

    def __init__(self, role: str, *parts: str | int | None) -> None:
        """Hash what all members share."""
        self._begun = _BEGUN.copy()
        self._begun.update(_canonical([role, *parts])[:-1].encode() + b",")

    def text(self, part: str) -> str:
        """The member of one further part, in lower-case hexadecimal with hyphens."""
        return self.member(encode_basestring(part).encode()).decode()

    def member(self, part: bytes) -> bytes:
        """`text` as bytes, of a part, or of several with commas between them, that is canonical JSON already."""
        whole = self._begun.copy()
        whole.update(part + b"]")
        return _hyphened(whole.digest())

    def uid(self, part: str) -> str:
        """The member of one further part as a DICOM UID under 2.25 (PS3.5 B.2)."""
        whole = self._begun.copy()
        whole.update(f"{encode_basestring(part)}]".encode())
        return _uid(whole.digest())


def derive_uid(role: str, *parts: str | int | None) -> str:
    """A DICOM UID under 2.25 from ``role`` and ``parts``."""
    whole = _BEGUN.copy()
    whole.update(_canonical([role, *parts]).encode())
    return _uid(whole.digest())


def tracking_family(sender: str, issuer: str | None, patient_id: str) -> UuidFamily:
    """The Tracking Unique Identifiers (112040) of a patient's lesions, by the lesion's id: `tracking_uid`, sooner."""
    return UuidFamily("tracking", sender, issuer, patient_id)


def tracking_uid(sender: str, issuer: str | None, patient_id: str, lesion_id: str) -> str:
    """The Tracking Unique Identifier (112040) of a lesion: the same over versions and studies."""
    return derive_uid("tracking", sender, issuer, patient_id, lesion_id)


def scheme_oid(sender: str, designator: str) -> str:
    """The OID of a coding scheme that only its sender knows: one of the sender's own, and the designator as a number.

    So a reader who knows the sender finds the designator again (`scheme_of`); private designators (99..., PS3.3 8.2)
    mean nothing outside the house that uses them.
    """
    number: object = int.from_bytes(designator.encode(), "big")  # an object as in `_uid`
    return f"{derive_uid('code-system', sender)}.{number}"


def scheme_of(oid: str, sender: str) -> str | None:
    """The designator of an OID that `scheme_oid` made for this sender; None for any other."""
    own = f"{derive_uid('code-system', sender)}."
    number = oid.removeprefix(own)
    if number == oid or not number.isascii() or not number.isdigit() or len(number) > _UID_CHARACTERS * 2:
        return None
    try:
        found = int(number).to_bytes((int(number).bit_length() + 7) // 8, "big").decode()
    except UnicodeDecodeError:
        return None
    return found if found and found.isprintable() and scheme_oid(sender, found) == oid else None
