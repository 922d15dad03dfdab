"""SR and bundle held against the report: two lists of facts that differ name the places."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from itertools import chain
from typing import Any

from service.check.displays import Displays, codings_of
from service.check.facts import Yardstick
from service.check.fhir_agreement import document
from service.check.fhir_facts import BundleFacts
from service.check.fhir_r5_facts import R5Facts, R5Yardstick, is_r5
from service.check.sr_document import Document
from service.check.sr_facts import DocumentFacts
from service.check.sr_yardstick import SrYardstick
from service.check.text_facts import is_text, unsaid
from service.check.values import Fact
from service.coding import Vocabulary, vocabulary
from service.domain.codes import CodedTerm
from service.domain.loss import Loss, LossKind
from service.domain.report import CodedReport
from service.domain.uids import scheme_oid

_NOT_OURS = (ArithmeticError, AttributeError, LookupError, RuntimeError, TypeError)
"""What a reader stumbles over in an output that lacks what is always written (RuntimeError: `next` in a generator)."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One fact that the report has and ``output`` has not (``missing``), or the other way round (``added``)."""

    output: str
    kind: str
    place: str
    value: str


def compare(
    report: CodedReport, sr: bytes | None, fhir: bytes | None, losses: Iterable[Loss] = ()
) -> tuple[Difference, ...]:
    """What SR and bundle say other than the report; empty when all say the same. None: not compared.

    ``losses`` are those that the SR's writer named: what is lost by name is not missed. Raises ValueError when an
    output can't be read at all.
    """
    tables = vocabulary()
    found: list[Difference] = []
    displays = Displays(tables, (code for term in coded_terms(report) for code in term.codes))
    stated: Document | None = None
    try:
        if sr is not None and is_text(sr):
            found += [Difference("sr", "missing", *fact) for fact in unsaid(report, sr)]
            stated = Document(sr, tables)
        elif sr is not None:
            named = tuple(losses)
            lost = frozenset(loss.where for loss in named if loss.kind is LossKind.LOST)
            computed = frozenset(loss.where for loss in named if loss.rule == "sr-computed-number")
            stated = read = DocumentFacts(sr, tables)
            expected = SrYardstick(lost, of_numbers=read.of_numbers, computed=computed).facts(report)
            found += _differences("sr", expected, chain(read.facts(), displays.wrong(read.codes())))
        if fhir is not None:
            schemes = unknown_schemes(report, tables)
            read_as, yardstick = BundleFacts, Yardstick()
            said = _bundle(fhir)
            if is_r5(said):
                read_as, yardstick = R5Facts, R5Yardstick()
            bundle = read_as(said, tables, schemes)
            uris = {system.uri: name for name, system in tables.systems.items() if system.uri} | schemes
            wrong = displays.wrong(codings_of(bundle.entries, uris))
            found += _differences("fhir", yardstick.facts(report), chain(bundle.facts(), wrong))
            if stated is not None and document(bundle) != stated.reference:
                found.append(Difference("fhir", "added", "document", "another SR than the one beside it"))
    except _NOT_OURS as error:
        raise ValueError("an output is not of the form that is written here") from error
    return tuple(found)


def _bundle(content: bytes) -> dict[str, Any]:
    """A bundle with exact numbers; a list of requests has what a bundle has, and so have Bundles in it."""
    found = json.loads(content, parse_float=Decimal, parse_int=Decimal)
    if isinstance(found, dict):
        return found
    parts = (one["resource"].get("entry", [one]) for one in found)
    return {"entry": [entry for part in parts for entry in part]}


def _differences(output: str, expected: Iterable[Fact], said: Iterable[Fact]) -> Iterator[Difference]:
    wanted, got = Counter(expected), Counter(said)
    for kind, facts in (("missing", wanted - got), ("added", got - wanted)):
        for fact in sorted(facts.elements()):
            yield Difference(output, kind, *fact)


def unknown_schemes(report: CodedReport, tables: Vocabulary) -> dict[str, str]:
    """Designators that no table knows, by the URI that FHIR gives them: an OID made of sender and designator."""
    designators = {code.system for term in coded_terms(report) for code in term.codes}
    unknown = (designator for designator in designators if tables.system(designator) is None)
    return {f"urn:oid:{scheme_oid(report.sender, name)}": name for name in unknown}


def coded_terms(report: CodedReport) -> Iterator[CodedTerm]:
    """Every coded term of a report that an output may hold."""
    study = report.study
    people = [observer.person for observer in report.observers] + [study.referring_physician]
    yield from (person.role for person in people if person is not None and person.role is not None)
    yield study.modality
    yield from (prior.modality for prior in study.comparisons if prior.modality is not None)
    yield from (*study.procedures, *study.technique)
    yield from (*report.conclusions, *report.differential, *report.negatives)
    for item in report.evaluations:
        yield from (item.name, item.value)
    for lesion in report.lesions:
        yield lesion.finding
        named = (lesion.category, lesion.site, lesion.laterality, lesion.topography, lesion.certainty, lesion.change)
        yield from (term for term in named if term is not None)
        if lesion.time_point is not None and lesion.time_point.type is not None:
            yield lesion.time_point.type
        for measurement in lesion.measurements:
            qualified = (measurement.concept, measurement.unit, measurement.method, measurement.derivation)
            yield from (term for term in qualified if term is not None)
        for evaluation in lesion.evaluations:
            yield from (evaluation.name, evaluation.value)
