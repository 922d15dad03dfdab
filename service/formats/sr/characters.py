"""Specific Character Set (0008,0005): how the bytes of a text become characters (PS3.3 C.12.1.1.2, PS3.5 6.1).

UTF-8, ASCII and the single-byte sets are Python's own codecs; ISO 2022 with its escapes is left to pydicom, imported
when a document has it. What a set can't decode becomes U+FFFD.
"""

from collections.abc import Callable, Set
from typing import Final, NamedTuple

_SINGLE: Final = {
    "": "ascii",
    "ISO_IR 6": "ascii",
    "ISO 2022 IR 6": "ascii",
    "ISO_IR 13": "shift_jis",
    "ISO_IR 100": "latin_1",
    "ISO_IR 101": "iso8859_2",
    "ISO_IR 109": "iso8859_3",
    "ISO_IR 110": "iso8859_4",
    "ISO_IR 126": "iso8859_7",
    "ISO_IR 127": "iso8859_6",
    "ISO_IR 138": "iso8859_8",
    "ISO_IR 144": "iso8859_5",
    "ISO_IR 148": "iso8859_9",
    "ISO_IR 166": "iso8859_11",
    "ISO_IR 192": "utf_8",
    "ISO_IR 203": "iso8859_15",
    "GB18030": "gb18030",
    "GBK": "gbk",
}
"""The defined terms without code extensions (PS3.3 tables C.12-2 and C.12-5)."""

_NOT_NAMED: Final = "texts are not ASCII, and no character set is named: they are read as UTF-8 or Latin-1"
_NOT_ASCII: Final = "texts are not ASCII, which the named character set is: they are read as UTF-8 or Latin-1"
_NOT_OF_IT: Final = "bytes that the named character set does not have were replaced"
Decode = Callable[[bytes], str]


class Characters(NamedTuple):
    """How texts and names of persons are decoded, and what is wrong with the character set, if anything is.

    ``met`` is what was found wrong since, while texts were decoded.
    """

    text: Decode
    name: Decode
    fault: str | None = None
    is_plain: bool = False  # ASCII or UTF-8: bytes of ASCII, and those alone, say the same in every such document
    met: Set[str] = frozenset()


def characters(character_set: bytes) -> Characters:
    """The decoders of a document by its Specific Character Set.

    Bytes past ASCII where nobody named a set, or ASCII, are read as UTF-8 where they are that, else as Latin-1: it is
    the set that makers leave out.
    """
    names = [part.strip("\0 ") for part in character_set.decode("ascii", "replace").split("\\")]
    spelled = [name.upper().replace("ISO-IR", "ISO_IR") for name in names]
    if len(spelled) == 1 and spelled[0] in _SINGLE:
        codec = _SINGLE[spelled[0]]
        met: set[str] = set()
        why = _NOT_ASCII if spelled[0] else _NOT_NAMED
        decode = _assuming(why, met) if codec == "ascii" else _by(codec, met)
        return Characters(decode, decode, is_plain=codec in ("ascii", "utf_8"), met=met)
    if all(name in _SINGLE or name.startswith("ISO 2022") for name in spelled):
        return _extended(spelled)
    shown = "/".join(spelled)[:64]
    return Characters(_plain, _plain, f"no character set {shown!r} is known; texts are read as UTF-8 or Latin-1")


def _plain(raw: bytes) -> str:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("latin_1")


def _assuming(why: str, met: set[str]) -> Decode:
    def decode(raw: bytes) -> str:
        if not raw.isascii():
            met.add(why)
        return _plain(raw)

    return decode


def _by(codec: str, met: set[str]) -> Decode:
    def decode(raw: bytes) -> str:
        try:
            return raw.decode(codec)
        except UnicodeDecodeError:
            met.add(_NOT_OF_IT)
            return raw.decode(codec, "replace")

    return decode


def _extended(names: list[str]) -> Characters:
    """Code extensions by escape sequences; the delimiters of a value end them (PS3.5 6.1.2.5.3)."""
    import warnings

    from pydicom.charset import convert_encodings, decode_bytes
    from pydicom.valuerep import PN_DELIMS, TEXT_VR_DELIMS

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of a set that it does not know, what is ASCII is read
        encodings = convert_encodings(names)

    met: set[str] = set()

    def decoding(delimiters: set[int]) -> Decode:
        def decode(raw: bytes) -> str:
            if b"\x1b" not in raw and raw.isascii():
                return raw.decode("ascii")
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                try:
                    text = str(decode_bytes(raw, encodings, delimiters))
                except (LookupError, UnicodeError):
                    text = raw.decode("ascii", "replace")
            if "\N{REPLACEMENT CHARACTER}" in text:
                met.add(_NOT_OF_IT)
            return text

        return decode

    name = decoding(PN_DELIMS)
    return Characters(decoding(TEXT_VR_DELIMS), lambda raw: "=".join(map(name, raw.split(b"="))), met=met)
