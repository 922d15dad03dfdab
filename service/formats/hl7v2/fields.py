"""Data types of HL7 v2.5.1 (chapter 2A) as values of the library's containers, delimiters escaped (2.7.4).

A field is a string, or a tuple of components; a component is a string, or a tuple of subcomponents; a list of fields is
a field that repeats. The library's own ``escape`` is not used: it writes everything beyond ASCII as hexadecimal bytes
of no character set.
"""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Final

from service.domain.codes import Code, CodedTerm
from service.domain.names import NameGroup, PersonName
from service.domain.report import Issuer, Person, ReferenceRange
from service.domain.times import DateTime
from service.formats.hl7v2.tables import LOCAL, system_name

Component = str | tuple[str, ...]
Value = str | tuple[Component, ...]
Field = Value | list[Value]

SEPARATORS: Final = "\r|~^&"
"""Segment, field, repetition, component, subcomponent."""
_CONTROLS: Final = (*range(0x09), 0x0B, 0x0C, *range(0x0E, 0x20), *range(0x7F, 0xA0))
_ESCAPES: Final = {chr(one): f"\\X{chr(one).encode().hex().upper()}\\" for one in _CONTROLS} | {
    "\\": "\\E\\",
    "|": "\\F\\",
    "^": "\\S\\",
    "&": "\\T\\",
    "~": "\\R\\",
    "\n": "\\.br\\",
    "\r": "\\.br\\",
}
_ESCAPED: Final = str.maketrans(_ESCAPES)
_ALTERNATIVES: Final = 2
"""Codes that a CWE has places for (2A.89)."""


def escape(text: str) -> str:
    """A text as it stands in a message: delimiters as escape sequences, a line end as ``.br`` (2.7.4, 2.7.7).

    A control character goes as hexadecimal (2.7): two of them would end the block of MLLP that the message stands in.

    A text of two quotation marks would be a null, "delete what is there" (2.5.3): it goes as hexadecimal, too.
    """
    if text == '""':
        return "\\X2222\\"
    return text.replace("\r\n", "\n").translate(_ESCAPED)


def segment(name: str, *fields: Field) -> str:
    """A segment, empty fields at its end left out."""
    import hl7

    made = hl7.Segment("|", [hl7.Field("~", [name]), *(_field(one) for one in fields)], "\\", SEPARATORS)
    return str(made).rstrip("|")


def _field(value: Field) -> Any:
    import hl7

    repetitions: Sequence[Value] = value if isinstance(value, list) else [value]
    return hl7.Field("~", [_repetition(one) for one in repetitions], "\\", SEPARATORS)


def _repetition(value: Value) -> Any:
    import hl7

    if isinstance(value, str):
        return escape(value)
    components = [
        escape(part) if isinstance(part, str) else hl7.Component("&", [escape(one) for one in part]) for part in value
    ]
    while components and not str(components[-1]):
        components.pop()
    return hl7.Repetition("^", components, "\\", SEPARATORS)


def number(value: Decimal) -> str:
    """NM: the digits as written, no exponent (2A.47)."""
    return format(value, "f")


def moment(when: DateTime | None) -> str:
    """DTM: as precise as it is said, with the offset where one is (2A.22)."""
    if when is None:
        return ""
    return when.date.replace("-", "") + when.tm + when.offset


def coded(term: CodedTerm) -> tuple[Component, ...]:
    """CWE (2A.89): the first two codes; the words beside them, where the first code says less, as original text."""
    if not term.codes:
        return ("", term.text)
    first, *others = term.codes[:_ALTERNATIVES]
    second: tuple[str, ...] = _code(others[0]) if others else ("", "", "")
    return (*_code(first), *second, "", "", term.text if term.text != first.display else "")


def named(term: CodedTerm) -> tuple[Component, ...]:
    """CE (2A.3), which has no original text: words that say more than the one code are the alternate text."""
    if not term.codes:
        return ("", term.text)
    first, *others = term.codes[:_ALTERNATIVES]
    if others:
        return (*_code(first), *_code(others[0]))
    return (*_code(first), "", term.text) if term.broader else _code(first)


def _code(code: Code) -> tuple[str, str, str]:
    return (code.code, code.display, system_name(code.system))


def unit(term: CodedTerm) -> tuple[str, ...]:
    """The unit of a number as CE: UCUM, or a local word (OBX-6)."""
    return _code(term.codes[0]) if term.codes else (term.text, term.text, LOCAL)


def limits(normal: ReferenceRange | None) -> str:
    """OBX-7: ``low-high``, ``>low``, ``<high``, or the text where no number is (7.4.2.7)."""
    if normal is None:
        return ""
    low, high = normal.low, normal.high
    if low is not None and high is not None:
        return f"{number(low)}-{number(high)}"
    if low is not None:
        return f">{number(low)}"
    return f"<{number(high)}" if high is not None else normal.text or ""


def authority(issuer: Issuer | None) -> tuple[str, ...]:
    """HD (2A.33): the issuer's key, with its OID or URI."""
    if issuer is None:
        return ()
    if issuer.oid:
        return (issuer.key, issuer.oid, "ISO")
    return (issuer.key, issuer.uri, "URI") if issuer.uri else (issuer.key,)


def identifier(text: str, issuer: Issuer | None) -> tuple[Component, ...]:
    """EI (2A.28)."""
    return (text, *authority(issuer))


def names(name: PersonName | None) -> list[Value]:
    """XPN (2A.92) for each group of a name: alphabetic, ideographic, phonetic (table 0465)."""
    if name is None:
        return []
    groups = ((name.alphabetic, "A"), (name.ideographic, "I"), (name.phonetic, "P"))
    return [(*_parts(group), "", "L", representation) for group, representation in groups if str(group)]


def _parts(group: NameGroup) -> tuple[str, str, str, str, str]:
    """Family, given, further given, suffix, prefix: the order of v2, which is not that of DICOM."""
    return (group.family, group.given, group.middle, group.suffix, group.prefix)


def provider(person: Person[CodedTerm] | None) -> list[Value]:
    """XCN (2A.90), a repetition for each group of the name."""
    if person is None:
        return []
    return [(person.id or "", *parts[:5], *("",) * 3, "L", "", "", "", "", parts[7]) for parts in names(person.name)]


def interpreter(person: Person[CodedTerm]) -> Value:
    """NDL (2A.44) of the alphabetic group: its first component is a CNN with subcomponents."""
    group = next(one for one in (person.name.alphabetic, person.name.ideographic, person.name.phonetic) if str(one))
    return ((person.id or "", *_parts(group)),)
