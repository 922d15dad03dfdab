"""LesionBridge: lesion findings in; one coded report; a FHIR bundle and a DICOM SR that say the same."""
