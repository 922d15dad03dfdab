"""The key images of a report and what is drawn on them: references to look up in the archive, coordinates left out."""

from collections.abc import Iterator
from typing import NamedTuple

from service.domain.codes import CodedTerm
from service.domain.geometry import Graphic, ImageReference, LesionImage, Region2D, Region3D
from service.domain.report import CodedReport, Lesion, Measurement
from service.formats.html.phrases import Say, english
from service.formats.html.terms import term
from service.formats.html.text import inline


class _Row(NamedTuple):
    """One line: whose, which image or place, what is shown there."""

    owner: str
    where: str
    shown: str = ""


def key_images(report: CodedReport, say: Say = english) -> str:
    """A table of the images, segments and places in space that show the lesions, and of the study's further images."""
    common = _common_series(report)
    rows = [row for lesion in report.lesions for row in _of_lesion(lesion, common, say)]
    rows += [_Row(say("study"), _reference(image, common, say)) for image in report.study.images]
    if not rows:
        return ""
    names = ("Lesion", "Image", "Shown") if any(row.shown for row in rows) else ("Lesion", "Image")
    titles = {name: say(name) for name in names}
    if common is not None:
        titles["Image"] = say("Image of series {}").format(common)
    head = "".join(f'<th scope="col">{title}</th>' for title in titles.values())
    body = []
    for row in rows:
        cells = "".join(f"<td>{cell}</td>" for cell in row[1 : len(names)])
        body.append(f'<tr><th scope="row">{row.owner}</th>{cells}</tr>')
    return f'<table class="references"><thead><tr>{head}</tr></thead><tbody>{"".join(body)}</tbody></table>'


def _common_series(report: CodedReport) -> str | None:
    """The one series of all images, so that it need not stand at each; None where there are several or none."""
    images = [shown.image for lesion in report.lesions for shown in lesion.images] + list(report.study.images)
    series = {(image.series, image.study) for image in images}
    return images[0].series if len(series) == 1 and images[0].study is None else None


def _of_lesion(lesion: Lesion[CodedTerm], common: str | None, say: Say) -> Iterator[_Row]:
    name = inline(lesion.id)
    measured: dict[str, list[Measurement[CodedTerm]]] = {}
    for item in lesion.measurements:
        if item.image is not None:
            measured.setdefault(item.image, []).append(item)
    for shown in lesion.images:
        drawn = [region.measurement for region in shown.regions]
        found = [item for item in measured.pop(shown.image.sop_instance, ()) if item.concept not in drawn]
        yield _Row(name, _reference(shown.image, common, say), "; ".join([*_drawn(shown, say), *_measured(found, say)]))
    for uid, found in measured.items():
        yield _Row(name, f"<code>{inline(uid)}</code>", "; ".join(_measured(found, say)))
    if lesion.regions3d:
        frames = sorted({region.frame_of_reference for region in lesion.regions3d})
        where = "<br/>".join(f"{say('frame of reference')} <code>{uid}</code>" for uid in frames)
        shapes = [f"{_of_points(region, say)} {say('in space')}" for region in lesion.regions3d]
        yield _Row(name, where, "; ".join(shapes))
    if lesion.segment is not None:
        segment = lesion.segment
        made = f", {say('made from series')} <code>{segment.source_series}</code>" if segment.source_series else ""
        where = f"<code>{segment.sop_instance}</code> <small>{say('series')} {segment.series}</small>"
        yield _Row(name, where, f"{say('segment')} {segment.number}{made}")


def _drawn(shown: LesionImage[CodedTerm], say: Say) -> Iterator[str]:
    for region in shown.regions:
        polygon = region.graphic is Graphic.POLYGON
        shape = _of_points(region, say) if polygon else say(str(region.graphic))
        yield shape if region.measurement is None else f"{shape}: {term(region.measurement, say)}"


def _measured(items: list[Measurement[CodedTerm]], say: Say) -> Iterator[str]:
    return (say("{} measured here").format(term(item.concept, say)) for item in items)


def _reference(image: ImageReference, common: str | None, say: Say) -> str:
    where = f"<code>{image.sop_instance}</code>"
    if image.frames:
        where += f", {say('frames' if len(image.frames) > 1 else 'frame')} {', '.join(map(str, image.frames))}"
    if common is None:
        study = f", {say('study')} {image.study}" if image.study is not None else ""
        where += f" <small>{say('series')} {image.series}{study}</small>"
    return where


def _of_points(region: Region2D[CodedTerm] | Region3D, say: Say) -> str:
    number, shape = len(region.points), say(str(region.graphic))
    return say("{} of 1 point").format(shape) if number == 1 else say("{} of {} points").format(shape, number)
