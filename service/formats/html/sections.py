"""The sections of a report, in the order a clinician reads them; page and narrative show the same ones."""

from collections.abc import Iterator
from typing import NamedTuple

from service.domain.codes import CodedTerm
from service.domain.loss import LossKind
from service.domain.report import CodedReport, Comparison, Device, Lesion, Person
from service.formats.html.images import key_images
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


def sections(report: CodedReport) -> Iterator[Section]:
    """Every section that has something to say, impression first."""
    for section in (
        Section("impression", "Impression", _impression(report)),
        Section("lesions", "Lesions", _lesions(report)),
        Section("findings", "Findings", block(report.findings, report.language) if report.findings else ""),
        Section("absent", "Absent", listed([term(item) for item in report.negatives])),
        Section("report-level", "Whole study", _paragraph(evaluations(report.evaluations))),
        Section("comparison", "Comparison", listed([_comparison(item) for item in report.study.comparisons])),
        Section("technique", "Technique", _paragraph(terms(report.study.technique))),
        Section("images", "Key images", key_images(report)),
        Section("observers", "Observers", listed(list(_observers(report)))),
        Section("losses", "Not carried over whole", _losses(report)),
    ):
        if section.markup:
            yield section


def _paragraph(markup: str) -> str:
    return f"<p>{markup}</p>" if markup else ""


def _impression(report: CodedReport) -> str:
    parts = [block(report.impression, report.language)] if report.impression else []
    if report.conclusions:
        parts.append(f'<p><span class="k">Conclusion:</span> {terms(report.conclusions)}</p>')
    if report.differential:
        items = [term(item) for item in report.differential]
        parts.append(f'<p class="k">Differential diagnosis, most likely first:</p>{listed(items, "ol")}')
    return "".join(parts)


def _lesions(report: CodedReport) -> str:
    if not report.lesions:
        return "<p>No lesion is reported.</p>"
    rows = [_lesion(lesion, report.language) for lesion in report.lesions]
    columns = [name for name in rows[0] if any(row[name] for row in rows)]
    joined = any(has_joined_axes(lesion) for lesion in report.lesions)
    titles = [name + (" <small>long × short axis</small>" if name == "Size" and joined else "") for name in columns]
    head = "".join(f'<th scope="col">{title}</th>' for title in titles)
    body = []
    for row in rows:
        cells = "".join(f'<td class="{name.lower()}">{row[name]}</td>' for name in columns[1:])
        body.append(f'<tr><th scope="row">{row["Lesion"]}</th>{cells}</tr>')
    return f'<table class="lesions"><thead><tr>{head}</tr></thead><tbody>{"".join(body)}</tbody></table>'


def _lesion(lesion: Lesion[CodedTerm], language: str) -> dict[str, str]:
    """One row, by column."""
    finding = [f"<b>{term(lesion.finding)}</b>"]
    if lesion.category is not None:
        finding.append(term(lesion.category))
    if lesion.count is not None:
        finding.append(count(lesion))
    if lesion.certainty is not None:
        finding.append(f'<span class="k">certainty:</span> {term(lesion.certainty)}')
    described = [evaluations(lesion.evaluations), other_measurements(lesion)]
    if lesion.time_point is not None:
        described.append(time_point(lesion.time_point))
    text = block(lesion.text, language) if lesion.text else ""
    return {
        "Lesion": inline(lesion.id),
        "Finding": "<br/>".join(finding),
        "Site": site(lesion),
        "Size": sizes(lesion),
        "Change": f"<b>{term(lesion.change)}</b>" if lesion.change is not None else "",
        "Description": "; ".join(filter(None, described)) + text,
    }


def _comparison(item: Comparison[CodedTerm]) -> str:
    said = [when(item.started)] if item.started is not None else []
    if item.modality is not None:
        said.append(term(item.modality))
    if item.description:
        said.append(inline(item.description))
    if item.accession:
        said.append(f"accession {inline(item.accession)}")
    return f"{', '.join(said) or 'study'} <small>{item.uid}</small>"


def _observers(report: CodedReport) -> Iterator[str]:
    for observer in report.observers:
        if observer.device is not None:
            yield _device(observer.device)
        if observer.person is not None:
            yield person(observer.person)


def _device(device: Device) -> str:
    name = inline(device.name) + (f" {inline(device.version)}" if device.version else "")
    more = [inline(part) for part in (device.manufacturer, device.model) if part]
    if device.algorithm:
        more.append(f"algorithm {inline(device.algorithm)}")
    if device.uid:
        more.append(f"<small>{inline(device.uid)}</small>")
    return ", ".join([f"{name} (device)", *more])


def person(who: Person[CodedTerm]) -> str:
    """A physician with role, organization, id, and when this person verified the report."""
    parts = [spoken_name(who.name)]
    if who.role is not None:
        parts.append(term(who.role))
    if who.organization:
        parts.append(inline(who.organization))
    if who.id:
        parts.append(f"id {inline(who.id)}")
    if who.verified_at is not None:
        parts.append(f"verified {when(who.verified_at)}")
    return ", ".join(parts)


def _losses(report: CodedReport) -> str:
    items = []
    for loss in report.losses:
        hint = f" Did you mean {inline(' / '.join(loss.suggestions))}?" if loss.suggestions else ""
        where = f" <small>{inline(loss.where)}</small>" if loss.where else ""
        items.append(f"<b>{_KINDS[loss.kind]}:</b> {inline(loss.what)}. {inline(loss.why)}{hint}{where}")
    return listed(items)
