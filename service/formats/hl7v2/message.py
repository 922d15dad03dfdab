"""Bytes of one message to segments: framing, character set (MSH-18, table 0211), delimiters and escapes (2.5, 2.7).

A field is split when it is asked for. python-hl7, which is used to write, makes an object of some kilobyte of each
field, repetition and component: a message of a few megabytes would take gigabytes.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Final

from service.domain.errors import Invalid, Problem, TooLarge, Unreadable
from service.domain.limits import Limits
from service.domain.loss import Loss, LossKind
from service.formats.hl7v2.characters import cleaned
from service.formats.hl7v2.tables import charsets

_START, _END = b"\x0b", b"\x1c"  # MLLP (HL7 v2 transport, appendix C.4)
_WIDE: Final = (
    (b"\xff\xfe\x00\x00", "utf-32"),
    (b"\x00\x00\xfe\xff", "utf-32"),
    (b"M\x00\x00\x00", "utf-32-le"),
    (b"\x00\x00\x00M", "utf-32-be"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
    (b"M\x00", "utf-16-le"),
    (b"\x00M", "utf-16-be"),
)
"""How a message of wide characters begins; its MSH-18 can only be read once it is decoded."""
_SEQUENCE: Final = re.compile(r"\\([^\\\r]{0,64})\\")
_ENCODING: Final = "^~\\&"
_SIGNS: Final = "^~&"
_SEGMENT: Final = re.compile(r"[A-Z][A-Z0-9]{2}(?:.|$)")
_FORMATTING: Final = {".br": "\n", ".sp": "\n", ".ce": "\n", ".sk": " ", ".in": "", ".ti": "", ".fi": "", ".nf": ""}
_NULL: Final = '""'
"""A value that says to delete what stood there (2.5.3)."""
_COUNTED: Final = (".sp", ".sk")
_COUNT_MOST: Final = 80
_HEADER_BYTES: Final = 65_536
_WESTERN: Final = frozenset({"iso8859-1", "iso8859-9", "iso8859-15"})
_CHARSET_FIELD: Final = 17
"""MSH-18 among the fields of a header that is split at its separator, MSH-1."""

Components = tuple[tuple[str, ...], ...]


class Segment:
    """One segment: its fields by number, with repetitions, components and subcomponents, unescaped.

    ``place`` is as errors and losses name it: ``OBX[3]``. ``read`` are the fields that somebody asked for.
    """

    __slots__ = ("_codec", "_fields", "_signs", "name", "number", "read")

    def __init__(self, name: str, number: int, fields: Sequence[str], codec: str, signs: str = _SIGNS) -> None:
        """Take the fields as they stand, the name first; ``signs`` part components, repetitions and subcomponents."""
        self.name, self.number, self._fields, self._codec, self._signs = name, number, fields, codec, signs
        self.read: set[int] = set()

    @property
    def place(self) -> str:
        """Where it stands among those of its name."""
        return f"{self.name}[{self.number}]"

    def repetitions(self, field: int) -> tuple[Components, ...]:
        """All repetitions of a field that hold something."""
        self.read.add(field)
        if field >= len(self._fields):
            return ()
        found = tuple(tuple(self._components(one)) for one in self._repeated(field))
        return tuple(one for one in found if any(any(part) for part in one))

    def components(self, field: int) -> Components:
        """The first repetition of a field."""
        return next(iter(self.repetitions(field)), ())

    def text(self, field: int, component: int = 1) -> str:
        """A component of the first repetition, counted from 1; empty where it is not there."""
        return part(self.components(field), component)

    def display(self, field: int) -> str:
        """The lines of a text field: spaces that begin a line are kept, those that end it are not (2A, TX)."""
        self.read.add(field)
        if field >= len(self._fields):
            return ""
        parts = ("" if text == _NULL else unescape(text, self._codec) for text in self._repeated(field))
        lines = "\n".join(parts).replace("\r\n", "\n").replace("\r", "\n").split("\n")
        return "\n".join(line.rstrip(" ") for line in lines)

    def unread(self) -> Iterator[int]:
        """The fields that hold something and that nobody asked for."""
        for field in range(1, len(self._fields)):
            if field not in self.read and self._fields[field].strip('"^~& '):
                yield field

    def _repeated(self, field: int) -> list[str]:
        return self._fields[field].split(self._signs[1])

    def _components(self, repetition: str) -> Iterator[tuple[str, ...]]:
        component, sub = self._signs[0], self._signs[2]
        for one in repetition.split(component):
            yield tuple(self._plain(part) for part in one.split(sub))

    def _plain(self, text: str) -> str:
        return "" if text == _NULL else unescape(text, self._codec).strip()


def part(components: Components, number: int, sub: int = 1) -> str:
    """A subcomponent by the numbers of the standard; empty where it is not there."""
    if number > len(components) or sub > len(components[number - 1]):
        return ""
    return components[number - 1][sub - 1]


def unescape(text: str, codec: str) -> str:
    """The text of a field: its escape sequences replaced (2.7); one that can't be is left as it stands."""
    if "\\" not in text:
        return text
    return _SEQUENCE.sub(lambda found: _replaced(found[0], found[1], codec), text)


def _replaced(whole: str, sequence: str, codec: str) -> str:
    plain = {"F": "|", "S": "^", "T": "&", "R": "~", "E": "\\", "H": "", "N": ""}.get(sequence)
    if plain is not None:
        return plain
    if sequence.startswith("X"):
        try:
            return bytes.fromhex(sequence[1:]).decode(codec)
        except ValueError:
            return whole
    made = _formatted(sequence)
    return whole if made is None else made


def _formatted(sequence: str) -> str | None:
    """What a formatting command makes (2.7.7); None where it is none."""
    command, count = sequence[:3], sequence[3:].strip()
    if command not in _FORMATTING or not (count == "" or re.fullmatch(r"[+-]?[0-9]{1,4}", count)):
        return None
    times = min(max(int(count or 1), 1), _COUNT_MOST) if command in _COUNTED else 1
    return _FORMATTING[command] * times


def message(content: bytes, limits: Limits) -> tuple[list[Segment], list[Loss]]:
    """The segments of one message, MSH first.

    Raises Unreadable for what is no message or can't be decoded, Invalid for several messages, TooLarge.
    """
    if len(content) > limits.body_bytes:
        raise TooLarge(Problem("", "limit", "the message is larger than this deployment takes"))
    text, codec, losses = _decoded(_unframed(content))
    values = _values(text)
    if values > limits.values:
        raise Invalid(Problem("", "limit", f"more than {limits.values} segments, fields, parts of fields and escapes"))
    lines = _lines(text, losses)
    headers = sum(line.startswith("MSH") for line in lines)
    if headers != 1 or lines[0][:3] in ("FHS", "BHS"):
        raise Invalid(Problem("MSH", "v2-one-message", "one message at a time: give each message of a batch alone"))
    segments = list(_segments(list(cleaned(lines, codec, losses)), codec))
    _hold_made(lines, segments, limits.values - values, limits)
    return segments, losses


def _hold_made(lines: Sequence[str], segments: Sequence[Segment], left: int, limits: Limits) -> None:
    """What formatting commands make is bounded before anything makes it: seven characters are up to 80 lines."""
    for line, segment in zip(lines, segments, strict=True):
        if "\\.s" in line:
            left -= sum(len(_formatted(found[1]) or "") for found in _SEQUENCE.finditer(line))
        if left < 0:
            why = f"with what formatting commands make (.sp, .sk) more than {limits.values} lines, blanks and parts"
            raise Invalid(Problem(segment.place, "limit", why))


def _values(text: str) -> int:
    """Line ends and delimiters of all kinds: whatever is split or replaced costs time and memory for each."""
    signs = {"\r", "\n", text[3], *_ENCODING, *text[4:].split(text[3], 1)[0]}
    return sum(text.count(sign) for sign in signs)


def _segments(lines: Sequence[str], codec: str) -> Iterator[Segment]:
    separator = lines[0][3]
    said = lines[0].split(separator, 2)[1]
    # Component, repetition, escape, subcomponent (2.14.9.2); who names fewer means the usual ones.
    said += _ENCODING[len(said) :]
    signs = said[0] + said[1] + said[3]
    seen: dict[str, int] = {}
    for line in lines:
        fields = line.split(separator)
        name = fields[0]
        if name == "MSH":
            fields.insert(1, separator)  # MSH-1 is the separator itself
        seen[name] = seen.get(name, 0) + 1
        yield Segment(name, seen[name], fields, codec, signs)


def header(content: bytes) -> str:
    """The first line of a message as it is read, for who only wants to know whose it is; empty where there is none."""
    beginning = _unframed(content)[:_HEADER_BYTES]
    wide = next((codec for start, codec in _WIDE if beginning.startswith(start)), "")
    text = beginning.decode(wide or "latin-1", "replace").removeprefix("\ufeff")
    return re.split(r"[\r\n]", text, maxsplit=1)[0]


def _unframed(content: bytes) -> bytes:
    """Without the frame of MLLP and a byte order mark."""
    if content.startswith(tuple(start for start, _ in _WIDE)):
        return content
    bare = content.strip(b"\r\n \t\x00")
    if bare.startswith(_START):
        bare = bare[1:].partition(_END)[0]
    return bare.removeprefix(b"\xef\xbb\xbf").lstrip(b"\r\n \t")


def _decoded(content: bytes) -> tuple[str, str, list[Loss]]:
    """The text, its codec, and a flag where a character set had to be assumed."""
    wide = next((codec for start, codec in _WIDE if content.startswith(start)), "")
    if wide:
        return _checked(_by(content, wide).removeprefix("\ufeff")), wide, []
    if content[:3] != b"MSH" or len(content) < 8:
        raise Unreadable(Problem("", "v2", "an HL7 v2 message begins with MSH and its delimiters"))
    fields = re.split(rb"[\r\n]", content, maxsplit=1)[0].split(content[3:4])
    said = fields[_CHARSET_FIELD].decode("ascii", "replace").strip() if len(fields) > _CHARSET_FIELD else ""
    repeated = chr(content[5]) if content[5:6] != content[3:4] else "~"  # MSH-2 may have one sign only
    names = [name.strip() for name in said.split(repeated) if name.strip()]
    if not names:
        return _assumed(content)
    unknown = [name for name in names if name not in charsets()]
    if unknown:
        known = tuple(name for name, codec in charsets().items() if codec)
        raise Unreadable(Problem("MSH-18", "v2-charset", "no such character set in HL7 table 0211", known))
    codecs = [charsets()[name] for name in names]
    # Alternate sets are switched to by escape sequences of ISO 2022: one decoder knows them together.
    codec = next((one for one in codecs if one.startswith("iso2022")), codecs[0])
    if not codec:
        raise Unreadable(Problem("MSH-18", "v2-charset", f"no decoder for {names[0]} here; send UNICODE UTF-8"))
    return _said(content, names[0], codec)


def _said(content: bytes, name: str, codec: str) -> tuple[str, str, list[Loss]]:
    """The text by the set that is named; flagged where its bytes are UTF-8, too: an engine may have changed them.

    Of the sets of Western Europe no text has a letter and a sign wherever UTF-8 has two bytes, so it is that.
    Hexadecimal data, which no engine touches, stay bytes of the set that is named.
    """
    text = _by(content, codec)
    other = _as_utf_8(content) if codec.startswith("iso8859") and not content.isascii() else None
    if other is None:
        return _checked(text), codec, []
    if codec in _WESTERN:
        text, why = other, f"the message says {name}, its bytes are UTF-8: read as that"
    else:
        why = f"the message says {name}, its bytes are UTF-8, too: read as it says"
    return _checked(text), codec, [Loss(LossKind.FLAGGED, "MSH-18", "character set", why, "v2-charset-assumed")]


def _as_utf_8(content: bytes) -> str | None:
    """The text of bytes that are UTF-8; None of others."""
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return None


def _assumed(content: bytes) -> tuple[str, str, list[Loss]]:
    """Without MSH-18 it is ASCII (2.14.9.18). Else it is read as UTF-8 where it is that, or 8859/1; flagged."""
    if content.isascii():
        return _checked(content.decode("ascii")), "ascii", []
    text, codec = _as_utf_8(content), "utf-8"
    if text is None:
        text, codec = content.decode("iso8859-1"), "iso8859-1"
    why = f"no character set is named, and it is not ASCII: read as {codec}"
    return _checked(text), codec, [Loss(LossKind.FLAGGED, "MSH-18", "character set", why, "v2-charset-assumed")]


def _by(content: bytes, codec: str) -> str:
    try:
        return content.decode(codec)
    except UnicodeDecodeError as error:
        why = f"the bytes are not {codec}, which the message names, from byte {error.start} on"
        raise Unreadable(Problem("MSH-18", "v2-charset", why)) from error


def _checked(text: str) -> str:
    """A header that names its delimiters: four or five signs, none twice (2.14.9.1)."""
    if not text.startswith("MSH") or len(text) < 8:
        raise Unreadable(Problem("", "v2", "an HL7 v2 message begins with MSH and its delimiters"))
    separator = text[3]
    signs = separator + text[4:].split(separator, 1)[0]
    if (
        not 3 <= len(signs) <= 6
        or len(set(signs)) != len(signs)
        or any(sign.isalnum() or sign.isspace() or not sign.isprintable() for sign in signs)
    ):
        raise Unreadable(Problem("MSH-2", "v2", "the delimiters are not four different signs"))
    if signs[3:4] not in ("", "\\"):
        why = "escapes are read where MSH-2 names the backslash for them, as nearly every sender does"
        raise Unreadable(Problem("MSH-2", "v2-escape", why, ("^~\\&",)))
    return text


def _lines(text: str, losses: list[Loss]) -> list[str]:
    """Segments; a line that is none goes on where the one before it ended, as senders break long texts."""
    lines: list[list[str]] = []
    for line in re.split(r"\r\n|\r|\n", text):
        if not line.strip():
            continue
        if _SEGMENT.match(line) and (len(line) == 3 or line[3] == text[3]):
            lines.append([line])
        elif lines:
            lines[-1].append(line)
    why = "lines without a segment's name are taken as more of the segment before them"
    losses.extend(
        Loss(LossKind.FLAGGED, parts[0][:3], "line", why, "v2-continued-line") for parts in lines if len(parts) > 1
    )
    return ["\\.br\\".join(parts) for parts in lines]
