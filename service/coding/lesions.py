"""Lesions coded: their terms, measurements, answers and shapes, each held against the row of its field."""

from collections.abc import Iterable

from service.coding.consistency import GONE, ROLE, check_lesion, check_role
from service.coding.lookup import KEPT, Answered, Measured, Resolved
from service.coding.measuring import check_value, unit_of
from service.coding.naming import EVALUATIONS, MEASUREMENTS, resolve_name
from service.coding.notes import is_others
from service.coding.resolve import ANYWHERE, resolve
from service.coding.rows import EvaluationRow, MeasurementRow
from service.coding.sides import check_side
from service.coding.terms import Terms
from service.domain.codes import CodedTerm, Term
from service.domain.errors import Contradiction, Invalid
from service.domain.geometry import ImageReference, LesionImage, Region2D
from service.domain.report import Evaluation, Lesion, Measurement, TimePoint
from service.domain.shown import candidates

Measurements = tuple[Measurement[CodedTerm], ...]


class Lesions:
    """What codes the lesions of one report."""

    __slots__ = ("_evaluations", "_images", "_measurements", "_notes", "_terms", "_vocabulary")

    def __init__(self, terms: Terms, images: Iterable[ImageReference]) -> None:
        """Take the report's terms and the images of its study."""
        self._terms = terms
        self._notes = terms.notes
        self._vocabulary = terms.vocabulary
        self._measurements = terms.vocabulary.names(MEASUREMENTS).by_concept
        self._evaluations = terms.vocabulary.names(EVALUATIONS).by_concept
        self._images = frozenset(image.sop_instance for image in images)

    def code(self, lesion: Lesion[Term], uid: str) -> Lesion[CodedTerm]:
        """A lesion with its tracking UID and all terms resolved."""
        member = self._terms.member
        change = member(lesion.change, "change")
        gone = change is not None and change.concept == GONE
        measurements = self._measure(lesion, gone=gone) if lesion.measurements else ()
        made = Lesion(
            lesion.id,
            self._terms.term(lesion.finding, self._vocabulary.members["finding"]),
            uid,
            member(lesion.category, "category"),
            member(lesion.site, "site"),
            member(lesion.laterality, "laterality"),
            member(lesion.topography, "topography"),
            lesion.count,
            member(lesion.certainty, "certainty"),
            change,
            self._time_point(lesion.time_point),
            lesion.text,
            measurements,
            self.evaluations(lesion.evaluations, "lesion"),
            tuple([LesionImage(shown.image, self._regions(shown, measurements)) for shown in lesion.images]),
            lesion.regions3d,
            lesion.segment,
            lesion.where,
        )
        check_side(made, self._vocabulary, self._notes)
        check_lesion(made, self._notes, self._vocabulary.zones)
        return made

    def _time_point(self, point: TimePoint[Term] | None) -> TimePoint[CodedTerm] | None:
        if point is None:
            return None
        kind = self._terms.member(point.type, "time-point-type")
        return TimePoint(point.label, kind, point.order, point.subject_identifier, point.protocol_identifier)

    def _measure(self, lesion: Lesion[Term], *, gone: bool) -> Measurements:
        """The measurements of a lesion; one concept twice is refused in the object form, where it is a slip."""
        made: list[Measurement[CodedTerm]] = []
        seen: dict[tuple[str, str | None], str] = {}
        measured = self._vocabulary.measured
        for item in lesion.measurements:
            concept, unit = item.concept, item.unit
            known = measured.get((concept.text, unit.text)) if concept.code is None and unit.code is None else None
            if known is not None:
                name = known.name
                check_value(item, known.unit, known.row, self._notes, gone=gone)
                made.append(self._qualified(item, known.row, name, known.unit))
            else:
                name, _ = self._terms.name(item.concept, MEASUREMENTS)
                key = self._measurements.get(name.concept) if name.concept is not None else None
                row = self._vocabulary.measurements[key] if key is not None else None
                made.append(self._measured(item, name, row, gone=gone))
            if item.image is not None and not self._shows(lesion, item.image):
                why = "The image is none of the lesion's images and none of the study's."
                self._notes.refuse(Invalid, item.where, "measurement-image", why)
            # SUVmax and SUVmean are two measurements of one concept.
            derivation = made[-1].derivation
            how = derivation.concept if derivation is not None else None
            other = seen.setdefault((name.concept or f"{name.text} {name.codes}", how), item.where)
            if other != item.where and is_member(item.where) and is_member(other):
                why = f"{name.text} stands at {other}, too; write a list to give one measurement several times."
                self._notes.refuse(Invalid, item.where, "duplicate-measurement", why)
        return tuple(made)

    def _shows(self, lesion: Lesion[Term], instance: str) -> bool:
        """Whether an image is one of the lesion's or the study's."""
        return instance in self._images or any(shown.image.sop_instance == instance for shown in lesion.images)

    def _measured(
        self, item: Measurement[Term], name: CodedTerm, row: MeasurementRow | None, *, gone: bool
    ) -> Measurement[CodedTerm]:
        """One number with its unit held against its row."""
        resolved = unit_of(self._vocabulary, item.unit, row)
        unit = resolved.term
        if unit is None and is_others(item.unit.where):
            unit = self._any_unit(item, resolved)
        elif unit is None or resolved.verdict is not None:
            unit = self._notes.judge(resolved, item.unit, "")
        elif row is not None:
            check_value(item, unit, row, self._notes, gone=gone)
            self._keep_unit(item, row, unit)
        return self._qualified(item, row, name, unit)

    def _keep_unit(self, item: Measurement[Term], row: MeasurementRow, unit: CodedTerm) -> None:
        """Remember name and unit together, where both are words and nothing is said of them."""
        if item.concept.code is not None or item.unit.code is not None:
            return
        name = resolve_name(self._vocabulary, item.concept, MEASUREMENTS)
        if name.verdict is None and name.term is not None:
            keep = self._vocabulary.measured
            if len(keep) >= KEPT:
                keep.clear()
            keep[item.concept.text, item.unit.text] = Measured(name.term, row, unit)

    def _qualified(
        self, item: Measurement[Term], row: MeasurementRow | None, name: CodedTerm, unit: CodedTerm
    ) -> Measurement[CodedTerm]:
        """The measurement with what qualifies it."""
        method = self._terms.member(item.method, "method") if item.method is not None else None
        derivation = self._derivation(item, row)
        return Measurement(name, item.value, unit, method, derivation, item.range, item.image, item.where)

    def _any_unit(self, item: Measurement[Term], resolved: Resolved) -> CodedTerm:
        """A unit that does not fit what was measured, in somebody else's document: it stands, or its words do."""
        anyhow = unit_of(self._vocabulary, item.unit, None)
        verdict = resolved.verdict
        if anyhow.term is None or verdict is None:
            return self._notes.judge(resolved, item.unit, "")
        self._notes.flag(item.unit.where, item.unit.text, f"{verdict.why} Kept as it came.", verdict.rule)
        return anyhow.term

    def _derivation(self, item: Measurement[Term], row: MeasurementRow | None) -> CodedTerm | None:
        """The derivation as it is given, or as the name of the measurement says it: SUVmax is a maximum."""
        given = self._terms.member(item.derivation, "derivation") if item.derivation is not None else None
        if row is None or not row.derived or item.concept.code is not None:
            return given
        normal = self._vocabulary.designations.words.normal
        said = normal(item.concept.text)
        implied = next((derivation for name, derivation in row.derived if normal(name) == said), None)
        if implied is None:
            return given
        if given is not None and given.concept != implied:
            why = f"{item.concept.text} is a {implied}, but its derivation says {given.text}."
            self._notes.refuse(Contradiction, item.where, "derivation-contradicts-name", why)
        return self._vocabulary.term(implied)

    def evaluations(self, items: tuple[Evaluation[Term], ...], level: str) -> tuple[Evaluation[CodedTerm], ...]:
        """The answers of a ``lesion`` or the ``report``, each by its field; without a row every concept may answer."""
        made: list[Evaluation[CodedTerm]] = []
        seen: dict[str, str] = {}
        answered = self._vocabulary.answered
        for item in items:
            field, value = item.name, item.value
            known = answered.get((field.text, value.text)) if field.code is None and value.code is None else None
            # The quick way is for words that were met before, and where nothing is to be said of them.
            if known is not None and known.row.key not in seen and level in known.row.levels:
                name, row, said = known
                seen[row.key] = field.where
                answer = CodedTerm(
                    said.text, said.codes, said.concept, said.broader, said.resolution, said.said, value.where
                )
                made.append(Evaluation(name, answer, row.key, item.where))
            else:
                made += self._evaluation(item, level, seen)
        if ROLE in seen:
            check_role(made, self._notes)
        return tuple(made)

    def _evaluation(self, item: Evaluation[Term], level: str, seen: dict[str, str]) -> list[Evaluation[CodedTerm]]:
        """One answer, or none where its field may not stand."""
        name, stands = self._terms.name(item.name, EVALUATIONS)
        if not stands:
            return []
        key = self._evaluations.get(name.concept) if name.concept is not None else None
        if key is None:
            return [Evaluation(name, self._terms.term(item.value, ANYWHERE), "", item.where)]
        row = self._vocabulary.evaluations[key]
        if level not in row.levels:
            why = f"{key} is answered for a {' or a '.join(row.levels)}, not for a {level}."
            self._notes.refuse(Invalid, item.where, "level", why)
        if key in seen:
            self._again(item, row, seen[key])
        else:
            seen[key] = item.name.where
        value = self._terms.term(item.value, row)
        if value.concept is not None:
            self._keep_answer(item, row)
        return [Evaluation(name, value, key, item.where)]

    def _keep_answer(self, item: Evaluation[Term], row: EvaluationRow) -> None:
        """Remember field and answer together, where both are words and nothing is said of them."""
        if item.name.code is not None or item.value.code is not None:
            return
        name, value = resolve_name(self._vocabulary, item.name, EVALUATIONS), resolve(self._vocabulary, item.value, row)
        if name.verdict is None and value.verdict is None and name.term is not None and value.term is not None:
            keep = self._vocabulary.answered
            if len(keep) >= KEPT:
                keep.clear()
            keep[item.name.text, item.value.text] = Answered(name.term, row, value.term)

    def _again(self, item: Evaluation[Term], row: EvaluationRow, first: str) -> None:
        """A field that has an answer already: two names of one field, or a second answer where there is one."""
        place = item.name.where
        if place != first and is_member(place) and is_member(first):
            self._notes.refuse(Invalid, item.where, "duplicate-descriptor", f"{row.key} stands at {first}, too.")
        elif not row.many and item.where.startswith("/"):
            self._notes.refuse(Invalid, item.where, "one-answer", f"{row.key} has one answer.")
        elif not row.many:
            # Somebody else's document is not lost over one item.
            why = f"{row.key} has one answer. Kept as it came."
            self._notes.flag(item.where, item.value.text, why, "one-answer")

    def _regions(self, shown: LesionImage[Term], measurements: Measurements) -> tuple[Region2D[CodedTerm], ...]:
        """The shapes on an image; what one shows is one of the lesion's measurements."""
        made = []
        for region in shown.regions:
            name = None
            if region.measurement is not None:
                name = self._shown(region.measurement, measurements, shown.image.sop_instance)
            made.append(Region2D(region.graphic, region.points, name, region.where))
        return tuple(made)

    def _shown(self, term: Term, measurements: Measurements, image: str) -> CodedTerm:
        """The measurement that a shape on an image shows; where several may be meant, none is, which is flagged."""
        name, _ = self._terms.name(term, MEASUREMENTS)
        wanted = (name.text, name.codes, name.concept)
        for item in measurements:
            if (item.concept.text, item.concept.codes, item.concept.concept) == wanted:
                if len(candidates(measurements, item.concept, image)) > 1:
                    why = f"The lesion has several {name.text} that it may show: it is kept as the lesion's, of none."
                    self._notes.flag(term.where, name.text, why, "shape-of-several")
                return item.concept
        why = f"The lesion has no measurement {name.text!r} that this shape could show."
        labels = tuple(item.concept.text for item in measurements)
        self._notes.refuse(Invalid, term.where, "region-measurement", why, labels)
        return name


def is_member(where: str) -> bool:
    """Whether a place is a named member of an object in JSON: a pointer (RFC 6901) whose last token is no number.

    In a list one thing may stand twice, and other formats than JSON have lists only.
    """
    last = where.rpartition("/")[2]
    return where.startswith("/") and not last.isdecimal() and last not in ("field", "concept")
