"""The receipt: what became of a report, in JSON. Pure; it says codes and places, never the patient."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import fields, is_dataclass
from functools import cache
from operator import attrgetter
from typing import Any

from service.domain.codes import Code, CodedTerm
from service.domain.emitted import SrReference
from service.domain.loss import Loss, LossKind
from service.domain.report import CodedReport


def loss_row(loss: Loss) -> dict[str, Any]:
    """One loss as the lists of the API and the command line have it."""
    row: dict[str, Any] = {"kind": str(loss.kind), "where": loss.where, "what": loss.what, "why": loss.why}
    if loss.rule:
        row["rule"] = loss.rule
    if loss.suggestions:
        row["suggestions"] = list(loss.suggestions)
    return row


def coded_terms(report: CodedReport) -> Iterator[CodedTerm]:
    """Every term of a coded report that came from the sender's document, in the report's order."""
    found: list[CodedTerm] = []
    _find_terms((report,), found)
    return (term for term in found if term.where)


def _find_terms(parts: tuple[Any, ...], found: list[CodedTerm]) -> None:
    # Each report has hundreds of parts, and most are text or nothing: what a kind has is looked up, and no more done.
    for part in parts:
        kind = type(part)
        if kind is tuple:
            _find_terms(part, found)
        elif kind is CodedTerm:
            found.append(part)
        elif (members := _members(kind)) is not None:
            _find_terms(members(part), found)


def _members_of(kind: type) -> Callable[[Any], tuple[Any, ...]] | None:
    """What gets the members of a data class; nothing else of a report has any."""
    names = [member.name for member in fields(kind)] if is_dataclass(kind) else []
    if len(names) == 1:  # of one the getter makes no tuple
        return lambda node: (getattr(node, names[0]),)
    return attrgetter(*names) if names else None


_members: Callable[[type], Callable[[Any], tuple[Any, ...]] | None] = cache(_members_of)


def receipt(
    report: CodedReport, losses: Sequence[Loss], sr: SrReference, *, checks: Sequence[str] = ()
) -> dict[str, Any]:
    """What was coded and how, what was left as text, what was lost, and the SR's identity."""
    terms = list(coded_terms(report))
    suggestions = {loss.where: loss.suggestions for loss in losses if loss.kind is LossKind.UNCODED}
    return {
        "verdict": "accepted",
        "report": {
            "id": report.id,
            "sender": report.sender,
            "version": report.version,
            "status": str(report.status),
            "issued": report.issued.text,
        },
        "lesions": len(report.lesions),
        "coded": [coded_row(term) for term in terms if term.codes],
        "uncoded": [_uncoded(term, suggestions.get(term.where, ())) for term in terms if not term.codes],
        "losses": [loss_row(loss) for loss in losses],
        "checks": list(checks),
        "sr": {"sopClass": sr.sop_class, "sopInstance": sr.sop_instance, "series": sr.series, "study": sr.study},
    }


def coded_row(term: CodedTerm) -> dict[str, Any]:
    """A term with its codes and how it came to them."""
    return {
        "pointer": term.where,
        "said": term.said or term.text,
        "text": term.text,
        "concept": term.concept,
        "resolution": str(term.resolution),
        "broader": term.broader,
        "codes": [_code(code) for code in term.codes],
    }


def _uncoded(term: CodedTerm, suggestions: Sequence[str]) -> dict[str, Any]:
    """A term without a code: with a concept it is known here and no code system has it, without one it is unknown."""
    return {
        "pointer": term.where,
        "text": term.said or term.text,
        "concept": term.concept,
        "suggestions": list(suggestions),
    }


def _code(code: Code) -> dict[str, str]:
    return {"system": code.system, "code": code.code, "display": code.display}
