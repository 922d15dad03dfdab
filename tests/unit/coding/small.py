"""Small tables for the tests of coding, written as the shipped ones are.

Codes are of the reference data. ``write_tables(folder, add={"codings.csv": "..."}, replace={...})`` gives both folders.
"""

from collections.abc import Mapping
from pathlib import Path

from service.coding import Vocabulary

SYSTEMS = """designator,uri,oid,name,licence,source
SCT,http://snomed.info/sct,2.16.840.1.113883.6.96,SNOMED CT,a licence,a source
RADLEX,http://radlex.org,2.16.840.1.113883.6.256,RadLex,a licence,a source
DCM,http://dicom.nema.org/resources/ontology/DCM,1.2.840.10008.2.16.4,DICOM,a licence,a source
LN,http://loinc.org,2.16.840.1.113883.6.1,LOINC,a licence,a source
UCUM,http://unitsofmeasure.org,2.16.840.1.113883.6.8,UCUM,a licence,a source
I10C,http://hl7.org/fhir/sid/icd-10-cm,2.16.840.1.113883.6.90,ICD-10-CM,a licence,a source
SRT,http://snomed.info/srt,2.16.840.1.113883.6.96,SNOMED RT style,a licence,a source
RFC5646,urn:ietf:bcp:47,2.16.840.1.113883.6.316,language tags,a licence,a source
99LESIONBRIDGE,urn:oid:2.25.1,2.25.1,LesionBridge,a licence,a source
"""

# ruff: noqa: E501 - one concept a line, as in the tables
# key | group | label | codings: SYSTEM code display [equivalence [part]] ; ...
CONCEPTS = """
brain-metastasis|diagnosis|brain metastasis|SCT 94225005 Secondary malignant neoplasm of brain;RADLEX RID5231 metastasis broader;I10C C79.31 Secondary malignant neoplasm of brain
intracranial-metastases|diagnosis|intracranial metastases|RADLEX RID5231 metastasis broader;SCT 128462008 Secondary malignant neoplastic disease broader
bone-metastasis|diagnosis|bone metastasis|SCT 94222008 Secondary malignant neoplasm of bone;I10C C79.51 Secondary malignant neoplasm of bone
rib-metastasis|diagnosis|rib metastasis|I10C C79.51 Secondary malignant neoplasm of bone
humerus-fracture-right|complication|pathological fracture of right humerus|
haemorrhage|hemorrhage|haemorrhage|SCT 50960005 Bleeding;RADLEX RID4700 hemorrhage
no-enhancement|enhancement|no enhancement|RADLEX RID6056 non-enhancing
enhancement|enhancement|contrast enhancement|RADLEX RID34300 contrast enhancement
glioma|differential|glioma|SCT 393564001 Glioma
neoplasm|category|neoplasm, secondary|SCT 14799000 Neoplasm, Secondary
frontal-lobe|site|frontal lobe|SCT 83251001 Frontal lobe;RADLEX RID6440 frontal lobe
left-hemisphere|site|left cerebral hemisphere|SCT 72792008 Left cerebral hemisphere
right-hemisphere|site|right cerebral hemisphere|SCT 5228007 Right cerebral hemisphere
corpus-callosum|site|corpus callosum|SCT 88442005 Corpus callosum
t1-vertebra|site|T1 vertebra|SCT 64864005 T1 vertebra
left|laterality|left|SCT 7771000 Left;RADLEX RID5824 left
right|laterality|right|SCT 24028007 Right;RADLEX RID5825 right
bilateral|laterality|bilateral|SCT 51440002 Bilateral
unilateral|laterality|unilateral|SCT 66459002 Unilateral
midline|laterality|midline|SCT 399488007 Midline
junction|topography|grey-white matter junction|RADLEX RID6387 subcortical broader
suspicious|certainty|suspicious|RADLEX RID39314 suspicious
new-lesion|change|new lesion|SCT 7147002 New
stable|change|stable|SCT 58158008 Stable
resolved|change|resolved|
mri|modality|magnetic resonance imaging|SCT 113091000 Magnetic resonance imaging;DCM MR Magnetic Resonance;RADLEX RID10312 MRI
ct|modality|computed tomography|SCT 77477000 Computed tomography;DCM CT Computed Tomography
bone-scan|modality|bone scan|DCM NM Nuclear Medicine
nuclear-medicine|modality|nuclear medicine|DCM NM Nuclear Medicine
mr-brain|procedure|MRI brain|LN 24590-2 Brain MRI
t1-sequence|technique|T1-weighted sequence|RADLEX RID10794 T1 weighted
maximum|derivation|maximum|SCT 56851009 Maximum
resident|role|resident|SCT 224529009 Resident
recist|method|RECIST 1.1|DCM 126081 RECIST 1.1
baseline|time-point-type|baseline|
t1-hypointense|mr-signal|T1 hypointense|RADLEX RID10794 T1 weighted exact 1;RADLEX RID35804 hypointense exact 2
t1-hyperintense|mr-signal|T1 hyperintense|RADLEX RID10794 T1 weighted exact 1;RADLEX RID35805 hyperintense exact 2;RADLEX RID35806 high broader
dwi-hypointense|mr-signal|DWI hypointense|RADLEX RID10799 diffusion weighted exact 1;RADLEX RID35804 hypointense exact 2
vasogenic|edema|vasogenic edema|SCT 2032001 Cerebral edema broader
mild|degree|mild|SCT 255604002 Mild
severe|degree|severe|SCT 24484000 Severe
lytic|bone-matrix|lytic lesion|RADLEX RID45729 lytic
blastic|bone-matrix|blastic lesion|RADLEX RID45724 blastic
long-axis|measurement|long axis|SCT 103339001 Long Axis
short-axis|measurement|short axis|SCT 103340004 Short Axis
volume|measurement|volume|SCT 118565006 Volume
suv|measurement|SUVbw|DCM 126401 SUVbw
adc|measurement|apparent diffusion coefficient|DCM 113041 Apparent Diffusion Coefficient
lesion-number|measurement|number of lesions|
t1-signal|field|T1 signal|
edema-type|field|edema|
edema-degree|field|edema degree|
bone-matrix|field|bone matrix|
response|field|response|
finding|name|Finding|DCM 121071 Finding
finding-site|name|Finding Site|SCT 363698007 Finding Site
laterality|name|Laterality|SCT 272741003 Laterality
language-en-us|language|English (United States)|RFC5646 en-US English (United States)
unit-mm|unit|mm|UCUM mm millimeter
unit-cm|unit|cm|UCUM cm centimeter
unit-um|unit|um|UCUM um micrometer
unit-mm3|unit|mm3|UCUM mm3 cubic millimeter
unit-cm3|unit|cm3|UCUM cm3 cubic centimeter
unit-ml|unit|ml|UCUM ml milliliter
unit-1|unit|1|UCUM 1 no units
unit-suv|unit|g/ml{SUVbw}|UCUM g/ml{SUVbw} Standardized Uptake Value body weight
unit-adc|unit|10*-6.mm2/s|UCUM 10*-6.mm2/s 10*-6.mm2/s
unit-mm2-s|unit|mm2/s|UCUM mm2/s mm2/s
"""

# concept | use | field | term
WORDS = """
brain-metastasis|synonym||cerebral metastasis
brain-metastasis|synonym||secondary malignant tumour of brain
brain-metastasis|abbreviation||BM
bone-metastasis|synonym||osseous metastasis
haemorrhage|synonym||bleed
new-lesion|synonym||new
stable|synonym||unchanged
mri|abbreviation||MR
mri|abbreviation||MRI
ct|abbreviation||CT
t1-hypointense|synonym|t1-signal|hypointense
t1-hypointense|abbreviation|t1-signal|T1↓
t1-hyperintense|synonym|t1-signal|hyperintense
dwi-hypointense|synonym||dark on DWI
vasogenic|synonym|edema-type|vasogenic
lytic|synonym|bone-matrix|lytic
lytic|synonym||Ewing's lysis
blastic|synonym|bone-matrix|blastic
long-axis|synonym||longest diameter
suv|synonym||SUVmax
t1-vertebra|synonym||T1
t1-sequence|synonym||T1
unit-mm|synonym|unit|millimetre
unit-cm3|abbreviation|unit|cc
unit-suv|synonym|unit|{SUVbw}g/ml
unit-adc|synonym|unit|10-6.mm2/s
junction|synonym||gray/white matter junction
"""

SETS: dict[str, str] = {
    "findings": "brain-metastasis intracranial-metastases bone-metastasis rib-metastasis humerus-fracture-right"
    " haemorrhage glioma lytic",
    "negatives": "haemorrhage enhancement no-enhancement vasogenic brain-metastasis",
    "categories": "neoplasm",
    "sites": "frontal-lobe left-hemisphere right-hemisphere corpus-callosum t1-vertebra",
    "midline-sites": "corpus-callosum t1-vertebra",
    "left-sided-sites": "left-hemisphere",
    "right-sided-sites": "right-hemisphere",
    "lateralities": "left right bilateral unilateral midline",
    "topographies": "junction",
    "certainties": "suspicious",
    "changes": "new-lesion stable resolved",
    "modalities": "mri ct bone-scan nuclear-medicine",
    "procedures": "mr-brain",
    "techniques": "t1-sequence",
    "methods": "recist",
    "derivations": "maximum",
    "roles": "resident",
    "time-point-types": "baseline",
    "signals": "t1-hypointense t1-hyperintense",
    "edemas": "vasogenic",
    "degrees": "mild severe",
    "matrices": "lytic blastic",
    "responses": "stable new-lesion",
}

MEASUREMENTS = """
["long-axis"]
concept = "long-axis"
names = ["long diameter"]
units = ["mm", "cm"]
kind = "length"
above = 0
implausible_above = 300
source = "a source"

[short-axis]
concept = "short-axis"
names = []
units = ["mm", "cm"]
kind = "length"
above = 0
source = "a source"

[volume]
concept = "volume"
names = []
units = ["mm3", "cm3", "ml"]
kind = "volume"
from = 0
implausible_above = 2_000_000
source = "a source"

[suv]
concept = "suv"
names = []
units = ["g/ml{SUVbw}"]
kind = "uptake"
from = 0
source = "a source"

[adc]
concept = "adc"
names = ["ADC"]
units = ["10*-6.mm2/s", "mm2/s"]
kind = "diffusion"
from = 0
implausible_above = 5000
source = "a source"

[lesion-number]
concept = "lesion-number"
names = []
units = ["1"]
kind = "number"
from = 1
integer = true
source = "a source"
"""

EVALUATIONS = """
[t1-signal]
concept = "t1-signal"
names = ["T1"]
values = "signals"
binding = "extensible"
supplies = ["RADLEX|RID10794"]
source = "a source"

[edema-type]
concept = "edema-type"
names = ["oedema"]
values = "edemas"
many = true
source = "a source"

[edema-degree]
concept = "edema-degree"
names = []
values = "degrees"
binding = "required"
source = "a source"

[bone-matrix]
concept = "bone-matrix"
names = ["matrix"]
values = "matrices"
source = "a source"

[response]
concept = "response"
names = []
values = "responses"
levels = ["report"]
source = "a source"
"""

_MEMBERS = {
    "finding": ("finding", "findings", "extensible", ""),
    "category": ("finding", "categories", "extensible", ""),
    "site": ("finding-site", "sites", "extensible", ""),
    "laterality": ("laterality", "lateralities", "required", ""),
    "topography": ("finding-site", "topographies", "extensible", ""),
    "certainty": ("finding", "certainties", "extensible", ""),
    "change": ("finding", "changes", "required", ""),
    "conclusion": ("finding", "findings", "extensible", ""),
    "differential": ("finding", "findings", "extensible", ""),
    "negative": ("finding", "negatives", "extensible", ""),
    "modality": ("finding", "modalities", "extensible", '"DCM"'),
    "procedure": ("finding", "procedures", "extensible", ""),
    "technique": ("finding", "techniques", "extensible", ""),
    "method": ("finding", "methods", "extensible", ""),
    "derivation": ("finding", "derivations", "extensible", ""),
    "role": ("finding", "roles", "extensible", ""),
    "time-point-type": ("finding", "time-point-types", "extensible", ""),
}

SPELLINGS = """british,american,source
tumour,tumor,a source
haemorrhage,hemorrhage,a source
oedema,edema,a source
grey,gray,a source
"""

ISSUERS = """key,uri,oid,source
HOSP,urn:oid:1.2.276.0.76.3.1.999.1,1.2.276.0.76.3.1.999.1,a source
OIDONLY,,1.2.3.4.5,a source
"""


def _csv(*cells: str) -> str:
    return ",".join(f'"{cell}"' if "," in cell else cell for cell in cells) + "\n"


def _coding(concept: str, text: str) -> str:
    words = text.split(" ")
    part = words.pop() if words[-1] in ("1", "2") and words[-2] in ("exact", "broader") else ""
    equivalence = words.pop() if words[-1] in ("exact", "broader") else "exact"
    return _csv(concept, words[0], words[1], " ".join(words[2:]), equivalence, part, "verified", "a source")


def tables() -> dict[str, str]:
    """The text of each file by its path beneath the two folders."""
    concepts = "key,group,definition,source\n"
    codings = "concept,system,code,display,equivalence,part,status,source\n"
    words = "concept,language,use,field,term\n"
    for line in CONCEPTS.strip().splitlines():
        key, group, label, coded = line.split("|")
        concepts += _csv(key, group, "", "a source")
        codings += "".join(_coding(key, text) for text in coded.split(";") if text)
        words += _csv(key, "en", "preferred", "unit" if group == "unit" else "", label)
    for line in WORDS.strip().splitlines():
        key, use, field, term = line.split("|")
        words += _csv(key, "en", use, field, term)
    members = "".join(
        f'[{key}]\nconcept = "{concept}"\nvalues = "{values}"\nbinding = "{binding}"\nprefer = [{prefer}]\n'
        'source = "a source"\n\n'
        for key, (concept, values, binding, prefer) in _MEMBERS.items()
    )
    return {
        "terminology/code_systems.csv": SYSTEMS,
        "terminology/concepts.csv": concepts,
        "terminology/codings.csv": codings,
        "terminology/designations.csv": words,
        "terminology/spellings.csv": SPELLINGS,
        "terminology/zones.csv": "concept,zone,source\nfrontal-lobe,head,a source\n",
        "terminology/translations.csv": "from_system,from_code,to_system,to_code,relationship,source\n"
        "99HOSP,FL,SCT,83251001,equivalent,a source\n99HOSP,HEAD,SCT,83251001,source-is-broader-than-target,a source\n",
        **{
            f"terminology/value_sets/{name}.csv": "concept,source\n"
            + "".join(f"{key},a source\n" for key in keys.split())
            for name, keys in SETS.items()
        },
        "mappings/measurements.toml": MEASUREMENTS,
        "mappings/evaluations.toml": EVALUATIONS,
        "mappings/report.toml": members,
        "mappings/issuers.csv": ISSUERS,
    }


def write_tables(
    folder: Path, *, add: Mapping[str, str] | None = None, swap: Mapping[str, tuple[str, str]] | None = None
) -> tuple[Path, Path]:
    """Write the tables with lines added at the end of a file, or one text in a file swapped for another."""
    made = tables()
    for path, text in (add or {}).items():
        made[path] = made.get(path, "") + text
    for path, (old, new) in (swap or {}).items():
        if made[path].count(old) < 1:
            raise ValueError(f"{path} does not hold {old!r}")
        made[path] = made[path].replace(old, new, 1)
    for path, text in made.items():
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    return folder / "terminology", folder / "mappings"


def load(
    folder: Path, *, add: Mapping[str, str] | None = None, swap: Mapping[str, tuple[str, str]] | None = None
) -> Vocabulary:
    """The vocabulary of the tables so changed."""
    terminology, mappings = write_tables(folder, add=add, swap=swap)
    return Vocabulary.load(terminology, mappings)
