"""What a value set is made of, and SNOMED CT's implicit ones (FHIR R4, snomedct.html: Implicit Value Sets)."""

import re
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import unquote

from service.domain.errors import Invalid

SNOMED: Final = "http://snomed.info/sct"
_BASE = re.compile(r"http://snomed\.info/sct(?:/(?P<edition>[0-9]{6,18})(?:/version/(?P<date>[0-9]{8}))?)?")
_SCTID = re.compile(r"[1-9][0-9]{5,17}")


@dataclass(frozen=True, slots=True)
class Filter:
    """A filter by a property: of a hierarchy ``concept`` is-a, descendent-of, in; ``constraint`` = with ECL."""

    property: str
    op: str
    value: str


@dataclass(frozen=True, slots=True)
class Part:
    """One include or exclude: listed codes, or filters, or all of a system; held against other value sets, too.

    ``codes`` None lists nothing; each is a code with its display, the usual one where that is empty.
    """

    system: str = ""
    version: str = ""
    codes: tuple[tuple[str, str], ...] | None = None
    filters: tuple[Filter, ...] = ()
    value_sets: tuple[str, ...] = ()
    index: frozenset[str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Index the listed codes."""
        object.__setattr__(self, "index", frozenset(code for code, _ in self.codes or ()))


@dataclass(frozen=True, slots=True)
class Composition:
    """A value set: what is in it and what is not."""

    url: str
    name: str
    title: str
    includes: tuple[Part, ...]
    excludes: tuple[Part, ...] = ()
    version: str = ""


def implicit(url: str) -> Composition | None:
    """The value set that a URL of SNOMED CT stands for; None for any other URL.

    Raises Invalid for a form that does not exist.
    """
    base, question, query = url.partition("?")
    match = _BASE.fullmatch(base)
    if match is None or not question or not (query == "fhir_vs" or query.startswith("fhir_vs=")):
        return None
    version = base if match["edition"] else ""
    _, _, form = query.partition("=")
    filters = _filters(unquote(form))
    title = f"SNOMED CT: {unquote(form) or 'all concepts'}"
    return Composition(url, "", title, (Part(SNOMED, version, filters=filters),))


def _filters(form: str) -> tuple[Filter, ...]:
    kind, _, value = form.partition("/")
    if not form:
        return ()
    if kind == "ecl" and value:
        return (Filter("constraint", "=", value),)
    if kind in ("isa", "refset") and _SCTID.fullmatch(value):
        return (Filter("concept", "is-a" if kind == "isa" else "in", value),)
    if form == "refset":
        raise Invalid.at("url", "not-supported", "the list of all reference sets (fhir_vs=refset) is not served")
    why = "an implicit value set is fhir_vs, fhir_vs=isa/[id], fhir_vs=refset/[id] or fhir_vs=ecl/[expression]"
    raise Invalid.at("url", "value", why)
