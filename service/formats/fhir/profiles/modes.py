"""The modes: which guide, in which release, as which kinds of bundle."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from service.domain.errors import NotAcceptable, Problem
from service.domain.loss import Loss
from service.domain.report import CodedReport
from service.formats.fhir.profiles import dicom_sr, eu_imaging, imr, mcode, uscore
from service.formats.fhir.profiles.claims import claim
from service.formats.fhir.profiles.shaping import Json, Shaping, plain

_ANY: Final = ("transaction", "collection", "document", "single")


@dataclass(frozen=True, slots=True)
class Mode:
    """A profile mode: ``canonical`` is the guide's, ``shape`` makes of a bundle what it wants, and claims what it may.

    The outcome is the bundle, or a list of requests where the guide wants several transactions (``is_several``).
    """

    canonical: str
    version: str
    releases: tuple[str, ...]
    shape: Callable[[Shaping], Json | list[Json]]
    bundles: tuple[str, ...] = _ANY
    is_several: bool = False


def _claiming(name: str, shape: Callable[[Shaping], None]) -> Callable[[Shaping], Json]:
    """Shape a bundle, then judge it."""

    def made(shaping: Shaping) -> Json:
        shape(shaping)
        claim(shaping, name)
        return shaping.bundle

    return made


MODES: Final[Mapping[str, Mode]] = {
    "uscore": Mode("http://hl7.org/fhir/us/core", "9.0.0", ("R4",), _claiming("uscore", uscore.shape)),
    "dicom-sr": Mode("http://hl7.org/fhir/uv/dicom-sr", "1.0.0", ("R5",), _claiming("dicom-sr", dicom_sr.shape)),
    "mcode": Mode("http://hl7.org/fhir/us/mcode", "4.0.0", ("R4",), mcode.shape),
    "imr": Mode("https://profiles.ihe.net/RAD/IMR", "1.1.0", ("R4",), imr.requests, ("transaction",), is_several=True),
    "eu-imaging": Mode("http://hl7.eu/fhir/imaging", "1.0.0-ballot", ("R4",), eu_imaging.document_r4, ("document",)),
    "eu-imaging-r5": Mode(
        "http://hl7.eu/fhir/imaging-r5", "1.0.0-ballot", ("R5",), eu_imaging.document_r5, ("document",)
    ),
}
"""By the name that ``--profile`` and ``?profile=`` have for them. A guide that has a canonical of its own for R5 has a
mode of its own, too, by the name of its package; the name without ``-r5`` means it where R5 is asked for."""


def shaped(
    content: bytes, report: CodedReport, name: str, release: str, bundle: str, language: str = ""
) -> tuple[Json | list[Json], tuple[Loss, ...]]:
    """A bundle in JSON as a mode wants it, with the profiles that it keeps claimed, and the rules that it does not.

    Raises NotAcceptable for a mode that does not exist, or not in this release or kind of bundle.
    """
    mode = asked(name, release, bundle)
    shaping = Shaping(plain(content), report, language)
    return mode.shape(shaping), tuple(shaping.losses)


def asked(name: str, release: str, bundle: str) -> Mode:
    """The mode of a name; raises NotAcceptable for one that does not exist, or not in this release and bundle."""
    if name not in MODES:
        raise NotAcceptable(Problem("", "profile", f"profile is one of {', '.join(MODES)}", tuple(MODES)))
    mode = MODES[name]
    if release not in mode.releases:
        mode = MODES.get(f"{name}-{release.lower()}", mode)
    if release not in mode.releases:
        raise NotAcceptable(Problem("", "profile", f"{name} is FHIR {' or '.join(mode.releases)}", mode.releases))
    if bundle not in mode.bundles:
        raise NotAcceptable(Problem("", "profile", f"{name} has bundle={' or '.join(mode.bundles)}", mode.bundles))
    return mode
