"""What a terminology server answers: look-up, validation, subsumption, expansion, translation; no FHIR in it.

`Terminology` holds the sources (the project's own tables, loaded releases), the value sets and the concept maps.
`service.formats.fhir.terminology` says its answers in FHIR, `service.coding.remote` asks another server for them.
"""

from service.coding.server.terminology import ServerLimits, Terminology

__all__ = ["ServerLimits", "Terminology"]
