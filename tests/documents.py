"""Findings JSON documents: a small one of which a test overrides what matters, and one with every member."""

import json
from typing import Any

Json = dict[str, Any]

EXAMPLE: Json = {
    "report": {
        "id": "MR-2026-000481",
        "status": "final",
        "issued": "2026-03-02T10:41:00+01:00",
        "impression": "Three new brain metastases.",
    },
    "patient": {"id": "PID-11235", "issuer": "HOSP", "name": "Doe^Jane", "birthDate": "1961-04-02", "sex": "F"},
    "study": {
        "uid": "1.2.840.113619.2.1.1",
        "accession": "A481",
        "modality": "MR",
        "started": "2026-03-02T09:12:00+01:00",
        "procedure": "MR brain with contrast",
    },
    "observer": {"device": {"name": "MetDetect", "version": "2.1", "uid": "1.2.3.4"}},
    "lesions": [
        {
            "id": "L1",
            "finding": "brain metastasis",
            "site": "frontal lobe",
            "laterality": "left",
            "topography": "grey-white matter junction",
            "measurements": {"long axis": "14.2 mm", "short axis": "11.0 mm", "volume": "1450 mm3"},
            "descriptors": {
                "T1": "hypointense",
                "T1 post-contrast": "ring enhancement",
                "edema": "vasogenic",
                "edema degree": "moderate",
            },
            "images": [
                {
                    "sopClass": "1.2.840.10008.5.1.4.1.1.4",
                    "sop": "1.2.3.4.5",
                    "series": "1.2.3.4",
                    "frame": 1,
                    "line": {"measurement": "long axis", "points": [[102.5, 88.0], [116.7, 88.0]]},
                }
            ],
        }
    ],
}
"""The example that senders are shown."""

_SNOMED = {"system": "SCT", "code": "94225005", "display": "Secondary malignant neoplasm of brain"}

FULL: Json = {
    "report": {
        "id": "R-7",
        "sender": "metdetect",
        "version": 2,
        "status": "amended",
        "issued": "2026-03-02T10:41:00.250Z",
        "language": "en-GB",
        "predecessor": {
            "sop": "1.2.3.9.1",
            "series": "1.2.3.9",
            "sopClass": "1.2.840.10008.5.1.4.1.1.88.34",
            "study": "1.2.3",
        },
        "impression": "Three new brain metastases.\nNo haemorrhage.",
        "findings": "Ring enhancement, left frontal.",
        "conclusion": ["brain metastasis", dict(_SNOMED)],
        "differential": ["glioblastoma", "abscess"],
        "negatives": "haemorrhage",
        "descriptors": [{"field": "primary tumor", "value": "lung carcinoma"}],
    },
    "patient": {
        "id": "PID-11235",
        "issuer": "HOSP",
        "name": {
            "family": "Yamada",
            "given": "Tarou",
            "middle": "M",
            "prefix": "Dr.",
            "suffix": "Jr.",
            "ideographic": {"family": "山田", "given": "太郎"},
            "phonetic": {"family": "やまだ", "given": "たろう"},
        },
        "birthDate": "1961-04",
        "sex": "O",
        "otherIds": [{"id": "885511", "issuer": "REGION"}, {"id": "4711"}],
    },
    "study": {
        "uid": "1.2.3",
        "accession": "A481",
        "accessionIssuer": "HOSP",
        "modality": {"system": "DCM", "code": "MR"},
        "started": "2026-03-02",
        "procedure": ["MR brain with contrast", "MR perfusion"],
        "description": "MR head",
        "referringPhysician": {
            "name": "Gray^Henry",
            "id": "D-1",
            "organization": "St. Example Hospital",
            "role": "referring physician",
        },
        "technique": ["FLAIR"],
        "comparisons": [
            {"uid": "1.2.2", "started": "2025-12-01", "accession": "A377", "modality": "MR", "description": "MR head"}
        ],
        "images": [
            {
                "sopClass": "1.2.840.10008.5.1.4.1.1.4.1",
                "sop": "1.2.2.4.5",
                "series": "1.2.2.4",
                "study": "1.2.2",
                "frame": [1, 3],
            }
        ],
    },
    "observers": [
        {
            "device": {
                "name": "MetDetect",
                "version": "2.1",
                "uid": "1.2.3.40",
                "manufacturer": "Example Imaging",
                "model": "MD-2",
                "algorithm": "UNet-3D",
            }
        },
        {
            "person": {
                "name": "Roe^Richard",
                "id": "RAD-7",
                "organization": "St. Example Hospital",
                "role": "radiologist",
                "verifiedAt": "2026-03-02T10:40:00+01:00",
            }
        },
    ],
    "lesions": [
        {
            "id": "L1",
            "trackingUid": "1.2.3.7",
            "finding": _SNOMED,
            "category": "target lesion",
            "site": "frontal lobe",
            "laterality": "left",
            "topography": "grey-white matter junction",
            "count": 3,
            "certainty": "probable",
            "change": "new",
            "timePoint": {
                "label": "week 8",
                "type": "posttreatment",
                "order": 1,
                "subjectIdentifier": "S-12",
                "protocolIdentifier": "TP1",
            },
            "text": "Abuts the falx.",
            "measurements": [
                {
                    "concept": "long axis",
                    "value": "14.20",
                    "unit": "mm",
                    "method": "caliper",
                    "derivation": "maximum",
                    "range": {"low": 0, "high": 10.50, "text": "below 10.5 mm"},
                    "image": "1.2.3.4.5",
                },
                {"concept": "long axis", "value": "13.9 mm"},
            ],
            "descriptors": [
                {"field": "T1", "value": "hypointense"},
                {"field": {"system": "99SITE", "code": "x"}, "value": "hyperintense"},
            ],
            "images": [
                {
                    "sopClass": "1.2.840.10008.5.1.4.1.1.4",
                    "sop": "1.2.3.4.5",
                    "series": "1.2.3.4",
                    "study": "1.2.3",
                    "frame": 1,
                    "line": {"measurement": "long axis", "points": [[102.5, 88.0], [116.7, 88.0]]},
                    "bidirectional": {
                        "long": {"points": [[1, 2], [3, 4]], "measurement": "long axis"},
                        "short": {"points": [[1, 4], [3, 2]], "measurement": "short axis"},
                    },
                    "polygon": [
                        {"points": [[0, 0], [4, 0], [4, 4], [0, 0]], "measurement": "area"},
                        {"points": [[10, 10], [14, 10], [14, 14]]},
                    ],
                    "point": {"points": [[7.5, 7.5]], "measurement": "long axis"},
                }
            ],
            "regions3d": [
                {"frameOfReference": "1.2.3.6", "kind": "polyline", "points": [[-1.5, 0, 2], [1, 2, 3]]},
            ],
            "segment": {"sop": "1.2.3.8.1", "series": "1.2.3.8", "number": 1, "sourceSeries": "1.2.3.4"},
        },
        {"id": "L2", "finding": "bone metastasis", "count": "innumerable", "timePoint": "baseline"},
    ],
}
"""Every member of the contract at least once."""


def make_document(**members: Any) -> Json:
    """The smallest document that is right, with top-level ``members`` in place of its own; None leaves one out."""
    document: Json = {
        "report": {"id": "R1", "status": "final", "issued": "2026-03-02T10:41:00+01:00"},
        "patient": {"id": "P1"},
        "study": {"uid": "1.2.3", "modality": "MR", "procedure": "MR brain"},
        "lesions": [{"id": "L1", "finding": "brain metastasis"}],
    }
    return {name: value for name, value in (document | members).items() if value is not None}


def make_lesion_document(**members: Any) -> Json:
    """A document with one lesion that has ``members`` beside id and finding."""
    return make_document(lesions=[{"id": "L1", "finding": "brain metastasis"} | members])


def as_bytes(document: Any) -> bytes:
    """JSON text in UTF-8."""
    return json.dumps(document, ensure_ascii=False).encode()
