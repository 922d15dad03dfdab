"""FHIR data types as values of a report: dateTime, Identifier, HumanName, Quantity, text."""

from __future__ import annotations

import re
from decimal import Decimal
from functools import lru_cache
from typing import Final

from service.coding import vocabulary
from service.domain.codes import Code, Term
from service.domain.names import NameGroup, PersonName
from service.domain.report import Issuer, ReferenceRange
from service.domain.times import DateTime
from service.domain.uids import is_uid
from service.formats.fhir.read_node import Node

LO: Final = 64
"""Characters of a Long String (PS3.5 6.2)."""
SH: Final = 16
"""Characters of a Short String (PS3.5 6.2)."""
NOT_SAID: Final = "not said"
"""What stands where a report must say something and the document says nothing: words, never a code."""

_WORD: Final = 256
_URN_OID: Final = "urn:oid:"
_SPACED: Final = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2}) ([0-9]{2}:[0-9]{2}:[0-9]{2}.*)")
_GROUPS: Final = {"ABC": "alphabetic", "IDE": "ideographic", "SYL": "phonetic"}
_REPRESENTATION: Final = "http://hl7.org/fhir/StructureDefinition/iso21090-EN-representation"
_QUALIFIER: Final = "http://hl7.org/fhir/StructureDefinition/iso21090-EN-qualifier"
_NAME_ORDER: Final = ("official", "usual", None, "temp", "anonymous", "nickname", "maiden", "old")
_MAY_BREAK: Final = re.compile(r"\r\n?")
_BREAKS: Final = re.compile("[\t\n\r\u2028\u2029]+")
"""Line breaks and tabs: findings take none within a line, and other control characters were refused before."""
_ONE_LINE: Final = "on one line here: each line break or tab is a space"


def line(node: Node, name: str, most: int = 0) -> str | None:
    """A text on one line of at most ``most`` characters that DICOM can hold; another one is listed."""
    text = node.string(name)
    return None if text is None else held(node, name, text, most)


def held(node: Node, name: str, text: str, most: int = 0) -> str | None:
    """A text that a report can hold in one line, else None, listed; flagged where it had several."""
    text = on_one_line(node, name, text)
    limit = most or node.noted.intake.limits.term_characters
    if len(text) > limit:
        node.skip(name, f"it is longer than {limit} characters", "fhir-length")
        return None
    if "\\" in text and most:
        node.skip(name, "a backslash would part it in two in DICOM", "fhir-length")
        return None
    return text or None


def one_line(text: str) -> str:
    """A text with its line breaks and tabs as one space each; another one as it is, with all its spaces."""
    if text.isprintable() or _BREAKS.search(text) is None:
        return text
    return " ".join([words for part in _BREAKS.split(text) if (words := part.strip())])


def on_one_line(node: Node, name: str, text: str) -> str:
    """The same for a member, flagged where it changes something: `A<tab>1` and `A 1` may be two ids."""
    made = one_line(text)
    if made != text:
        node.noted.flag(node.at(name), name, _ONE_LINE, "fhir-one-line")
    return made


def is_word(text: str | None) -> bool:
    """Whether a text can be a code or the name of a code system: something, on one line, of 256 characters at most."""
    return text is not None and 0 < len(text) <= _WORD and text.isprintable()


def prose(node: Node, name: str) -> str | None:
    """Free text of several lines."""
    text = node.string(name)
    if text is None:
        return None
    limit = node.noted.intake.limits.text_characters
    if len(text) > limit:
        node.skip(name, f"it is longer than {limit} characters", "fhir-length")
        return None
    return _MAY_BREAK.sub("\n", text)


def when(node: Node, name: str, *, day: bool = False) -> DateTime | None:
    """A date or a time; one without a zone has that of the site. ``day``: only a date is wanted."""
    text = node.string(name)
    if text is None:
        return None
    spaced = _SPACED.fullmatch(text)  # no FHIR, but STU3 writers did it
    try:
        made = DateTime(f"{spaced[1]}T{spaced[2]}" if spaced else text)
        if made.has_time and not made.has_zone:
            made = DateTime(node.noted.intake.with_zone(made.text))
        if day and made.has_time:
            raise ValueError("a date is wanted")
    except ValueError:
        node.skip(name, "it is no date or time that exists", "fhir-type")
        return None
    return made


def bare_uid(text: str | None) -> str | None:
    """A DICOM UID out of a text with or without ``urn:oid:``; None for anything else."""
    if text is None:
        return None
    plain = text.removeprefix(_URN_OID)
    return plain if is_uid(plain) else None


def uid(node: Node, name: str) -> str | None:
    """A DICOM UID; what is none is listed."""
    text = node.string(name)
    made = bare_uid(text)
    if text is not None and made is None:
        node.skip(name, "it is no DICOM UID", "fhir-type")
    return made


def dicom_uid(resource: Node, name: str = "identifier") -> str | None:
    """The DICOM UID of a resource: the identifier of the system ``urn:dicom:uid`` (R4 imagingstudy.html)."""
    for identifier in resource.nodes(name):
        if identifier.value.get("system") == "urn:dicom:uid":
            identifier.take("system")
            found = uid(identifier, "value")
            if found is not None:
                return found
    return None


def type_code(identifier: Node) -> str:
    """The first code of an identifier's type, such as MR or ACSN of HL7 v2 table 0203."""
    kind = identifier.value.get("type")
    codings = kind.get("coding") if isinstance(kind, dict) else None
    first = codings[0] if isinstance(codings, list) and codings else codings
    return str(first.get("code", "")) if isinstance(first, dict) else ""


def issuer(identifier: Node, *, but: str = "") -> Issuer | None:
    """Who issued an identifier: its system, by the assigner's word where our table knows that; ``but`` is no issuer."""
    system = identifier.string("system")
    assigner = identifier.value.get("assigner")
    said = assigner.get("display") if isinstance(assigner, dict) else None
    word = said.strip() if isinstance(said, str) else ""
    if system is None or system == but:
        if not word or len(word) > LO:
            return None
        identifier.take("assigner")
        return Issuer(word)
    oid = bare_uid(system) if system.startswith(_URN_OID) else None
    row = vocabulary().issuers.get(word)
    if row is not None and system in (row.uri, f"{_URN_OID}{row.oid}"):
        identifier.take("assigner")
        return Issuer(word)
    if word in (system, oid):
        identifier.take("assigner")
        return Issuer(word, system, oid)
    # The system is what is matched on; the assigner's name beside it stays unread, and is listed.
    return Issuer(system, system, oid)


def person_name(node: Node, name: str = "name") -> PersonName | None:
    """Names as DICOM PN: a group each representation; of several in one the official or usual one."""
    groups: dict[str, NameGroup] = {}
    found = sorted(node.nodes(name), key=_rank)
    for human in found:
        marks = [mark for mark in human.extensions(_REPRESENTATION) if mark.string("valueCode") in _GROUPS]
        group = _GROUPS[marks[0].string("valueCode") or ""] if marks else "alphabetic"
        if group in groups:
            continue
        made = _group(human)
        if made is not None:
            groups[group] = made
            human.take("use")
            for mark in marks:
                mark.take("url", "valueCode")
    if not groups:
        return None
    return PersonName(**groups)


def shown_name(reference: Node) -> PersonName | None:
    """The name that a reference shows of a person; its parts are not known, so it stands as the family name."""
    text = line(reference, "display", LO)
    try:
        return PersonName(NameGroup(text)) if text is not None else None
    except ValueError:
        reference.skip("display", "DICOM has no room for it, or it holds ^, = or a backslash", "fhir-length")
        return None


def _rank(human: Node) -> int:
    use = human.value.get("use")
    return _NAME_ORDER.index(use) if use in _NAME_ORDER else len(_NAME_ORDER)


def _group(human: Node) -> NameGroup | None:
    """One HumanName; without its parts its text is the family name."""
    family = on_one_line(human, "family", human.string("family") or "")
    given = _written(human, "given")
    if _is_middle(human):
        given = ["", *given]
    parts = [" ".join(_written(human, name)) for name in ("prefix", "suffix")]
    if not (family or given or any(parts)):
        family = on_one_line(human, "text", human.string("text") or "")
    elif human.value.get("text") is not None:
        human.take("text")  # the same name once more
    try:
        made = NameGroup(family, given[0] if given else "", " ".join(given[1:]), *parts)
    except ValueError:
        human.noted.skip(human.path, "name", "DICOM has no room for it, or it holds ^, = or a backslash", "fhir-length")
        return None
    return made if str(made) else None


def _written(human: Node, name: str) -> list[str]:
    """The parts of a name that repeat, each on one line."""
    return [on_one_line(human, name, one) for one in human.strings(name)]


def _is_middle(human: Node) -> bool:
    """Whether the first given name is marked as the middle name: DICOM tells the two apart."""
    beside = human.value.get("_given")
    first = beside[0] if isinstance(beside, list) and beside else beside
    marks = first.get("extension") if isinstance(first, dict) else None
    for mark in marks if isinstance(marks, list) else [marks]:
        if isinstance(mark, dict) and mark.get("url") == _QUALIFIER and mark.get("valueCode") == "MID":
            human.take("_given")
            return True
    return False


def quantity(node: Node) -> tuple[Decimal, Term] | None:
    """A number with its unit; one with a comparator is no number that a report can hold, and is listed."""
    if "comparator" in node:
        node.take(*node.value)
        node.noted.skip(node.path, "Quantity", "a comparator makes it a bound, not a number", "fhir-comparator")
        return None
    value = node.number("value")
    if value is None:
        return None
    text, system, code = node.string("unit"), node.string("system"), node.string("code")
    unit = Term(*_unit(text, system, code), node.path)
    if text is not None and not is_word(text):
        _flag_words(node, text)
    if unit.code is None and code is not None and unit.text != code:
        node.skip("code", "a code is one word, and its system has to be said: the words stand for it", "fhir-type")
    return value, unit


def _flag_words(node: Node, text: str) -> None:
    """Say what of the words of a unit could not be kept as it was."""
    if len(on_one_line(node, "unit", text)) > _WORD:
        node.noted.flag(node.at("unit"), "unit", f"it is longer than {_WORD} characters: cut there", "fhir-length")


@lru_cache(1024)
def _unit(text: str | None, system: str | None, code: str | None) -> tuple[str, Code | None]:
    """Words and code of a unit."""
    words = one_line(text or "")[:_WORD].strip()
    if system is None or code is None or not (is_word(system) and is_word(code)):
        return words or (code if code is not None and is_word(code) else ""), None
    return words or code, Code(vocabulary().designator(system) or system, code, words or code)


def reference_range(owner: Node, unit: Term) -> ReferenceRange | None:
    """The first reference range, in the unit of the measurement."""
    found = owner.node("referenceRange")
    if found is None:
        return None
    ends = []
    for name in ("low", "high"):
        end = found.node(name)
        made = quantity(end) if end is not None else None
        if made is not None and end is not None and (made[1].text, made[1].code) != (unit.text, unit.code):
            found.skip(name, "its unit is not that of the value", "fhir-type")
            made = None
        ends.append(made[0] if made is not None else None)
    low, high = ends
    text = line(found, "text")
    try:
        return ReferenceRange(low, high, text)
    except ValueError:
        if low is not None or high is not None:
            found.noted.skip(found.path, "referenceRange", "its low is above its high", "fhir-type")
        return None
