"""The codes behind the words, for whoever wants to see them: shown on demand, never in the way of reading."""

from collections.abc import Iterator

from service.domain.codes import CodedTerm, Resolution
from service.domain.report import CodedReport, Evaluation, Lesion, Measurement, Observer, Study
from service.formats.html.phrases import Say, english
from service.formats.html.text import inline

_HOW = {
    Resolution.KEY: "key",
    Resolution.EXACT: "label",
    Resolution.SYNONYM: "synonym",
    Resolution.VARIANT: "spelling",
    Resolution.CODE: "code",
    Resolution.LOCAL: "local map",
    Resolution.REMOTE: "terminology server",
    Resolution.GIVEN: "sender's own code",
    Resolution.TEXT: "not coded",
}
Placed = tuple[str, CodedTerm | None]


def code_table(report: CodedReport, say: Say = english) -> str:
    """A table of every coded place of the report: words, codes in the order they are emitted, how they were found."""
    bodies = [_body(say("Report"), _of_report(report), say)]
    bodies += [
        _body(say("Lesion {}").format(lesion.id), _of_lesion(lesion), say, lesion.tracking_uid)
        for lesion in report.lesions
    ]
    head = "".join(f'<th scope="col">{say(name)}</th>' for name in ("What", "Words", "Codes", "Found by"))
    return f'<table class="codes"><thead><tr>{head}</tr></thead>{"".join(bodies)}</table>'


def _body(title: str, rows: Iterator[Placed], say: Say, tracking_uid: str | None = None) -> str:
    tracked = f" <small>{say('tracking UID')} {tracking_uid}</small>" if tracking_uid else ""
    head = f'<tr><th scope="rowgroup" colspan="4">{inline(title)}{tracked}</th></tr>'
    return f"<tbody>{head}{''.join(_row(say(place), item, say) for place, item in rows if item is not None)}</tbody>"


def _row(place: str, item: CodedTerm, say: Say) -> str:
    words = inline(item.text)
    if item.said and item.said != item.text:
        words += f" <small>({say('said')}: {inline(item.said)})</small>"
    codes = "<br/>".join(
        f"<code>{inline(code.system)} {inline(code.code)}</code> {inline(code.display)}" for code in item.codes
    )
    if item.broader:
        codes += f" <small>({say('says less than the words')})</small>"
    cells = "".join(f"<td>{cell}</td>" for cell in (words, codes or say("none"), say(_HOW[item.resolution])))
    return f'<tr><th scope="row">{place}</th>{cells}</tr>'


def _of_report(report: CodedReport) -> Iterator[Placed]:
    yield from _of_study(report.study)
    for observer in report.observers:
        yield from _of_observer(observer)
    for place, items in (
        ("Conclusion", report.conclusions),
        ("Differential", report.differential),
        ("Absent", report.negatives),
    ):
        for item in items:
            yield place, item
    for evaluation in report.evaluations:
        yield from _of_evaluation(evaluation)


def _of_study(study: Study[CodedTerm]) -> Iterator[Placed]:
    yield "Modality", study.modality
    for item in study.procedures:
        yield "Procedure", item
    for item in study.technique:
        yield "Technique", item
    for comparison in study.comparisons:
        yield "Compared modality", comparison.modality
    if study.referring_physician is not None:
        yield "Role of referrer", study.referring_physician.role


def _of_observer(observer: Observer[CodedTerm]) -> Iterator[Placed]:
    if observer.person is not None:
        yield "Role of observer", observer.person.role


def _of_lesion(lesion: Lesion[CodedTerm]) -> Iterator[Placed]:
    yield "Finding", lesion.finding
    yield "Category", lesion.category
    yield "Site", lesion.site
    yield "Side", lesion.laterality
    yield "Topography", lesion.topography
    yield "Certainty", lesion.certainty
    yield "Change", lesion.change
    if lesion.time_point is not None:
        yield "Time point", lesion.time_point.type
    for measurement in lesion.measurements:
        yield from _of_measurement(measurement)
    for evaluation in lesion.evaluations:
        yield from _of_evaluation(evaluation)


def _of_measurement(item: Measurement[CodedTerm]) -> Iterator[Placed]:
    yield "Measurement", item.concept
    yield "its unit", item.unit
    yield "its method", item.method
    yield "its derivation", item.derivation


def _of_evaluation(item: Evaluation[CodedTerm]) -> Iterator[Placed]:
    yield "Descriptor", item.name
    yield "its value", item.value
