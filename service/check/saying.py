"""How a format says terms, names, times and numbers: as FHIR does; `service.check.sr_saying` as an SR does."""

from dataclasses import replace
from decimal import Decimal

from service.check.values import ABSENT, codes_value, first_value, issuer_value, number_value
from service.coding import vocabulary
from service.domain.codes import CodedTerm
from service.domain.names import NameGroup, PersonName
from service.domain.report import CodedReport, Issuer
from service.domain.times import DateTime


class Saying:
    """Terms with codes and text, as a bundle has them."""

    def say(self, term: CodedTerm) -> str:
        """A term as the format says it."""
        return codes_value(term.codes, term.text)

    def said(self, term: CodedTerm | None) -> str | None:
        """The same of a term that may not be there."""
        return self.say(term) if term is not None else None

    def single(self, term: CodedTerm) -> str:
        """A term where the format has a single code."""
        return first_value(term.codes, term.text)

    def deny(self, term: CodedTerm) -> str:
        """A negative: a broader code is not denied when only the narrower finding is absent."""
        return codes_value(term.codes if not term.broader else (), term.text)

    def answer(self, term: CodedTerm) -> str:
        """A term as an answer; *absent* is one word, however many codes it has."""
        return ABSENT if term.code == vocabulary().code(ABSENT) else self.say(term)

    def name(self, name: PersonName) -> str:
        """A name as HumanName has it: a middle name is one of the given names, so alone it is the first of them."""
        groups = (name.alphabetic, name.ideographic, name.phonetic)
        return str(PersonName(*(group if group.given else _middle_first(group) for group in groups)))

    def issued(self, report: CodedReport) -> str:
        """When the report was issued."""
        return report.issued.text

    def issuer(self, issuer: Issuer | None) -> str:
        """Who issued an id: the word for it, and its URI or else its OID as one."""
        if issuer is None:
            return ""
        return issuer_value(issuer.key, issuer.uri or (f"urn:oid:{issuer.oid}" if issuer.oid else None))

    def moment(self, when: DateTime) -> str:
        """A time; only its day where it has no zone (R4 datatypes.html#dateTime)."""
        return when.date if when.has_time and not when.has_zone else when.text

    def unit(self, term: CodedTerm) -> str:
        """A unit, with its text beside its code (R4 datatypes.html#quantity)."""
        return codes_value(term.codes[:1], term.text)

    def number(self, value: Decimal) -> str:
        """A number as the format says it."""
        return number_value(value)


def _middle_first(group: NameGroup) -> NameGroup:
    return replace(group, given=group.middle, middle="")
