"""Whether a Basic Text SR says in words what the report says: each text of the report is looked for in the document."""

from collections.abc import Iterator

from service.check.values import Fact
from service.domain.codes import CodedTerm
from service.domain.report import CodedReport, Lesion
from service.formats.sr.decode import decode_file

_BASIC_TEXT = b"1.2.840.10008.5.1.4.1.1.88.11"
_META = 400  # bytes that hold the file meta information of ours


def is_text(content: bytes) -> bool:
    """Whether an SR of ours is a Basic Text SR."""
    return _BASIC_TEXT in content[:_META]


def unsaid(report: CodedReport, content: bytes) -> Iterator[Fact]:
    """What the report says and the document does not; raises ValueError for bytes that are none of ours."""
    elements, root = decode_file(content)
    for place, said, key in (
        ("patient/id", report.patient.id, "PatientID"),
        ("study/uid", report.study.uid, "StudyInstanceUID"),
    ):
        if elements[key] != said:
            yield Fact(place, said)
    texts = [item.value for item in root.walk() if item.value_type == "TEXT"]
    whole = "\n".join(texts)
    for place, words in _statements(report):
        if _plain(words) not in _plain(whole):
            yield Fact(place, words)
    for lesion in report.lesions:
        own = next((text for text in texts if text.startswith(f"{lesion.id}: ")), "")
        for place, words in _of_lesion(lesion):
            if _plain(words) not in _plain(own):
                yield Fact(f"lesion/{lesion.tracking_uid}/{place}", words)


def _plain(text: str) -> str:
    """Without what a DICOM text changes: line ends, and characters that it does not hold."""
    return " ".join("".join(sign if sign.isprintable() else " " for sign in text).replace("\ufffd", " ").split())


def _statements(report: CodedReport) -> Iterator[tuple[str, str]]:
    for place, text in (("findings", report.findings), ("impression", report.impression)):
        if text is not None:
            yield place, text
    for place, terms in (
        ("study/procedure", report.study.procedures),
        ("technique", report.study.technique),
        ("conclusion", report.conclusions),
        ("differential", report.differential),
        ("negative", report.negatives),
    ):
        for term in terms:
            yield place, term.text
    for said in report.evaluations:
        yield "evaluation", f"{said.name.text}: {said.value.text}"


def _of_lesion(lesion: Lesion[CodedTerm]) -> Iterator[tuple[str, str]]:
    named = (
        *(("finding", lesion.finding), ("site", lesion.site), ("laterality", lesion.laterality)),
        *(("topography", lesion.topography), ("category", lesion.category)),
        *(("certainty", lesion.certainty), ("change", lesion.change)),
    )
    for place, term in named:
        if term is not None:
            yield place, term.text
    for one in lesion.measurements:
        yield "measurement", f"{one.concept.text} {one.value} {one.unit.text}"
    for said in lesion.evaluations:
        yield "evaluation", f"{said.name.text}: {said.value.text}"
    if lesion.text is not None:
        yield "text", lesion.text
