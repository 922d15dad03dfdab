"""DICOM SR: a content tree whose every item is valid once built, TID 1500 and its parts, and their bytes.

tree            content items by value type, with the relationships that an SR may have (PS3.3 C.17.3, A.35)
template, ...   a coded report as the tree of TID 1500 (PS3.16)
document        the data set around it: patient, study, series, SR document general, evidence
encode, decode  explicit VR little endian, Part 10, there and back
dialects        what some readers want beside the standard, a row each
write           the one door: ``write(report, dialect=..., iod=...)``
"""
