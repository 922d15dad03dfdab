"""The modality that a SOP class says, held against pydicom's names of the classes."""

import pydicom.uid
import pytest
from pydicom.uid import UID

from service.coding.modalities import OF_CLASS, modality_of

# A modality of PS3.16 CID 29 or 32 to how PS3.6 names its storage classes.
NAMES = {
    "CR": "Computed Radiography",
    "CT": "CT Image",
    "MR": "MR Image|MR Color",
    "US": "Ultrasound|US Volume",
    "NM": "Nuclear Medicine",
    "PT": "PET|Positron Emission Tomography",
    "SEG": "Segmentation",
}


@pytest.mark.parametrize("sop_class", OF_CLASS)
def test_a_class_has_the_modality_that_it_is_named_for(sop_class: str) -> None:
    term = modality_of(sop_class)
    assert term is not None
    assert term.code is not None
    assert term.code.system == "DCM"
    assert any(words in UID(sop_class).name for words in NAMES[term.code.code].split("|"))


@pytest.mark.parametrize("name", ["SecondaryCaptureImageStorage", "DigitalXRayImageStorageForPresentation"])
def test_a_class_of_several_modalities_says_none(name: str) -> None:
    assert modality_of(getattr(pydicom.uid, name)) is None
