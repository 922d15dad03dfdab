"""What an HL7 v2 message is for: production, training or debugging (MSH-11, table 0103).

A message for training is no report of a patient: kept, it would be delivered as one.
"""

from collections.abc import Sequence
from typing import Final

from service.domain.errors import Invalid, Problem

RULE: Final = "v2-processing"
PRODUCTION: Final = "P"
IDS: Final = (PRODUCTION, "T", "D")
"""Table 0103."""


def listed(text: str) -> tuple[str, ...]:
    """The ids of a list with commas; raises ValueError for an empty one, and for what the table does not have."""
    found = tuple(part.strip() for part in text.split(","))
    if not set(found) <= set(IDS):
        raise ValueError("is a list, as P,T, of P (production), T (training) and D (debugging)")
    return found


def hold(said: str, taken: Sequence[str]) -> None:
    """Raise Invalid for what is said and not taken, in capitals or not; nothing said is production."""
    if (said.upper() or PRODUCTION) not in taken:
        detail = f"kept here is MSH-11 {', '.join(taken)}, of the setting hl7_processing"
        raise Invalid(Problem("MSH-11", RULE, detail, tuple(taken)))
