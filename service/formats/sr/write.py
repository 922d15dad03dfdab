"""The one door: a coded report as a DICOM SR.

Without ``iod`` the narrowest document is written that holds the report: Comprehensive 3D where a lesion brings shapes
in millimetres, else Enhanced, which every archive takes; Comprehensive is never needed, since nothing is written by
reference. What an IOD asked for can't carry is a loss.
"""

from hashlib import sha256

from service.domain.emitted import SrDocument, SrReference
from service.domain.errors import Invalid, NotAcceptable, Problem
from service.domain.report import CodedReport
from service.domain.uids import derive_uid
from service.formats.sr.attributes import element, encode_elements, in_order
from service.formats.sr.basic_text import SOP_CLASS as BASIC_TEXT
from service.formats.sr.basic_text import text_report
from service.formats.sr.dialects import DIALECTS, Dialect
from service.formats.sr.document import header
from service.formats.sr.draft import Draft
from service.formats.sr.encode import file_meta, root_elements
from service.formats.sr.relationships import WIDTHS, Iod
from service.formats.sr.template import measurement_report
from service.formats.sr.tree import ContentItem

MEDIA_TYPE = "application/dicom"


def write(report: CodedReport, *, dialect: str = "strict", iod: str | None = None) -> SrDocument:
    """The report as Part 10 bytes; the same report gives the same bytes.

    Raises NotAcceptable for a dialect or IOD that is not there or that do not go together, Invalid where nothing of the
    lesions would remain or the patient's id is none.
    """
    row = _dialect(dialect)
    wanted = _iod(row, iod)
    try:
        return _written(report, row, wanted)
    except ValueError as error:
        # What no VR holds and no part could name as a loss; the text names the attribute, never its value.
        raise Invalid(Problem("", "sr-value", f"the report holds what no DICOM SR can: {error}")) from error


def _written(report: CodedReport, row: Dialect, wanted: Iod | None) -> SrDocument:
    if row.words:
        draft = Draft(report, row, allows_3d=False)
        return _document(draft, text_report(draft), BASIC_TEXT, "basic-text")
    draft = Draft(report, row, allows_3d=Iod.COMPREHENSIVE_3D in (row.iods if wanted is None else (wanted,)))
    root = measurement_report(draft)
    if report.lesions and not draft.groups:
        raise Invalid(
            Problem("/lesions", "sr-nothing-remains", f"the dialect {row.name} can carry none of the lesions")
        )
    chosen = _narrowest((wanted,) if wanted is not None else row.iods, root)
    return _document(draft, root, chosen.sop_class, chosen.value)


def _document(draft: Draft, root: ContentItem, sop_class: str, iod: str) -> SrDocument:
    content, reference = _encoded(draft, root, sop_class, iod)
    return SrDocument(MEDIA_TYPE, content, tuple(dict.fromkeys(draft.losses)), reference=reference)


def _dialect(name: str) -> Dialect:
    row = DIALECTS.get(name)
    if row is None:
        known = tuple(DIALECTS)
        raise NotAcceptable(
            Problem("", "sr-dialect", f"no SR dialect of this name; there are {', '.join(known)}", known)
        )
    return row


def _iod(dialect: Dialect, name: str | None) -> Iod | None:
    if name is None:
        return None
    known = tuple(one.value for one in dialect.iods)
    if name not in known:
        why = f"no IOD of this name in the dialect {dialect.name}; there are {', '.join(known) or 'none to choose'}"
        raise NotAcceptable(Problem("", "sr-iod", why, known))
    return Iod(name)


def _narrowest(iods: tuple[Iod, ...], root: ContentItem) -> Iod:
    """The first that has every relationship of the tree; the parts of the template write only what one of them has."""
    for iod in iods:
        if root.width <= WIDTHS.index(iod):
            return iod
    raise ValueError(f"the content needs the relationships of {WIDTHS[root.width]}")


def _encoded(draft: Draft, root: ContentItem, sop_class: str, iod: str) -> tuple[bytes, SrReference]:
    """The bytes, with UIDs derived from them: one UID never names two contents."""
    report = draft.report
    # Sorted once, with the two that are derived from all others as nothing.
    own = {"SOPClassUID": sop_class, "SOPInstanceUID": b"", "SeriesInstanceUID": b""}
    elements = in_order(encode_elements({**own, **header(draft), **root_elements(root)}))
    digest = sha256(b"".join(elements.values())).hexdigest()
    place = (report.sender, report.id, report.version, f"{draft.dialect.name}/{iod}", digest)
    reference = SrReference(
        sop_class, derive_uid("sr-instance", *place), derive_uid("sr-series", *place), report.study.uid
    )
    elements["SOPInstanceUID"] = element("SOPInstanceUID", reference.sop_instance)
    elements["SeriesInstanceUID"] = element("SeriesInstanceUID", reference.series)
    return b"".join([file_meta(reference.sop_class, reference.sop_instance), *elements.values()]), reference
