"""One lesion out of the OBX that share its sub-id (OBX-4)."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any, Final, Protocol

from service.domain.codes import Term
from service.domain.loss import Loss, LossKind
from service.domain.report import CountKind, Evaluation, Lesion, Measurement, TimePoint
from service.domain.uids import is_uid
from service.formats.hl7v2 import values
from service.formats.hl7v2.message import Components, Segment, part
from service.formats.hl7v2.names import CODED, TEXTS, concepts_of, role_of
from service.formats.hl7v2.observations import MEMBERS

_LABELS: Final = ("label", "subject_identifier", "protocol_identifier")
_OFF_SCALE: Final = frozenset({"<", ">"})
_DENYING: Final = frozenset({"NEG", "ND"})
_SECTIONS: Final = ("text", "findings", "impression")
"""Texts whose name says no more than that they are text."""


class Reader(Protocol):
    """What takes note of what is left out."""

    losses: list[Loss]

    def skip(self, segment: Segment, what: str, why: str, rule: str = "v2-observation") -> None:
        """Leave an OBX out, and say so."""

    def further(self, segment: Segment, value: Components) -> None:
        """List the second code of an answer, where it may be another concept."""

    def joined(self, lines: list[str], where: str, what: str) -> str | None:
        """The lines of one text, at most as long as a text may be."""


class Draft:
    """One lesion as its OBX come."""

    def __init__(self, place: str) -> None:
        """Nothing yet; ``place`` is its first OBX."""
        self.place = place
        self.members: dict[str, Any] = {}
        self.lines: list[str] = []
        self.named = ""
        self.point: dict[str, Any] = {}
        self.evaluations: list[Evaluation[Term]] = []
        self.measurements: list[tuple[str, Measurement[Term]]] = []
        self.derivations: dict[str, Term | None] = {}

    def says_another(self, segment: Segment, role: str) -> bool:
        """Whether an OBX says what a lesion has once, and this one has: its sub-id stands for another lesion, too."""
        if role not in ("id", "tracking_uid", "finding") or role not in self.members:
            return False
        said = segment.text(5) if role != "finding" else _word(segment)
        return bool(said) and not _is_same(said, self.members[role])

    def take(self, reader: Reader, segment: Segment, named: tuple[Term | None, str], child: str | None) -> None:
        """One OBX of the lesion, or of its measurement ``child``; ``named`` is its name and what that means."""
        name, role = named
        kind = segment.text(2)
        for one in segment.repetitions(5) if kind in CODED else ():
            reader.further(segment, one)
        if child is not None and role == "derivation":
            self.derivations[child] = _word(segment)
        elif role in ("order", "count") and kind == "NM" and child is None:
            self._integer(reader, segment, role)
        elif kind in ("NM", "SN"):
            self._number(reader, segment, name, child or "")
        elif role in ("id", "tracking_uid"):
            self.members[role] = segment.text(5)
        elif role == "count":
            self._kind_of_count(reader, segment)
        elif role in (*MEMBERS, "type"):
            self._member(reader, segment, role)
        elif role in _LABELS:
            self.point[role] = segment.text(5)
        elif kind in TEXTS:
            self._text(segment, name, role)
        elif kind in CODED:
            self._answers(reader, segment, name)
        else:
            reader.skip(segment, "observation of a lesion", f"a lesion has no value of type {kind[:8]}")

    def _member(self, reader: Reader, segment: Segment, role: str) -> None:
        """A coded member of a lesion or of its time point: it has one, any other is listed."""
        into = self.point if role == "type" else self.members
        for term in _words(segment):
            if not _is_same(into.setdefault(role, term), term):
                reader.skip(segment, role, "the lesion has another one already", "v2-further")

    def _answers(self, reader: Reader, segment: Segment, name: Term | None) -> None:
        found = list(_words(segment))
        if name is None or not found:
            reader.skip(segment, "observation of a lesion", "it has no name, or no value that is known")
            return
        self.evaluations += (Evaluation(name, term, where=term.where) for term in found)

    def _text(self, segment: Segment, name: Term | None, role: str) -> None:
        """Words about a lesion: their question goes with them, since a lesion has one text."""
        lines = [line.rstrip(" ") for line in segment.display(5).split("\n")]
        said = name.text if name is not None and role not in _SECTIONS else ""
        if said and said != self.named:
            lines[0] = f"{said}: {lines[0]}"
        self.named = said
        unit = segment.text(6)
        if unit:
            lines[-1] = f"{lines[-1]} {unit}"
        self.lines += lines

    def add(self, note: str) -> None:
        """A note behind one of its OBX."""
        self.lines += note.split("\n")
        self.named = ""

    def _kind_of_count(self, reader: Reader, segment: Segment) -> None:
        found = next((one for one in concepts_of(_word(segment)) if one in list(CountKind)), None)
        if found is None:
            reader.skip(segment, "count", "neither a number nor *multiple* or *innumerable*")
        else:
            self.members["count"] = CountKind(found)

    def _integer(self, reader: Reader, segment: Segment, role: str) -> None:
        number = values.decimal(segment.text(5))
        if number is None or number != int(number) or (role == "count" and number < 1):
            reader.skip(segment, role, "no whole number")
        elif role == "count":
            self.members["count"] = int(number)
        else:
            self.point["order"] = int(number)

    def _number(self, reader: Reader, segment: Segment, name: Term | None, child: str) -> None:
        """NM, or SN (2A.72) where it is a number: a bound, a range and a ratio are none."""
        if _flags(segment) & _OFF_SCALE:
            segment.read.update((5, 6, 7, 8, 17))
            reader.skip(segment, "measurement", "it is off the scale (OBX-8): a bound, and no number")
            return
        several = len(segment.repetitions(5)) > 1
        said = segment.components(5)
        if segment.text(2) == "SN" and (part(said, 1) not in ("", "=") or part(said, 3) or part(said, 4)):
            reader.skip(segment, "measurement", "a comparator or a second number makes it no number")
            return
        value = values.decimal(part(said, 2 if segment.text(2) == "SN" else 1))
        if value is None or name is None or several:
            reader.skip(segment, "measurement", "it has no name, or no number, or several")
            return
        method = values.term(segment.components(17), f"{segment.place}-17")
        unit = values.unit(segment.components(6), f"{segment.place}-6")
        normal = values.limits(segment.text(7))
        self.measurements.append((child, Measurement(name, value, unit, method, None, normal, None, segment.place)))

    def lesion(self, reader: Reader, sub: str) -> Lesion[Term]:
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
            time_point=self._time_point(reader),
            text=reader.joined(self.lines, self.place, "text"),
            measurements=tuple(measurements),
            evaluations=tuple(self.evaluations),
            where=self.place,
            **made,
        )

    def _time_point(self, reader: Reader) -> TimePoint[Term] | None:
        if self.point and not self.point.get("label"):
            why = "it has no label, and a time point can't be without"
            reader.losses.append(Loss(LossKind.SKIPPED, self.place, "time point", why, "v2-value"))
        return TimePoint(**{"label": "", **self.point}) if self.point.get("label") else None


def denies(segment: Segment) -> bool:
    """Whether an OBX is a finding that is interpreted as negative or not detected (OBX-8, table 0078)."""
    if segment.name != "OBX" or not _flags(segment) & _DENYING:
        return False
    return role_of(concepts_of(values.term(segment.components(3), ""))) == "finding"


def _flags(segment: Segment) -> set[str]:
    """What OBX-8 says; it stays unread, and so is listed, where nobody acts on it."""
    was_read = 8 in segment.read
    found = {part(one, 1) for one in segment.repetitions(8)}
    if not was_read:
        segment.read.discard(8)
    return found


def _words(segment: Segment) -> Iterable[Term]:
    """The answers of an OBX, coded or in words, each with its place."""
    is_coded = segment.text(2) in CODED
    for turn, one in enumerate(segment.repetitions(5)):
        where = f"{segment.place}-5" + (f"[{turn + 1}]" if turn else "")
        term = values.term(one, where) if is_coded else Term(part(one, 1), None, where)
        if term is not None and term.text:
            yield term


def _word(segment: Segment) -> Term | None:
    return next(iter(_words(segment)), None)


def _is_same(one: Any, other: Any) -> bool:
    """Whether two answers say the same: one code, or one text."""
    if isinstance(one, Term) and isinstance(other, Term) and one.code is not None and other.code is not None:
        return bool(one.code == other.code)
    return bool(getattr(one, "text", one) == getattr(other, "text", other))
