"""Nasty texts at every place of a document, out of every writer: the same to our reader and others, or said to be not.

What no sender may send is refused with its pointer. What is taken is read back the same and by others in its place as
one value; else a loss names its pointer. Never is it markup, a segment or a value of its own.
"""

import json
import re
import subprocess
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, note
from hypothesis import strategies as st

from service.coding import vocabulary
from service.coding.coder import code_report
from service.domain.emitted import Emitted, SrReference
from service.domain.errors import Invalid, Unreadable
from service.domain.limits import Limits
from service.domain.loss import Loss
from service.domain.received import Intake
from service.domain.report import CodedReport
from service.doors import READERS, WRITERS, Format, Options, encoded
from service.formats.findings.read import read
from service.formats.html.write import page
from service.formats.pdf.characters import Characters
from service.formats.pdf.write import _fonts
from service.formats.pdf.write import write as write_pdf
from service.formats.sr.write import write as write_sr
from tests import hostile
from tests.coded_reports import facts
from tests.conformance.generated import seeded
from tests.hostile import PLACES, Seen, document, is_name, is_prose, texts
from tests.unit.formats.pdf.test_write import Oracle, heads, words

MANY, FEW = 150, 40
REFUSED = {"character", "line-break", "length", "empty", "name", "uid", "utf-8"}
"""Rules that a text alone breaks."""


@dataclass(frozen=True)
class Way:
    """A writer, who else reads it, and the places that its format has no room for (its conformance page says so)."""

    format: Format
    others: Callable[[bytes], Seen]
    encoding: str = "json"
    dialect: str = "strict"
    without: frozenset[str] = frozenset()


_SR_HAS_NOT = frozenset({"/report/id", "/report/sender"})
_V2_HAS_NOT = frozenset({"/observers/0/person/organization", "/study/description"})
WAYS = {
    "sr": Way(Format.SR, hostile.of_sr, without=_SR_HAS_NOT),
    "sr-ohif": Way(Format.SR, hostile.of_sr, dialect="ohif", without=_SR_HAS_NOT),
    "sr-enhanced": Way(Format.SR, hostile.of_sr, dialect="enhanced", without=_SR_HAS_NOT),
    "sr-air": Way(Format.SR, hostile.of_sr, dialect="air", without=_SR_HAS_NOT),
    "fhir-r4": Way(Format.FHIR_R4, lambda content: hostile.of_fhir(content, "R4")),
    "fhir-r5": Way(Format.FHIR_R5, lambda content: hostile.of_fhir(content, "R5")),
    "fhir-r4-xml": Way(Format.FHIR_R4, hostile.of_xml, "xml"),
    "fhir-r5-xml": Way(Format.FHIR_R5, hostile.of_xml, "xml"),
    "hl7v2": Way(Format.HL7V2, hostile.of_v2, without=_V2_HAS_NOT),
    "findings": Way(Format.FINDINGS, hostile.of_json),
    "html": Way(Format.HTML, hostile.of_page),
}


def taken(said: dict[str, str], *, ascii_only: bool) -> CodedReport | None:
    """The report of the document with these texts; None where it is refused, each problem at a text that is wrong."""
    body = json.dumps(document(said), ensure_ascii=ascii_only).encode("utf-8", "surrogatepass")
    try:
        return code_report(read(body, default_sender="local", limits=Limits()), vocabulary())
    except (Invalid, Unreadable) as refused:
        for problem in refused.problems:
            assert problem.rule in REFUSED, problem
            assert problem.rule == "utf-8" or any(problem.pointer.startswith(pointer) for pointer in said), problem
        return None


def wanted(report: CodedReport, pointer: str) -> dict[str, Any]:
    """The facts of a report at a place of its document; observers of one kind are one, whatever their order is."""
    place = re.sub("(?<=[a-z])[A-Z]", lambda found: f"_{found[0].lower()}", pointer).removeprefix("/report")
    place = re.sub(r"/observers/\d", "/observers", place)
    found = {re.sub(r"/observers/\d", "/observers", where): value for where, value in facts(report).items()}
    return {where: value for where, value in found.items() if where == place or where.startswith(f"{place}/")}


def written(report: CodedReport, way: Way, sr: SrReference | None) -> Emitted:
    options = Options(encoding=way.encoding, dialect=way.dialect)
    return encoded(way.format, WRITERS[way.format](report, options, sr), options)


def told(name: str, losses: Iterable[Loss], pointer: str) -> bool:
    """Whether a loss that a harmless text does not make names the place, or what it stands in."""
    made = set(losses) - set(harmless(name)[1])
    return any(loss.where and f"{pointer}/".startswith(f"{loss.where}/") for loss in made)


@cache
def harmless(name: str) -> tuple[Seen, tuple[Loss, ...]]:
    report = taken({}, ascii_only=True)
    assert report is not None
    made = written(report, WAYS[name], write_sr(report).reference)
    return WAYS[name].others(made.content), made.losses


def held_by_others(way: Way, seen: Seen, pointer: str, text: str) -> bool:
    """Whether others find a text of the report as a value, or all its parts."""
    if way.format is Format.HTML:
        (words,) = seen.values
        return all(" ".join(part.split()) in words for part in _parts(pointer, text))
    if way.format is Format.HL7V2 and is_prose(pointer):
        return all(line in {one.rstrip(" ") for one in seen.values} for line in _without_end(text).split("\n"))
    if way.dialect == "ohif" and pointer == "/lesions/0/id":  # behind the name of OHIF's tool
        return any(value.endswith(f":{text}") for value in seen.values)
    return text in seen.values or (is_name(pointer) and all(one in seen.values for one in _parts(pointer, text)))


def _without_end(text: str) -> str:
    return "\n".join(line.rstrip(" ") for line in text.split("\n"))


def _parts(pointer: str, text: str) -> list[str]:
    return [one.strip() for one in re.split("[\\^=]", text) if one.strip()] if is_name(pointer) else [text]


@pytest.mark.parametrize("name", WAYS)
@seeded(MANY)
@given(texts(), st.sampled_from(sorted(PLACES)), st.booleans())
def test_a_text_is_itself_to_our_reader_and_to_others_or_it_is_said(
    name: str, text: str, pointer: str, ascii_only: bool
) -> None:
    note(f"{pointer}: {text!a}")
    way = WAYS[name]
    report = taken({pointer: text}, ascii_only=ascii_only)
    if report is None or pointer in way.without:
        return
    made = written(report, way, write_sr(report).reference)
    losses = made.losses
    if way.format in READERS:
        received = READERS[way.format](made.content, Intake("local"))
        again = code_report(received.report, vocabulary())
        said = wanted(report, pointer)
        if way.format is Format.HL7V2:  # spaces that end a line are none there (2A, TX)
            said = {place: _without_end(value) for place, value in said.items()}
        assert told(name, losses, pointer) or wanted(again, pointer) == said
    if not told(name, losses, pointer):
        seen = way.others(made.content)
        assert held_by_others(way, seen, pointer, plain(text, pointer))
        assert seen.shape == harmless(name)[0].shape or (is_name(pointer) and not strange(name, seen))


def drawn(report: CodedReport, pdftotext: Path) -> tuple[str, str]:
    """The words of the page and those that poppler reads in the PDF, both without blanks and repeated heads."""
    markup = page(report)
    content = write_pdf(markup, report.language).content
    done = subprocess.run([pdftotext, "-raw", "-", "-"], input=content, capture_output=True, check=True, timeout=180)
    said_title = unescape(re.findall("<title>(.*?)</title>", markup)[0])
    title = " ".join(unescape(Characters(_fonts()).shown(said_title)).split())
    read_there = re.sub(rf"{re.escape(title[:60])}.* \d+ / \d+\n", "", done.stdout.decode())
    said, found = words(markup), "".join(read_there.split())
    for head in heads(markup):
        said, found = said.replace(head, ""), found.replace(head, "")
    return said, found


@seeded(FEW)
@given(texts(), st.sampled_from(sorted(PLACES)))
def test_a_pdf_says_the_words_of_the_page_and_no_other(oracle: Oracle, text: str, pointer: str) -> None:
    note(f"{pointer}: {text!a}")
    report = taken({pointer: text}, ascii_only=True)
    if report is not None:
        said, found = drawn(report, oracle("pdftotext"))
        assert found == said


def strange(name: str, seen: Seen) -> set[str]:
    """What a name has no parts for: elements beyond those of any name, segments and fields beyond the usual ones."""
    usual = {*harmless(name)[0].shape, "prefix", "suffix", "extension", "valueCode", "_given"}
    return {one for one in seen.shape if one.rpartition(".")[2] not in usual and one not in usual}


@pytest.mark.parametrize("name", WAYS)
def test_what_a_format_has_no_room_for_is_none_of_its_words(name: str) -> None:
    """Else a place would be left out of the test above for nothing."""
    for pointer in WAYS[name].without:
        assert PLACES[pointer] not in harmless(name)[0].values


def plain(text: str, pointer: str) -> str:
    """A text as it is kept: no white space around it, line breaks of one kind (docs/findings-json.md)."""
    made = text.replace("\r\n", "\n").replace("\r", "\n") if is_prose(pointer) else text
    made = made.encode("utf-16", "surrogatepass").decode("utf-16")  # in JSON two halves are one character
    if not is_name(pointer):
        return made.strip()
    return "=".join("^".join(part.strip() for part in group.split("^")) for group in made.strip().split("="))
