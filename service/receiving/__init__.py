"""What comes in by itself: DICOM over the web and over DIMSE, HL7 v2 over MLLP, files; and where it goes on.

Everything goes the one way through `service.pipeline`. docs/receiving.md describes settings and answers.
"""
