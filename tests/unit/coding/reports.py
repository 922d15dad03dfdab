"""Reports in a sender's terms for the tests of coding, and what becomes of them; a test overrides only what matters."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from service.coding import Vocabulary
from service.coding.coder import code_report
from service.domain.codes import Code, CodedTerm, Term
from service.domain.errors import Invalid
from service.domain.geometry import ImageReference
from service.domain.loss import LossKind
from service.domain.report import Evaluation, Lesion, LesionReport, Measurement, Patient, Status, Study
from service.domain.times import DateTime

STUDY_UID = "1.2.826.0.1.3680043.10.1561.1"
IMAGE = ImageReference("1.2.840.10008.5.1.4.1.1.4", "1.2.3.4.5", "1.2.3.4")


def term(text: str, where: str = "") -> Term:
    """A word."""
    return Term(text, None, where)


def code(system: str, value: str, display: str = "", where: str = "") -> Term:
    """A code as the findings reader gives it."""
    return Term(display or value, Code(system, value, display), where)


def number(concept: str | Term, value: str, unit: str | Term, where: str = "", **more: Any) -> Measurement[Term]:
    """A measurement; a plain name in object form stands under its own name."""
    named = term(concept) if isinstance(concept, str) else concept
    where = where or f"/lesions/0/measurements/{named.text}"
    return Measurement(named, Decimal(value), term(unit) if isinstance(unit, str) else unit, where=where, **more)


def answer(name: str | Term, value: str | Term, where: str = "") -> Evaluation[Term]:
    """A descriptor in object form."""
    field = term(name, f"/lesions/0/descriptors/{name}") if isinstance(name, str) else name
    place = where or field.where
    return Evaluation(field, term(value, place) if isinstance(value, str) else value, "", place)


def make_lesion(lesion_id: str = "L1", **changes: Any) -> Lesion[Term]:
    """A brain metastasis; ``changes`` override, words become terms at their place."""
    lesion = Lesion(lesion_id, term("brain metastasis", "/lesions/0/finding"), where="/lesions/0")
    made: dict[str, Any] = {
        name: term(value, f"/lesions/0/{name}")
        if isinstance(value, str) and name not in ("text", "tracking_uid")
        else value
        for name, value in changes.items()
    }
    return replace(lesion, **made)


def make_report(*lesions: Lesion[Term], **changes: Any) -> LesionReport:
    """A final report of a brain MR with one lesion; ``changes`` override."""
    report = LesionReport(
        id="R1",
        sender="local",
        status=Status.FINAL,
        issued=DateTime("2026-03-02T10:41:00+01:00"),
        patient=Patient("PID-1"),
        study=Study(
            STUDY_UID,
            term("MR", "/study/modality"),
            (term("MRI brain", "/study/procedure"),),
            started=DateTime("2026-03-02T09:12:00+01:00"),
        ),
        lesions=lesions or (make_lesion(),),
    )
    return replace(report, **changes)


def changed(report: LesionReport, **changes: Any) -> LesionReport:
    """A report with other members; the type checker can't follow `replace` into a generic base class."""
    return replace(report, **changes)


def coded_lesion(small: Vocabulary, **changes: Any) -> Lesion[CodedTerm]:
    """The one lesion of a report, coded; ``changes`` override what it is."""
    return code_report(make_report(make_lesion(**changes)), small).lesions[0]


def refused(small: Vocabulary, kind: type[Invalid], **changes: Any) -> list[tuple[str, str]]:
    """The rules and places that a lesion is refused for."""
    with pytest.raises(Invalid) as caught:
        code_report(make_report(make_lesion(**changes)), small)
    assert type(caught.value) is kind
    return [(problem.rule, problem.pointer) for problem in caught.value.problems]


def losses_of(small: Vocabulary, **changes: Any) -> list[tuple[LossKind, str, str]]:
    """What is said of a report, as kind, rule and place."""
    return [(loss.kind, loss.rule, loss.where) for loss in code_report(make_report(**changes), small).losses]
