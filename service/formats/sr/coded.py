"""Coded entries: a code with its equivalents as the item of a Code Sequence (PS3.3 8.8), encoded once and kept.

The same few hundred codes stand in every report, so an entry is checked and encoded when it is first seen. The memory
is keyed by the tuple's identity, not its equality: codes are equal without their meanings, and these must not mix.
"""

from service.domain.codes import LOCAL_SCHEME, Code
from service.formats.sr import vr
from service.formats.sr.attributes import item, long, short

_KEPT = 8_192  # entries; a vocabulary has about a thousand
_ELLIPSIS = "…"


class CodedEntry:
    """A primary code, its equivalents, and the item that says so; equal to another by its codes.

    ``as_name``, ``as_value`` and ``as_unit`` are the item in the sequences that content items have.
    ``private`` are the private schemes among them, but for our own: a document must identify these (PS3.3 C.12.1.1.1).
    """

    __slots__ = ("as_name", "as_unit", "as_value", "codes", "item", "private")

    codes: tuple[Code, ...]
    item: bytes
    as_name: bytes
    as_value: bytes
    as_unit: bytes
    private: tuple[str, ...]

    def __init__(self, codes: tuple[Code, ...]) -> None:
        """Check and encode; raises ValueError when a code does not fit its attributes."""
        if not codes:
            raise ValueError("a coded entry has a code")
        object.__setattr__(self, "codes", codes)
        made = item(_macro(codes[0], codes[1:]))
        object.__setattr__(self, "item", made)
        object.__setattr__(self, "as_name", long("ConceptNameCodeSequence", made))
        object.__setattr__(self, "as_value", long("ConceptCodeSequence", made))
        object.__setattr__(self, "as_unit", long("MeasurementUnitsCodeSequence", made))
        object.__setattr__(self, "private", tuple(filter(_is_private, (code.system for code in codes))))

    def __setattr__(self, name: str, value: object) -> None:
        """Refuse: an entry never changes."""
        raise AttributeError(f"{name} of a coded entry can't be set")

    def __eq__(self, other: object) -> bool:
        """By codes, in order."""
        return isinstance(other, CodedEntry) and self.codes == other.codes

    def __hash__(self) -> int:
        """By codes."""
        return hash(self.codes)

    def __repr__(self) -> str:
        """The primary code as DICOM writes triples."""
        first = self.codes[0]
        return f'({first.code},{first.system},"{first.display}")'


def _is_private(scheme: str) -> bool:
    return scheme.startswith("99") and scheme != LOCAL_SCHEME


def meaning(text: str) -> str:
    """A Code Meaning of at most 64 characters: meanings only annotate (PS3.3 8.3), so a long one is cut visibly."""
    line = " ".join(text.replace("\\", "/").split())
    return line if len(line) <= vr.LO_CHARACTERS else line[: vr.LO_CHARACTERS - 1].rstrip() + _ELLIPSIS


def _is_urn(code: str) -> bool:
    return code.startswith("urn:") or "://" in code


def _macro(code: Code, equivalents: tuple[Code, ...]) -> bytes:
    """The elements of one item; exactly one of Code Value, Long Code Value and URN Code Value (PS3.3 8.8)."""
    urn = _is_urn(code.code)
    is_short = not urn and len(code.code) <= vr.SH_CHARACTERS
    parts = []
    if not code.code or not code.system:
        raise ValueError("a code has a value and a scheme")
    if is_short:
        parts.append(short("CodeValue", vr.sh(code.code)))
    parts.append(short("CodingSchemeDesignator", vr.sh(code.system)))
    parts.append(short("CodeMeaning", vr.lo(meaning(code.display) or meaning(code.code))))
    if urn:
        parts.append(long("URNCodeValue", vr.ur(code.code)))
    elif not is_short:
        parts.append(long("LongCodeValue", vr.uc(code.code)))
    if equivalents:
        # Tag order: Long Code Value (0008,0119), URN Code Value (0008,0120), Equivalent Code Sequence (0008,0121).
        parts.append(long("EquivalentCodeSequence", b"".join([item(_macro(other, ())) for other in equivalents])))
    return b"".join(parts)


_entries: dict[tuple[int, bool], tuple[tuple[Code, ...], CodedEntry]] = {}


def coded_entry(codes: tuple[Code, ...], *, equivalents: bool = True) -> CodedEntry:
    """The entry of these codes, the primary one first; without ``equivalents`` only that one is emitted."""
    key = (id(codes), equivalents)
    known = _entries.get(key)
    if known is not None and known[0] is codes:
        return known[1]
    made = CodedEntry(codes if equivalents else codes[:1])
    if len(_entries) >= _KEPT:
        _entries.clear()
    _entries[key] = (codes, made)
    return made
