import json
from pathlib import Path

import highdicom
import pytest

from service.domain.geometry import SINGLE_FRAME, ImageReference

MR_IMAGE = "1.2.840.10008.5.1.4.1.1.4"
ENHANCED_MR_IMAGE = "1.2.840.10008.5.1.4.1.1.4.1"


def test_frame_one_of_a_single_frame_image_is_the_whole_image() -> None:
    assert ImageReference(MR_IMAGE, "1.2.3", "1.2", frames=(1,)) == ImageReference(MR_IMAGE, "1.2.3", "1.2")


def test_frame_one_of_a_multi_frame_image_stays() -> None:
    assert ImageReference(ENHANCED_MR_IMAGE, "1.2.3", "1.2", frames=(1,)).frames == (1,)


@pytest.mark.parametrize("sop_class", sorted(SINGLE_FRAME))
def test_refuses_a_frame_after_the_first_of_every_single_frame_class(sop_class: str) -> None:
    with pytest.raises(ValueError, match="one frame"):
        ImageReference(sop_class, "1.2.3", "1.2", frames=(1, 2))


def test_refuses_a_frame_before_the_first() -> None:
    with pytest.raises(ValueError, match="count from 1"):
        ImageReference(ENHANCED_MR_IMAGE, "1.2.3", "1.2", frames=(0,))


def test_single_frame_classes_are_those_whose_iod_has_no_multi_frame_module() -> None:
    standard = Path(highdicom.__file__).parent / "_standard"
    iods = json.loads((standard / "sop_class_iod_map.json").read_text())
    modules = json.loads((standard / "iod_module_map.json").read_text())
    of_class = {uid: {module["key"] for module in modules[iod]} for uid, iod in iods.items()}
    single = {
        uid for uid, keys in of_class.items() if "image-pixel" in keys and not any("multi-frame" in key for key in keys)
    }
    assert single == SINGLE_FRAME
