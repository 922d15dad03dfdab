"""What did not make it whole: skipped on reading, lost on writing, left as text, or flagged."""

from dataclasses import dataclass
from dataclasses import field as member
from enum import StrEnum

from service.domain.codes import Code
from service.domain.quick import quickly_made


class LossKind(StrEnum):
    """What became of the item."""

    SKIPPED = "skipped"  # could not be read; left out
    LOST = "lost"  # the format written can't carry it
    UNCODED = "uncoded"  # no concept: kept as text
    FLAGGED = "flagged"  # kept as it is, but a rule finds it doubtful


@dataclass(frozen=True, slots=True)
class Loss:
    """One line of the list that goes with every conversion.

    ``where`` is the place in the source (JSON pointer, content item path, FHIRPath, segment), ``what`` the item,
    ``why`` the reason or rule in a sentence; ``rule`` names it for programs; ``suggestions`` are concept labels.
    ``field`` is the row of the mappings that a term was looked up in, ``code`` the sender's, where it was one.
    """

    kind: LossKind
    where: str
    what: str
    why: str
    rule: str = ""
    suggestions: tuple[str, ...] = ()
    field: str = member(default="", compare=False)
    code: Code | None = member(default=None, compare=False)

    def __init__(
        self,
        kind: LossKind,
        where: str,
        what: str,
        why: str,
        rule: str = "",
        suggestions: tuple[str, ...] = (),
        field: str = "",
        code: Code | None = None,
    ) -> None:
        """Fill the native class; in Python `quickly_made` does it."""
        self.kind = kind  # type: ignore[misc] # read-only for all others
        self.where = where  # type: ignore[misc] # likewise
        self.what = what  # type: ignore[misc] # likewise
        self.why = why  # type: ignore[misc] # likewise
        self.rule = rule  # type: ignore[misc] # likewise
        self.suggestions = suggestions  # type: ignore[misc] # likewise
        self.field = field  # type: ignore[misc] # likewise
        self.code = code  # type: ignore[misc] # likewise


quickly_made(Loss)
