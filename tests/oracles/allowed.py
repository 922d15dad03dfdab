"""What judges say that is no fault of the file, each with the reason. Keep it short: a line here is a blind spot."""

from __future__ import annotations

import re
from dataclasses import dataclass

GROUP = r"/CONTAINER \(125007,DCM,\"Measurement Group\"\)"
CODE = r"/CODE \([^,]+,[^,]+,\".{1,64}?\"\)"


@dataclass(frozen=True, slots=True)
class Allowed:
    """Lines of the judges named by `oracle` (a pattern) that match `pattern` are dropped, for `reason`.

    ``rare``: for what only reports of the tests say; no example may need it.
    """

    oracle: str
    pattern: re.Pattern[str]
    reason: str
    rare: bool = False


def _rows(*rows: tuple[str, str, str], rare: bool = False) -> tuple[Allowed, ...]:
    return tuple(Allowed(oracle, re.compile(pattern), reason, rare) for oracle, pattern, reason in rows)


USUAL = _rows(
    (
        "dciodvfy",
        r"Unrecognized defined term <99\w*> for value 1 of attribute <Coding Scheme Designator>",
        "private 99 coding schemes are legal (PS3.3 8.2); dciodvfy knows only the standard designators",
    ),
    (
        "dciodvfy",
        (
            r"Unrecognized defined term"
            r" <(RADLEX|ICD10CM|I10|I10P|ICDO3|NCIt|UMLS|RFC5646|FMA|LN|SCT|MA|NEU|NCDR|ITIS_TSN|C4|I9C|I9)>"
            r" for value 1 of attribute <Coding Scheme Designator>"
        ),
        "designators of PS3.16 table 8-1 that the packaged build of 2022 may lack",
    ),
    (
        "dciodvfy",
        r"Missing attribute or value that would be needed to build DICOMDIR",
        "Study ID and the like are type 2 and may be empty; only a DICOMDIR wants them",
    ),
    (
        "dciodvfy",
        (
            r"(Attribute is not present in standard DICOM IOD - \(0x0018,0x1002\) UI Device UID"
            r"|Dicom dataset contains attributes not present in standard DICOM IOD - this is a Standard Extended SOP)"
        ),
        "Device UID in Contributing Equipment Sequence (PS3.3 C.12.1) is newer than dciodvfy; AI results ask for it",
    ),
    (
        "dcentvfy",
        r"Different information entities for attribute - Element=<\w+> IE",
        "the tool files attributes that live in two modules under Series for images and under Study for SR",
    ),
    (
        "dsr2xml|dsrdump|dsr2html|tid1500reader",
        r"^W: The VR checker does not support this Specific Character Set: ISO_IR 192",
        "DCMTK 3.6 cannot check VRs in UTF-8; it says nothing about the data",
    ),
    (
        "pixelmed",
        r"not found in context group (100|211|219|7452|7453|11)$",
        "baseline context groups (BCID) may be replaced; PixelMed prints an error all the same",
    ),
    (
        "pixelmed",
        (
            r"\[Row \w+\] CODE \*: .*/CODE \((121402|121403|121404|121405|121410),DCM,[^)]*\):"
            r" Incorrect relationship - expected HAS CONCEPT MOD - found HAS PROPERTIES$"
        ),
        "row 2 of TID 300 is a wildcard that also matches the codes of TID 310, which are HAS PROPERTIES",
    ),
    (
        "pixelmed",
        GROUP + CODE + r": Content Item not in template$",
        "finding category and qualitative evaluations: rows of TID 1501 and 1410 newer than PixelMed's model of 2022",
    ),
    (
        "pixelmed",
        GROUP + r"/TEXT \(121106,DCM,\"Comment\"\): Content Item not in template$",
        "Comment is where OHIF reads the label; the template is extensible",
    ),
    (
        "pixelmed",
        GROUP + r"/(TEXT|NUM|DATETIME|UIDREF)"
        r" \((126070|126071|126072|126073|C2348792)[^)]*\)"
        r": Content Item not in template$",
        "rows of the time point context (TID 1502) newer than PixelMed's model",
    ),
    (
        "pixelmed",
        GROUP + r"/TEXT \(C0034375,UMLS,\"Qualitative Evaluations\"\)"
        r"(/(CODE|TEXT) \((121050|121051),DCM,[^)]*\))?: Content Item not in template$",
        "what is said in words, with its field and the code that says less (TID 1210, 1211); they are extensible",
    ),
    (
        "tid1500reader",
        r"^Warning: For now, .* modifier is interpreted only at the MeasurementGroup level",
        "a site or method of a single measurement is legal (TID 300); dcmqi's JSON has no place for it",
    ),
    (
        "pyfhircheck",
        r"extension\.unknown The extension http://hl7\.org/fhir/5\.0/StructureDefinition/",
        "R5 cross-version extensions are legal in R4 (versions.html#extensions); the package does not define them",
    ),
    (
        "pyfhircheck",
        r"structure\.size value is longer than permitted maximum length of 1 MB",
        "R4 limits `string` to 1 MB, not base64Binary",
    ),
    (
        "pyfhircheck",
        r"^ImagingStudy\.series\.instance\.(uid|sopClass): profile\.element\.cardinality\.max ",
        "it counts the children of all instances of a series together; no JSON object can hold one of them twice",
    ),
    (
        "pyfhircheck",
        (
            r"terminology\.(code-system Code '\w+' is not valid in code system"
            r"|display Wrong Display Name '[^']+' for) http://dicom\.nema\.org/resources/ontology/DCM\b"
        ),
        "its DCM is R4's copy of 2015; codes and meanings are held against pydicom's of today",
    ),
    (
        "hapi",
        r"Unknown code 'http://dicom\.nema\.org/resources/ontology/DCM#\w+'$",
        "its DCM is R4's copy of 2015; codes are held against pydicom's of today",
    ),
    (
        "hapi",
        r"language Code \"[A-Za-z0-9-]+\" is not in valueset: http://hl7\.org/fhir/ValueSet/languages$",
        "that value set is preferred; what a language may be is all-languages, every tag of BCP 47",
    ),
    (
        "hapi",
        r"meta\.profile\[\d+\] Profile reference '[^']+' has not been checked because it could not be found$",
        "the guides are not on board; what may be claimed is held by the rows of mappings/fhir_profiles.csv",
    ),
    (
        "hapi",
        r"^null Invalid profile\. Failed to retrieve profile with url=https://profiles\.ihe\.net/RAD/IMR/",
        "the guide is not on board; what the bundle may claim is held by the rows of mappings/fhir_profiles.csv",
    ),
    (
        "hapi",
        r"^null Invalid profile\. Failed to retrieve profile with url=http://hl7\.eu/fhir/imaging",
        "the guide is not on board; what the bundle may claim is held by the rows of mappings/fhir_profiles.csv",
    ),
    (
        "hapi",
        (
            r"Extension url 'http://hl7\.org/fhir/5\.0/StructureDefinition/extension-"
            r"(DiagnosticReport\.composition|Composition\.version)' is not valid \(invalid Version '5\.0'\)"
        ),
        "R5 cross-version extensions are legal in R4 (versions.html#extensions), and HL7 Europe's guide has these two",
    ),
    (
        "hapi",
        r"/\*DiagnosticReport/null\*/ Constraint failed: dgr-1: ",
        "its `in` takes one item and gets each result: no report with two that has a Composition keeps it",
    ),
    (
        "pyfhircheck",
        r"extension\.unknown The extension https://profiles\.ihe\.net/RAD/IMR/StructureDefinition/associatedStudy ",
        "an extension that IHE IMR defines for DiagnosticReport; the guide is not on board",
    ),
    (
        "pyfhircheck",
        r"reference\.format Invalid reference \w+\?identifier=",
        "references of a transaction may be conditional (R4 http.html#trules)",
    ),
    (
        "fhircraft",
        r"Invalid resourceType '\w+' for model 'Resource'",
        "shadow of an error in that entry, told a second time on the Bundle; the entry's own error stays",
    ),
)

RARE = _rows(
    (
        "pixelmed",
        (
            r"/TEXT \((121010,DCM|121011,DCM|121139,DCM|121401,DCM|370129005,SCT),[^)]*\):"
            r" Content Item not in template$"
        ),
        "role, modality, derivation or method without a code, as TEXT where the row has a CODE",
    ),
    (
        "pixelmed",
        (
            r"\[Row (9|10|13|14)\] NUM \*: .*/NUM \((385524004|371933006),SCT,[^)]*\):"
            r" Incorrect relationship - expected INFERRED FROM - found HAS PROPERTIES$"
        ),
        "rows 9, 10 of TID 300 and 13, 14 of TID 1419 are wildcards; they match the limits of TID 312 (HAS PROPERTIES)",
    ),
    (
        "pixelmed",
        r"Template (1003|1004) .*: Incorrect content item value multiplicity - found \d+ content items but expected 1$",
        "several observers (TID 1001 includes TID 1002 1-n); PixelMed counts over all of them",
    ),
    (
        "pixelmed",
        r"\(121058,DCM,\"Procedure reported\"\): within 1: .*: Incorrect content item value multiplicity",
        "Procedure Reported is 1-n; PixelMed's model of 2022 has 1, highdicom 0.28 reads several",
    ),
    (
        "house",
        r"^1\.\d+\.\d+: neither a measurement nor an evaluation$",
        "a sender may name a lesion and say no more of it: TID 1410, 1411 and 1501 demand neither (rows U)",
    ),
    (
        "dciodvfy",
        r"Value invalid for this VR - \(0x\w+,0x\w+\) PN .* PN \[1\] = <.*=.*> - Length invalid for this VR",
        "64 characters are the bound of each component group of PN (PS3.5 6.2); dciodvfy holds all three to it",
    ),
    (
        "dciodvfy",
        r"Value invalid for this VR - \(0x\w+,0x\w+\) .* = <.*[^\x00-\x7f].*> - Length invalid for this VR",
        "lengths are of characters (PS3.5 6.2); dciodvfy counts the bytes of UTF-8; pydicom counts, too",
    ),
    (
        "dciodvfy",
        r"^Error - Dicom dataset contains invalid data values for Value Representations$",
        "the sum of its lines about single values; each of them is told beside it",
    ),
    (
        "pixelmed",
        (
            r"/\[Row 5\] NUM \*: .*/NUM \(126073,DCM,[^)]*\):"
            r" Incorrect relationship - expected CONTAINS - found HAS OBS CONTEXT$"
        ),
        "row 5 of TID 1419 is a wildcard that also matches Time Point Order, which is HAS OBS CONTEXT (TID 1502)",
    ),
    (
        "pixelmed",
        GROUP + r"/NUM \(.*\)/(IMAGE \(121112,DCM,|SCOORD \(260753009,SCT,)[^)]*\).*: Content Item not in template$",
        "a number of TID 1410 or 1411 may have its source as one of TID 1501 has (TID 320); TID 1419 is extensible",
    ),
    (
        "pixelmed",
        (
            r"CODE \(121058,DCM,\"Procedure reported\"\): Code \(.*\) has different code meaning \(.*\)"
            r" than code meaning in context group 100"
        ),
        "meanings annotate (PS3.3 8.3); context groups of LOINC codes changed theirs with LOINC",
    ),
    (
        "pixelmed",
        r"\[Row 1\] CODE \(121139,DCM,.*: Code \(OT,DCM,.Other.\) not found in context group 29$",
        "the row is mandatory and nobody named the modality: one of CID 29 would be made up, OT is a code of DCM",
    ),
    (
        "dciodvfy",
        r"UT Text Value .*Character invalid for this VR = '.?' \(0x9\)",
        "UT holds TAB (PS3.5 6.2)",
    ),
    (
        "dciodvfy",
        r"PN \[1\] = <[^^]*> - Retired Person Name form",
        "a name of one component is a family name (PS3.5 6.2.1); nobody knows what else it is",
    ),
    (
        "pixelmed",
        (
            r"/CODE \((121010,DCM|121011,DCM|121058,DCM|121139,DCM|121401,DCM|370129005,SCT),[^)]*\)"
            r"/TEXT \(121051,DCM,[^)]*\): Content Item not in template$"
        ),
        "the words of a procedure, role, modality, derivation or method whose code says less (TID 1211)",
    ),
    (
        "pixelmed",
        r"not found in context group 5000$",
        "CID 5000 is extensible: a language beyond those listed there; PixelMed prints an error all the same",
    ),
    rare=True,
)

ALLOWED = USUAL + RARE


def is_allowed(oracle: str, message: str, *, strict: bool = False) -> bool:
    """Whether a line of a judge is one that this project answers for; ``strict``: without the rare rows."""
    rows = USUAL if strict else ALLOWED
    return any(re.fullmatch(row.oracle, oracle) and row.pattern.search(message) for row in rows)
