"""A FHIR document, R4 or R5, to a lesion report: a DiagnosticReport with what it refers to, in a bundle or contained.

The two releases differ in few elements, and none of these has two meanings: whatever stands there is read. Where each
member comes from is the table of `service.formats.fhir`; what others do is in ``docs/conformance-fhir.md``.
"""

from __future__ import annotations

import re
from dataclasses import replace
from decimal import Decimal
from typing import Final

from service.domain.codes import Term
from service.domain.errors import Invalid, Problem
from service.domain.received import Intake, Received
from service.domain.report import Comparison, LesionReport, Status, Study
from service.domain.times import DateTime
from service.formats.fhir.identity import own_system
from service.formats.fhir.read_bundle import Document
from service.formats.fhir.read_composition import Sections
from service.formats.fhir.read_identity import identity_of, predecessor_of
from service.formats.fhir.read_lesions import Lesions
from service.formats.fhir.read_node import Inexact, Node, Noted
from service.formats.fhir.read_observers import Observers
from service.formats.fhir.read_people import People
from service.formats.fhir.read_results import Results, Shared, Statements
from service.formats.fhir.read_study import Studies
from service.formats.fhir.read_terms import keys_of, terms
from service.formats.fhir.read_unread import list_unread
from service.formats.fhir.read_values import prose, when
from service.formats.jsontext import literals, parse, parse_quickly

_STATUS: Final = {status.value: status for status in Status} | {
    "registered": Status.PRELIMINARY,
    "partial": Status.PRELIMINARY,
    "unknown": Status.PRELIMINARY,
    "modified": Status.AMENDED,  # R5
}
_DOCUMENTS: Final = ("imaging-measurement-report", "diagnostic-imaging-report")
_OWN: Final = {"system", "value"}
_LANGUAGE: Final = "en-US"
_TAG: Final = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z]{4})?(?:-(?:[A-Za-z]{2}|[0-9]{3}))?")
"""Language, script and region (RFC 5646 2.1), as a report takes them."""


def read(content: bytes, intake: Intake, release: str = "R4") -> Received:
    """The report of a document in JSON or XML; ``release`` is R4 or R5, and only matters where XML is to be read.

    Raises TooLarge, Unreadable or Invalid for what is no FHIR, and Invalid where it tells no report, patient or time.
    """
    if is_xml(content):
        from service.formats.fhir.read_xml import parse_xml

        return of_value(parse_xml(content, intake.limits, release), intake)
    quick = parse_quickly(content, intake.limits)
    if quick is not None:
        try:
            return of_value(quick, intake, literals(content))
        except Inexact:
            pass  # "12.5" and "12.50" are one float
    return of_value(parse(content, intake.limits), intake)


def is_xml(content: bytes) -> bool:
    """Whether a document begins as XML does."""
    return content[:256].removeprefix(b"\xef\xbb\xbf").lstrip()[:1] == b"<"


def of_value(value: object, intake: Intake, digits: dict[float, Decimal | None] | None = None) -> Received:
    """The report of a document that is parsed already; ``digits`` are those of its floats."""
    noted = Noted(intake, digits)
    document = Document(value, noted)
    report, composition = _report(document)
    if report.value.get("status") not in (Status.ENTERED_IN_ERROR, Status.CANCELLED):
        document.leave_errors()
        composition = composition if composition in document.resources else None
    made = _Reading(document, report, composition).report()
    _check_says(made, report)
    list_unread(document, report)
    return Received(made, tuple(dict.fromkeys(noted.losses)))


def _check_says(made: LesionReport, report: Node) -> None:
    """Refuse a report of which nothing could be read: as an SR it would look as if nothing had been found."""
    if not made.says_anything:
        why = "Nothing in the report is a finding, a measurement, a conclusion or a text that can be read."
        raise Invalid(Problem(report.path, "fhir-empty", why))


def _report(document: Document) -> tuple[Node, Node | None]:
    """The DiagnosticReport: the one that a Composition leads to, else the first; with the Composition."""
    reports = list(document.of_kind("DiagnosticReport"))
    if not reports:
        why = "Give a DiagnosticReport: nothing else says which Observations are one report."
        raise Invalid(Problem(document.root.path, "fhir-no-report", why))
    composition = next(document.of_kind("Composition"), None)
    if composition is not None:
        for section in composition.nodes("section"):
            for found, _ in document.follow(section, "entry"):
                if found.kind == "DiagnosticReport":
                    return found, composition
    return reports[0], composition


class _Reading:
    """One reading of one DiagnosticReport."""

    def __init__(self, document: Document, report: Node, composition: Node | None) -> None:
        self._document = document
        self._node = report
        self._composition = composition
        self._noted = document.noted
        self._id, self._sender, self._version = identity_of(document, report)

    def report(self) -> LesionReport:
        """The report with all that it refers to."""
        node = self._node
        status = self._status()
        people = People(self._document, self._sender)
        patient, patient_node = people.patient(node)
        if patient_node is not None:
            self._document.leave_others(patient_node)
        studies = Studies(self._document, people, self._sender)
        started = when(node, "effectiveDateTime")
        study = studies.study(node, self._id, started)
        comparisons = studies.comparisons(node)
        studies.index_others()
        issued = self._issued(started or study.started)
        subjects = [one.value.get("reference") for one in node.nodes("subject")]
        shared = Shared(
            status,
            _text(node, "issued") or "",
            _text(node, "effectiveDateTime"),
            patient_node,
            tuple(subjects),
            study.started.date if study.started is not None and study.started.da else "",
        )
        results = Results(self._document, shared, self._sender, self._id)
        results.walk(node)
        lesions = Lesions(self._document, results, studies.imaging, study.uid).read()
        said = results.statements
        sections = Sections(self._document, self._composition, said.texts)
        for note in node.nodes("note"):  # R5
            text = prose(note, "text")
            if text is not None:
                said.texts["findings"].append(text)
        impression = prose(node, "conclusion")
        texts = {name: "\n\n".join(parts) or None for name, parts in sections.texts(impression).items()}
        complete = status not in (Status.PRELIMINARY, Status.CANCELLED)
        observers = Observers(self._document, people).read(
            node,
            self._composition,
            results.observers,
            self._sender,
            complete=complete,
        )
        self._repeated(patient_node)
        try:
            return LesionReport(
                self._id,
                self._sender,
                status,
                issued,
                patient,
                _whole(study, said, comparisons, studies, node),
                self._version,
                self._language(),
                predecessor_of(self._document),
                texts["impression"],
                texts["findings"],
                terms(node, "conclusionCode", "conclusion", self._sender),
                tuple(said.differential),
                tuple(said.negatives),
                tuple(said.evaluations),
                observers,
                lesions,
            )
        except ValueError as error:
            raise Invalid(Problem(node.path, "fhir-value", f"{error}.")) from None

    def _status(self) -> Status:
        said = self._node.string("status")
        if said is None or said not in _STATUS:
            why = f"Give the status of the report: one of {', '.join(_STATUS)}."
            raise Invalid(Problem(self._node.at("status"), "fhir-status", why))
        status = _STATUS[said]
        if said != status.value:
            why = f"a report here is not {said}: it is taken as {status}"
            self._noted.flag(self._node.at("status"), said, why, "fhir-status")
        return status

    def _issued(self, started: DateTime | None) -> DateTime:
        """When the report was issued, or the next best time that is said; raises Invalid where there is none."""
        sources = [(self._node, "issued"), (self._composition, "date"), (self._document.root, "timestamp")]
        for node, name in sources:
            made = when(node, name) if node is not None and name in node else None
            if made is not None and made.da:
                if name != "issued" or not made.is_instant:
                    self._flag_issued(self._document.root.path if node is None else node.at(name))
                return self._instant(made)
        meta = self._node.value.get("meta")
        updated = meta.get("lastUpdated") if isinstance(meta, dict) else None
        for text in (updated, started.text if started is not None else None):
            try:
                made = DateTime(text) if isinstance(text, str) else None
            except ValueError:
                continue
            if made is not None and made.da:
                self._flag_issued(self._node.path)
                return self._instant(made)
        why = "Say when the report was issued; there is no other time in the document that could stand for it."
        raise Invalid(Problem(self._node.at("issued"), "fhir-issued", why))

    def _flag_issued(self, where: str) -> None:
        why = "the report does not say when it was issued, with day, time and zone: this time stands for it"
        self._noted.flag(where, "issued", why, "fhir-issued")

    def _instant(self, time: DateTime) -> DateTime:
        """A time with its zone; a day alone begins at midnight of the site."""
        if time.is_instant:
            return time
        return DateTime(self._noted.intake.with_zone(time.text if time.has_time else f"{time.date}T00:00:00"))

    def _language(self) -> str:
        for node in (self._node, self._composition, self._document.root):
            said = node.string("language") if node is not None else None
            if said is not None and _TAG.fullmatch(said):
                return said
            if said is not None and node is not None:
                node.skip("language", "it is no language, script and region of RFC 5646", "fhir-type")
        why = f"the language of the report is not said: it is taken as {_LANGUAGE}"
        self._noted.flag(self._node.at("language"), "language", why, "fhir-language")
        return _LANGUAGE

    def _repeated(self, patient: Node | None) -> None:
        """What every resource that was read says besides: its name at a server, its patient, its language."""
        said = [one.value.get("reference") for one in self._node.nodes("subject")]
        language = self._node.value.get("language")
        system = own_system("resource", self._sender)
        for resource in self._document.resources:
            if not resource.is_read():
                continue
            if _is_one(resource.value.get("identifier"), system):
                resource.take("identifier")
            else:
                for identifier in resource.nodes("identifier"):
                    if identifier.value.get("system") == system:
                        identifier.take("system", "value")  # by which we find our own resource again
            if "language" in resource and resource.value["language"] == language:
                resource.take("language")
            for name in ("subject", "patient"):
                if name in resource and not resource.is_taken(name):
                    for reference in resource.nodes(name):
                        found = self._document.look(reference, resource)
                        same = found is patient if found is not None else reference.value.get("reference") in said
                        if same:
                            reference.take("reference", "type", "display", "identifier")


def _whole(
    study: Study[Term],
    said: Statements,
    comparisons: tuple[Comparison[Term], ...],
    studies: Studies,
    report: Node,
) -> Study[Term]:
    """The study with what Observations say of it; its images are those listed for it, else all that are left."""
    procedures = [*study.procedures, *said.procedures]
    if is_document(report.value.get("code")) and (studies.further or said.procedures):
        procedures = said.procedures  # the code of the report only says that it is one
    known = {_identity(term) for term in procedures}
    for term in dict.fromkeys(studies.further):
        if _identity(term) not in known:
            procedures.append(term)
        elif all(term.text != one.text for one in procedures):
            report.noted.skip(term.where, "procedure", "its code stands there already, in other words", "fhir-words")
    images = studies.listed(said.images) if said.images is not None else studies.remaining()
    return replace(
        study,
        procedures=tuple(procedures),
        technique=tuple(said.technique),
        comparisons=comparisons,
        images=images,
    )


def is_document(code: object) -> bool:
    """Whether a code names a kind of document: *imaging measurement report*, *diagnostic imaging report*."""
    return any(key in _DOCUMENTS for key in keys_of(code))


def _identity(term: Term) -> object:
    return (term.code.system, term.code.code) if term.code is not None else term.text


def _is_one(identifiers: object, system: str) -> bool:
    """Whether there is one identifier, of that system, and nothing more is said of it."""
    first = identifiers[0] if isinstance(identifiers, list) and len(identifiers) == 1 else None
    return isinstance(first, dict) and first.keys() == _OWN and first["system"] == system


def _text(node: Node, name: str) -> str | None:
    value = node.value.get(name)
    return value if isinstance(value, str) else None
