"""The report as one page: nothing outside is asked for, nothing in it runs, and an ordinary one prints on one sheet."""

from base64 import b64encode
from collections.abc import Sequence
from functools import cache
from hashlib import sha256
from importlib.resources import files

from service.domain.received import OutlineItem
from service.domain.report import CodedReport, Status
from service.formats.html import header
from service.formats.html.codes import code_table
from service.formats.html.outline import received
from service.formats.html.phrases import Shown, note, shown
from service.formats.html.sections import sections
from service.formats.html.text import attribute, clean, language_attributes

_GRAVE = {Status.PRELIMINARY, Status.CANCELLED, Status.ENTERED_IN_ERROR}


def page(report: CodedReport, outline: Sequence[OutlineItem] = (), language: str = "") -> str:
    """The report as a whole HTML document, header and impression first, codes on demand.

    ``outline`` is what the document held that the report came as, where that is more than a report can hold,
    ``language`` that of the page where it is not the report's.
    """
    seen = shown(report, language)
    report, say = seen.report, seen.say
    parts = [_head(seen), f'<body class="{report.status.value}"><main>']
    notice = header.notice(report, say)
    if notice:
        grave = " grave" if report.status in _GRAVE else ""
        parts.append(f'<p class="notice{grave}" role="status">{notice}</p>')
    parts.append(_banner(seen))
    parts.extend(
        f'<section class="{section.key}" aria-labelledby="{section.key}">'
        f'<h2 id="{section.key}">{section.title}</h2>{section.markup}</section>'
        for section in sections(report, say)
    )
    drafts = f"<p>{text}</p>" if (text := note(seen)) else ""
    parts.append(
        f"<details><summary>{say('Codes and identifiers')}</summary>"
        f"<p>{say('Study')} <code>{report.study.uid}</code></p>{code_table(report, say)}</details>"
        f"{received(outline, say)}</main><footer>{drafts}<p>{header.origin(report, say)}</p></footer></body></html>\n"
    )
    return clean("".join(parts))


def _banner(seen: Shown) -> str:
    report, say = seen.report, seen.say
    blocks = (header.patient_rows(report, say), header.study_rows(report, say), header.report_rows(report, say))
    lists = ""
    for rows in blocks:
        lists += f"<dl>{''.join(f'<div><dt>{name}</dt><dd>{markup}</dd></div>' for name, markup in rows)}</dl>"
    return (
        f'<header><p class="patient"><bdi>{header.patient_name(report, say)}</bdi></p>'
        f"<h1>{header.procedures(report, say)}</h1>{lists}</header>"
    )


def _head(seen: Shown) -> str:
    style, digest = _style()
    title = attribute(f"{seen.say('Lesion report')} {seen.report.id}")
    # The title stands in the browser's history and on top of a printed sheet: it names the report, not the patient.
    return (
        f'<!DOCTYPE html>\n<html{language_attributes(seen.language)}><head><meta charset="utf-8"/>'
        f"<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'sha256-{digest}'; "
        "base-uri 'none'; form-action 'none'\"/>"
        '<meta name="viewport" content="width=device-width, initial-scale=1"/>'
        '<meta name="color-scheme" content="light dark"/><meta name="referrer" content="no-referrer"/>'
        f'<meta name="generator" content="LesionBridge"/><title>{title}</title>'
        f"<style>{style}</style></head>"
    )


@cache
def _style() -> tuple[str, str]:
    """The style sheet and its hash, by which alone the page's policy admits it (CSP 3, 2.3.1)."""
    style = files("service.formats.html").joinpath("page.css").read_text(encoding="utf-8")
    return style, b64encode(sha256(style.encode()).digest()).decode()
