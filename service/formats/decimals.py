"""Decimals as written, of no more digits than a deployment takes."""

from decimal import Decimal, InvalidOperation


def bounded(number: str, most: int) -> Decimal | None:
    """The decimal of a number as written, or None where it has, its exponent written out, more than ``most`` digits."""
    if len(number) > 2 * most:
        return None
    if len(number) <= most and "e" not in number and "E" not in number:
        return Decimal(number)
    try:
        value = Decimal(number)
    except InvalidOperation:  # an exponent that even Decimal has no room for
        return None
    return value if has_digits(value, most) else None


def has_digits(value: Decimal, most: int) -> bool:
    """Whether ``value``, a finite one, has at most ``most`` digits with its exponent written out."""
    return abs(value.adjusted()) <= most and len(f"{value:f}".lstrip("-").replace(".", "")) <= most
