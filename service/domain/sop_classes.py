"""SOP classes that are known to be no images: an image reference (PS3.3 C.18.4) to one of them shows nothing.

What is not known here may be an image of a later edition, or a vendor's own, and is taken.
"""

from functools import lru_cache
from typing import Final

_DICOM: Final = "1.2.840.10008."
_STORAGE: Final = "1.2.840.10008.5.1.4.1.1."
_HARDCOPY: Final = ("1.2.840.10008.5.1.1.29", "1.2.840.10008.5.1.1.30")
"""Retired, and images though they stand elsewhere."""
_ARCS: Final = frozenset(
    (
        *("8", "9", "10", "11", "129"),  # curves and waveforms, presentation states, what stood alone and is retired
        *("67", "68", "78", "79", "80"),  # real world values, surface scans, measurements of the eye
        *("88", "90", "91", "104", "131"),  # SR and key objects, assessments, annotations, encapsulated documents
        *("200", "201"),  # procedure protocols, inventories
    )
)
"""Numbers below the storage arc under which no class is an image (PS3.6 table A-1)."""
_SINGLE: Final = frozenset(
    (
        *("66", "66.1", "66.2", "66.3", "66.5", "66.6"),  # raw data, registrations, fiducials, surfaces, tracts
        "77.1.5.3",  # stereometric relationship
        *(f"481.{number}" for number in (*range(3, 23), 25)),  # radiotherapy but for its images and doses
    )
)
"""Classes below the storage arc that are none, among others that are."""


@lru_cache(maxsize=1024)  # a report has few classes and many images
def is_no_image(sop_class: str) -> bool:
    """Whether a UID is of DICOM and known to be no image: of another service, a transfer syntax, an SR, a waveform."""
    if not sop_class.startswith(_DICOM) or sop_class in _HARDCOPY:
        return False
    if not sop_class.startswith(_STORAGE):
        return True
    tail = sop_class.removeprefix(_STORAGE)
    return tail in _SINGLE or tail.partition(".")[0] in _ARCS
