"""The XHTML of a FHIR DiagnosticReport's text: the basic formatting elements only (FHIR R4, txt-1, txt-2)."""

from service.domain.report import CodedReport
from service.formats.html import header
from service.formats.html.phrases import note, shown
from service.formats.html.sections import sections
from service.formats.html.text import clean, language_attributes

XHTML = "http://www.w3.org/1999/xhtml"


def narrative(report: CodedReport, language: str = "") -> str:
    """The report as one well-formed XHTML ``div``: no style sheet, no reference to anything outside, nothing active.

    It states every fact but the coordinates of shapes and the codes, which the resources carry.
    ``language`` is that of the headings and labels where it is not the report's.
    """
    page = shown(report, language)
    report, say = page.report, page.say
    parts = [f'<div xmlns="{XHTML}"{language_attributes(language or report.language)}>']
    notice = header.notice(report, say)
    if notice:
        parts.append(f"<p>{notice}</p>")
    parts.append(f"<h2>{header.procedures(report, say)}</h2><table><tbody>")
    rows = [(say("Patient"), header.patient_name(report, say)), *header.patient_rows(report, say)]
    for label, markup in (*rows, *header.study_rows(report, say), *header.report_rows(report, say)):
        parts.append(f'<tr><th scope="row">{label}</th><td>{markup}</td></tr>')
    parts.append("</tbody></table>")
    parts.extend(f"<h3>{section.title}</h3>{section.markup}" for section in sections(report, say))
    drafts = note(page)
    if drafts:
        parts.append(f"<p><small>{drafts}</small></p>")
    parts.append(f"<p><small>{header.origin(report, say)}</small></p></div>")
    return clean("".join(parts))
