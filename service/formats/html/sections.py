"""The sections of a report, in the order a clinician reads them; page and narrative show the same ones."""

from collections.abc import Iterator
from typing import NamedTuple

from service.coding.negation import DENYING
from service.domain.codes import CodedTerm
from service.domain.loss import LossKind
from service.domain.report import CodedReport, Comparison, Device, Lesion, Person
from service.formats.html.images import key_images
from service.formats.html.phrases import Say, english
from service.formats.html.terms import (
    count,
    evaluations,
    has_joined_axes,
    listed,
    other_measurements,
    site,
    sizes,
    term,
    terms,
    time_point,
)
from service.formats.html.text import block, inline, spoken_name, when

_KINDS = {
    LossKind.SKIPPED: "left out",
    LossKind.LOST: "lost",
    LossKind.UNCODED: "not coded",
    LossKind.FLAGGED: "doubtful",
}


class Section(NamedTuple):
    """A titled part; ``key`` is its class."""

    key: str
    title: str
    markup: str


def sections(report: CodedReport, say: Say = english) -> Iterator[Section]:
    """Every section that has something to say, impression first."""
    for section in (
        Section("impression", "Impression", _impression(report, say)),
        Section("lesions", "Lesions", _lesions(report, say)),
        Section("findings", "Findings", block(report.findings, report.language) if report.findings else ""),
        Section("absent", "Absent", listed([term(item, say) for item in report.negatives])),
        Section("report-level", "Whole study", _paragraph(evaluations(report.evaluations, say))),
        Section("comparison", "Comparison", listed([_comparison(item, say) for item in report.study.comparisons])),
        Section("technique", "Technique", _paragraph(terms(report.study.technique, say=say))),
        Section("images", "Key images", key_images(report, say)),
        Section("observers", "Observers", listed(list(_observers(report, say)))),
        Section("losses", "Not carried over whole", _losses(report, say)),
    ):
        if section.markup:
            yield Section(section.key, say(section.title), section.markup)


def _paragraph(markup: str) -> str:
    return f"<p>{markup}</p>" if markup else ""


def _impression(report: CodedReport, say: Say) -> str:
    parts = [block(report.impression, report.language)] if report.impression else []
    if report.conclusions:
        parts.append(f'<p><span class="k">{say("Conclusion:")}</span> {terms(report.conclusions, say=say)}</p>')
    if report.differential:
        items = [term(item, say) for item in report.differential]
        parts.append(f'<p class="k">{say("Differential diagnosis, most likely first:")}</p>{listed(items, "ol")}')
    return "".join(parts)


def _lesions(report: CodedReport, say: Say) -> str:
    if not report.lesions:
        told = report.findings or report.impression or report.conclusions or report.evaluations or report.differential
        # Words of the report may tell of one: what stands nowhere alone was not denied.
        return f"<p>{say('No lesion is listed separately.' if told else 'No lesion is reported.')}</p>"
    rows = [_lesion(lesion, report.language, say) for lesion in report.lesions]
    columns = [name for name in rows[0] if any(row[name] for row in rows)]
    joined = any(has_joined_axes(lesion) for lesion in report.lesions)
    axes = f" <small>{say('long × short axis')}</small>" if joined else ""
    titles = [say(name) + (axes if name == "Size" else "") for name in columns]
    head = "".join(f'<th scope="col">{title}</th>' for title in titles)
    body = []
    for row in rows:
        cells = "".join(f'<td class="{name.lower()}">{row[name]}</td>' for name in columns[1:])
        body.append(f'<tr><th scope="row">{row["Lesion"]}</th>{cells}</tr>')
    return f'<table class="lesions"><thead><tr>{head}</tr></thead><tbody>{"".join(body)}</tbody></table>'


def _lesion(lesion: Lesion[CodedTerm], language: str, say: Say) -> dict[str, str]:
    """One row, by column."""
    finding = [f"<b>{term(lesion.finding, say)}</b>"]
    if lesion.category is not None:
        finding.append(term(lesion.category, say))
    if lesion.count is not None:
        finding.append(count(lesion, say))
    if lesion.certainty is not None and lesion.certainty.concept in DENYING:
        # Nobody may read as found what is said not to be there: the denial comes first.
        finding[0] = f"<b>{term(lesion.certainty, say)}:</b> {term(lesion.finding, say)}"
    elif lesion.certainty is not None:
        finding.append(f'<span class="k">{say("certainty:")}</span> {term(lesion.certainty, say)}')
    described = [evaluations(lesion.evaluations, say), other_measurements(lesion, say)]
    if lesion.time_point is not None:
        described.append(time_point(lesion.time_point, say))
    text = block(lesion.text, language) if lesion.text else ""
    return {
        "Lesion": inline(lesion.id),
        "Finding": "<br/>".join(finding),
        "Site": site(lesion, say),
        "Size": sizes(lesion, say),
        "Change": f"<b>{term(lesion.change, say)}</b>" if lesion.change is not None else "",
        "Description": "; ".join(filter(None, described)) + text,
    }


def _comparison(item: Comparison[CodedTerm], say: Say) -> str:
    said = [when(item.started)] if item.started is not None else []
    if item.modality is not None:
        said.append(term(item.modality, say))
    if item.description:
        said.append(inline(item.description))
    if item.accession:
        said.append(f"{say('accession')} {inline(item.accession)}")
    return f"{', '.join(said) or say('study')} <small>{item.uid}</small>"


def _observers(report: CodedReport, say: Say) -> Iterator[str]:
    for observer in report.observers:
        if observer.device is not None:
            yield _device(observer.device, say)
        if observer.person is not None:
            yield person(observer.person, say)


def _device(device: Device, say: Say) -> str:
    name = inline(device.name) + (f" {inline(device.version)}" if device.version else "")
    more = [inline(part) for part in (device.manufacturer, device.model) if part]
    if device.algorithm:
        more.append(f"{say('algorithm')} {inline(device.algorithm)}")
    if device.uid:
        more.append(f"<small>{inline(device.uid)}</small>")
    return ", ".join([f"{name} ({say('device')})", *more])


def person(who: Person[CodedTerm], say: Say = english) -> str:
    """A physician with role, organization, id, and when this person verified the report."""
    parts = [spoken_name(who.name)]
    if who.role is not None:
        parts.append(term(who.role, say))
    if who.organization:
        parts.append(inline(who.organization))
    if who.id:
        parts.append(f"{say('id')} {inline(who.id)}")
    if who.verified_at is not None:
        parts.append(f"{say('verified')} {when(who.verified_at)}")
    return ", ".join(parts)


def _losses(report: CodedReport, say: Say) -> str:
    items = []
    for loss in report.losses:
        hint = f" {say('Did you mean')} {inline(' / '.join(loss.suggestions))}?" if loss.suggestions else ""
        where = f" <small>{inline(loss.where)}</small>" if loss.where else ""
        items.append(f"<b>{say(_KINDS[loss.kind])}:</b> {inline(loss.what)}. {inline(loss.why)}{hint}{where}")
    return listed(items)
