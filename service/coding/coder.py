"""The coder: a report in the sender's terms made one with every term resolved.

All problems are collected and raised together; what is kept as text or found doubtful is listed in ``losses``.
"""

import re
from typing import Final

from service.coding.consistency import check_negatives
from service.coding.identities import code_device, code_issuer, code_patient, tracked
from service.coding.labels import in_language, primary
from service.coding.languages import check_language
from service.coding.lesions import Lesions
from service.coding.lookup import Vocabulary
from service.coding.negation import LACKING, NEGATIONS, NO_NEGATIONS, denies
from service.coding.notes import Notes
from service.coding.plausibility import check_dates
from service.coding.resolve import ANYWHERE, hits
from service.coding.terms import Terms
from service.domain.codes import CodedTerm, Term
from service.domain.errors import Contradiction
from service.domain.report import CodedReport, Comparison, LesionReport, Observer, Person, Study

_TURNS: Final = re.compile(
    r"\b(?:no|not|none|nor|neither|never|without|absent|negative|cannot|excluded?|but|except|however|although"
    r"|den(?:ie[sd]?|y)|unremarkable|asymptomatic|n[ae]d|normal(?! pressure))\b|^(?:benign|clear|age appropriate\b.*)$"
)
"""Words that turn what they stand beside: in a finding that is said to be absent they say that it is there.

Of what is as it should be ("normal", NED) they say that it is not.
"""
_CLASSES: Final = ("I10C", "I10", "ICDO3")
"""Systems whose codes are classes: "no rib metastasis" must not deny C79.51, any metastasis to bone."""


def code_report(report: LesionReport, vocabulary: Vocabulary) -> CodedReport:
    """The report with every term resolved.

    Raises UnknownTerm, AmbiguousTerm, Contradiction, Implausible, or Invalid for problems of several kinds.
    """
    notes = Notes(vocabulary)
    asking = vocabulary.remote.session(vocabulary, report) if vocabulary.remote is not None else None
    terms = Terms(vocabulary, notes, asking)
    lesions = Lesions(terms, report.study.images)
    patient = code_patient(report.patient, vocabulary, notes)
    study = _study(report.study, terms)
    observers = tuple(
        [Observer(code_device(one.device, report.sender), _person(one.person, terms)) for one in report.observers]
    )
    conclusions = terms.members(report.conclusions, "conclusion")
    differential = terms.members(report.differential, "differential")
    negatives = tuple([_negative(term, terms) for term in report.negatives])
    evaluations = lesions.evaluations(report.evaluations, "report")
    uids = tracked(report, notes)
    coded = tuple([lesions.code(lesion, uid) for lesion, uid in zip(report.lesions, uids, strict=True)])
    check_dates(report, notes)
    check_negatives(negatives, coded, conclusions, evaluations, notes)
    check_language(report.language, vocabulary, notes)
    if not report.says_anything:
        why = "It has no lesion, text, conclusion, negative or answer: nothing was said, not that nothing was found."
        notes.flag("", "report", why, "says-nothing")
    notes.check()
    if asking is not None:
        notes.losses.extend(asking.losses())
    coded_report = CodedReport(
        report.id,
        report.sender,
        report.status,
        report.issued,
        patient,
        study,
        report.version,
        report.language,
        report.predecessor,
        report.impression,
        report.findings,
        conclusions,
        differential,
        negatives,
        evaluations,
        observers,
        coded,
        tuple(notes.losses),
    )
    return coded_report if primary(report.language) == "en" else in_language(coded_report, vocabulary)


def _study(study: Study[Term], terms: Terms) -> Study[CodedTerm]:
    """The study with its terms and the issuer of its accession number."""
    modality = terms.term(study.modality, terms.vocabulary.members["modality"])
    comparisons = [
        Comparison(
            prior.uid, prior.started, prior.accession, terms.member(prior.modality, "modality"), prior.description
        )
        for prior in study.comparisons
    ]
    return Study(
        study.uid,
        modality,
        terms.members(study.procedures, "procedure"),
        study.accession,
        code_issuer(study.accession_issuer, "/study/accessionIssuer", terms.vocabulary, terms.notes),
        study.started,
        study.description,
        _person(study.referring_physician, terms),
        terms.members(study.technique, "technique"),
        tuple(comparisons),
        study.images,
    )


def _person(person: Person[Term] | None, terms: Terms) -> Person[CodedTerm] | None:
    """A person with a coded role."""
    if person is None:
        return None
    role = terms.member(person.role, "role")
    return Person(person.name, person.id, person.organization, role, person.verified_at)


def _negative(term: Term, terms: Terms) -> CodedTerm:
    """A finding looked for and not there: "no haemorrhage" is haemorrhage, absent.

    A leading negation is cut off whether or not the rest is known: the list says "absent" by itself, and a second
    negation beside it would turn it round. For the same reason words that still turn it are refused, not kept: "no
    fracture, no cord compression" would become "fracture, no cord compression", absent. The sender's words stay in
    ``said``.
    """
    field = terms.vocabulary.members["negative"]
    finding, said = term.text, ""
    if term.code is None and not term.text.casefold().startswith(NO_NEGATIONS):
        found = next((cut for cut in NEGATIONS if term.text.casefold().startswith(cut)), "")
        rest = term.text[len(found) :].strip()
        if found and rest:
            finding, said = rest, term.text
    made = terms.term(Term(finding, term.code, term.where), field)
    if made.concept is None and _turns(finding, terms.vocabulary):
        why = f"{term.text!r} is listed as absent and denies by itself. Give each finding that was looked for, alone."
        if term.where.startswith("/"):
            terms.notes.refuse(Contradiction, term.where, "negative-denied", why)
        else:
            # Somebody else's document is not lost over one item.
            terms.notes.flag(term.where, term.text, f"{why} Kept as it came.", "negative-denied")
    codes = tuple([code for code in made.codes if code.system not in _CLASSES])
    broader = made.broader and bool(codes)
    return CodedTerm(made.text, codes, made.concept, broader, made.resolution, said or made.said, term.where)


def _turns(finding: str, vocabulary: Vocabulary) -> bool:
    """Whether an uncoded finding holds a negation: a word for it, or "non-" before what is known elsewhere.

    In the languages of the labels too: "keine Blutung" in the list would be denied twice.
    """
    normal = vocabulary.designations.words.normal(finding)
    known = "non" in normal.split() and bool(hits(vocabulary, finding, ANYWHERE))
    return known or _TURNS.search(normal) is not None or denies(finding) or _is_lack(vocabulary, finding)


def _is_lack(vocabulary: Vocabulary, finding: str) -> bool:
    """Whether a finding is an answer of some field by which something is not there: "non-enhancing"."""
    fields = vocabulary.evaluations.values()
    return any(key in LACKING for field in fields for key, _ in hits(vocabulary, finding, field))
