"""The work: a findings document of n lesions with 3 measurements, 6 evaluations and a polygon region each."""

import json
import math
from typing import Any

from service.domain.uids import derive_uid

STUDY = derive_uid("benchmark", "study")
SERIES = derive_uid("benchmark", "series")
MR_IMAGE_STORAGE = "1.2.840.10008.5.1.4.1.1.4"
IMAGES = 24
POLYGON_POINTS = 12
ROWS = COLUMNS = 512

_SITES = ("frontal lobe", "parietal lobe", "temporal lobe", "occipital lobe")
_ENHANCEMENT = ("ring enhancement", "punctate enhancement", "heterogeneous enhancement")


def image_uid(number: int) -> str:
    """The SOP Instance UID of the number-th image."""
    return derive_uid("benchmark", "image", number)


def _polygon(number: int) -> list[list[float]]:
    """A dodecagon around a place of its own, in pixels."""
    column, row, radius = 60.0 + number * 37 % 400, 60.0 + number * 53 % 400, 4.0 + number % 9
    turns = (2 * math.pi * step / POLYGON_POINTS for step in range(POLYGON_POINTS))
    return [[round(column + radius * math.cos(turn), 2), round(row + radius * math.sin(turn), 2)] for turn in turns]


def _axes(number: int) -> dict[str, list[list[float]]]:
    """Long and short axis across a place of its own, in pixels."""
    column, row, half = 60.0 + number * 37 % 400, 60.0 + number * 53 % 400, 4.0 + number % 9
    return {
        "long": [[column - half, row], [column + half, row]],
        "short": [[column, row - half / 2], [column, row + half / 2]],
    }


def _lesion(number: int, *, axes: bool) -> dict[str, Any]:
    """One lesion as a sender would write it."""
    drawn = {"bidirectional": _axes(number)} if axes else {"polygon": {"points": _polygon(number)}}
    return {
        "id": f"L{number}",
        "finding": "brain metastasis",
        "site": _SITES[number % len(_SITES)],
        "laterality": ("left", "right")[number % 2],
        "measurements": {
            "long axis": f"{8 + number % 20}.{number % 10} mm",
            "short axis": f"{5 + number % 20}.{number % 7} mm",
            "volume": f"{300 + number * 7} mm3",
        },
        "descriptors": {
            "T1": "hypointense",
            "T2": "hyperintense",
            "enhancement pattern": _ENHANCEMENT[number % len(_ENHANCEMENT)],
            "edema": "cerebral edema",
            "edema degree": ("mild", "moderate", "severe")[number % 3],
            "margin": "well-defined",
        },
        "images": [
            {
                "sopClass": MR_IMAGE_STORAGE,
                "sop": image_uid(number % IMAGES),
                "series": SERIES,
                **drawn,
            }
        ],
    }


def document(lesions: int, *, axes: bool = False) -> dict[str, Any]:
    """A findings document with that many lesions; with their ``axes`` drawn instead of an outline, for viewers."""
    return {
        "report": {
            "id": f"BENCH-{lesions}",
            "status": "final",
            "issued": "2026-03-02T10:41:00+01:00",
            "impression": f"{lesions} brain metastases.",
        },
        "patient": {"id": "BENCH-1", "issuer": "HOSP", "name": "Bench^Mark", "birthDate": "1961-04-02", "sex": "F"},
        "study": {
            "uid": STUDY,
            "accession": "A481",
            "modality": "MR",
            "started": "2026-03-02T09:12:00+01:00",
            "procedure": "MRI brain",
        },
        "observer": {"device": {"name": "MetDetect", "version": "2.1", "uid": "1.2.3.4"}},
        "lesions": [_lesion(number, axes=axes) for number in range(lesions)],
    }


def document_bytes(lesions: int, *, axes: bool = False) -> bytes:
    """The document as a sender posts it."""
    return json.dumps(document(lesions, axes=axes)).encode()
