"""What the OBX segments of a message say: text by its section, coded answers and numbers by what their names mean."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from itertools import count
from typing import Any, Final

from service.coding import vocabulary
from service.domain.codes import LOCAL_SCHEME, Term
from service.domain.limits import Limits
from service.domain.loss import Loss, LossKind
from service.domain.report import CountKind, Evaluation, Lesion, Measurement, TimePoint
from service.domain.uids import is_uid
from service.formats.hl7v2 import values
from service.formats.hl7v2.message import Components, Segment, part
from service.formats.hl7v2.observations import DEVICE, MEMBERS, TIME_POINT

_TEXTS: Final = ("TX", "FT", "ST", "")
_SUFFIXES: Final = {"GDT": "findings", "IMP": "impression"}
"""Suffixes of an observation id that name a section of a report (HL7 v2.5.1, 7.2.4)."""
_IMPRESSION: Final = re.compile(r"\s*(?:IMPRESSIONS?|CONCLUSIONS?)\s*:?\s*", re.IGNORECASE)
_LESION: Final = re.compile(r"([1-9][0-9]{0,5})(?:\.([1-9][0-9]{0,5}))?")
_DEVICE: Final = re.compile(r"D[1-9][0-9]{0,3}")
_NEGATIVE: Final = re.compile(r"N[1-9][0-9]{0,3}")
_REPORT: Final = {
    "findings": "findings",
    "findings-section": "findings",
    "impression": "impression",
    "impressions": "impression",
    "impression-section": "impression",
    "study-instance-uid": "study_uid",
    "procedure-study-instance-uid": "study_uid",
    "modality": "modality",
    "procedure-reported": "procedure",
}
"""What an OBX of the whole report is, by the concept of its name."""
_TERMS: Final = {"technique": "technique", "conclusion": "conclusions", "differential": "differential"}


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


@cache
def _roles() -> Mapping[str, str]:
    """What an OBX is, by the concept of its name."""
    members = vocabulary().members
    made = dict(_REPORT)
    made |= {members[row].concept: member for row, member in _TERMS.items()}
    made |= {members[row].concept: row for row in MEMBERS}
    made |= dict(TIME_POINT)
    made |= {
        "tracking-identifier": "id",
        "tracking-unique-identifier": "tracking_uid",
        members["count"].concept: "count",
        "time-point-type": "type",
        "time-point-order": "order",
        "comment": "text",
        "derivation": "derivation",
    }
    return made


def _concepts(name: Term | None) -> tuple[str, ...]:
    """The concepts that the name of an OBX stands for."""
    if name is None or name.code is None:
        return ()
    if name.code.code in vocabulary().concepts and name.code.system == LOCAL_SCHEME:
        return (name.code.code,)
    return vocabulary().meant_by(name.code.system, name.code.code)


def _role(concepts: Iterable[str], table: Mapping[str, str]) -> str:
    return next((table[key] for key in concepts if key in table), "")


def content_of(segments: Sequence[Segment], notes: Sequence[Segment], losses: list[Loss], limits: Limits) -> Content:
    """All that the OBX and the notes say; what they say beyond a report is put on ``losses``."""
    reader = _Reader(losses, limits)
    lesions = {
        match[1]
        for one in segments
        if (match := _LESION.fullmatch(one.text(4)))
        and _role(_concepts(values.term(one.components(3), "")), _roles()) in ("id", "finding")
    }
    for one in segments:
        reader.take(one, lesions)
    for note in notes:
        reader.line("findings", "\n".join(part(one, 1) for one in note.repetitions(3)))
    return reader.done()


class _Reader:
    """Takes one OBX after the other."""

    def __init__(self, losses: list[Loss], limits: Limits) -> None:
        self.losses, self.limits = losses, limits
        self.content = Content()
        self.lines: dict[str, list[str]] = {"findings": [], "impression": []}
        self.section, self.named = "findings", ""
        self.lesions: dict[str, _Draft] = {}

    def skip(self, segment: Segment, what: str, why: str, rule: str = "v2-observation") -> None:
        """Leave an OBX out, and say so."""
        self.losses.append(Loss(LossKind.SKIPPED, segment.place, what, why, rule))

    def line(self, section: str, text: str) -> None:
        """More text of a section; a heading inside of it begins the impression."""
        for one in text.split("\n"):
            if section == "findings" and _IMPRESSION.fullmatch(one) and any(self.lines["findings"]):
                section = self.section = "impression"
                continue
            self.lines[section].append(one.rstrip(" "))

    def take(self, segment: Segment, lesions: set[str]) -> None:
        """One OBX."""
        status = segment.text(11)[:1].upper()
        sub = segment.text(4)
        name = values.term(segment.components(3), f"{segment.place}-3")
        if status == "D":
            self.skip(segment, "observation", "it is deleted (OBX-11 D)", "v2-deleted")
            return
        if status:
            self.content.statuses.append(status)
        concepts = _concepts(name)
        match = _LESION.fullmatch(sub)
        if match is not None and match[1] in lesions:
            draft = self.lesions.setdefault(match[1], _Draft(f"OBX[{segment.number}]"))
            draft.take(self, segment, (name, concepts), match[2])
        elif _DEVICE.fullmatch(sub) and _role(concepts, dict(DEVICE)):
            self.content.devices.setdefault(sub, {})[_role(concepts, dict(DEVICE))] = segment.text(5)
        else:
            self._of_report(segment, name, concepts)

    def _of_report(self, segment: Segment, name: Term | None, concepts: tuple[str, ...]) -> None:
        kind, role = segment.text(2), _role(concepts, _roles())
        if role == "study_uid" and is_uid(segment.text(5)):
            self.content.study_uid = segment.text(5)
        elif kind in ("CE", "CWE", "CNE", "CF"):
            for turn, value in enumerate(segment.repetitions(5)):
                self._answer(segment, (name, role), value, f"{segment.place}-5" + (f"[{turn + 1}]" if turn else ""))
        elif kind in _TEXTS:
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
        if section and section != self.named:
            self.section = self.named = section
        self.line(self.section, segment.display(5))

    def _answer(self, segment: Segment, named: tuple[Term | None, str], value: Components, where: str) -> None:
        name, role = named
        term = values.term(value, where)
        if term is None or name is None:
            self.skip(segment, "coded answer", "it has no name, or no value")
        elif role == "modality":
            self.content.modality = term
        elif role == "procedure":
            self.content.procedures.append(term)
        elif role in _TERMS.values():
            getattr(self.content, role).append(term)
        elif "absent" in _concepts(term) and not self._is_field(segment, name):
            self.content.negatives.append(name)
        else:
            self.content.evaluations.append(Evaluation(name, term, where=where))

    @staticmethod
    def _is_field(segment: Segment, name: Term) -> bool:
        """Whether the name is that of a field with answers, of which *absent* is one, and no finding that is denied."""
        fields = {row.concept for row in vocabulary().evaluations.values()}
        return _NEGATIVE.fullmatch(segment.text(4)) is None and not fields.isdisjoint(_concepts(name))

    def done(self) -> Content:
        """All together."""
        made, most = self.content, self.limits.lesions
        made.findings, made.impression = (
            self.joined(self.lines[one], "OBX", one) for one in ("findings", "impression")
        )
        for sub in sorted(self.lesions, key=int):
            if len(made.lesions) == most:
                why = f"more than {most} lesions"
                self.losses.append(Loss(LossKind.SKIPPED, self.lesions[sub].place, "lesion", why, "limit"))
                break
            made.lesions.append(self._unlike(made.lesions, self.lesions[sub].lesion(self, sub)))
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


class _Draft:
    """One lesion as its OBX come."""

    def __init__(self, place: str) -> None:
        self.place = place
        self.members: dict[str, Any] = {}
        self.lines: list[str] = []
        self.point: dict[str, Any] = {}
        self.evaluations: list[Evaluation[Term]] = []
        self.measurements: list[tuple[str, Measurement[Term]]] = []
        self.derivations: dict[str, Term | None] = {}

    def take(
        self, reader: _Reader, segment: Segment, named: tuple[Term | None, tuple[str, ...]], child: str | None
    ) -> None:
        """One OBX of the lesion, or of its measurement ``child``."""
        name, concepts = named
        role, kind = _role(concepts, _roles()), segment.text(2)
        term = values.term(segment.components(5), f"{segment.place}-5")
        if child is not None and role == "derivation":
            self.derivations[child] = term
        elif role in ("order", "count") and kind == "NM" and child is None:
            self._integer(reader, segment, role)
        elif kind == "NM":
            self._number(reader, segment, name, child or "")
        elif role in ("id", "tracking_uid"):
            self.members[role] = segment.text(5)
        elif role == "count":
            found = next((one for one in _concepts(term) if one in list(CountKind)), None)
            self.members["count"] = CountKind(found) if found is not None else None
        elif role in (*MEMBERS, "type"):
            (self.point if role == "type" else self.members)[role] = term
        elif role in ("label", "subject_identifier", "protocol_identifier"):
            self.point[role] = segment.text(5)
        elif kind in _TEXTS:
            self.lines.extend(line.rstrip(" ") for line in segment.display(5).split("\n"))
        elif name is not None and term is not None:
            self.evaluations.append(Evaluation(name, term, where=f"{segment.place}-5"))
        else:
            reader.skip(segment, "observation of a lesion", "it has no name, or no value that is known")

    def _integer(self, reader: _Reader, segment: Segment, role: str) -> None:
        number = values.decimal(segment.text(5))
        if number is None or number != int(number) or (role == "count" and number < 1):
            reader.skip(segment, role, "no whole number")
        elif role == "count":
            self.members["count"] = int(number)
        else:
            self.point["order"] = int(number)

    def _number(self, reader: _Reader, segment: Segment, name: Term | None, child: str) -> None:
        value = values.decimal(segment.text(5))
        if value is None or name is None:
            reader.skip(segment, "measurement", "it has no name, or no number")
            return
        method = values.term(segment.components(17), f"{segment.place}-17")
        unit = values.unit(segment.components(6), f"{segment.place}-6")
        normal = values.limits(segment.text(7))
        self.measurements.append((child, Measurement(name, value, unit, method, None, normal, None, segment.place)))

    def lesion(self, reader: _Reader, sub: str) -> Lesion[Term]:
        """The lesion that they make."""
        made = dict(self.members)
        finding = made.pop("finding", None)
        if finding is None:
            why = "a lesion without a finding is called a lesion"
            reader.losses.append(Loss(LossKind.FLAGGED, self.place, "finding", why, "v2-finding"))
            finding = Term("lesion", None, self.place)
        tracking = made.pop("tracking_uid", None)
        if tracking is not None and not is_uid(tracking):
            reader.losses.append(Loss(LossKind.SKIPPED, self.place, "tracking UID", "no UID", "v2-value"))
            tracking = None
        measurements = [replace(item, derivation=self.derivations.get(child)) for child, item in self.measurements]
        return Lesion(
            id=made.pop("id", sub) or sub,
            finding=finding,
            tracking_uid=tracking,
            time_point=TimePoint(**{"label": "", **self.point}) if self.point.get("label") else None,
            text=reader.joined(self.lines, self.place, "text"),
            measurements=tuple(measurements),
            evaluations=tuple(self.evaluations),
            where=self.place,
            **made,
        )
