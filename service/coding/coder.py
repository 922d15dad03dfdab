"""The coder: a report in the sender's terms made one with every term resolved.

All problems are collected and raised together; what is kept as text or found doubtful is listed in ``losses``.
"""

from typing import Final

from service.coding.identities import code_device, code_issuer, code_patient, tracked
from service.coding.languages import check_language
from service.coding.lesions import Lesions
from service.coding.lookup import Vocabulary
from service.coding.notes import Notes
from service.coding.plausibility import check_dates
from service.coding.terms import Terms
from service.domain.codes import CodedTerm, Term
from service.domain.report import CodedReport, Comparison, LesionReport, Observer, Person, Study

NEGATIONS: Final = ("no evidence of ", "no sign of ", "no signs of ", "no ", "without ", "absence of ")
"""What a negative finding may begin with. It is cut off before the look-up, since the list itself says "absent"."""
_NO_NEGATIONS: Final = ("no longer ", "no change", "no significant change")


def code_report(report: LesionReport, vocabulary: Vocabulary) -> CodedReport:
    """The report with every term resolved.

    Raises UnknownTerm, AmbiguousTerm, Contradiction, Implausible, or Invalid for problems of several kinds.
    """
    notes = Notes(vocabulary)
    terms = Terms(vocabulary, notes)
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
    uids = tracked(report, patient, notes)
    coded = tuple([lesions.code(lesion, uid) for lesion, uid in zip(report.lesions, uids, strict=True)])
    check_dates(report, notes)
    check_language(report.language, vocabulary, notes)
    notes.check()
    return CodedReport(
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
    negation beside it would turn it round. The sender's words stay in ``said``.
    """
    field = terms.vocabulary.members["negative"]
    text = term.text.casefold()
    if term.code is None and not text.startswith(_NO_NEGATIONS):
        for negation in NEGATIONS:
            rest = term.text[len(negation) :].strip()
            if text.startswith(negation) and rest:
                made = terms.term(Term(rest, None, term.where), field)
                how = made.resolution
                return CodedTerm(made.text, made.codes, made.concept, made.broader, how, term.text, term.where)
    return terms.term(term, field)
