"""Codes, numbers and times as R4 data types: CodeableConcept, Coding, Quantity, dateTime.

What repeats within and between reports is kept as an `orjson.Fragment`: JSON made once, immutable, and for numbers the
only way to keep the digits as the sender wrote them.
"""

from decimal import Decimal
from functools import cache, lru_cache
from json.encoder import encode_basestring
from typing import Any, Final

import orjson

from service.coding import vocabulary
from service.domain.codes import Code, CodedTerm
from service.domain.loss import Loss, LossKind
from service.domain.times import DateTime
from service.domain.uids import is_uid, scheme_oid

Json = dict[str, Any]
"""A FHIR element or resource; its values are JSON's, or `orjson.Fragment`."""

_KEPT = 8192  # concepts; about 300 bytes each
DATA_ABSENT = "http://terminology.hl7.org/CodeSystem/data-absent-reason"


@lru_cache(_KEPT)
def system_uri(designator: str, sender: str) -> str:
    """The code system's URI, for a DICOM Coding Scheme Designator, URI or OID.

    Of a scheme that no table here knows it is ``urn:oid:`` and an OID made of sender and designator (`scheme_oid`).
    """
    tables = vocabulary()
    known = tables.system(tables.designator(designator) or designator)
    if known is not None and (known.uri or known.oid):
        return known.uri or f"urn:oid:{known.oid}"
    if ":" in designator:
        return designator
    return f"urn:oid:{designator if is_uid(designator) else scheme_oid(sender, designator)}"


def coding(code: Code, sender: str) -> Json:
    """One code as Coding."""
    made = {"system": system_uri(code.system, sender), "code": code.code}
    return made | {"display": code.display} if code.display else made


class Codeable:
    """A CodeableConcept as JSON, by itself and to be put into more; its term and sender are those it was made of.

    ``name`` tells it from others in canonical JSON, without the quotes: its primary code, or its text.
    """

    __slots__ = ("codes", "content", "fragment", "name", "sender", "text")

    def __init__(self, term: CodedTerm, sender: str) -> None:
        """Encode it."""
        codes = term.codes
        self.codes: Final = codes
        self.text: Final = term.text
        self.sender: Final = sender
        concept: Json = {"coding": [coding(code, sender) for code in codes]} if codes else {}
        self.content: Final = orjson.dumps(concept | {"text": term.text})
        self.fragment: Final = orjson.Fragment(self.content)
        name = encode_basestring(f"{codes[0].system} {codes[0].code}" if codes else term.text)[1:-1]
        self.name: Final = name.encode()


_codeables: Final[dict[tuple[int, str, str], Codeable]] = {}
_latest: Final[dict[int, Codeable]] = {}
"""The last one of the same codes: these have another text, or another sender, now and then only."""


def codeable(term: CodedTerm, sender: str) -> orjson.Fragment:
    """A term as CodeableConcept: its codes in their order, and always its text."""
    return made_codeable(term, sender).fragment


def made_codeable(term: CodedTerm, sender: str) -> Codeable:
    """`codeable` in all its forms."""
    # Keyed by which codes they are, not by what they equal: they are equal without their displays, and the same report
    # must give the same bytes.
    codes = term.codes
    known = _latest.get(id(codes))
    if known is not None and known.codes is codes and known.text == term.text and known.sender == sender:
        return known
    known = _codeables.get((id(codes), term.text, sender))
    if known is None or known.codes is not codes:
        known = Codeable(term, sender)
    if codes:  # words alone may be anybody's, and are not kept
        if len(_codeables) >= _KEPT:
            _codeables.clear()
            _latest.clear()
        _latest[id(codes)] = _codeables[id(codes), term.text, sender] = known
    return known


@cache
def field_name(key: str) -> orjson.Fragment:
    """A concept of the tables as the name of a field, as CodeableConcept."""
    return codeable(vocabulary().name(key), "")


@cache
def member_name(key: str) -> orjson.Fragment:
    """The name of a coded member of the report (a row of ``mappings/report.toml``), as CodeableConcept."""
    return field_name(vocabulary().members[key].concept)


@cache
def answer(key: str) -> orjson.Fragment:
    """A concept of the tables as an answer, as CodeableConcept."""
    return codeable(vocabulary().term(key), "")


@lru_cache(64)
def hl7_concept(system: str, code: str, display: str) -> orjson.Fragment:
    """A code of HL7's own terminology (terminology.hl7.org), as CodeableConcept."""
    named = {"system": f"http://terminology.hl7.org/CodeSystem/{system}", "code": code, "display": display}
    return orjson.Fragment(orjson.dumps({"coding": [named], "text": display}))


@lru_cache(64)
def hl7_core_concept(system: str, code: str, display: str) -> orjson.Fragment:
    """A code of FHIR's own specification (hl7.org/fhir), as CodeableConcept."""
    named = {"system": f"http://hl7.org/fhir/{system}", "code": code, "display": display}
    return orjson.Fragment(orjson.dumps({"coding": [named], "text": display}))


def first_coding(term: CodedTerm, sender: str) -> Json:
    """A term where R4 has a single Coding: its primary code; text alone gives a display alone."""
    return coding(term.code, sender) if term.code is not None else {"display": term.text}


@lru_cache(_KEPT)
def _unit(text: str, code: tuple[str, str] | None, sender: str) -> bytes:
    """What stands behind the number in a Quantity."""
    made = {"unit": text}
    if code is not None:
        made |= {"system": system_uri(code[0], sender), "code": code[1]}
    return b"," + orjson.dumps(made)[1:]


def quantity_json(value: Decimal, unit: CodedTerm, sender: str) -> bytes:
    """A number with its unit as Quantity, its digits as written; a unit without a code is its text alone (qty-3).

    Raises ValueError for a decimal that is no number (JSON has none).
    """
    if not value.is_finite():
        raise ValueError("not a finite number")
    code = unit.code
    behind = _unit(unit.text, (code.system, code.code) if code is not None else None, sender)
    return b'{"value":%b%b' % (str(value).encode(), behind)


def quantity(value: Decimal, unit: CodedTerm, sender: str) -> orjson.Fragment:
    """`quantity_json` to be put into more."""
    return orjson.Fragment(quantity_json(value, unit, sender))


def date_time(value: DateTime, where: str, losses: list[Loss]) -> str:
    """A FHIR dateTime; a time of day without a zone can't stand in one (R4 datatypes.html#dateTime): named as lost."""
    if value.has_time and not value.has_zone:
        losses.append(
            Loss(LossKind.LOST, where, "time of day", "a FHIR dateTime with a time needs a zone", "fhir-date-time")
        )
        return value.date
    return value.text
