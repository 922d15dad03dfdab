"""What the caller asked for: Accept to outputs (RFC 9110 12.5.1), Content-Type to the reader."""

from dataclasses import dataclass
from functools import lru_cache

from werkzeug.http import parse_list_header, parse_options_header

from service.domain.errors import NotAcceptable, Problem, UnsupportedMedia
from service.doors import DICOM_JSON, MEDIA_TYPES, Format

FINDINGS_JSON = "application/vnd.lesionbridge.findings+json"
FHIR_JSON = "application/fhir+json"
FHIR_XML = "application/fhir+xml"
MULTIPART = "multipart/related"
HL7V2 = "application/hl7-v2"


@dataclass(frozen=True, slots=True)
class Offer:
    """One thing the service can answer with; ``versions`` are the values of ``fhirVersion`` that it meets."""

    media_type: str
    targets: tuple[Format, ...]
    versions: tuple[str, ...] = ()
    encoding: str = "json"


OFFERS = (
    Offer(FHIR_JSON, (Format.FHIR_R4,), ("4.0", "4.0.1")),
    Offer(FHIR_JSON, (Format.FHIR_R5,), ("5.0", "5.0.0")),
    Offer("application/dicom", (Format.SR,)),
    Offer(DICOM_JSON, (Format.SR,)),
    Offer(MULTIPART, (Format.FHIR_R4, Format.SR)),
    Offer(FHIR_XML, (Format.FHIR_R4,), ("4.0", "4.0.1"), "xml"),
    Offer(FHIR_XML, (Format.FHIR_R5,), ("5.0", "5.0.0"), "xml"),
    Offer("text/html", (Format.HTML,)),
    Offer("application/pdf", (Format.PDF,)),
    Offer(HL7V2, (Format.HL7V2,)),
    Offer(FINDINGS_JSON, (Format.FINDINGS,)),
    Offer("application/json", (Format.FINDINGS,)),
)
"""In our order of preference: the first is what a caller without wishes gets."""


@dataclass(frozen=True, slots=True)
class _Range:
    """One media range of an Accept header."""

    media_type: str
    version: str | None
    quality: float

    @property
    def weight(self) -> int:
        """How exact it is."""
        return (self.media_type != "*/*") + (not self.media_type.endswith("/*")) + (self.version is not None)

    def meets(self, offer: Offer) -> bool:
        """Whether it covers an offer."""
        if self.version is not None and self.version not in offer.versions:
            return False
        kind, _, _ = offer.media_type.partition("/")
        return self.media_type in {"*/*", f"{kind}/*", offer.media_type}


@lru_cache(maxsize=64)
def wanted(accept: str) -> Offer:
    """The best offer for an Accept header (none: the first offer); raises NotAcceptable."""
    chosen = _best(accept, OFFERS)
    if chosen is None:
        names = tuple(offer.media_type for offer in OFFERS)
        raise NotAcceptable(Problem("", "accept", "no writer for what Accept asks for", names))
    return chosen


def fhir(accept: str) -> Offer:
    """The release and encoding of FHIR for an Accept header; R4 in JSON where it names none of them."""
    offers = tuple(offer for offer in OFFERS if offer.media_type in (FHIR_JSON, FHIR_XML))
    return _best(accept, offers) or offers[0]


def _best(accept: str, offers: tuple[Offer, ...]) -> Offer | None:
    ranges = _ranges(accept) or [_Range("*/*", None, 1.0)]
    best: tuple[float, int] = (0.0, 0)
    chosen: Offer | None = None
    for offer in offers:
        exact = max((r for r in ranges if r.meets(offer)), key=lambda r: r.weight, default=None)
        if exact is not None and exact.quality > 0 and (exact.quality, exact.weight) > best:
            best, chosen = (exact.quality, exact.weight), offer
    return chosen


@lru_cache(maxsize=64)
def reader(content_type: str | None) -> Format:
    """The format of a request body; raises UnsupportedMedia."""
    name, parameters = parse_options_header(content_type or "")
    charset = parameters.get("charset", "utf-8").lower().strip()
    version = parameters.get("fhirversion")
    wanted = name.lower() if version is None else f"{name.lower()}; fhirVersion={'.'.join(version.split('.')[:2])}"
    if wanted not in MEDIA_TYPES:
        said = "there is no Content-Type" if not content_type else "no reader for this Content-Type"
        raise UnsupportedMedia(Problem("", "content-type", said, tuple(MEDIA_TYPES)))
    # A message names its own character set (MSH-18), whatever the header of the request says.
    if name.lower() != HL7V2 and charset not in {"utf-8", "utf8", "us-ascii"}:
        raise UnsupportedMedia(Problem("", "charset", "JSON is UTF-8 (RFC 8259 8.1)", ("utf-8",)))
    return MEDIA_TYPES[wanted]


def asks_for_fhir(accept: str) -> bool:
    """Whether FHIR is named in Accept and nothing else is liked better."""
    ranges = [r for r in _ranges(accept) if r.quality > 0]
    top = max((r.quality for r in ranges), default=0.0)
    return any(r.media_type.startswith("application/fhir+") and r.quality == top for r in ranges)


def _ranges(accept: str) -> list[_Range]:
    found = []
    for item in parse_list_header(accept):
        name, parameters = parse_options_header(item)
        try:
            quality = float(parameters.get("q", "1"))
        except ValueError:
            quality = 0.0
        if name:
            found.append(_Range(name.lower(), parameters.get("fhirversion"), quality if 0 <= quality <= 1 else 0.0))
    return found
