"""The measured table of brain metastases as findings JSON, one report a patient and time point.

The table is the morphological measurements of the OpenBTAI data set (Ocaña-Tienda and others 2023,
doi 10.1038/s41597-023-02123-0, CC BY 4.0); ``examples/README.md`` cites it and says what is synthetic in its reports.
"""

import csv
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from decimal import ROUND_HALF_EVEN, Decimal
from pathlib import Path
from typing import Any

from service.domain.uids import derive_uid

TABLE = Path("response", "openbtai_brainmets_morphology.csv")
"""Where the table stands under the folder of real cases."""
PATIENTS, TIME_POINTS, ROWS = 45, 190, 292
"""What the table holds."""
DS_CHARACTERS = 16  # of a decimal string (PS3.5 6.2)
PRIMARY_TUMOURS = {"Breast": "breast cancer", "NSCLC": "non-small cell lung cancer", "SCLC": "small cell lung cancer"}
"""The table's word to a term; its fourth word, ``Others``, names no tumour and becomes none."""
PLAIN = (
    ("volume", "TOTALVOLUME", "cm3"),
    ("enhancing volume", "CEVOLUME", "cm3"),
    ("necrotic volume", "NECVOLUME", "cm3"),
    ("contrast-enhancing rim width", "CERIMWIDTH", "cm"),
    ("surface regularity", "SURFACEREGULARITY", "1"),
)
"""Measurement, column and unit of what needs no more than that; the table gives no units, its numbers prove them."""
Digits = Callable[[str], str]
"""How a number of the table is written."""

Row = Mapping[str, str]


def rows_of(path: Path) -> list[Row]:
    """The rows of the table, every value as it is written."""
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def reports_of(rows: Iterable[Row]) -> list[list[Row]]:
    """The rows of each report, a patient's one after another in time."""
    reports = defaultdict(list)
    for row in rows:
        reports[row["PATIENT"], row["TIME POINT"]].append(row)
    return [reports[key] for key in sorted(reports)]


def fitting(value: str) -> str:
    """A number of the table with as many of its digits as a decimal string has characters (DS, PS3.5 6.2)."""
    excess = len(value) - DS_CHARACTERS
    return value if excess <= 0 else rounded(value, -int(Decimal(value).as_tuple().exponent) - excess)


def rounded(value: str, places: int) -> str:
    """A number of the table to so many decimal places, half to even; never in exponential notation."""
    return f"{Decimal(value).quantize(Decimal(1).scaleb(-places), ROUND_HALF_EVEN):f}"


def legible(value: str) -> str:
    """A number of the table as the examples show it, to four places: a tenth of a cubic millimetre, a micrometre."""
    return rounded(value, 4) if Decimal(value) else "0"


def findings(rows: list[Row], order: int, digits: Digits = fitting) -> dict[str, Any]:
    """One report: the rows of one patient and time point, the ``order``-th of that patient.

    Of the table: patient number, day, lesion numbers, diameter, volumes, primary tumour, scanner. Added, since a report
    can't be without: ids of the study and the report, a time of day. Neither side nor site within the brain is known.
    """
    first = rows[0]
    patient, day = first["PATIENT"], first["TIME POINT"]
    started = f"{day[:4]}-{day[4:6]}-{day[6:]}"
    report: dict[str, Any] = {
        "id": f"OPENBTAI-{patient}-{day}",
        "status": "final",
        "issued": f"{started}T12:00:00Z",
        "language": "en",
        "impression": f"{counted(len(rows))} measured. Primary tumor: {primary(first)}.",
        "findings": (
            f"Post-contrast T1-weighted MRI of the OpenBTAI data set, {first['STATION NAME'].strip()},"
            f" {first['MAGNETIC FIELD']} T, pixel spacing {first['PIXELSPACING']} mm,"
            f" slice thickness {first['STH']} mm, repetition time {first['REPTIME']}, echo time {first['ECHOTIME']}."
            " Side and site within the brain are not recorded."
        ),
    }
    term = PRIMARY_TUMOURS.get(first["Primary Tumor"])
    if term is not None:
        report["descriptors"] = {"primary tumor": term}
    return {
        "report": report,
        "patient": {"id": f"OPENBTAI-{patient}", "issuer": "https://openbtai.example/patients"},
        "study": {
            "uid": derive_uid("example", "openbtai", patient, day),
            "modality": "MR",
            "started": started,
            "procedure": "MRI brain",
            "description": f"OpenBTAI {patient}, time point {order} (shifted date)",
            "technique": ["T1-weighted sequence", "contrast media"],
        },
        "observer": {"device": {"name": "OpenBTAI morphological measurements", "version": "2023"}},
        "lesions": [lesion(row, order, digits) for row in rows],
    }


def lesion(row: Row, order: int, digits: Digits) -> dict[str, Any]:
    """One row: the same lesion has the same id at every time point of its patient, so that its tracking UID stays."""
    return {
        "id": f"L{row['LESION']}",
        "finding": "brain metastasis",
        "site": "brain",
        "timePoint": {"label": f"TP{order}", "order": order},
        "measurements": {
            # The longest diameter in space: neither the long axis of one plane nor that of a mesh.
            "diameter": {"value": f"{digits(row['MAXDIAMETER3D'])} cm", "derivation": "maximum"},
            **{name: f"{digits(row[column])} {unit}" for name, column, unit in PLAIN},
        },
    }


def counted(number: int) -> str:
    """How many metastases, in words."""
    return "One brain metastasis" if number == 1 else f"{number} brain metastases"


def primary(row: Row) -> str:
    """The primary tumour in words, the table's own where it names none."""
    word = row["Primary Tumor"]
    return PRIMARY_TUMOURS.get(word, f"not named (table: {word})")


def all_findings(rows: Iterable[Row], digits: Digits = fitting) -> dict[str, dict[str, Any]]:
    """Every report of the table by its name, ``openbtai-<patient>-<time point>``."""
    made: dict[str, dict[str, Any]] = {}
    seen: dict[str, int] = defaultdict(int)
    for report in reports_of(rows):
        patient = report[0]["PATIENT"]
        seen[patient] += 1
        made[f"openbtai-{patient}-{seen[patient]}"] = findings(report, seen[patient], digits)
    return made
