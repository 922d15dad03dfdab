"""SEG files of shapes that can be calculated, made by highdicom in any orientation and spacing."""

from io import BytesIO
from typing import Any

import highdicom as hd
import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sr.codedict import codes
from pydicom.uid import ExplicitVRLittleEndian

Spacing = tuple[float, float, float]
"""Distance of slices, of rows and of columns, in millimetres."""


def oblique(degrees: float) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Directions of a row and of a column, turned about two axes."""
    turn = np.radians(degrees)
    about_x = np.array([[1, 0, 0], [0, np.cos(turn), -np.sin(turn)], [0, np.sin(turn), np.cos(turn)]])
    about_z = np.array([[np.cos(turn), -np.sin(turn), 0], [np.sin(turn), np.cos(turn), 0], [0, 0, 1]])
    matrix = about_z @ about_x
    return matrix[:, 0], matrix[:, 1]


def source_images(shape: tuple[int, int, int], spacing: Spacing, degrees: float) -> list[Dataset]:
    """The slices that a mask was drawn on."""
    along_row, along_column = oblique(degrees)
    normal = np.cross(along_row, along_column)
    made = []
    for number in range(shape[0]):
        image = Dataset()
        image.file_meta = FileMetaDataset()
        image.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        image.SOPClassUID = "1.2.840.10008.5.1.4.1.1.4"
        image.SOPInstanceUID = f"1.2.826.0.1.3680043.10.1561.6.1.{number + 1}"
        image.StudyInstanceUID = "1.2.840.113619.2.1.1"
        image.SeriesInstanceUID = "1.2.826.0.1.3680043.10.1561.6.1"
        image.FrameOfReferenceUID = "1.2.826.0.1.3680043.10.1561.6.9"
        image.PatientID, image.PatientName, image.PatientBirthDate, image.PatientSex = "PID-11235", "Doe^Jane", "", ""
        image.StudyDate, image.StudyTime, image.StudyID, image.AccessionNumber = "", "", "", ""
        image.ReferringPhysicianName, image.Modality = "", "MR"
        image.Rows, image.Columns = shape[1], shape[2]
        image.PixelSpacing = [spacing[1], spacing[2]]
        image.SliceThickness = image.SpacingBetweenSlices = spacing[0]
        image.ImageOrientationPatient = [round(float(x), 12) for x in (*along_row, *along_column)]
        image.ImagePositionPatient = [round(float(x), 9) for x in normal * spacing[0] * number]
        made.append(image)
    return made


def seg(masks: list[np.ndarray[Any, Any]], spacing: Spacing, degrees: float = 0.0, **more: Any) -> bytes:
    """A SEG with one segment a mask (slices, rows, columns)."""
    described = [
        hd.seg.SegmentDescription(
            segment_number=number,
            segment_label=f"S{number}",
            segmented_property_category=codes.SCT.MorphologicallyAbnormalStructure,
            segmented_property_type=codes.SCT.Neoplasm,
            algorithm_type=hd.seg.SegmentAlgorithmTypeValues.MANUAL,
        )
        for number in range(1, len(masks) + 1)
    ]
    made = hd.seg.Segmentation(
        source_images=source_images(masks[0].shape, spacing, degrees),
        pixel_array=np.stack(masks, axis=-1),
        segmentation_type=more.get("kind", hd.seg.SegmentationTypeValues.BINARY),
        segment_descriptions=described,
        series_instance_uid="1.2.826.0.1.3680043.10.1561.6.2",
        series_number=2,
        sop_instance_uid="1.2.826.0.1.3680043.10.1561.6.2.1",
        instance_number=1,
        manufacturer="test",
        manufacturer_model_name="test",
        software_versions="1",
        device_serial_number="1",
    )
    out = BytesIO()
    made.save_as(out, enforce_file_format=True)
    return out.getvalue()


def ellipsoid(shape: tuple[int, int, int], spacing: Spacing, radii: Spacing) -> np.ndarray[Any, Any]:
    """The voxels whose centres lie in an ellipsoid in the middle, its axes along slices, rows and columns."""
    grid = np.indices(shape).astype(float)
    far = np.zeros(shape)
    for axis in range(3):
        far += ((grid[axis] - (shape[axis] - 1) / 2) * spacing[axis] / radii[axis]) ** 2
    return far <= 1


def box(shape: tuple[int, int, int], size: tuple[int, int, int]) -> np.ndarray[Any, Any]:
    """A box of so many voxels in a corner."""
    made = np.zeros(shape, dtype=bool)
    made[1 : 1 + size[0], 2 : 2 + size[1], 3 : 3 + size[2]] = True
    return made
