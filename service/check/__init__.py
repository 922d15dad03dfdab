"""Says whether an output is right before it leaves: SR and FHIR are read back and compared with the report.

Everything is broken down into facts (`service.check.facts`), one small statement each: *this lesion, laterality, left*.
The report, the SR and the bundle each give theirs by code of their own; where two lists differ, that names the place.
"""
