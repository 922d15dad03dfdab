"""What the OBX segments of a message say: text by its section, coded answers and numbers by what their names mean."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Final

from service.coding import vocabulary
from service.coding.words import fold
from service.domain.codes import Term
from service.domain.limits import Limits
from service.domain.loss import Loss, LossKind
from service.domain.report import Evaluation, Lesion
from service.domain.uids import is_uid
from service.formats.hl7v2 import values
from service.formats.hl7v2.lesions import Draft, denies
from service.formats.hl7v2.message import Components, Segment, part
from service.formats.hl7v2.names import CODED, TERMS, TEXTS, concepts_of, device_member, role_of
from service.formats.hl7v2.tables import result_code

_SUFFIXES: Final = {"GDT": "findings", "IMP": "impression"}
"""Suffixes of an observation id that name a section of a report (HL7 v2.5.1, 7.2.4)."""
_IMPRESSION: Final = re.compile(r"\s*(?:IMPRESSIONS?|CONCLUSIONS?)\s*:?\s*", re.IGNORECASE)
_LESION: Final = re.compile(r"([1-9][0-9]{0,5})(?:\.([1-9][0-9]{0,5}))?")
_DEVICE: Final = re.compile(r"D[1-9][0-9]{0,3}")
_NEGATIVE: Final = re.compile(r"N[1-9][0-9]{0,3}")
_DAY: Final = len("20260302")
_FIELDS_MOST: Final = 64
"""More fields than an OBX has."""
_NEVER_RESULTS: Final[Mapping[str, str]] = {
    "D": "it is deleted (OBX-11 D)",
    "N": "it was not asked for (OBX-11 N)",
    "O": "it says what was ordered, no result (OBX-11 O)",
}
_NO_RESULTS: Final[Mapping[str, str]] = {
    "W": "it was wrong (OBX-11 W)",
    "X": "no result of it was obtained (OBX-11 X)",
}
"""Of single results; where all are so, the report is withdrawn or cancelled."""
_NOTED: Final[Mapping[str, str]] = {
    "PID": "Note on the patient",
    "ORC": "Note on the order",
    "OBR": "Note on the order",
    "SPM": "Note on the specimen",
}
"""What notes behind a segment are of (7.3.1): what was asked is no finding."""
Place = tuple[int, int]
"""The number of an order, and that of a lesion within it: the sub-id, 0 where it is none."""


@dataclass(slots=True)
class Content:
    """What was found; texts are lines joined again."""

    findings: str | None = None
    impression: str | None = None
    study_uid: str = ""
    modality: Term | None = None
    procedures: list[Term] = field(default_factory=list)
    technique: list[Term] = field(default_factory=list)
    conclusions: list[Term] = field(default_factory=list)
    differential: list[Term] = field(default_factory=list)
    negatives: list[Term] = field(default_factory=list)
    evaluations: list[Evaluation[Term]] = field(default_factory=list)
    devices: dict[str, dict[str, str]] = field(default_factory=dict)
    lesions: list[Lesion[Term]] = field(default_factory=list)
    statuses: list[str] = field(default_factory=list)


def content_of(segments: Sequence[Segment], losses: list[Loss], limits: Limits, *, ours: bool = False) -> Content:
    """All that the OBX and the notes of a message say; what they say beyond a report is put on ``losses``.

    A sub-id is one within its order (OBR), and what is no result is left out with the notes behind it: deleted, not
    asked for, ordered only; wrong or not obtained, where other results stand (OBX-11, table 0085).
    """
    reader = _Reader(losses, limits, ours=ours)
    for one in segments:
        if one.name == "OBR":
            reader.procedures |= {fold(text) for text in (one.text(4), one.text(4, 2), one.text(4, 5)) if text}
    codes = {result_code(one.text(11)) for one in segments if one.name == "OBX"} - {*_NEVER_RESULTS}
    no_results = _NEVER_RESULTS if len(codes) <= 1 else {**_NEVER_RESULTS, **_NO_RESULTS}
    lesions = {place for place, one in _placed(segments) if _begins_lesion(one)}
    denied = {place for place, one in _placed(segments) if place in lesions and denies(one)}
    before = _before(segments)
    for place, one in _placed(segments):
        if one.name == "OBX":
            code = result_code(one.text(11))
            if code in no_results:
                reader.leave(one, no_results[code], "v2-deleted" if code == "D" else "v2-no-result")
            elif place in denied:
                reader.leave(one, "the finding is interpreted as not there (OBX-8)", "v2-denied")
            elif one.number in before:
                reader.leave(one, before[one.number], "v2-other-time")
            else:
                reader.take(one, place, place in lesions)
        elif one.name == "NTE":
            reader.note(one)
        elif one.name in _NOTED:
            reader.noted = _NOTED[one.name]
    return reader.done()


def _placed(segments: Iterable[Segment]) -> Iterator[tuple[Place, Segment]]:
    """The segments with the number of their order, and of the lesion that their sub-id may be one of."""
    order = 0
    for one in segments:
        order += one.name == "OBR"
        match = _LESION.fullmatch(one.text(4)) if one.name == "OBX" else None
        yield (order, int(match[1]) if match is not None else 0), one


def _before(segments: Iterable[Segment]) -> Mapping[int, str]:
    """Why answers and numbers are of an earlier study, by their OBX: a day before the order's (OBX-14, OBR-7).

    Where all are, it is the order that has another time, and not they.
    """
    day, found, number = "", {}, 0
    for one in segments:
        if one.name == "OBR":
            day = one.text(7)[:_DAY]
        elif one.name == "OBX" and one.text(2) not in TEXTS:
            own, number = one.text(14)[:_DAY], number + 1
            one.read.discard(14)  # it is listed where it is another time of this study
            if len(own) == len(day) == _DAY and own < day:
                found[one.number] = "it is of a day before the study (OBX-14): what stood then is not what stands now"
    return found if len(found) < number else {}


def _begins_lesion(segment: Segment) -> bool:
    if segment.name != "OBX" or _LESION.fullmatch(segment.text(4)) is None:
        return False
    return role_of(concepts_of(values.term(segment.components(3), ""))) in ("id", "finding")


class _Reader:
    """Takes one OBX after the other."""

    def __init__(self, losses: list[Loss], limits: Limits, *, ours: bool) -> None:
        self.losses, self.limits, self.ours = losses, limits, ours
        self.content = Content()
        self.lines: dict[str, list[str]] = {"findings": [], "impression": []}
        self.section, self.named = "findings", ""
        self.heading = ""
        self.procedures: set[str] = set()
        self.lesions: dict[Place, list[Draft]] = {}
        self.noted: str | Draft | None = ""
        self.notes: list[tuple[str, str]] = []

    def skip(self, segment: Segment, what: str, why: str, rule: str = "v2-observation") -> None:
        """Leave a segment out, and say so."""
        self.losses.append(Loss(LossKind.SKIPPED, segment.place, what, why, rule))

    def further(self, segment: Segment, value: Components) -> None:
        """List the second code of an answer or a name, where it may be another concept: a term has one."""
        if not self.ours and not values.is_one(value):
            self.skip(segment, "a second code", "a term of a report has one code", "v2-further-code")

    def leave(self, segment: Segment, why: str, rule: str) -> None:
        """Leave an OBX out with all that it holds, since it is no result of this study."""
        self.noted = None
        segment.read.update(range(1, _FIELDS_MOST))
        self.skip(segment, "observation", why, rule)

    def note(self, segment: Segment) -> None:
        """A note (NTE): with its lesion, else behind the findings under what it is a note of."""
        said = "\n".join(part(one, 1) for one in segment.repetitions(3))
        if self.noted is None:
            self.skip(segment, "note", "what it is a note of is no result of this study", "v2-no-result")
        elif isinstance(self.noted, Draft):
            self.noted.add(said)
        else:
            self.notes.append((self.noted, said))

    def line(self, section: str, text: str) -> None:
        """More text of a section; a heading inside of it begins the impression, but for what we wrote ourselves."""
        for one in text.split("\n"):
            if not self.ours and section == "findings" and _IMPRESSION.fullmatch(one) and any(self.lines["findings"]):
                section = self.section = "impression"
                continue
            self.lines[section].append(one.rstrip(" "))

    def take(self, segment: Segment, place: Place, is_lesion: bool) -> None:
        """One OBX; ``place`` is that of its lesion, where it is one of such."""
        self.content.statuses.append(segment.text(11))
        self.noted = ""
        name = values.term(segment.components(3), f"{segment.place}-3")
        self.further(segment, segment.components(3))
        concepts = concepts_of(name)
        if is_lesion:
            child = segment.text(4).partition(".")[2] or None
            self.noted = draft = self._draft(segment, place, role_of(concepts))
            draft.take(self, segment, (name, role_of(concepts)), child)
        elif _DEVICE.fullmatch(segment.text(4)) and device_member(concepts):
            device = f"{place[0]} {segment.text(4)}"
            self.content.devices.setdefault(device, {})[device_member(concepts)] = segment.text(5)
        else:
            self._of_report(segment, name, role_of(concepts))

    def _draft(self, segment: Segment, place: Place, role: str) -> Draft:
        """The lesion of a sub-id; a new one where the sub-id begins to speak of another."""
        drafts = self.lesions.setdefault(place, [])
        if not drafts or drafts[-1].says_another(segment, role):
            if drafts:
                why = "its sub-id is that of another lesion, too: two are read"
                self.losses.append(Loss(LossKind.FLAGGED, segment.place, "sub-id", why, "v2-further"))
            drafts.append(Draft(segment.place))
        return drafts[-1]

    def _of_report(self, segment: Segment, name: Term | None, role: str) -> None:
        kind = segment.text(2)
        if role == "study_uid" and is_uid(segment.text(5)):
            if self.content.study_uid not in ("", segment.text(5)):
                self.skip(segment, "study UID", "a report is of one study: that of the first", "v2-further")
            self.content.study_uid = self.content.study_uid or segment.text(5)
        elif kind in CODED:
            for turn, value in enumerate(segment.repetitions(5)):
                self._answer(segment, (name, role), value, f"{segment.place}-5" + (f"[{turn + 1}]" if turn else ""))
        elif kind in TEXTS:
            self._text(segment, role)
        elif kind == "ED":
            segment.repetitions(5)  # named as a whole
            why = "it is not opened: what it says has to stand in observations of its own"
            self.skip(segment, "an encapsulated document", why)
        else:
            what = "a number of no lesion" if kind == "NM" else f"a value of type {kind[:8]}"
            self.skip(segment, what, "a report holds text, coded answers, and the numbers of its lesions")

    def _text(self, segment: Segment, role: str) -> None:
        suffix = part(segment.components(3), 1, 2)
        section = role if role in self.lines else _SUFFIXES.get(suffix, "")
        words = part(segment.components(3), 2) or part(segment.components(3), 5)
        if not section and _IMPRESSION.fullmatch(words):
            section = "impression"
        if section and section != self.named:
            self.section = self.named = section
        self._head("" if section or self.ours or fold(words) in self.procedures else words)
        unit = segment.text(6)
        self.line(self.section, segment.display(5) + (f" {unit}" if unit else ""))

    def _head(self, words: str) -> None:
        """Say what a text answers, where its name does and is that of no section: a history is no finding."""
        if words != self.heading and (words or any(self.lines[self.section])):
            self.lines[self.section] += [f"{words}:"] if words else [""]
        self.heading = words

    def _answer(self, segment: Segment, named: tuple[Term | None, str], value: Components, where: str) -> None:
        name, role = named
        term = values.term(value, where)
        self.further(segment, value)
        if term is None or name is None:
            self.skip(segment, "coded answer", "it has no name, or no value")
        elif role == "modality":
            if self.content.modality not in (None, term):
                self.skip(segment, "modality", "a report has one modality: the first", "v2-further")
            self.content.modality = self.content.modality or term
        elif role == "procedure":
            self.content.procedures.append(term)
        elif role in TERMS.values():
            getattr(self.content, role).append(term)
        elif "absent" in concepts_of(term) and not self._is_field(segment, name):
            self.content.negatives.append(name)
        else:
            self.content.evaluations.append(Evaluation(name, term, where=where))

    @staticmethod
    def _is_field(segment: Segment, name: Term) -> bool:
        """Whether the name is that of a field with answers, of which *absent* is one, and no finding that is denied."""
        fields = {row.concept for row in vocabulary().evaluations.values()}
        return _NEGATIVE.fullmatch(segment.text(4)) is None and not fields.isdisjoint(concepts_of(name))

    def done(self) -> Content:
        """All together."""
        made, most = self.content, self.limits.lesions
        before = ""
        for heading, said in self.notes:
            if heading and heading != before:
                self.lines["findings"].append(f"{heading}:")
            before = heading
            self.line("findings", said)
        made.findings, made.impression = (
            self.joined(self.lines[one], "OBX", one) for one in ("findings", "impression")
        )
        for (_, sub), draft in ((place, one) for place in sorted(self.lesions) for one in self.lesions[place]):
            if len(made.lesions) == most:
                why = f"more than {most} lesions"
                self.losses.append(Loss(LossKind.SKIPPED, draft.place, "lesion", why, "limit"))
                break
            made.lesions.append(self._unlike(made.lesions, draft.lesion(self, str(sub))))
        return made

    def joined(self, lines: list[str], where: str, what: str) -> str | None:
        """The lines of one text, at most as long as a text may be."""
        text = "\n".join(lines).strip("\n")
        most = self.limits.text_characters
        if len(text) > most:
            why = f"the text is longer than {most} characters: cut there"
            self.losses.append(Loss(LossKind.SKIPPED, where, what, why, "limit"))
            text = text[:most]
        return text if text.strip() else None

    def _unlike(self, others: list[Lesion[Term]], lesion: Lesion[Term]) -> Lesion[Term]:
        """The lesion, with a number behind its id where another one has that already."""
        taken = {other.id for other in others}
        if lesion.id not in taken:
            return lesion
        number = next(turn for turn in count(2) if f"{lesion.id} {turn}" not in taken)
        why = "two lesions have one tracking identifier: the second gets a number"
        self.losses.append(Loss(LossKind.FLAGGED, lesion.where, "tracking identifier", why, "v2-tracking"))
        return replace(lesion, id=f"{lesion.id} {number}")
