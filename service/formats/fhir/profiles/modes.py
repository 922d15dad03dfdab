"""The modes: which guide, in which release, as which kinds of bundle."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from service.domain.errors import NotAcceptable, Problem
from service.domain.loss import Loss
from service.domain.report import CodedReport
from service.formats.fhir.profiles import dicom_sr, uscore
from service.formats.fhir.profiles.claims import claim
from service.formats.fhir.profiles.shaping import Json, Shaping, plain

_ANY: Final = ("transaction", "collection", "document", "single")


@dataclass(frozen=True, slots=True)
class Mode:
    """A profile mode: ``canonical`` is the guide's, ``shape`` what it wants beside what is written anyway."""

    canonical: str
    version: str
    releases: tuple[str, ...]
    shape: Callable[[Shaping], None]
    bundles: tuple[str, ...] = _ANY


MODES: Final[Mapping[str, Mode]] = {
    "uscore": Mode("http://hl7.org/fhir/us/core", "9.0.0", ("R4",), uscore.shape),
    "dicom-sr": Mode("http://hl7.org/fhir/uv/dicom-sr", "1.0.0", ("R5",), dicom_sr.shape),
}
"""By the name that ``--profile`` and ``?profile=`` have for them."""


def shaped(made: Json, report: CodedReport, name: str, release: str, bundle: str) -> tuple[Json, tuple[Loss, ...]]:
    """A bundle as a mode wants it, with the profiles that it keeps claimed, and the rules that it does not.

    Raises NotAcceptable for a mode that does not exist, or not in this release or kind of bundle.
    """
    mode = _mode(name, release, bundle)
    shaping = Shaping(plain(made), report)
    mode.shape(shaping)
    claim(shaping, name)
    return shaping.bundle, tuple(shaping.losses)


def _mode(name: str, release: str, bundle: str) -> Mode:
    if name not in MODES:
        raise NotAcceptable(Problem("", "profile", f"profile is one of {', '.join(MODES)}", tuple(MODES)))
    mode = MODES[name]
    if release not in mode.releases:
        raise NotAcceptable(Problem("", "profile", f"{name} is FHIR {' or '.join(mode.releases)}", mode.releases))
    if bundle not in mode.bundles:
        raise NotAcceptable(Problem("", "profile", f"{name} has bundle={' or '.join(mode.bundles)}", mode.bundles))
    return mode
