"""Numbers: a unit of the right kind, and values that something can measure."""

from decimal import Decimal

from service.coding.lookup import KEPT, Resolved, Verdict, Vocabulary, coded
from service.coding.notes import Notes
from service.coding.rows import MeasurementRow
from service.coding.units import FIELD as UNIT
from service.coding.units import UCUM, UNITY, commensurable, factor, is_ucum
from service.domain.codes import Code, CodedTerm, Resolution, Term
from service.domain.errors import Contradiction, Implausible, Invalid
from service.domain.report import Measurement


def resolve_unit(vocabulary: Vocabulary, term: Term, row: MeasurementRow | None) -> Resolved:
    """The unit of a measurement: one of the row's, in any spelling; without a row any unit that is known, or UCUM."""
    units = row.units if row is not None else ()
    given = term.code
    text = term.text if given is None else given.code
    if not text:
        if UNITY not in units:
            return Resolved(None, Verdict(Invalid, "unit-missing", "A measurement has a unit.", units))
        text = UNITY
    if given is not None and vocabulary.designator(given.system) != UCUM:
        return Resolved(None, Verdict(Invalid, "unit-system", "A unit is a word or a UCUM code.", units))
    other = _other_unit(vocabulary, given, text)
    if other is not None:
        # Nobody can tell which of the two is meant, and a number in the wrong unit is a harm.
        why = f"{text!r} is not the unit that its display says: {other}."
        return Resolved(None, Verdict(Contradiction, "unit-contradicts-code", why, (text, other)))
    key = vocabulary.units.find(text) or _of_site(vocabulary, term)
    if key is None:
        if row is None and given is not None and is_ucum(text):
            return Resolved(CodedTerm(text, (Code(UCUM, text, given.display or text),), resolution=Resolution.GIVEN))
        return Resolved(None, Verdict(Invalid, "unit-unknown", f"{text!r} is no unit known here.", units))
    concept = vocabulary.concepts[key]
    made = coded(concept, Resolution.CODE if given is not None else Resolution.SYNONYM)
    code = made.codes[0].code
    if units and code not in units:
        why = f"{text!r} is no unit of {row.key if row else 'this'}; accepted: {', '.join(units)}."
        return Resolved(None, Verdict(Implausible, "unit-kind", why, units))
    how = Resolution.EXACT if given is None and text == code else made.resolution
    return Resolved(CodedTerm(code, made.codes, key, False, how, text if text != code else ""))


def _of_site(vocabulary: Vocabulary, term: Term) -> str | None:
    """The unit that a site's own word stands for, or None: no site changes what the tables know."""
    field = vocabulary.members.get(UNIT)
    if vocabulary.overlay is None or term.code is not None or field is None:
        return None
    own = vocabulary.overlay.resolve(vocabulary, term, field)
    return own.term.concept if own is not None and own.term is not None else None


def _other_unit(vocabulary: Vocabulary, given: Code | None, unit: str) -> str | None:
    """The UCUM code of another amount, or of another thing, that the display of a known unit's code says."""
    said = vocabulary.units.code(given.display) if given is not None and given.display else None
    own = vocabulary.units.code(unit)
    if said in (None, own) or own is None or (commensurable(said, own) and factor(said, own) in (None, 1)):
        return None
    return said


def unit_of(vocabulary: Vocabulary, term: Term, row: MeasurementRow | None) -> Resolved:
    """`resolve_unit`, remembered: a report has few units and many measurements."""
    code = term.code
    # No field has a key with a blank, so units and terms of one key stay apart.
    place = f"unit {row.key}" if row is not None else "unit "
    key = (place, term.text, None if code is None else (code.system, code.code, code.display))
    found = vocabulary.cache.get(key)
    if found is None:
        found = resolve_unit(vocabulary, term, row)
        if found.verdict is None:
            if len(vocabulary.cache) >= KEPT:
                vocabulary.cache.clear()
            vocabulary.cache[key] = found
    return found


def check_value(
    item: Measurement[Term], unit: CodedTerm, row: MeasurementRow, notes: Notes, *, gone: bool = False
) -> None:
    """Hold the number against the limits of its row: refused outside what can be, flagged where it is hard to believe.

    Limits are in the row's first unit; a zero holds in any. A lesion that is ``gone`` may measure 0.
    """
    value = item.value
    # `Decimal` compares NaN with nothing, so this comes first.
    if not value.is_finite():
        notes.refuse(Implausible, item.where, "value-range", f"{row.key} is a finite number.")
        return
    if row.integer and value != value.to_integral_value():
        notes.refuse(Implausible, item.where, "value-integer", f"{row.key} is a whole number.")
    if unit.code is None:
        return
    first = row.units[0]
    times = factor(unit.code.code, first)
    low, above, high = row.at_least, row.above, row.implausible_above
    amount = value * times if times is not None else None
    if low is not None and _below(value, amount, low):
        notes.refuse(Implausible, item.where, "value-range", f"{row.key} is not below {low} {first}.")
    elif above is not None and (_below(value, amount, above) or (_equal(value, amount, above) and not gone)):
        notes.refuse(Implausible, item.where, "value-range", f"{row.key} is above {above} {first}.")
    elif high is not None and amount is not None and amount > high:
        why = f"{row.key} is rarely above {high} {first}. Kept as it came."
        notes.flag(item.where, f"{row.key} {value} {unit.text}", why, "implausible-value")


def _below(value: Decimal, amount: Decimal | None, limit: Decimal) -> bool:
    """Whether a value, ``amount`` in the limit's unit, is below it; unknown units are compared with zero only."""
    return amount < limit if amount is not None else limit == 0 and value < 0


def _equal(value: Decimal, amount: Decimal | None, limit: Decimal) -> bool:
    """Whether a value, ``amount`` in the limit's unit, is the limit."""
    return amount == limit if amount is not None else limit == 0 and value == 0
