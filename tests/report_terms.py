"""The terms of the coded reports that are built by hand, and the UIDs and SOP classes of their images."""

from service.domain.codes import LOCAL_SCHEME, Code, CodedTerm, Resolution

MR_IMAGE = "1.2.840.10008.5.1.4.1.1.4"
SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"
ENHANCED_MR_IMAGE = "1.2.840.10008.5.1.4.1.1.4.1"
CT_IMAGE = "1.2.840.10008.5.1.4.1.1.2"
STUDY_UID = "1.2.826.0.1.3680043.10.1561.1"
SERIES_UID = "1.2.826.0.1.3680043.10.1561.1.2"
PRIOR_UID = "1.2.826.0.1.3680043.10.1561.9"
PRIOR_SERIES_UID = "1.2.826.0.1.3680043.10.1561.9.2"
FRAME_OF_REFERENCE = "1.2.826.0.1.3680043.10.1561.1.5"


def term(text: str, *codes: str, concept: str | None = None, broader: bool = False) -> CodedTerm:
    """A coded term from ``SYSTEM|code|display`` strings, the primary code first; none means text only."""
    made = tuple(Code(*code.split("|")) for code in codes)
    return CodedTerm(
        text,
        made,
        concept=concept if concept is not None or not made else text.replace(" ", "-"),
        broader=broader,
        resolution=Resolution.SYNONYM if made else Resolution.TEXT,
    )


def field(key: str, label: str) -> CodedTerm:
    """The name of a field without a standard code of its own: the project's own scheme."""
    return CodedTerm(label, (Code(LOCAL_SCHEME, key, label),), concept=key, resolution=Resolution.KEY)


BRAIN_METASTASIS = term(
    "brain metastasis",
    "SCT|94225005|Secondary malignant neoplasm of brain",
    "RADLEX|RID5231|metastasis",
    "I10C|C79.31|Secondary malignant neoplasm of brain",
)
BONE_METASTASIS = term(
    "bone metastasis", "SCT|94222008|Secondary malignant neoplasm of bone", "RADLEX|RID5231|metastasis"
)
INTRACRANIAL_METASTASES = term(
    "intracranial metastases", "SCT|128462008|Secondary malignant neoplastic disease", broader=True
)
UNCODED_FINDING = term("watershed-like cluster")
NEOPLASM_SECONDARY = term("neoplasm, secondary", "SCT|14799000|Neoplasm, Secondary")
FRONTAL_LOBE = term("frontal lobe", "SCT|83251001|Frontal lobe", "RADLEX|RID6440|frontal lobe")
CEREBELLUM = term("cerebellum", "SCT|113305005|Cerebellum", "RADLEX|RID6815|cerebellum")
HUMERUS = term("humerus", "SCT|85050009|Humerus", "RADLEX|RID1971|humerus")
L3_VERTEBRA = term("L3 vertebra", "SCT|36470004|L3 vertebra", "RADLEX|RID29195|third lumbar vertebra")
LEFT = term("left", "SCT|7771000|Left", "RADLEX|RID5824|left")
RIGHT = term("right", "SCT|24028007|Right", "RADLEX|RID5825|right")
JUNCTION = term("grey-white matter junction", "RADLEX|RID6387|subcortical", broader=True)
SUSPICIOUS = term("suspicious", "RADLEX|RID39314|suspicious")
PRESENT = term("present", "SCT|52101004|Present", "RADLEX|RID28472|present")
NEW = term("new lesion", "SCT|7147002|New", "RADLEX|RID5720|new")
ENLARGED = term("enlarged", "SCT|260376009|Enlarged", "RADLEX|RID5791|enlarged")
RESOLVED = term("resolved", concept="resolved")
MRI = term("magnetic resonance imaging", "DCM|MR|Magnetic Resonance", "SCT|113091000|Magnetic resonance imaging")
CT = term("computed tomography", "DCM|CT|Computed Tomography", "SCT|77477000|Computed tomography")
MR_BRAIN = term("MR brain with contrast", "RADLEX|RPID480|MR Head w and wo IV Contrast")
UNCODED_PROCEDURE = term("whole spine survey, house protocol 7")
SUBTRACTION = term("subtraction imaging")
DIFFUSION = term("diffusion-weighted imaging", "RADLEX|RID10799|diffusion weighted")
GLIOBLASTOMA = term("glioblastoma", "SCT|1163375002|Glioblastoma", "ICDO3|9440/3|Glioblastoma")
ABSCESS = term("cerebral abscess", "SCT|60404007|Cerebral abscess", "RADLEX|RID3711|abscess", "I10C|G06.0|Abscess")
HEMORRHAGE = term("hemorrhage", "SCT|50960005|Bleeding", "RADLEX|RID4700|hemorrhage")
MIDLINE_SHIFT = term("midline shift")
LONG_AXIS = term("long axis", "SCT|103339001|Long Axis")
SHORT_AXIS = term("short axis", "SCT|103340004|Short Axis")
VOLUME = term("volume", "SCT|118565006|Volume")
AREA = term("area", "SCT|42798000|Area")
LENGTH = term("length", "SCT|410668003|Length")
SUV = term("SUVbw", "DCM|126401|SUVbw")
UNCODED_MEASUREMENT = term("tortuosity of the feeding vessel")
MM = term("mm", "UCUM|mm|mm")
MM2 = term("mm2", "UCUM|mm2|mm2")
MM3 = term("mm3", "UCUM|mm3|mm3")
SUV_UNIT = term("g/ml{SUVbw}", "UCUM|g/ml{SUVbw}|Standardized Uptake Value body weight")
NO_UNITS = term("1", "UCUM|1|no units")
MAXIMUM = term("maximum", "SCT|56851009|Maximum")
MEAN = term("mean", "SCT|373098007|Mean")
AREA_METHOD = term("area of closed irregular polygon", "DCM|122501|Area of closed irregular polygon")
RECORDING = term("recording", "DCM|121097|Recording")
POSTTREATMENT = term("posttreatment", "DCM|126074|Posttreatment")

T1 = field("t1-signal", "T1 signal")
ENHANCEMENT = field("t1c-enhancement", "T1 post-contrast")
EDEMA = field("edema", "Edema")
EDEMA_DEGREE = field("edema-degree", "Edema degree")
MATRIX = field("bone-matrix", "Bone matrix")
RESPONSE = field("response", "Response")
HYPOINTENSE = term("hypointense", "RADLEX|RID35804|hypointense")
RING = term("ring enhancement", "RADLEX|RID34303|rim enhancement", "RADLEX|RID43290|rim enhancement pattern")
VASOGENIC = term("vasogenic edema", "SCT|2032001|Cerebral edema", "RADLEX|RID4865|edema", broader=True)
MODERATE = term("moderate", "SCT|6736007|Moderate", "RADLEX|RID5672|moderate")
