"""No fact of a report is missing from what people read: every member of the domain is walked, none listed by hand."""

import re
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from decimal import Decimal
from enum import Enum
from typing import Any

import pytest

from service.domain.codes import CodedTerm
from service.domain.geometry import Region2D, Region3D
from service.domain.names import NameGroup
from service.domain.report import CodedReport, Issuer, Person
from service.domain.times import DateTime
from service.formats.html.text import when
from service.formats.html.write import narrative, page
from tests.report_set import REPORTS
from tests.report_terms import BONE_METASTASIS, term
from tests.reports import make_coded_report, make_lesion
from tests.unit.formats.html.markup import Html, squeezed, xml_words

# What people do not read: where a thing stood in the sender's document, what only programs match on, and coordinates.
UNREAD = {
    (CodedTerm, "codes"),
    (CodedTerm, "said"),
    (Issuer, "uri"),
    (Issuer, "oid"),
    (Region2D, "points"),
    (Region3D, "points"),
}
UNREAD_NAMES = {"where", "language", "sop_class", "concept_key", "row"}
# These stand in the page on demand, and in the resources beside the narrative.
ON_DEMAND = {("Study", "uid"), ("Lesion", "tracking_uid")}


def said(item: Any, owner: type, name: str) -> Iterator[tuple[str, str, str]]:
    """Class, member and words of everything that a part of a report says."""
    if item is None or name in UNREAD_NAMES or (owner, name) in UNREAD or isinstance(item, (bool, Enum)):
        return
    if isinstance(item, CodedTerm):
        # UCUM's unity is a number without a unit; people read no "1" behind it.
        if not (item.code is not None and (item.code.system, item.code.code) == ("UCUM", "1")):
            yield owner.__name__, name, item.text
    elif isinstance(item, DateTime):
        yield owner.__name__, name, when(item)
    elif isinstance(item, (str, int, Decimal)):
        yield owner.__name__, name, str(item)
    elif isinstance(item, tuple):
        for part in item:
            yield from said(part, owner, name)
    elif is_dataclass(item):
        for field in fields(item):
            yield from said(getattr(item, field.name), type(item), field.name)
    else:
        raise AssertionError(f"nobody says how to read {owner.__name__}.{name}")


def missing(report: CodedReport, words: str) -> set[tuple[str, str, str]]:
    """What the report says and the words do not."""
    told = {fact for fact in said(report, CodedReport, "") if fact[1] != "version"}
    assert told
    # The heading of a column names both axes at once.
    words += " long axis short axis" if "Size long × short axis" in words else ""
    return {fact for fact in told if squeezed(fact[2]) not in words}


@pytest.mark.parametrize("name", sorted(REPORTS))
def test_page_says_every_fact(name: str) -> None:
    report = REPORTS[name]()
    written = page(report)
    before, _, rest = written.partition("<details>")
    at_once = Html(before + rest.partition("</details>")[2]).words
    assert {fact[:2] for fact in missing(report, at_once)} <= ON_DEMAND
    assert missing(report, Html(written).words) == set()


@pytest.mark.parametrize("name", sorted(REPORTS))
def test_narrative_says_every_fact(name: str) -> None:
    report = REPORTS[name]()
    assert {fact[:2] for fact in missing(report, xml_words(narrative(report)))} <= ON_DEMAND


def test_the_walk_meets_every_person_and_name() -> None:
    met = {(kind, member) for kind, member, _ in said(REPORTS["rich"](), CodedReport, "")}
    for kind in (Person, NameGroup):
        assert {(kind.__name__, field.name) for field in fields(kind)} - met <= {
            ("Person", "name"),
            ("NameGroup", "middle"),
            ("NameGroup", "suffix"),
        }


@pytest.mark.parametrize(("key", "first"), [("absent", True), ("definitely-not", True), ("probably-not", False)])
def test_a_lesion_that_is_denied_is_not_shown_as_found(key: str, first: bool) -> None:
    certainty = term(key.replace("-", " "), f"RADLEX|RID1|{key}", concept=key)
    words = page(make_coded_report(lesions=(make_lesion(finding=BONE_METASTASIS, certainty=certainty),)))
    bold = re.findall("<b>([^<]*)</b>", words.decode() if isinstance(words, bytes) else words)

    assert ("bone metastasis" in bold) is not first
    assert (f"{certainty.text}:" in bold) is first
