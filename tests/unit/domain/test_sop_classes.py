"""What is refused as no image, held against the dictionaries of pydicom and highdicom."""

import json
from pathlib import Path

import highdicom
from pydicom._uid_dict import UID_dictionary as DICTIONARY

from service.domain.geometry import SEGMENTATION, SINGLE_FRAME
from service.domain.sop_classes import is_no_image

_STANDARD = Path(highdicom.__file__).parent / "_standard"
_DOUBTFUL = ("MR Spectroscopy Storage", "DICOS")
"""Without pixels, and taken: what is shown of them is looked at as an image."""


def classes() -> dict[str, str]:
    """The names of SOP classes that store something, by UID."""
    stored = {uid: said[0] for uid, said in DICTIONARY.items() if said[1] == "SOP Class" and "Storage" in said[0]}
    return {uid: name for uid, name in stored.items() if "Commitment" not in name}


def with_pixels() -> set[str]:
    """SOP classes whose IOD has pixels, and retired ones that are images by name."""
    iods = json.loads((_STANDARD / "sop_class_iod_map.json").read_text())
    modules = json.loads((_STANDARD / "iod_module_map.json").read_text())
    known = {uid for uid, iod in iods.items() if any("pixel" in module["key"] for module in modules[iod])}
    return known | {uid for uid, name in classes().items() if "Image" in name}


def test_no_image_is_refused() -> None:
    assert len(with_pixels()) > 60
    assert not [uid for uid in with_pixels() | SINGLE_FRAME | {SEGMENTATION} if is_no_image(uid)]


def test_every_other_class_is() -> None:
    pixels = with_pixels()
    others = {uid: name for uid, name in classes().items() if uid not in pixels}
    assert len(others) > 90
    assert not [name for uid, name in others.items() if not is_no_image(uid) and not name.startswith(_DOUBTFUL)]


def test_every_uid_of_dicom_that_is_no_class_is() -> None:
    others = [uid for uid, said in DICTIONARY.items() if said[1] != "SOP Class" and uid.startswith("1.2.840.10008.")]
    assert len(others) > 100
    assert not [uid for uid in others if not is_no_image(uid)]


def test_what_is_not_known_is_taken() -> None:
    assert not is_no_image("1.2.840.10008.5.1.4.1.1.999.1")
    assert not is_no_image("1.3.12.2.1107.5.9.1")
