"""The published layouts: columns of each file and the ids that the layouts themselves speak in.

RF2: SNOMED CT Release File Specification, "Component Release Files Specification" and "Reference Set Types". LOINC:
LOINC Users' Guide, table Loinc.csv, and "LOINC/RSNA Radiology Playbook" (LoincRsnaRadiologyPlaybook.csv). RadLex CSV:
as BioPortal writes an ontology. ICD-10-CM: the order file of CMS, fixed columns.
"""

from typing import Final

_COMMON: Final = ("id", "effectiveTime", "active", "moduleId")
_REFSET: Final = (*_COMMON, "refsetId", "referencedComponentId")

CONCEPT: Final = (*_COMMON, "definitionStatusId")
DESCRIPTION: Final = (*_COMMON, "conceptId", "languageCode", "typeId", "term", "caseSignificanceId")
RELATIONSHIP: Final = (
    *_COMMON,
    "sourceId",
    "destinationId",
    "relationshipGroup",
    "typeId",
    "characteristicTypeId",
    "modifierId",
)
CONCRETE: Final = (*RELATIONSHIP[:5], "value", *RELATIONSHIP[6:])
SIMPLE: Final = _REFSET
LANGUAGE: Final = (*_REFSET, "acceptabilityId")
ASSOCIATION: Final = (*_REFSET, "targetComponentId")
ATTRIBUTE_VALUE: Final = (*_REFSET, "valueId")
MODULE_DEPENDENCY: Final = (*_REFSET, "sourceEffectiveTime", "targetEffectiveTime")

ROOT: Final = "138875005"
IS_A: Final = "116680003"
FULLY_SPECIFIED: Final = "900000000000003001"
SYNONYM: Final = "900000000000013009"
DEFINITION: Final = "900000000000550004"
PREFERRED: Final = "900000000000548007"
ACCEPTABLE: Final = "900000000000549004"
DEFINED: Final = "900000000000073002"
PRIMITIVE: Final = "900000000000074008"
INFERRED: Final = "900000000000011006"
STATED: Final = "900000000000010007"
EXISTENTIAL: Final = "900000000000451002"
CASE_INSENSITIVE: Final = "900000000000448009"
CORE_MODULE: Final = "900000000000207008"
MODEL_MODULE: Final = "900000000000012004"
MODULE_DEPENDENCY_REFSET: Final = "900000000000534007"
INACTIVATION_REFSET: Final = "900000000000489007"
"""Concept inactivation indicator attribute value reference set."""

DIALECTS: Final = {"900000000000509007": "en-US", "900000000000508004": "en-GB"}
"""Language reference sets of the international edition; another one is known by its language and its id."""

ASSOCIATIONS: Final = {
    "900000000000527005": "same-as",
    "900000000000526001": "replaced-by",
    "900000000000528000": "was-a",
    "900000000000523009": "possibly-equivalent-to",
    "900000000000524003": "moved-to",
    "900000000000525002": "moved-from",
    "900000000000529008": "similar-to",
    "900000000000530003": "alternative",
    "900000000000531004": "refers-to",
    "1186921001": "possibly-replaced-by",
    "1186924009": "partially-equivalent-to",
}
"""Historical association reference sets, each with the name it has here."""
REPLACING: Final = frozenset({"same-as", "replaced-by"})
"""Associations whose target may stand for the old code without asking anybody."""

LOINC: Final = ("LOINC_NUM", "COMPONENT", "PROPERTY", "TIME_ASPCT", "SYSTEM", "SCALE_TYP", "METHOD_TYP", "CLASS")
"""The first columns of Loinc.csv, in order; those below are found by name, since releases add and drop columns."""
LOINC_NAMED: Final = ("STATUS", "SHORTNAME", "LONG_COMMON_NAME")
LOINC_OPTIONAL: Final = ("RELATEDNAMES2", "DisplayName", "CONSUMER_NAME", "VersionLastChanged", "COMMON_TEST_RANK")
LOINC_MAP_TO: Final = ("LOINC", "MAP_TO", "COMMENT")
PLAYBOOK: Final = (
    "LoincNumber",
    "LongCommonName",
    "PartNumber",
    "PartTypeName",
    "PartName",
    "PartSequenceOrder",
    "RID",
    "PreferredName",
    "RPID",
    "LongName",
)
RADLEX_CSV: Final = ("Class ID", "Preferred Label", "Synonyms", "Definitions", "Obsolete", "Parents")
"""Of BioPortal's columns those that are needed; others stand between and after them."""

ICD10CM_CODE: Final = slice(6, 13)
ICD10CM_FLAG: Final = 14
ICD10CM_SHORT: Final = slice(16, 76)
ICD10CM_LONG: Final = slice(77, None)
"""Order file: number 1-5, code 7-13, header flag 15 (0: a category, 1: may be reported), short 17-76, long from 78."""
