"""The one way through: read, code, write, check, keep. The API and the command line call it; it knows
neither.

``convert`` keeps nothing. ``publish`` keeps what was said, what was emitted and the receipt in one transaction; a
report that is there already is answered with the receipt it got then.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from functools import cache
from hashlib import sha256
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Protocol
from uuid import uuid4

import orjson

from service.coding import Vocabulary, vocabulary
from service.coding.coder import code_report
from service.coding.identities import named_issuer
from service.coding.overlays.site import SiteOverlays, Uploads
from service.curation import unmapped
from service.domain.emitted import Emitted, SrDocument, SrReference
from service.domain.errors import (
    Conflict,
    Disagreement,
    Forbidden,
    KeyReused,
    NotFound,
    Problem,
    Unavailable,
    UnsupportedMedia,
)
from service.domain.limits import Limits
from service.domain.loss import Loss, LossKind
from service.domain.received import Habits, Intake, Received
from service.domain.report import CodedReport, LesionReport, Predecessor
from service.doors import (
    ENCODINGS,
    MEDIA_TYPES,
    NAME_THE_SR,
    READERS,
    RELEASES,
    WRITERS,
    Format,
    Options,
    encoded,
    media_type,
)
from service.formats.fhir.profiles.modes import MODES
from service.formats.fhir.write import KINDS
from service.formats.findings import write as findings
from service.formats.sr.dialects import DIALECTS as SR_DIALECTS
from service.formats.sr.relationships import Iod
from service.stages import Stage
from service.store.receipt import receipt

if TYPE_CHECKING:
    # A conversion needs no database and no terminology server: whoever hands one in has imported it.
    from service.coding.remote import RemoteTerms
    from service.delivery.study_context import Archive
    from service.store.deliveries import Planned
    from service.store.reports import Consignment, Draft, Key, Output, Store, Stored

ATTEMPTS = 8
"""How often a version is tried again when others keep the same report at the same time."""


__all__ = [
    "BUNDLES",
    "CHECKED",
    "DIALECTS",
    "ENCODINGS",
    "IODS",
    "PROFILES",
    "READERS",
    "ROLES",
    "WRITERS",
    "Amendment",
    "Format",
    "Options",
    "Outcome",
    "Receipt",
    "Source",
    "anew",
    "as_it_came",
    "code",
    "convert",
    "emit",
    "held",
    "publish",
    "read",
    "tables",
]
BUNDLES = KINDS
PROFILES = tuple(MODES)
DIALECTS = tuple(SR_DIALECTS)
IODS = tuple(one.value for one in Iod)
CHECKED = "sr-and-fhir-say-the-same"
"""The name of the full check in receipts."""

AMENDMENT = "amendment"
"""Under which name a document is kept that amended a report: what the call made of it is the report."""
UNMEASURED = "unmeasured"
"""Under which name a document is kept whose segments were measured when it came: the report has their sizes."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a conversion made; ``losses`` holds each once: of reading, of coding, of writing, in this order."""

    report: CodedReport
    outputs: Mapping[Format, Emitted]
    losses: tuple[Loss, ...]
    sr: SrReference | None = None
    checks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Receipt:
    """The answer to a publication; ``created`` is False when the report was there already, ``id`` None on a dry run.

    ``fresh``: it was kept just now; a key that is used again has the answer it got then, and is not.
    """

    id: str | None
    content: bytes
    created: bool
    fresh: bool = False


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


class Planner(Protocol):
    """Says what is delivered of a report, once it is emitted and has an id of ours."""

    def of(self, identity: str, outcome: Outcome, received: Received, options: Options) -> Consignment:
        """The deliveries, with the outputs that are made for them alone."""
        ...


STORED = (Format.FHIR_R4, Format.SR, Format.HTML)
"""What is made of a report and kept. Of one that came as an SR no second SR is made: that one is it."""
ROLES = {Format.FINDINGS: "findings", Format.FHIR_R4: "fhir", Format.SR: "sr", Format.HTML: "html"}
"""Under which name each output is kept, and found again in the routes."""
SOURCE = "source"
"""Under which name a document is kept that came in another format than findings JSON."""
REJECTION = "rejection"
"""Under which name the note is kept that rejects the SRs of the versions before."""


def convert(source: Source, targets: Sequence[Format], options: Options) -> Outcome:
    """Read, code and write; raises a Refused for a document that can't be taken, Disagreement when a check fails."""
    received = read(source)
    tables_used = _vocabulary(source, received.report.sender, None)[0]
    coded = _coded(received.report, tables_used)
    if source.masks:
        from service.measuring import measured

        coded = measured(coded, source.masks, tables_used)
    return emit(coded, targets, options, received)


def _coded(report: LesionReport, tables_used: Vocabulary) -> CodedReport:
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
        earlier = tuple(one.bundle for one in received.earlier)
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


def as_it_came(source: Source, store: Store, stored: Stored) -> Source:
    """A kept report to be read once more: as the document that it came as, since others' are not refused over one item.

    The findings JSON beside it is ours, and held to the contract with senders. It is read where it came so, and of a
    table, which holds other reports, too.
    """
    role, form = ROLES[Format.FINDINGS], Format.FINDINGS
    if stored.sr.sop_instance == stored.report_id:  # an SR has no other id of the report
        role, form = ROLES[Format.SR], Format.SR
    body = store.output(stored.id, role).content
    if form is Format.FINDINGS:
        with suppress(NotFound):
            came = store.output(stored.id, SOURCE)
            known = MEDIA_TYPES.get(came.media_type, Format.CSV)
            body, form = (came.content, known) if known is not Format.CSV else (body, form)
    again = replace(source, body=body, format=form, default_sender=stored.sender)
    if form is not Format.HL7V2:
        return again
    # A message of others has no version: it got its number when it was kept.
    received = read(again)
    return replace(again, received=replace(received, report=replace(received.report, version=stored.version)))


def anew(source: Source, store: Store, stored: Stored, target: Format, options: Options) -> Emitted:
    """A report that is kept, in a format that is not kept: coded by the tables of today; it points to the kept SR.

    FHIR withdraws what its delivery would: what the versions before say in this very form, or was emitted of them.
    """
    until = [one for one in store.versions(stored.id) if one.version <= stored.version]
    made: list[Emitted] = []
    for previous, version in zip([None, *until], until, strict=False):
        if version.id != stored.id and target not in RELEASES:
            continue
        said = as_it_came(source, store, version)
        received = after(read(said), previous, store).seen_by()
        tables_used, _ = _vocabulary(said, received.report.sender, None)
        coded = _placed(said, received, code_report(_following(received.report, previous), tables_used), tables_used)
        earlier = (*reversed(made), *(one.bundle for one in received.earlier))
        made.append(WRITERS[target](coded, replace(options, earlier=earlier), version.sr))
    return encoded(target, made[-1], options)


def publish(
    source: Source,
    options: Options,
    store: Store,
    *,
    key: str | None = None,
    dry_run: bool = False,
    planner: Planner | None = None,
) -> Receipt:
    """Keep a report with all that is made of it and its deliveries; the same report again gives the same receipt.

    Raises Conflict for another content under the same sender, id and version, KeyReused for a key with another request,
    Unavailable when the database is. A dry run raises the same, says what would be kept, and keeps nothing.
    """
    if source.masks:
        source = _sized(source, store)
    received = read(source)
    report = received.report
    digest = _digest(report, options, source.amendment)
    if dry_run:
        found, previous = store.around(report.sender, report.id, report.version)
        _already(report, digest, store, None, found)
        tables_used, overlays = _vocabulary(source, report.sender, store)
        received = after(received, previous, store)
        coded = _placed(source, received, _coded(_following(report, previous), tables_used), tables_used)
        _check_accession(coded, store)
        outcome = emit(coded, _kept_of(received), options, received.seen_by())
        there = planner.of("", outcome, received, options) if planner is not None else None
        more = _routed(there) | (
            {"deliveries": [_would(one) for one in there.planned]} if there and there.planned else {}
        )
        return Receipt(None, _receipt(outcome, {"dryRun": True, **overlays, **more}), created=False)
    for _ in range(ATTEMPTS):
        kept = _keep(source, received, digest, options, store, key, planner)
        if kept is not None:
            return kept
    raise Unavailable(Problem("", "busy", "too many at once keep versions of this report"))


def _sized(source: Source, store: Store) -> Source:
    """A document with the sizes that its masks tell as a part of its report, which is then no longer what it says.

    Raises Invalid for a report that no findings JSON can say: it is kept and read again as that.
    """
    from service.measuring import sized

    received = read(source)
    tables_used, _ = _vocabulary(source, received.report.sender, store)
    report, losses = sized(received.report, _coded(received.report, tables_used), source.masks, tables_used)
    if report == received.report:
        return replace(source, received=replace(received, losses=(*received.losses, *losses)))
    said = findings.write(report)
    read(Source(said, default_sender=report.sender, limits=source.limits))
    made = replace(received, report=report, losses=(*received.losses, *losses), sr=None)
    return replace(source, received=made, amendment=Amendment(("measured", said.decode()), UNMEASURED))


def code(source: Source, received: Received, store: Store) -> CodedReport:
    """A stored report coded by the tables and overlays of now, following the version before it."""
    report = received.report
    tables_used, _ = _vocabulary(source, report.sender, store)
    return _placed(source, received, _coded(_following(report, _previous(report, store)), tables_used), tables_used)


def _keep(
    source: Source,
    received: Received,
    digest: str,
    options: Options,
    store: Store,
    key: str | None,
    planner: Planner | None,
) -> Receipt | None:
    """One attempt; None when another was first and the look-up must be done again."""
    from service.store import reports as kept

    report = received.report
    said = kept.Key(key, digest) if key is not None else None
    found, previous = store.around(report.sender, report.id, report.version)
    there = _already(report, digest, store, said, found)
    if there is not None:
        return there
    received = after(received, previous, store)
    tables_used, overlays = _vocabulary(source, report.sender, store)
    coded = _placed(source, received, _coded(_following(report, previous), tables_used), tables_used)
    outcome = emit(coded, _kept_of(received), options, received.seen_by())
    identity = str(uuid4())
    consignment = planner.of(identity, outcome, received, options) if planner is not None else kept.Consignment()
    try:
        documents = _documents(source, received)
        draft = _draft(identity, documents, outcome, digest, store, said, previous, overlays, consignment)
        counted = unmapped(outcome.report, tables_used, source.limits)
        with Stage("store"):
            store.keep(replace(draft, unmapped=counted))
    except kept.Taken:
        return None
    return Receipt(draft.stored.id, draft.stored.receipt, created=True, fresh=True)


def after(received: Received, previous: Stored | None, store: Store) -> Received:
    """The report with what was emitted of the versions before it: what only those said, a bundle withdraws."""
    return replace(received, earlier=store.bundles(previous)) if previous is not None else received


def _placed(source: Source, received: Received, report: CodedReport, tables_used: Vocabulary) -> CodedReport:
    """The report with its site's issuers, and what the archive knows of its study unless it came as an SR."""
    report = _issued_by(source, report, tables_used)
    if source.archive is None or received.sr is not None:
        return report
    from service.study_context import with_context

    with Stage("study-context"):
        return with_context(report, source.archive, tables_used, source.intake)


def _check_accession(report: CodedReport, store: Store) -> None:
    """What `Store.keep` holds of accession numbers, for what is not kept."""
    from service.store.patients import KeptId

    patient, study = report.patient, report.study
    if study.accession:
        issuer = study.accession_issuer.key if study.accession_issuer else ""
        named = KeptId(patient.id, patient.issuer.key if patient.issuer else "")
        store.patients.check_accession(report.sender, named, study.accession, issuer)


def _issued_by(source: Source, report: CodedReport, tables_used: Vocabulary) -> CodedReport:
    """The report with its site's issuers where it names none; after coding, so that no UID depends on a setting."""
    known = source.habits.get(report.sender)
    if known is None:
        return report
    losses = list(report.losses)
    why = "The sender names none; it is the one that is set for its site."
    patient, study = report.patient, report.study
    if known.patient_issuer and patient.issuer is None:
        patient = replace(patient, issuer=named_issuer(known.patient_issuer, tables_used))
        losses.append(Loss(LossKind.FLAGGED, "/patient/issuer", "issuer", why, "site-issuer"))
    if known.accession_issuer and study.accession and study.accession_issuer is None:
        study = replace(study, accession_issuer=named_issuer(known.accession_issuer, tables_used))
        losses.append(Loss(LossKind.FLAGGED, "/study/accessionIssuer", "issuer", why, "site-issuer"))
    return replace(report, patient=patient, study=study, losses=tuple(losses))


def _already(report: LesionReport, digest: str, store: Store, key: Key | None, found: Stored | None) -> Receipt | None:
    """The receipt of the same request, if it was made before; ``found`` is the version that is kept."""
    from service.store.reports import Taken

    if key is not None:
        keyed = store.keyed(report.sender, key.text)
        if keyed is not None:
            if keyed[0] != digest:
                raise KeyReused(Problem("", "idempotency-key", "this Idempotency-Key came with another request before"))
            return Receipt(keyed[1].id, keyed[1].receipt, created=True)
    if found is None:
        return None
    if found.digest != digest:
        raise Conflict(
            Problem(
                "/report/id",
                "version",
                "this version of the report is stored with other content or other options; "
                "what was sent out never changes: send a new version",
            )
        )
    if key is not None:
        try:
            store.keep_key(found, key)
        except Taken:
            return None
    return Receipt(found.id, found.receipt, created=False)


def _kept_of(received: Received) -> tuple[Format, ...]:
    return STORED if received.sr is None else tuple(one for one in STORED if one is not Format.SR)


def _documents(source: Source, received: Received) -> tuple[Output, ...]:
    """What came, as it came; in another format than findings JSON, with the same in that beside it, to code anew."""
    from service.store.reports import output

    name, findings_json = ROLES[Format.FINDINGS], "application/vnd.lesionbridge.findings+json"
    if source.amendment is not None:
        made = output(name, findings_json, findings.write(received.report))
        return (
            (made, output(source.amendment.role, media_type(source.format, source.body), source.body))
            if source.body
            else (made,)
        )
    if source.format is Format.FINDINGS:
        return (output(name, findings_json, source.body),)
    came_as = media_type(source.format, source.body)
    role = ROLES[Format.SR] if received.sr is not None else SOURCE
    return output(role, came_as, source.body), output(name, findings_json, findings.write(received.report))


def _draft(
    identity: str,
    documents: tuple[Output, ...],
    outcome: Outcome,
    digest: str,
    store: Store,
    key: Key | None,
    previous: Stored | None,
    overlays: Mapping[str, object],
    consignment: Consignment,
) -> Draft:
    """All that is kept of a version."""
    from service.store.reports import Draft, Stored, instant, output

    report = outcome.report
    if outcome.sr is None:
        raise Disagreement(Problem("", "sr", "the SR has no identity"))
    made = [output(ROLES[name], emitted.media_type, emitted.content) for name, emitted in outcome.outputs.items()]
    made.extend(documents)
    # What is made for one destination is not for everybody to fetch.
    for_all = [*made, *(one for one in consignment.outputs if "@" not in one.role)]
    received = store.now()
    here = f"/v1/reports/{identity}"
    deliveries = [{"id": one.id, **_would(one), "href": f"/v1/deliveries/{one.id}"} for one in consignment.planned]
    more = {
        "id": identity,
        "received": received,
        "outputs": [
            {
                "role": one.role,
                "mediaType": one.media_type,
                "bytes": len(one.content),
                "sha256": one.sha256,
                "href": f"{here}/{one.role}",
            }
            for one in for_all
        ],
        **_routed(consignment),
        **({"deliveries": deliveries} if deliveries else {}),
        "links": {
            "self": here,
            "versions": f"{here}/versions",
            "deliveries": f"{here}/deliveries",
            **{one.role: f"{here}/{one.role}" for one in for_all},
        },
        **overlays,
    }
    stored = Stored(
        id=identity,
        sender=report.sender,
        report_id=report.id,
        version=report.version,
        status=str(report.status),
        issued=instant(report.issued.text),
        received=received,
        digest=digest,
        sr=outcome.sr,
        receipt=_receipt(outcome, more),
    )
    issuer = report.patient.issuer.key if report.patient.issuer else None
    accession_issuer = report.study.accession_issuer.key if report.study.accession_issuer else None
    return Draft(
        stored,
        tuple(made),
        patient_id=report.patient.id,
        patient_issuer=issuer,
        accession=report.study.accession,
        key=key,
        predecessor=previous.id if previous else None,
        accession_issuer=accession_issuer,
        consignment=consignment,
    )


def _routed(consignment: Consignment | None) -> dict[str, object]:
    """The rule that chose the destinations, for the receipt."""
    return {"route": consignment.route} if consignment is not None and consignment.route else {}


def _would(planned: Planned) -> dict[str, object]:
    """What a receipt says of a delivery."""
    said: dict[str, object] = {"destination": planned.destination, "format": planned.format, "role": planned.role}
    return {**said, "dryRun": True} if planned.dry_run else said


def _digest(report: LesionReport, options: Options, amendment: Amendment | None = None) -> str:
    """Of what was said and asked for; how the JSON was laid out does not count, and neither does a check.

    It is kept for as long as the report is. Only options that were said are in it: one that a later version of the
    service brings must not make the replay of an older report a conflict.
    """
    defaults = asdict(Options())
    asked = {name: value for name, value in asdict(replace(options, check=False)).items() if value != defaults[name]}
    said = findings.write(report) if amendment is None else orjson.dumps(amendment.asked)
    return sha256(said + orjson.dumps(asked, option=orjson.OPT_SORT_KEYS)).hexdigest()


def _previous(report: LesionReport, store: Store) -> Stored | None:
    """The stored version that this one follows."""
    return store.newest_before(report.sender, report.id, report.version)


def _vocabulary(source: Source, sender: str, store: Store | None) -> tuple[Vocabulary, dict[str, object]]:
    """The tables behind the overlays of a sender, and what a receipt says of those.

    Whatever is kept is coded with the overlays of this moment; a conversion may miss an upload for a second.
    """
    if source.site is None:
        return tables(source.issuers_file).asking(source.remote), {}
    uploads = source.uploads if store is None else store.overlays
    found, names = source.site.of(sender, uploads, now=store is not None)
    return found.asking(source.remote), {"overlays": list(names)} if names else {}


def _following(report: LesionReport, previous: Stored | None) -> LesionReport:
    """The report naming the SR it replaces (PS3.3 C.17.2), unless the sender named one."""
    if previous is None or report.predecessor is not None:
        return report
    at = previous.sr
    return replace(report, predecessor=Predecessor(at.sop_instance, at.series, at.sop_class, at.study))


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


def _receipt(outcome: Outcome, more: Mapping[str, object]) -> bytes:
    """The receipt's bytes."""
    if outcome.sr is None:
        raise Disagreement(Problem("", "sr", "the SR has no identity"))
    made = receipt(outcome.report, outcome.losses, outcome.sr, checks=outcome.checks)
    return orjson.dumps(
        {"verdict": made.pop("verdict"), **more, **made}, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE
    )
