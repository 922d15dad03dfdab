"""Where a sender says what the groups of the reference vocabulary hold: the table that the tests go by.

Written down from the wanted places, not derived from ``mappings``: a group that no field takes any more must fail.
"""

from collections.abc import Mapping
from typing import Final

FIELDS: Final[Mapping[str, tuple[str, ...]]] = {
    "diagnosis": ("finding",),
    "primary_tumour": ("primary-tumor", "differential"),
    "differential": ("differential", "finding"),
    "differential_who_cns": ("differential", "finding"),
    "site": ("site", "topography"),
    "laterality": ("laterality",),
    "certainty": ("certainty", "malignancy"),
    "change_from_prior": ("change",),
    "count": ("finding", "distribution"),
    "morphology/margin": ("margin", "morphology", "finding"),
    "mass_effect": ("mass-effect",),
    "ct_attenuation": ("ct-attenuation",),
    "mr_signal_T1": ("t1", "sequence"),
    "mr_signal_T1C": ("t1-post-contrast", "sequence", "contrast-agent"),
    "T2": ("t2", "sequence"),
    "FLAIR": ("flair", "sequence"),
    "DWI_ADC": ("dwi", "adc", "sequence"),
    "SWI": ("swi",),
    "spectroscopy": ("spectroscopy", "sequence"),
    "enhancement_pattern": ("enhancement-pattern", "t1-post-contrast"),
    "hemorrhage": ("hemorrhage",),
    "edema": ("edema", "edema-degree"),
    "pet_uptake": ("pet-uptake", "tracer"),
    "bone_matrix": ("bone-matrix", "distribution"),
    "mr_marrow_signal": ("marrow-signal", "sequence"),
    "bone_scan": ("bone-scan-uptake", "technique", "tracer"),
    "complication": ("complication",),
    "benign_finding": ("benign-finding", "disc", "endplate", "malignancy"),
    "post_treatment": ("post-treatment",),
    "response_criteria": ("response", "response-criteria", "lesion-role"),
    "clinical_presentation": ("clinical-presentation",),
    "treatment": ("treatment", "treatment-intent"),
    "grading": ("grading",),
    "modality/technique": ("modality", "technique", "procedure", "contrast-agent"),
    "sr_relation": (),
}
"""By group of the reference: the rows of ``evaluations.toml`` and ``report.toml``, the first that takes it first."""

MEASURED: Final = {
    "long axis": "long-axis",
    "short axis": "short-axis",
    "diameter": "diameter",
    "volume": "volume",
    "area": "area",
    "number of lesions": "number-of-lesions",
    "CT attenuation value": "ct-attenuation-value",
    "apparent diffusion coefficient": "apparent-diffusion-coefficient",
    "standardized uptake value": "standardized-uptake-value",
    "total lesion glycolysis": "total-lesion-glycolysis",
    "metabolic volume": "metabolic-volume",
    "MR signal intensity (quantitative)": "mr-signal-intensity",
    "spinal instability (SINS)": "sins",
}
"""Terms of the reference that are numbers: their row in ``measurements.toml``."""

NAMED: Final = {
    "enhancement pattern": "enhancement-pattern",
    "oedema severity": "edema-degree",
    "current response": "response",
    "best overall response": "best-response",
    "finding site": "site",
    "laterality (relation)": "laterality",
    "topographical modifier": "topography",
    "mass effect": "mass-effect",
}
"""Terms of the reference that are the name of a field."""

STRUCTURE: Final = {
    "tracking identifier": "tracking-identifier",
    "lesion identifier": "lesion-identifier",
    "imaging report": "diagnostic-imaging-report",
    "findings section": "findings-section",
    "impression section": "impression-section",
}
"""Terms of the reference that are parts of a document: the writers name them by key."""

SUPPLIED: Final = {
    "t1": "RADLEX#RID10794",
    "t2": "RADLEX#RID10795",
    "flair": "RADLEX#RID35806",
    "stir": "RADLEX#RID28699",
    "dwi": "RADLEX#RID10799",
    "marrow-signal": "RADLEX#RID38594",
    "bone-scan-uptake": "RADLEX#RID49568",
}
"""The part of a post-coordinated value that the name of its field says already."""
