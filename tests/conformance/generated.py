"""Reports over the whole schema that the shipped tables can code: for hypothesis, and as a seeded sample.

`reports()` adds to `tests.codable` what no table has: words and codes of the sender's own, in every member that takes
them, and several answers in one field. `sample()` is what the external judges see. LESIONBRIDGE_SEED chooses others.
"""

import json
import os
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import hypothesis
from hypothesis import strategies as st

from service.coding import vocabulary
from service.coding.coder import code_report
from service.domain.emitted import Emitted, SrDocument
from service.domain.limits import Limits
from service.domain.report import CodedReport, LesionReport
from service.formats.fhir import write as fhir
from service.formats.findings import read as findings
from service.formats.sr import write as sr
from tests.codable import codable
from tests.strategies import Json, Lexicon, documents
from tests.texts import coded, words

SEED = int(os.environ.get("LESIONBRIDGE_SEED", "20260302"))
"""What all generated reports of a run come from."""
Test = Callable[..., None]


def seeded(examples: int) -> Callable[[Test], Test]:
    """A property is tried on so many reports of the run's seed.

    A failure prints the seed and the document. Nothing is shrunk: that takes minutes, and the document can be read.
    """

    def wrap(test: Test) -> Test:
        return hypothesis.seed(SEED)(_limits(examples)(test))

    return wrap


def _limits(examples: int) -> hypothesis.settings:
    return hypothesis.settings(
        max_examples=examples,
        deadline=None,
        database=None,
        phases=[hypothesis.Phase.generate],
        suppress_health_check=list(hypothesis.HealthCheck),
    )


@cache
def lexicon() -> Lexicon:
    """The terms of the tables; where a field takes them, words and the sender's own codes too."""
    known, tables = codable(), vocabulary()
    rows = tables.members
    named = {"negatives": "negative", "timePoint.type": "time-point-type"}
    members = {
        name: terms if rows[named.get(name, name)].required else terms | terms | words() | coded()
        for name, terms in known.members.items()
    }
    unknown_place = st.fixed_dictionaries({"finding": words() | coded()}, optional={"site": words() | coded()})
    # A field by a word that no table has is refused; by the sender's own code it is passed on.
    unknown_answer = st.tuples(coded(), words() | coded()) | st.tuples(_open_fields("lesion"), words() | coded())
    unknown_statement = st.tuples(coded(), words() | coded()) | st.tuples(_open_fields("report"), words() | coded())
    unknown_number = st.tuples(words(), st.sampled_from(["mm", "cm2", "1", "%"]), st.integers(1, 999).map(str))
    return replace(
        known,
        members=members,
        place=known.place | known.place | known.place | unknown_place,
        measurement=known.measurement | known.measurement | known.measurement | unknown_number,
        descriptors=known.descriptors | known.descriptors | known.descriptors | unknown_answer,
        report_descriptors=known.report_descriptors | known.report_descriptors | unknown_statement,
    )


def _open_fields(level: str) -> st.SearchStrategy[str]:
    """Fields that keep an answer which no table has."""
    rows = vocabulary().evaluations.values()
    return st.sampled_from(sorted(row.key for row in rows if level in row.levels and not row.required))


@st.composite
def reports(draw: st.DrawFn, most_lesions: int = 3) -> Json:
    """Findings JSON documents that are read, coded and written."""
    document: Json = draw(documents(lexicon(), most_lesions=most_lesions))
    for holder in (document["report"], *document.get("lesions", ())):
        _answer_again(draw, holder.get("descriptors"))
    return document


def _answer_again(draw: st.DrawFn, descriptors: Any) -> None:
    """Give a field that takes several answers a second one."""
    if not isinstance(descriptors, dict):
        return
    for name, answer in descriptors.items():
        row = vocabulary().evaluations.get(name)
        if row is not None and row.many and row.values and not isinstance(answer, list) and draw(st.booleans()):
            descriptors[name] = [answer, draw(st.sampled_from(sorted(row.values)))]


@dataclass(frozen=True, slots=True)
class Written:
    """A report at each step of its way."""

    said: LesionReport
    report: CodedReport
    sr: SrDocument
    fhir: Emitted


def read(document: Json) -> LesionReport:
    """The document as a report in the sender's terms."""
    body = json.dumps(document)
    if hypothesis.currently_in_test_context():
        hypothesis.note(f"LESIONBRIDGE_SEED={SEED}\n{body}")
    return findings.read(body.encode(), default_sender="local", limits=Limits())


def code(document: Json) -> CodedReport:
    """The document coded."""
    return code_report(read(document), vocabulary())


def make(document: Json, *, dialect: str = "strict", iod: str | None = None, bundle: str = "transaction") -> Written:
    """The document written as SR and FHIR."""
    said = read(document)
    report = code_report(said, vocabulary())
    written = sr.write(report, dialect=dialect, iod=iod)
    return Written(said, report, written, fhir.write(report, written.reference, bundle=bundle))


def sample(number: int) -> list[Json]:
    """So many documents with lesions, those of the run's seed: each the longest of a few of a seed of its own.

    What is generated in one go resembles what came before it. Two things are left out for the judges' sake, and held
    by the properties: times lie from 2000 to 2399, since dciodvfy takes no others, and names have an alphabetic group.
    A PN may be without one (PS3.5 6.2.1.1), but dcmtk's XML has no place for the other groups, and xml2dsr refuses the
    empty element that dsr2xml then writes.
    """
    return [_longest(SEED * 1_000 + turn) for turn in range(number)]


def _longest(start: int) -> Json:
    found: list[Json] = []

    @hypothesis.seed(start)
    @_limits(8)
    @hypothesis.given(reports())
    def collect(document: Json) -> None:
        if document.get("lesions"):
            found.append(document)

    collect()
    longest = max(found, key=lambda document: len(json.dumps(document)))
    made: Json = brought_near(longest)
    _write_alphabetically(made)
    return made


def _write_alphabetically(item: Any) -> None:
    """Give every name below an alphabetic group."""
    if isinstance(item, list):
        for each in item:
            _write_alphabetically(each)
    elif isinstance(item, dict):
        if item.keys() & {"ideographic", "phonetic"} and not item.keys() & set(_NAME_PARTS):
            item["family"] = "Doe"
        for key, value in item.items():
            if key in ("name", "referringPhysician") and isinstance(value, str) and value.startswith("="):
                item[key] = f"Doe{value}"
            _write_alphabetically(value)


_NAME_PARTS = ("family", "given", "middle", "prefix", "suffix")


_TIME = re.compile(r"(\d{4})((?:-\d\d){0,2}(?:T\d\d:.*)?)")
_NO_TIMES = ("value", "low", "high", "concept", "measurement")
"""Members whose text is a number, or the name of a measurement: one of four digits is no year."""


def brought_near(item: Any) -> Any:
    """The same with every time 400 years or some such multiple away: the calendar repeats itself then."""
    if isinstance(item, list):
        return [brought_near(each) for each in item]
    if isinstance(item, dict):
        return {key: value if key in _NO_TIMES else brought_near(value) for key, value in item.items()}
    time = _TIME.fullmatch(item) if isinstance(item, str) else None
    return item if time is None else f"{2000 + int(time[1]) % 400}{time[2]}"
