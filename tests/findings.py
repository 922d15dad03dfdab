"""Findings documents for tests: the contract's own example, of which a test overrides what matters."""

import json
from copy import deepcopy
from typing import Any

EXAMPLE: dict[str, Any] = {
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
            "measurements": {"long axis": "14.20 mm", "short axis": "11.0 mm", "volume": "1450 mm3"},
            "descriptors": {"T1": "hypointense", "T1 post-contrast": "ring enhancement", "edema": "vasogenic"},
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


def make_findings(**changes: Any) -> dict[str, Any]:
    """The example with members replaced: ``report__version=2`` sets /report/version, None removes a member."""
    made = deepcopy(EXAMPLE)
    for path, value in changes.items():
        *steps, last = path.split("__")
        place: Any = made
        for step in steps:
            place = place[int(step)] if step.isdigit() else place[step]
        if value is None:
            del place[last]
        else:
            place[last] = value
    return made


def make_body(**changes: Any) -> bytes:
    """`make_findings` as JSON bytes."""
    return json.dumps(make_findings(**changes)).encode()
