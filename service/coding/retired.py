"""Codes that their system has retired: what took their place, or what may have.

A code may be replaced without asking only where the release says SAME AS or REPLACED BY, and names one code. All else
(MAY BE, POSSIBLY EQUIVALENT TO, several targets, none) is a question for a person: it is said, never applied.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final, Protocol

from service.domain.codes import Code

SAME_AS: Final = "same-as"
REPLACED_BY: Final = "replaced-by"
FOLLOWED: Final = (SAME_AS, REPLACED_BY)
SRT: Final = "SRT"
SCT: Final = "SCT"
_DCM: Final = "DCM"
_STEPS: Final = 8  # a replacement may itself be retired; more steps than this are a cycle, or no answer


class Went(Protocol):
    """Where a retired code went, as a release says it."""

    @property
    def kind(self) -> str:
        """The association: same-as, replaced-by, possibly-equivalent-to, ..."""

    @property
    def target(self) -> str:
        """A code of the same system."""


class Held(Protocol):
    """A code as a release has it."""

    @property
    def display(self) -> str:
        """Its name."""

    @property
    def active(self) -> bool:
        """Whether it may still be used."""


class Known(Protocol):
    """A code system as a release has it."""

    @property
    def designator(self) -> str:
        """Its DICOM designator."""


class Historical(Protocol):
    """Loaded releases that know their retired codes (`service.coding.releases.store.ReleaseStore` is one)."""

    def systems(self) -> Sequence[Known]:
        """The code systems that are loaded."""

    def lookup(self, system: str, code: str) -> Held | None:
        """A code by its designator and value."""

    def historical(self, system: str, code: str) -> Sequence[Went]:
        """Where a retired code went."""


@dataclass(frozen=True, slots=True)
class Retired:
    """A retired code: ``code`` took its place, ``exact``: it means the same. None: ``candidates`` may have."""

    code: Code | None
    exact: bool = False
    candidates: tuple[Code, ...] = ()


@cache
def snomed_of_srt() -> dict[str, str]:
    """SNOMED CT ids by the SNOMED RT style codes that DICOM used before (PS3.16 annex O)."""
    from pydicom.sr._snomed_dict import mapping  # 1 MB that only a retired code needs

    return dict(mapping["SRT"])


@cache
def _retired_by_dicom() -> frozenset[str]:
    """Codes of DCM whose concept PS3.16 annex D marks as retired; it names no successors."""
    from pydicom.sr._concepts_dict import concepts  # only a code that no concept has asks for it

    dicom: Mapping[str, Any] = concepts[_DCM]
    return frozenset(code for name, codes in dicom.items() if name.endswith("_Retired") for code in codes)


def retired(code: Code, releases: Historical | None) -> Retired | None:
    """What became of a code; None where nothing says that it is retired."""
    if code.system == SRT:
        target = snomed_of_srt().get(code.code)
        return Retired(Code(SCT, target, code.display) if target is not None else None, target is not None)
    if releases is not None:
        known = releases.lookup(code.system, code.code)
        if known is not None:
            return None if known.active else _followed(code, releases)
    if code.system == _DCM and code.code in _retired_by_dicom():
        return Retired(None)
    return None


def _followed(code: Code, releases: Historical) -> Retired:
    """The active code at the end of the associations, or the candidates where they do not lead to one."""
    exact, seen, at = True, {code.code}, code.code
    for _ in range(_STEPS):
        went = releases.historical(code.system, at)
        leading = {one.target: one.kind for one in went if one.kind in FOLLOWED}
        if len(leading) != 1:
            # An old code with one SAME AS and a MAY BE beside it has the first; with two SAME AS it is ambiguous.
            return Retired(None, candidates=_named(code.system, [one.target for one in went], releases))
        ((target, kind),) = leading.items()
        exact = exact and kind == SAME_AS
        known = releases.lookup(code.system, target)
        if known is None or target in seen:
            return Retired(None, candidates=_named(code.system, [target], releases))
        if known.active:
            return Retired(Code(code.system, target, known.display), exact)
        seen.add(target)
        at = target
    return Retired(None)


def _named(system: str, codes: Sequence[str], releases: Historical) -> tuple[Code, ...]:
    """Candidates with their displays, each once."""
    found = ((code, releases.lookup(system, code)) for code in dict.fromkeys(codes))
    return tuple(Code(system, code, known.display) for code, known in found if known is not None)
