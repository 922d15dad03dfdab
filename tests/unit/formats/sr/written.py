"""What the writer made, as our strict reader and pydicom have it."""

from io import BytesIO
from typing import Any

import pydicom

from service.domain.report import CodedReport
from service.formats.sr.decode import decode_file
from service.formats.sr.names import name
from service.formats.sr.tree import ContentItem
from service.formats.sr.write import write
from tests.reports import make_coded_report, make_lesion


def tree(report: CodedReport, **how: str) -> ContentItem:
    """The content tree of a report, read back from its bytes."""
    return decode_file(write(report, **how).content)[1]


def header(report: CodedReport) -> pydicom.Dataset:
    """The data set of a report, as pydicom reads it."""
    return pydicom.dcmread(BytesIO(write(report).content))


def named(root: ContentItem, key: str) -> list[ContentItem]:
    """All items below that have the name of a key."""
    return [item for item in root.walk() if item.concept_name == name(key)]


def only(root: ContentItem, key: str) -> ContentItem:
    """The one item of that name."""
    (item,) = named(root, key)
    return item


def group_of(**lesion: Any) -> ContentItem:
    """The measurement group of the one lesion of a report."""
    return only(tree(make_coded_report(lesions=(make_lesion(**lesion),))), "measurement-group")
