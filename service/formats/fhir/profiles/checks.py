"""Rules of profiles that are more than a count or a code: the invariants of the guides, by their keys."""

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any, Final

from service.formats.fhir.profiles.eu_checks import EU_CHECKS
from service.formats.fhir.profiles.guide_codes import of_concept
from service.formats.fhir.profiles.rules import Context, Json, is_one_of

DATA_ABSENT: Final = "http://hl7.org/fhir/StructureDefinition/data-absent-reason"
_DAY: Final = len("2026-03-02")
_ONE_EACH: Final = ("image-region-2d", "image-region-3d", "referenced-segment", "volume-surface")


def _named(name: Json, _: Context) -> bool:
    """us-core-6: a family or given name, or the reason why there is none, not both."""
    absent = any(one["url"] == DATA_ABSENT for one in name.get("extension", ()))
    return ("family" in name or "given" in name) != absent


def _to_the_day(moment: str, _: Context) -> bool:
    """us-core-1: a dateTime is at least a day."""
    return len(moment) >= _DAY


def _says_something(observation: Json, _: Context) -> bool:
    """us-core-2: a value or the reason why there is none, unless there are components or members."""
    return any(name.startswith(("value", "component", "hasMember", "dataAbsentReason")) for name in observation)


def _has_a_time(report: Json, _: Context) -> bool:
    """us-core-10: when it was, unless the report was never completed."""
    known = ("partial", "preliminary", "final", "amended", "corrected", "appended")
    return report["status"] not in known or "effectiveDateTime" in report or "effectivePeriod" in report


def _one_selection_of_a_kind(observation: Json, context: Context) -> bool:
    """HL7 DICOM SR, slices of derivedFrom: at most one region, segment or surface of each profile."""
    kinds: Counter[str] = Counter()
    for reference in observation.get("derivedFrom", ()):
        target = context.target(reference)
        if target is not None and target["resourceType"] == "ImagingSelection":
            kinds.update(one for one in _ONE_EACH if context.keeps(target, one))
    return max(kinds.values(), default=0) <= 1


def _rendered(form: Json, _: Context) -> bool:
    """IMRAttachmentInvariant: the rendered report, or where it is."""
    return "data" in form or "url" in form


def _in_the_closed_bundle(resource: Json, context: Context) -> bool:
    """IHE IMR, slices of Bundle.entry: nothing but what keeps its profile for the report and the order."""
    return any(context.keeps(resource, one) for one in ("imr-diagnosticreport", "imr-servicerequest"))


def _dimensions(observation: Json, _: Context) -> bool:
    """mCODE TumorSize, slices of component: one longest dimension (33728-7), up to two others (33729-5)."""
    codes = [one["code"] for one in observation["component"]]
    longest, others = (of_concept(f"tumor-{which}-dimension", "LN") for which in ("longest", "other"))
    return sum(is_one_of(one, longest) for one in codes) == 1 and sum(is_one_of(one, others) for one in codes) <= 2


CHECKS: Final[Mapping[str, Callable[[Any, Context], bool]]] = {
    "us-core-6": _named,
    "us-core-1": _to_the_day,
    "us-core-2": _says_something,
    "us-core-10": _has_a_time,
    "one-selection-of-a-kind": _one_selection_of_a_kind,
    "IMRAttachmentInvariant": _rendered,
    "mcode-dimensions": _dimensions,
    "imr-closed": _in_the_closed_bundle,
    **EU_CHECKS,
}
"""The functions that rows of the kind ``check`` name."""
