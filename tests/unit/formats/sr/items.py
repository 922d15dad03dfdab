"""Content items for the tests of the tree and its bytes."""

from decimal import Decimal

from service.domain.codes import Code
from service.formats.sr.coded import CodedEntry, coded_entry
from service.formats.sr.items import (
    CodeItem,
    Composite,
    Container,
    Date,
    DateTimeItem,
    Image,
    Num,
    PersonNameItem,
    Scoord,
    Scoord3D,
    Text,
    Time,
    UidRef,
)
from service.formats.sr.tree import ContentItem
from service.formats.sr.values import Reference


def entry(*codes: str) -> CodedEntry:
    """An entry of ``SYSTEM|code|display`` strings."""
    return coded_entry(tuple(Code(*code.split("|")) for code in codes))


NAME = entry("DCM|121071|Finding")
MM = entry("UCUM|mm|mm")
IMAGE = Image(NAME, Reference("1.2.840.10008.5.1.4.1.1.4", "1.2.3.4"), "SELECTED FROM")


def every_item() -> ContentItem:
    """A tree with an item of each value type, and of each form that one may take."""
    framed = Image(None, Reference("1.2.840.10008.5.1.4.1.1.4.1", "1.2.3.5", frames=(1, 12)), "CONTAINS")
    segment = Image(NAME, Reference("1.2.840.10008.5.1.4.1.1.66.4", "1.2.3.6", segments=(1, 3)), "CONTAINS")
    shape = Scoord(NAME, "POLYLINE", (1.0, 2.0, 102.3, 4.5), "INFERRED FROM", IMAGE)
    modifier = CodeItem(NAME, entry("SCT|7771000|Left", "RADLEX|RID5824|left"), "HAS CONCEPT MOD")
    children = (
        Text(NAME, "zwei\nZeilen \\ 山田", "CONTAINS"),
        CodeItem(NAME, entry("SCT|1|one"), "HAS CONCEPT MOD", (modifier,)),
        Num(NAME, Decimal("12.50"), MM, "CONTAINS", (shape,)),
        Num(NAME, Decimal("1450.123456789012345"), MM, "CONTAINS"),
        UidRef(NAME, "1.2.3", "HAS OBS CONTEXT"),
        PersonNameItem(NAME, "Yamada^Tarou=山田^太郎=やまだ^たろう", "HAS OBS CONTEXT"),
        Date(NAME, "20260302", "HAS ACQ CONTEXT"),
        Time(NAME, "091200.5", "HAS ACQ CONTEXT"),
        DateTimeItem(NAME, "20260302091200+0100", "CONTAINS"),
        framed,
        segment,
        Composite(NAME, Reference("1.2.3.4", "1.2.3.7"), "CONTAINS"),
        Scoord3D(NAME, "POINT", (1.0, 2.0, 3.1), "1.2.3.8", "CONTAINS"),
        Container(NAME, "CONTAINS", (), template="1501"),
    )
    return Container(entry("DCM|126000|Imaging Measurement Report"), None, children, template="1500")
