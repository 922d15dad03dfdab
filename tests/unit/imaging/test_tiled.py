"""SEGs of slides in tiles (PS3.3 C.7.6.17.3): a segment is as large as in one frame, however it is cut."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import highdicom as hd
import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sr.codedict import codes
from pydicom.uid import ExplicitVRLittleEndian, VLWholeSlideMicroscopyImageStorage

from service.imaging.segments import Mask, Unmeasurable
from tests.seg_files import seg

ROWS, COLUMNS = 40, 60
ROW_MM, COLUMN_MM, THICK_MM = 0.5, 0.25, 0.01
TILE = (16, 16)
UIDS = "1.2.826.0.1.3680043.10.1561.7"
DRAWN = np.zeros((1, ROWS, COLUMNS), dtype=bool)
DRAWN[0, 20:35, 10:50] = True  # the uppermost tiles are empty


def slide() -> Dataset:
    """The image that a mask was drawn on."""
    made = Dataset()
    made.file_meta = FileMetaDataset()
    made.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    made.SOPClassUID, made.SOPInstanceUID = VLWholeSlideMicroscopyImageStorage, f"{UIDS}.1"
    made.StudyInstanceUID, made.SeriesInstanceUID, made.FrameOfReferenceUID = UIDS, f"{UIDS}.2", f"{UIDS}.9"
    made.PositionReferenceIndicator, made.Modality = "SLIDE_CORNER", "SM"
    made.PatientID, made.PatientName, made.PatientBirthDate, made.PatientSex = "P1", "Doe^Jane", "", ""
    made.StudyDate = made.StudyTime = made.StudyID = made.AccessionNumber = made.ReferringPhysicianName = ""
    made.Rows, made.Columns = TILE
    made.TotalPixelMatrixRows, made.TotalPixelMatrixColumns, made.TotalPixelMatrixFocalPlanes = ROWS, COLUMNS, 1
    made.NumberOfFrames = -(-ROWS // TILE[0]) * -(-COLUMNS // TILE[1])
    made.ImageType, made.DimensionOrganizationType = ["ORIGINAL", "PRIMARY", "VOLUME", "NONE"], "TILED_FULL"
    made.ImageOrientationSlide = [0, 1, 0, 1, 0, 0]
    made.TotalPixelMatrixOriginSequence = [Dataset()]
    origin = made.TotalPixelMatrixOriginSequence[0]
    origin.XOffsetInSlideCoordinateSystem, origin.YOffsetInSlideCoordinateSystem = 10.0, 20.0
    measures, shared = Dataset(), Dataset()
    measures.PixelSpacing = [ROW_MM, COLUMN_MM]
    measures.SliceThickness = measures.SpacingBetweenSlices = THICK_MM
    shared.PixelMeasuresSequence = [measures]
    made.SharedFunctionalGroupsSequence = [shared]
    made.ContainerIdentifier, made.ContainerTypeCodeSequence = "C", []
    made.IssuerOfTheContainerIdentifierSequence = []
    specimen, path = Dataset(), Dataset()
    specimen.SpecimenIdentifier, specimen.SpecimenUID = "S", f"{UIDS}.8"
    specimen.SpecimenPreparationSequence = specimen.IssuerOfTheSpecimenIdentifierSequence = []
    path.OpticalPathIdentifier = "1"
    made.SpecimenDescriptionSequence, made.OpticalPathSequence, made.NumberOfOpticalPaths = [specimen], [path], 1
    return made


def tiled(kind: str, organization: str, tile: tuple[int, int] = TILE) -> Dataset:
    """The mask in tiles; sparse ones leave out those that are empty."""
    described = hd.seg.SegmentDescription(
        segment_number=1,
        segment_label="S1",
        segmented_property_category=codes.SCT.MorphologicallyAbnormalStructure,
        segmented_property_type=codes.SCT.Neoplasm,
        algorithm_type=hd.seg.SegmentAlgorithmTypeValues.MANUAL,
    )
    made = hd.seg.Segmentation(
        source_images=[slide()],
        pixel_array=DRAWN.astype(float if kind == "FRACTIONAL" else "uint8"),
        segmentation_type=kind,
        segment_descriptions=[described],
        series_instance_uid=f"{UIDS}.3",
        series_number=1,
        sop_instance_uid=f"{UIDS}.4",
        instance_number=1,
        manufacturer="test",
        manufacturer_model_name="test",
        software_versions="1",
        device_serial_number="1",
        tile_pixel_array=True,
        tile_size=tile,
        dimension_organization_type=organization,
        omit_empty_frames=organization == "TILED_SPARSE",
    )
    return pydicom.dcmread(BytesIO(written(made)))


def written(made: Dataset) -> bytes:
    out = BytesIO()
    made.save_as(out, enforce_file_format=True)
    return out.getvalue()


def numbers(content: bytes) -> tuple[Any, ...]:
    size = Mask(content).size(1)
    return size.long_axis_mm, size.short_axis_mm, size.volume_mm3


@pytest.mark.parametrize("kind", ["BINARY", "LABELMAP", "FRACTIONAL"])
@pytest.mark.parametrize(
    ("organization", "tile", "frames"),
    [
        ("TILED_FULL", TILE, 12),
        ("TILED_SPARSE", TILE, 8),
        ("TILED_FULL", (ROWS, COLUMNS), 1),
        ("TILED_SPARSE", (7, 60), 3),
    ],
)
def test_a_segment_in_tiles_is_as_large_as_in_one_frame(
    kind: str, organization: str, tile: tuple[int, int], frames: int
) -> None:
    made = tiled(kind, organization, tile)
    assert (made.NumberOfFrames, (made.Rows, made.Columns)) == (frames, tile)
    whole = numbers(seg([DRAWN], (THICK_MM, ROW_MM, COLUMN_MM)))
    assert numbers(written(made)) == pytest.approx(whole, rel=1e-9)
    assert whole[2] == pytest.approx(15 * 40 * ROW_MM * COLUMN_MM * THICK_MM)


@pytest.mark.parametrize("organization", ["TILED_FULL", "TILED_SPARSE"])
def test_tiles_that_fill_another_matrix_than_they_say_are_refused(organization: str) -> None:
    made = tiled("BINARY", organization)
    made.TotalPixelMatrixColumns = 2 * COLUMNS if organization == "TILED_FULL" else COLUMNS // 2
    with pytest.raises(Unmeasurable, match="Total Pixel Matrix"):
        Mask(written(made))


def test_a_matrix_of_more_voxels_than_the_limit_is_never_held() -> None:
    made = tiled("BINARY", "TILED_SPARSE")
    made.TotalPixelMatrixRows = made.TotalPixelMatrixColumns = 1_000_000
    with pytest.raises(Unmeasurable, match=r"limits\.mask_voxels"):
        numbers(written(made))
