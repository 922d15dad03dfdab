"""A rejection note: a Key Object Selection Document that says which documents are not to be used any more.

PS3.3 A.35.4 and C.17.6, TID 2010, titles of CID 7010; what a receiver does with it is in IHE Radiology, Imaging Object
Change Management (IOCM). The note stands in the study of the report, in a series of its own.
"""

from collections.abc import Sequence
from hashlib import sha256
from typing import Final

from service.domain.emitted import SrDocument, SrReference
from service.domain.errors import Invalid, Problem
from service.domain.report import CodedReport
from service.domain.uids import derive_uid
from service.formats.sr.attributes import element, encode_elements, in_order
from service.formats.sr.dialects import DIALECTS
from service.formats.sr.document import FIXED, coding_schemes, request
from service.formats.sr.draft import Draft
from service.formats.sr.encode import file_meta, root_elements
from service.formats.sr.items import CodeItem, Composite, Container
from service.formats.sr.names import name
from service.formats.sr.patient_study import Header, patient_module, study_module
from service.formats.sr.tree import ContentItem
from service.formats.sr.values import Reference

SOP_CLASS: Final = "1.2.840.10008.5.1.4.1.1.88.59"
"""Key Object Selection Document Storage (PS3.4 B.5)."""
MEDIA_TYPE: Final = "application/dicom"
SERIES_NUMBER: Final = 9_901
_QUALITY: Final = "rejected-for-quality-reasons"


def rejection(report: CodedReport, title: str, rejected: Sequence[SrReference]) -> SrDocument:
    """The note of the version ``report`` that rejects documents of the versions before; ``title`` is a concept.

    The same note has the same bytes. Raises Invalid where no DICOM attribute holds what the report says.
    """
    draft = Draft(report, DIALECTS["strict"], allows_3d=False)
    try:
        for one in rejected:
            draft.evidence.note(one.sop_class, one.sop_instance, one.series, one.study, "")
        return _document(draft, _root(title, rejected))
    except ValueError as error:
        raise Invalid(Problem("", "sr-value", f"the report holds what no DICOM document can: {error}")) from error


def _root(title: str, rejected: Sequence[SrReference]) -> ContentItem:
    """TID 2010: the title, and every document that it is said of (row 7: COMPOSITE, without a name)."""
    documents = [Composite(None, Reference(one.sop_class, one.sop_instance), "CONTAINS") for one in rejected]
    modifiers: list[ContentItem] = []
    if title == _QUALITY:
        # Row 3 wants one of CID 7011, which speaks of images: only this one does not say what is not so.
        modifiers.append(CodeItem(name("document-title-modifier"), name("other-failure"), "HAS CONCEPT MOD"))
    return Container(name(title), None, (*modifiers, *documents), template="2010")


def _document(draft: Draft, root: ContentItem) -> SrDocument:
    report = draft.report
    made: Header = {
        **FIXED,
        "SOPClassUID": SOP_CLASS,
        "Modality": "KO",
        "SeriesNumber": SERIES_NUMBER,
        "SeriesDescription": "Rejected documents",
        "InstanceNumber": report.version,
        "ContentDate": report.issued.da,
        "ContentTime": report.issued.tm,
        "TimezoneOffsetFromUTC": report.issued.offset,
        **patient_module(draft, report.patient),
        **study_module(draft),
        "CurrentRequestedProcedureEvidenceSequence": draft.evidence.key_objects(),
    }
    if report.study.accession is not None:
        made["ReferencedRequestSequence"] = [request(draft)]
    elements = encode_elements(
        {**made, "CodingSchemeIdentificationSequence": coding_schemes(draft), **root_elements(root)}
    )
    digest = sha256(b"".join(in_order(elements).values())).hexdigest()
    place = (report.sender, report.id, report.version, digest)
    reference = SrReference(
        SOP_CLASS, derive_uid("rejection-instance", *place), derive_uid("rejection-series", *place), report.study.uid
    )
    elements["SOPInstanceUID"] = element("SOPInstanceUID", reference.sop_instance)
    elements["SeriesInstanceUID"] = element("SeriesInstanceUID", reference.series)
    meta = file_meta(reference.sop_class, reference.sop_instance)
    content = b"".join([meta, *in_order(elements).values()])
    # What a header can't hold, the SR beside it has named already.
    return SrDocument(MEDIA_TYPE, content, reference=reference)
