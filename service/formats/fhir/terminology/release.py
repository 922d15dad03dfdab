"""The two releases of FHIR that are spoken."""

from enum import Enum


class Release(Enum):
    """R4 is 4.0.1, R5 is 5.0.0; the value is the media type's ``fhirVersion``."""

    R4 = "4.0"
    R5 = "5.0"

    @property
    def full(self) -> str:
        """The version as a CapabilityStatement says it."""
        return {"4.0": "4.0.1", "5.0": "5.0.0"}[self.value]

    @property
    def media_type(self) -> str:
        """What an answer's Content-Type is."""
        return f"application/fhir+json; fhirVersion={self.value}"
