"""Rules of HL7 Europe's imaging guide (1.0.0-ballot) that are more than a count or a code."""

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any, Final

from service.formats.fhir.profiles.guide_codes import of_concept, of_guide
from service.formats.fhir.profiles.rules import Context, Json, is_one_of

DICOM_UID: Final = "urn:dicom:uid"
COMPOSITION: Final = "http://hl7.org/fhir/5.0/StructureDefinition/extension-DiagnosticReport.composition"
"""R5's DiagnosticReport.composition, in R4."""
ACCESSION: Final = "http://terminology.hl7.org/CodeSystem/v2-0203|ACSN"
_REQUIRED: Final = ("order-section", "history-section", "procedure-section")
_OPTIONAL: Final = ("comparison-section", "findings-section", "impression-section")
_DATA_ABSENT: Final = "http://hl7.org/fhir/StructureDefinition/data-absent-reason"
_IN_DOCUMENT: Final = ("CompositionEuImaging", "DiagnosticReportEuImaging", "patient-eu-core", "ImagingStudyEuImaging")
_DIAGNOSTIC_SERVICES: Final = "http://terminology.hl7.org/CodeSystem/v2-0074"


def _named(name: Json, _: Context) -> bool:
    """eu-pat-1: a family or given name, a text, or the reason why there is none."""
    absent = any(one["url"] == _DATA_ABSENT for one in name.get("extension", ()))
    return absent or any(member in name for member in ("family", "given", "text"))


def _is_accession_number(identifier: Json) -> bool:
    """AccessionNumberIdentifierEuImaging: type ACSN, a system and a value."""
    return is_one_of(identifier.get("type"), ACCESSION) and "system" in identifier and "value" in identifier


def _accession_number(identifier: Json, _: Context) -> bool:
    """ServiceRequestOrderEuImaging: whatever says that it is an accession number is a whole one."""
    return not is_one_of(identifier.get("type"), ACCESSION) or _is_accession_number(identifier)


def _order_by_accession(reference: Json, _: Context) -> bool:
    """BasedOnServiceRequestOrderEuImagingReference: a reference to an order has its accession number beside it."""
    return _is_accession_number(reference.get("identifier", {}))


def _study_uid(study: Json, _: Context) -> bool:
    """StudyInstanceUidIdentifierEuImaging: one identifier is the Study Instance UID, and says so by its type."""
    uid = of_concept("study-instance-uid", "DCM")
    uids = [one for one in study["identifier"] if one.get("system") == DICOM_UID]
    return len(uids) == 1 and "value" in uids[0] and is_one_of(uids[0].get("type"), uid)


def _categories_once(resource: Json, _: Context) -> bool:
    """Slices of category: each of the three at most once."""
    found: Counter[str] = Counter()
    priorities = f"{of_guide('priority-category')} {of_guide('priority-category-r5')}"
    for category in resource["category"]:
        for coding in category.get("coding", ()):
            kinds = {
                "service": coding["system"] == _DIAGNOSTIC_SERVICES,
                "report": is_one_of(coding, of_guide("report-category")),
                "imaging": is_one_of(coding, priorities),
            }
            found.update(kind for kind, is_it in kinds.items() if is_it)
    return max(found.values(), default=0) <= 1


def _composition(report: Json, context: Context) -> bool:
    """DiagnosticReportEuImaging, R4: one extension leads to a Composition of the guide."""
    values = [one["valueReference"] for one in report.get("extension", ()) if one["url"] == COMPOSITION]
    targets = [context.target(one) for one in values]
    return len(targets) == 1 and targets[0] is not None and context.keeps(targets[0], "CompositionEuImaging")


def _section_says_something(section: Json, _: Context) -> bool:
    """eu-imaging-composition-1 and -2: entries, or why there are none; a text, entries or sections."""
    is_filled = any(name in section for name in ("entry", "emptyReason", "section"))
    return is_filled and any(name in section for name in ("text", "entry", "section"))


def _sections(composition: Json, context: Context) -> bool:
    """Slices of section: four are there once, three at most once; that of the studies has a study of the guide."""
    sections = composition.get("section", [])

    def coded(code: str) -> list[Json]:
        return [one for one in sections if is_one_of(one.get("code"), code)]

    studies = coded(of_guide("studies-section"))
    once = len(studies) == 1 and all(len(coded(of_concept(key, "LN"))) == 1 for key in _REQUIRED)
    targets = [context.target(entry) for one in studies for entry in one.get("entry", ())]
    has_study = any(one is not None and context.keeps(one, "ImagingStudyEuImaging") for one in targets)
    return once and has_study and all(len(coded(of_concept(key, "LN"))) <= 1 for key in _OPTIONAL)


def _entries(bundle: Json, context: Context) -> bool:
    """BundleReportEuImaging, slices of entry: one Composition, report and patient, and at least one study."""
    found: Counter[str] = Counter()
    for entry in bundle["entry"]:
        for profile in _IN_DOCUMENT:
            found[profile] += context.keeps(entry["resource"], profile)
    studies = found.pop("ImagingStudyEuImaging", 0)
    return studies >= 1 and set(found.values()) == {1}


def _same_organizations(bundle: Json, _: Context) -> bool:
    """dr-comp-author-org: the organizations that performed the report are those that are author of the Composition."""
    kinds = {one.get("fullUrl"): one["resource"]["resourceType"] for one in bundle["entry"]}
    said: dict[str, list[str]] = {}
    for entry in bundle["entry"]:
        resource = entry["resource"]
        member = {"DiagnosticReport": "performer", "Composition": "author"}.get(resource["resourceType"])
        if member is not None:
            urls = [one.get("reference", "") for one in resource.get(member, ())]
            said[member] = [one for one in urls if kinds.get(one) == "Organization"]
    return said["performer"] == said["author"]


EU_CHECKS: Final[Mapping[str, Callable[[Any, Context], bool]]] = {
    "eu-pat-1": _named,
    "eu-accession-number": _accession_number,
    "eu-order-by-accession": _order_by_accession,
    "eu-study-uid": _study_uid,
    "eu-categories-once": _categories_once,
    "eu-composition": _composition,
    "eu-section-says-something": _section_says_something,
    "eu-sections": _sections,
    "eu-entries": _entries,
    "dr-comp-author-org": _same_organizations,
}
"""The functions that rows of the mode name, to be put with those of all modes."""
