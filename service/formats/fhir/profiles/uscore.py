"""US Core 9.0.0 (http://hl7.org/fhir/us/core): report and note exchange, clinical results."""

from service.formats.fhir.profiles.checks import DATA_ABSENT
from service.formats.fhir.profiles.shaping import Shaping


def shape(shaping: Shaping) -> None:
    """A patient without a name says that it is unknown (us-core-6); our own records of organizations are active."""
    for patient in shaping.resources("Patient"):
        patient.setdefault("name", [{"extension": [{"url": DATA_ABSENT, "valueCode": "unknown"}]}])
    for organization in shaping.resources("Organization"):
        organization["active"] = True
