"""The one way through: read, code, write, check. The API and the command line call it; it knows neither.

Nothing is kept here, and a conversion needs no database: `service.publishing` keeps what this makes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from service.coding import Vocabulary, vocabulary
from service.coding.coder import code_report
from service.coding.labels import languages
from service.coding.overlays.site import SiteOverlays, Uploads
from service.domain.emitted import Emitted, SrDocument, SrReference
from service.domain.errors import Disagreement, Forbidden, Problem, UnsupportedMedia
from service.domain.limits import Limits
from service.domain.loss import Loss
from service.domain.processing import PRODUCTION
from service.domain.received import Habits, Intake, Received
from service.domain.report import CodedReport, LesionReport
from service.doors import ENCODINGS, NAME_THE_SR, READERS, WRITERS, Format, Options, encoded
from service.formats.fhir.profiles.modes import MODES
from service.formats.fhir.write import KINDS
from service.formats.sr.dialects import DIALECTS as SR_DIALECTS
from service.formats.sr.relationships import Iod
from service.stages import Stage

if TYPE_CHECKING:
    # A conversion needs no terminology server and no archive: whoever hands one in has imported it.
    from service.coding.remote import RemoteTerms
    from service.delivery.study_context import Archive

__all__ = [
    "BUNDLES",
    "CHECKED",
    "DIALECTS",
    "ENCODINGS",
    "IODS",
    "LANGUAGES",
    "PROFILES",
    "READERS",
    "WRITERS",
    "Amendment",
    "Format",
    "Options",
    "Outcome",
    "Source",
    "code",
    "convert",
    "emit",
    "held",
    "read",
    "tables",
    "vocabulary_of",
]
BUNDLES = KINDS
PROFILES = tuple(MODES)
LANGUAGES = ("en", *languages())
DIALECTS = tuple(SR_DIALECTS)
IODS = tuple(one.value for one in Iod)
CHECKED = "sr-and-fhir-say-the-same"
"""The name of the full check in receipts."""

AMENDMENT = "amendment"
"""Under which name a document is kept that amended a report: what the call made of it is the report."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a conversion made; ``losses`` holds each once: of reading, of coding, of writing, in this order."""

    report: CodedReport
    outputs: Mapping[Format, Emitted]
    losses: tuple[Loss, ...]
    sr: SrReference | None = None
    checks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Amendment:
    """What makes a report another one than its document says: ``asked`` is all that tells one amendment from another.

    Such a report is kept as findings JSON, and the document that it came as beside it under the name ``role``.
    """

    asked: tuple[str, ...]
    role: str = AMENDMENT


@dataclass(frozen=True, slots=True)
class Source:
    """A document of a sender, with what the deployment adds to it: ``site`` are its overlays.

    ``uploads`` is asked for uploaded overlays where nothing is kept; a store knows its own. ``remote`` is a terminology
    server for terms that nothing here knows, ``archive`` knows the study (asked for what is kept, never to convert).
    ``mapping`` is the text of a table's mapping file; ``received`` is the report where it was read already, one of
    several in a document.
    ``validate``: FHIR is held to its definitions before it is read.
    ``masks`` are the SEG files that the lesions' segments are measured by. ``speaks_for`` is the sender that
    the caller is known to be; a report of another one is refused. ``habits`` are those of senders by their names.
    ``processing`` are the processing ids (`service.domain.processing`) of what is kept; a conversion takes any.
    ``amendment`` is set where ``received`` is the next version of a report that is kept.
    """

    body: bytes
    format: Format = Format.FINDINGS
    default_sender: str = "local"
    limits: Limits = field(default_factory=Limits)
    issuers_file: str = ""
    site: SiteOverlays | None = None
    uploads: Uploads | None = None
    zone: str = "UTC"
    processing: tuple[str, ...] = (PRODUCTION,)
    mapping: str = ""
    received: Received | None = None
    masks: tuple[bytes, ...] = ()
    speaks_for: str = ""
    habits: Mapping[str, Habits] = field(default_factory=dict)
    remote: RemoteTerms | None = None
    archive: Archive | None = None
    validate: bool = False
    amendment: Amendment | None = None

    @property
    def intake(self) -> Intake:
        """What a reader takes beside the document."""
        sender = self.speaks_for or self.default_sender
        zone = self.habits.get(sender, Habits()).zone or self.zone
        return Intake(sender, zone, self.limits, self.mapping, self.validate)


@cache
def tables(issuers_file: str) -> Vocabulary:
    """The shipped tables, with a site's own issuers beside them; raises TableError with every defect."""
    if not issuers_file:
        return vocabulary()
    return Vocabulary.load(files("terminology"), files("mappings"), Path(issuers_file))


def convert(source: Source, targets: Sequence[Format], options: Options) -> Outcome:
    """Read, code and write; raises a Refused for a document that can't be taken, Disagreement when a check fails."""
    received = read(source)
    tables_used = vocabulary_of(source, received.report.sender)[0]
    coded = code(received.report, tables_used)
    if source.masks:
        from service.measuring import measured

        coded = measured(coded, source.masks, tables_used, source.limits)
    return emit(coded, targets, options, received)


def code(report: LesionReport, tables_used: Vocabulary) -> CodedReport:
    """The report with its terms in codes."""
    with Stage("code"):
        return code_report(report, tables_used)


def read(source: Source) -> Received:
    """The report in the sender's terms, by the reader of its format; raises UnsupportedMedia or what that raises."""
    if source.received is not None:
        return source.received
    reader = READERS.get(source.format)
    if reader is None:
        names = tuple(str(form) for form in READERS)
        raise UnsupportedMedia(Problem("", "format", f"{source.format} is written, not read", names))
    with Stage("read"):
        found = reader(source.body, source.intake)
    if source.speaks_for and found.report.sender != source.speaks_for:
        raise Forbidden(Problem("/report/sender", "sender", "the caller speaks for another sender than the report's"))
    return found


def emit(report: CodedReport, targets: Sequence[Format], options: Options, received: Received | None = None) -> Outcome:
    """The outputs of a coded report, checked when asked for; ``received`` is what it was coded from."""
    needed = {*targets, *((Format.SR, Format.FHIR_R4) if options.check else ())}
    outputs: dict[Format, Emitted] = {}
    document = received.sr if received is not None else None
    if received is not None and (received.outline or received.earlier):
        earlier = tuple(one.content for one in received.earlier)
        options = replace(options, outline=received.outline, earlier=earlier)
    if Format.SR in needed or (document is None and needed & NAME_THE_SR):
        with Stage.writing(Format.SR):
            written = WRITERS[Format.SR](report, options, None)
        assert isinstance(written, SrDocument)  # noqa: S101 - the SR's writer makes one
        outputs[Format.SR] = written
        if document is None or Format.SR in targets:
            document = written.reference
    for target in sorted(needed - {Format.SR}):
        # What is written for the check only is not what a profile was asked for.
        chosen = options if target in targets else replace(options, profile=None)
        with Stage.writing(target):
            outputs[target] = WRITERS[target](report, chosen, document)
    checks = _checked(report, outputs, document) if options.check else ()
    made = {target: encoded(target, outputs[target], options) for target in targets}
    found = received.losses if received is not None else ()
    losses = dict.fromkeys([*found, *report.losses, *(loss for output in made.values() for loss in output.losses)])
    return Outcome(report, made, tuple(losses), document, checks)


def vocabulary_of(source: Source, sender: str, kept: Uploads | None = None) -> tuple[Vocabulary, dict[str, object]]:
    """The tables behind the overlays of a sender, and what a receipt says of those.

    Whatever is kept is coded with the overlays of this moment, which are ``kept``; a conversion may miss an upload for
    a second.
    """
    if source.site is None:
        return tables(source.issuers_file).asking(source.remote), {}
    uploads = source.uploads if kept is None else kept
    found, names = source.site.of(sender, uploads, now=kept is not None)
    return found.asking(source.remote), {"overlays": list(names)} if names else {}


def held(
    report: CodedReport, sr_content: bytes | None, fhir_content: bytes | None, losses: Sequence[Loss] = ()
) -> tuple[Problem, ...]:
    """Where SR and bundle, read back, say other than the report; places only, never what stands there.

    ``losses`` are those that the SR's writer named: they are no difference.
    """
    from service.check.compare import compare

    try:
        differences = compare(report, sr_content, fhir_content, losses)
    except ValueError:
        return (Problem("", "one-truth", "an output can't be read back"),)
    return tuple(Problem(d.place, "one-truth", f"{d.kind} in the {d.output} output") for d in differences)


def _checked(report: CodedReport, outputs: Mapping[Format, Emitted], named: SrReference | None) -> tuple[str, ...]:
    """Hold the outputs to the report; raises Disagreement with each place that differs.

    ``named`` is the SR that the bundle names: where it came from somebody else, the one written here is held alone.
    """
    document = outputs[Format.SR]
    assert isinstance(document, SrDocument)  # noqa: S101 - the SR's writer makes one
    bundle = outputs[Format.FHIR_R4].content
    with Stage("check"):
        if named == document.reference:
            problems = held(report, document.content, bundle, document.losses)
        else:
            problems = held(report, document.content, None, document.losses) + held(report, None, bundle)
        if Format.FHIR_R5 in outputs:
            problems += held(report, None, outputs[Format.FHIR_R5].content)
    if problems:
        raise Disagreement(*problems)
    return (CHECKED,)
