"""The page for people: what it must say, and that it asks for nothing and runs nothing."""

import re
from base64 import b64encode
from dataclasses import replace
from hashlib import sha256

import pytest

from service.domain.codes import CodedTerm
from service.domain.loss import Loss, LossKind
from service.domain.names import PersonName
from service.domain.report import Observer, Person, Status
from service.domain.times import DateTime
from service.formats.html.write import page
from tests.report_set import REPORTS, rich_report, status_report
from tests.reports import DESCRIPTORS, make_coded_report, make_lesion
from tests.unit.formats.html.markup import Html

REPORT_NAMES = sorted(REPORTS)
GRAVE = (Status.PRELIMINARY, Status.CANCELLED, Status.ENTERED_IN_ERROR)


@pytest.mark.parametrize("name", REPORT_NAMES)
def test_has_no_script_and_asks_for_nothing_outside(name: str) -> None:
    read = Html(page(REPORTS[name]()))
    assert not {"script", "link", "img", "iframe", "object", "embed", "form", "base", "svg"} & set(read.elements)
    for _, attribute, _ in read.attributes:
        assert not attribute.startswith("on")
        assert attribute not in {"src", "href", "action", "style", "srcset"}


def test_its_policy_admits_its_own_style_sheet_and_nothing_else() -> None:
    markup = page(make_coded_report())
    (policy,) = [value for tag, name, value in Html(markup).attributes if name == "content" and "default-src" in value]
    style = re.findall(r"<style>(.*?)</style>", markup, re.DOTALL)
    assert len(style) == 1
    digest = b64encode(sha256(style[0].encode()).digest()).decode()
    assert policy == f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    assert "url(" not in style[0]
    assert "@import" not in style[0]


@pytest.mark.parametrize("status", GRAVE)
def test_warns_on_top_of_a_report_that_must_not_be_taken_as_final(status: Status) -> None:
    read = Html(page(status_report(status)))
    assert read.words.startswith(status.value.replace("-", " ").upper())
    assert ("p", "class", "notice grave") in read.attributes


def test_has_no_notice_on_a_final_report() -> None:
    assert not any(
        "notice" in value for _, name, value in Html(page(make_coded_report())).attributes if name == "class"
    )


def test_says_who_verified_it() -> None:
    name = PersonName.parse("Yamada^Tarou^^Dr.=山田^太郎=やまだ^たろう")
    reader: Person[CodedTerm] = Person(name, verified_at=DateTime("2026-03-02T10:40:00+01:00"))
    words = Html(page(make_coded_report(observers=(Observer(person=reader),)))).words
    assert "Verified by Dr. Tarou Yamada · 山田 太郎 · やまだ たろう, 2026-03-02 10:40 UTC+01:00" in words


def test_says_that_nobody_verified_it() -> None:
    assert "Verified by nobody" in Html(page(make_coded_report())).words


def test_puts_the_impression_before_the_lesions() -> None:
    words = Html(page(replace(rich_report(), language="en"))).words
    assert words.index("Three new brain metastases.") < words.index("brain metastasis neoplasm, secondary")


def test_keeps_the_order_of_the_differential() -> None:
    words = Html(page(replace(rich_report(), language="en"))).words
    assert words.index("glioblastoma") < words.index("cerebral abscess") < words.index("something else")


def test_marks_what_is_not_coded() -> None:
    site = CodedTerm("far corner")
    words = Html(page(make_coded_report(lesions=(make_lesion(site=site),)))).words
    assert "left far corner (not coded)" in words


def test_says_of_a_known_concept_that_no_code_exists_for_it() -> None:
    topography = CodedTerm("gray-white matter junction", concept="gray-white-matter-junction")
    words = Html(page(make_coded_report(lesions=(make_lesion(topography=topography),)))).words
    assert "left frontal lobe, gray-white matter junction (no code exists)" in words


def test_does_not_mark_what_is_coded() -> None:
    assert "(not coded)" not in Html(page(make_coded_report())).words


def test_keeps_the_codes_for_whoever_asks() -> None:
    read = Html(page(make_coded_report()))
    assert "details" in read.elements
    assert ("details", "open", "") not in read.attributes
    assert "SCT 94225005 Secondary malignant neoplasm of brain" in read.words


def test_names_every_loss_and_counts_them_at_the_end() -> None:
    losses = (
        Loss(LossKind.UNCODED, "/lesions/0/site", "far corner", "no concept of this name.", suggestions=("corner",)),
        Loss(LossKind.FLAGGED, "/lesions/0/measurements/0", "long axis", "larger than a head."),
    )
    words = Html(page(make_coded_report(losses=losses))).words
    assert "not coded: far corner. no concept of this name. Did you mean corner? /lesions/0/site" in words
    assert "doubtful: long axis. larger than a head." in words
    assert words.endswith("2 items of the sender not carried over whole: listed above.")


def test_title_names_the_report_and_not_the_patient() -> None:
    (title,) = re.findall(r"<title>(.*?)</title>", page(make_coded_report()))
    assert title == "Lesion report MR-2026-000481"


@pytest.mark.parametrize("name", REPORT_NAMES)
def test_every_table_has_scoped_headers_and_every_section_a_heading(name: str) -> None:
    read = Html(page(REPORTS[name]()))
    heads = [tag for tag in read.elements if tag == "th"]
    scopes = [value for tag, attribute, value in read.attributes if (tag, attribute) == ("th", "scope")]
    assert len(heads) == len(scopes)
    assert set(scopes) <= {"col", "row", "rowgroup"}
    assert read.elements.count("section") == read.elements.count("h2")
    assert read.elements.count("h1") == 1
    identifiers = [value for _, attribute, value in read.attributes if attribute == "id"]
    assert len(identifiers) == len(set(identifiers))


def test_leaves_out_a_column_that_no_lesion_fills() -> None:
    bare = make_lesion(change=None, measurements=(), evaluations=())
    words = Html(page(make_coded_report(lesions=(bare,)))).words
    assert "Lesion Finding Site L1" in words


def test_joins_the_answers_of_one_field() -> None:
    name = DESCRIPTORS[0].name
    twice = (DESCRIPTORS[0], replace(DESCRIPTORS[1], name=name))
    words = Html(page(make_coded_report(lesions=(make_lesion(evaluations=twice),)))).words
    assert "T1 signal: hypointense, ring enhancement" in words


def test_is_the_same_for_the_same_report() -> None:
    assert page(rich_report()) == page(rich_report())
