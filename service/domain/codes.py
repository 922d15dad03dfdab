"""Codes, the concepts they stand for, and how a term of the sender became one.

A code is equal to another by scheme and value, never by its meaning (PS3.3 8.1: Code Meaning is annotative).
"""

from dataclasses import dataclass, field
from enum import StrEnum

from service.domain.quick import interpreted, quickly_made

LOCAL_SCHEME = "99LESIONBRIDGE"
"""Coding scheme designator of the project's own concept keys (private designators start with 99, PS3.3 8.2)."""


@interpreted
@dataclass(frozen=True, slots=True)
class Code:
    """One code triple; ``system`` is the DICOM Coding Scheme Designator (SCT, RADLEX, LN, DCM, UCUM, 99...)."""

    system: str
    code: str
    display: str = field(compare=False)


class Equivalence(StrEnum):
    """Of a code, seen from the concept: a ``broader`` code says less than the concept does."""

    EXACT = "exact"
    BROADER = "broader"
    NARROWER = "narrower"
    RELATED = "related"


@interpreted
@dataclass(frozen=True, slots=True)
class Coding:
    """One row of ``terminology/codings.csv``: ``part`` > 0 numbers codes that only together mean the concept."""

    code: Code
    equivalence: Equivalence
    part: int = 0
    verified: bool = True


@interpreted
@dataclass(frozen=True, slots=True)
class Concept:
    """One row of ``terminology/concepts.csv`` with its codings in table order.

    ``codes`` is what both formats emit: the first one is the SR's code, the others stand beside it (FHIR ``coding``,
    SR Equivalent Code Sequence). At most one exact whole code of each system. Empty: known, but text only.
    ``broader`` is set where no exact code exists and a broader one is the best: it is emitted together with ``label``.
    """

    key: str
    group: str
    label: str
    codings: tuple[Coding, ...] = ()
    codes: tuple[Code, ...] = ()
    broader: Code | None = None


class Resolution(StrEnum):
    """How a term became a concept."""

    KEY = "key"  # the key of a concept
    EXACT = "exact"  # the preferred label
    SYNONYM = "synonym"  # another designation
    VARIANT = "variant"  # another spelling, plural or hyphenation of a designation
    CODE = "code"  # a code that a concept has
    LOCAL = "local"  # a local code or word mapped by the site
    REMOTE = "remote"  # known to the site's terminology server only, and equal there; flagged
    GIVEN = "given"  # a code of the sender that no concept here has; passed on as it came
    TEXT = "text"  # no concept: kept as text and flagged


@dataclass(frozen=True, slots=True)
class Term:
    """What the sender said for a coded member: a word or key (``text``), or a code.

    ``where`` is the place in the sender's own document (JSON pointer, content item path); it is not part of equality.
    """

    text: str
    code: Code | None = None
    where: str = field(default="", compare=False)

    def __init__(self, text: str, code: Code | None = None, where: str = "") -> None:
        """Fill the native class; in Python `quickly_made` does it."""
        self.text = text  # type: ignore[misc] # read-only for all others
        self.code = code  # type: ignore[misc] # likewise
        self.where = where  # type: ignore[misc] # likewise


quickly_made(Term)


@dataclass(frozen=True, slots=True)
class CodedTerm:
    """A term resolved, or kept as text.

    ``codes``: what is emitted, the primary code first; empty means text only. ``broader``: the primary code says less
    than ``text`` does, so ``text`` goes with it. ``text``: the concept's label, or the sender's own words.
    ``said``: the sender's words, where they are not ``text``.
    """

    text: str
    codes: tuple[Code, ...] = ()
    concept: str | None = None
    broader: bool = False
    resolution: Resolution = Resolution.TEXT
    said: str = field(default="", compare=False)
    where: str = field(default="", compare=False)

    def __init__(
        self,
        text: str,
        codes: tuple[Code, ...] = (),
        concept: str | None = None,
        broader: bool = False,
        resolution: Resolution = Resolution.TEXT,
        said: str = "",
        where: str = "",
    ) -> None:
        """Fill the native class; in Python `quickly_made` does it."""
        self.text = text  # type: ignore[misc] # read-only for all others
        self.codes = codes  # type: ignore[misc] # likewise
        self.concept = concept  # type: ignore[misc] # likewise
        self.broader = broader  # type: ignore[misc] # likewise
        self.resolution = resolution  # type: ignore[misc] # likewise
        self.said = said  # type: ignore[misc] # likewise
        self.where = where  # type: ignore[misc] # likewise

    @property
    def code(self) -> Code | None:
        """The primary code, or None for text only."""
        return self.codes[0] if self.codes else None


quickly_made(CodedTerm)
