"""The answers of a terminology server as FHIR resources, R4 (4.0.1) and R5 (5.0.0), and its requests read.

Parameter names and cardinalities are those of the OperationDefinitions of each release.
"""
