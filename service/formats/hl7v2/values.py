"""Data types of HL7 v2 as the domain's values; each gives None for what it can't be."""

import re
from collections.abc import Iterable
from decimal import Decimal
from typing import Final

from service.coding import vocabulary
from service.domain.codes import Code, Term
from service.domain.names import NameGroup, PersonName
from service.domain.report import Issuer, Person, ReferenceRange
from service.domain.times import DateTime
from service.formats.hl7v2.message import Components, part
from service.formats.hl7v2.tables import designator

_DTM: Final = re.compile(
    r"(?P<date>[0-9]{4}(?:[0-9]{2}(?:[0-9]{2})?)?)"
    r"(?:(?P<hour>[0-9]{2})(?P<minute>[0-9]{2})?(?P<second>[0-9]{2})?(?P<fraction>\.[0-9]{1,9})?)?"
    r"(?P<zone>[+-][0-9]{4})?"
)
_NUMBER: Final = r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)"
_BETWEEN: Final = re.compile(rf"\s*({_NUMBER})\s*-\s*({_NUMBER})\s*")
_BEYOND: Final = re.compile(rf"\s*([<>])=?\s*({_NUMBER})\s*")
_DAY: Final = 8


def decimal(text: str) -> Decimal | None:
    """NM (2A.47), its digits as written."""
    return Decimal(text.strip()) if re.fullmatch(_NUMBER, text.strip()) else None


def moment(text: str, *, day_only: bool = False) -> DateTime | None:
    """DTM or TS as precise as it is; minutes and seconds that are left out are none."""
    match = _DTM.fullmatch(text.strip())
    if match is None:
        return None
    found = match.groupdict()
    day = found["date"]
    made = "-".join(filter(None, (day[:4], day[4:6], day[6:8])))
    if found["hour"] is not None and len(day) == _DAY and not day_only:
        zone = found["zone"]
        made += f"T{found['hour']}:{found['minute'] or '00'}:{found['second'] or '00'}{found['fraction'] or ''}"
        made += f"{zone[:3]}:{zone[3:]}" if zone else ""
    try:
        return DateTime(made)
    except ValueError:
        return None


def term(components: Components, where: str) -> Term | None:
    """CE or CWE: of its two codes the first of a system that the tables know, else the first; original text as text."""
    known = vocabulary().systems
    codes = [
        Code(designator(part(components, at + 2)), part(components, at), part(components, at + 1))
        for at in (1, 4)
        if part(components, at)
    ]
    code = next((one for one in codes if one.system in known), codes[0] if codes else None)
    more = part(components, 5) if not part(components, 4) else ""
    words = part(components, 9) or more or (code.display if code is not None else "") or part(components, 2)
    words = words or (code.code if code is not None else "")
    return Term(words, code, where) if words else None


def is_one(components: Components) -> bool:
    """Whether the two codes of a CE or CWE are of one concept, as far as the tables know, or only one is there."""
    first, second = (
        (designator(part(components, at + 2)), part(components, at)) if part(components, at) else None for at in (1, 4)
    )
    if first is None or second is None or first == second:
        return True
    meant = [set(vocabulary().meant_by(*one)) for one in (first, second)]
    return bool(meant[0] & meant[1])


def unit(components: Components, where: str) -> Term:
    """OBX-6: UCUM where it is named as such; else a word, which the coder looks up. A bare number has the unit 1."""
    text = part(components, 1) or part(components, 2)
    if not text:
        return Term("1", None, where)
    if part(components, 3) == "UCUM":
        words = part(components, 2) or text
        return Term(words, Code("UCUM", text, words), where)
    return Term(text, None, where)


def limits(text: str) -> ReferenceRange | None:
    """OBX-7 (7.4.2.7)."""
    between, beyond = _BETWEEN.fullmatch(text), _BEYOND.fullmatch(text)
    try:
        if between is not None:
            return ReferenceRange(Decimal(between[1]), Decimal(between[2]))
        if beyond is not None:
            bound = Decimal(beyond[2])
            return ReferenceRange(low=bound) if beyond[1] == ">" else ReferenceRange(high=bound)
    except ValueError:
        return ReferenceRange(text=text)
    return ReferenceRange(text=text) if text.strip() else None


def issuer(authority: tuple[str, ...]) -> Issuer | None:
    """HD as the domain has it: a namespace, with an OID or URI where it brings one."""
    name, universal, kind = (*authority, "", "", "")[:3]
    if not name and not universal:
        return None
    if kind == "UUID":
        return Issuer(name or universal, f"urn:uuid:{universal.lower()}" if universal else None)
    return Issuer(
        name or universal,
        universal or None if kind == "URI" else None,  # a name of DNS is no URI, and no system of an id
        universal or None if kind == "ISO" else None,
    )


def name(repetitions: Iterable[Components], *, at: int, kind: int) -> PersonName | None:
    """XPN or XCN: ``at`` is the number of the family name, ``kind`` that of the representation code (table 0465)."""
    groups: dict[str, NameGroup] = {}
    for one in repetitions:
        said = part(one, kind) or "A"
        if said not in groups and said in ("A", "I", "P"):
            group = _group(tuple(part(one, at + step) for step in range(5)))
            if group is not None:
                groups[said] = group
    return PersonName(*(groups.get(one, NameGroup()) for one in "AIP")) if groups else None


def _group(parts: tuple[str, ...]) -> NameGroup | None:
    """Family, given, further given, suffix, prefix of v2 in the order of DICOM."""
    family, given, middle, suffix, prefix = parts
    try:
        made = NameGroup(family, given, middle, prefix, suffix)
    except ValueError:
        return None
    return made if str(made) else None


def provider(repetitions: tuple[Components, ...]) -> Person[Term] | None:
    """XCN: the first person with a name, in all repetitions of the same id."""
    for one in repetitions:
        found = name((other for other in repetitions if part(other, 1) == part(one, 1)), at=2, kind=15)
        if found is not None:
            return Person(found, part(one, 1) or None)
    return None


def interpreter(components: Components) -> Person[Term] | None:
    """NDL, whose first component is a CNN; many senders write an XCN there."""
    if components and len(components[0]) > 1:
        components = tuple((one,) for one in components[0])
    elif _DTM.fullmatch(part(components, 2)):
        return None  # when somebody began, who is only an id
    found = name((components,), at=2, kind=99)
    return Person(found, part(components, 1) or None) if found is not None else None
