"""Who asks: a name for the audit trail, the sender it speaks for, and what it may do."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final, TypeGuard

MAX_SENDER: Final = 256


class Scope(StrEnum):
    """What a caller may do; the names stand in keys and in the ``scope`` claim of tokens (RFC 6749 3.3)."""

    CONVERT = "convert"
    REPORT_WRITE = "report.write"
    REPORT_READ = "report.read"
    TERMINOLOGY_READ = "terminology.read"
    TERMINOLOGY_WRITE = "terminology.write"
    DELIVERY_ADMIN = "delivery.admin"
    AUDIT_READ = "audit.read"


OF_ALL_SENDERS: Final = frozenset({Scope.DELIVERY_ADMIN, Scope.AUDIT_READ})
"""What can't be told apart by sender: deliveries, merges of patients, and the trail, whose chain has no gaps."""


@dataclass(frozen=True, slots=True)
class Principal:
    """A caller. ``sender`` empty: it speaks for any; ``rate_per_minute`` and ``body_bytes`` 0: the deployment's."""

    name: str
    sender: str = ""
    scopes: frozenset[Scope] = frozenset()
    rate_per_minute: int = 0
    body_bytes: int = 0

    def may(self, scope: Scope) -> bool:
        """Whether it has a scope."""
        return scope in self.scopes

    def speaks_for(self, sender: str) -> bool:
        """Whether reports of a sender are its own."""
        return self.sender in ("", sender)

    def may_see(self, sender: str) -> bool:
        """Whether what is this sender's, or with an empty one nobody's own, is for its eyes."""
        return not sender or self.speaks_for(sender)


ANYBODY = Principal("anybody", scopes=frozenset(Scope))
"""The caller where access is open."""


def scopes_of(text: str) -> frozenset[Scope]:
    """The scopes of a list in words; unknown ones are somebody else's and are left out."""
    known = {scope.value: scope for scope in Scope}
    return frozenset(known[name] for name in text.replace(",", " ").split() if name in known)


def name_fault(text: str) -> str:
    """What such a name is, as `is_name` has it, and why a text can't be one; empty where it can.

    What nobody sees, or tells from a blank, is refused: two names would look the same, and be two senders.
    """
    why = _name_fault(text)
    return why and f"1 to {MAX_SENDER} printable characters, with no blank around them: {why}"


def _name_fault(text: str) -> str:
    if not 0 < len(text) <= MAX_SENDER:
        return f"it has {len(text)} characters"
    if not text.isprintable():
        import unicodedata

        place, one = next((place, one) for place, one in enumerate(text, 1) if not one.isprintable())
        called = unicodedata.name(one, "a control character")
        return f"its character {place} is U+{ord(one):04X} ({called}), which nobody sees or tells from a blank"
    return "it begins or ends with a blank" if text != text.strip() else ""


def is_name(text: object) -> TypeGuard[str]:
    """Whether it can be the name of a sender or of a caller: 1 to 256 printable characters, no blank around them."""
    return isinstance(text, str) and not name_fault(text)
