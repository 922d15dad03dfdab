"""The SOP instances that a document refers to, in the two evidence sequences (PS3.3 C.17.2)."""

from service.domain.errors import Contradiction, Problem
from service.domain.geometry import ImageReference
from service.formats.sr.attributes import item, long, short
from service.formats.sr.values import Reference, said_instance
from service.formats.sr.vr import ui


class Evidence:
    """Instances by study and series, each once, in the order in which they came."""

    __slots__ = ("_added", "_known", "_studies", "study")

    def __init__(self, study: str) -> None:
        """Evidence of a report on ``study``."""
        self.study = study
        self._added: dict[int, Reference] = {}
        self._studies: dict[str, dict[str, list[Reference]]] = {}
        self._known: dict[str, tuple[Reference, str, str]] = {}

    def add(self, image: ImageReference) -> Reference:
        """Note an image of the report and give the reference to it."""
        made = self._added.get(id(image))  # the report holds its images while a document of it is drafted
        if made is None:
            made = self.note(image.sop_class, image.sop_instance, image.series, image.study or self.study, image.where)
            if image.frames:
                made = Reference(image.sop_class, image.sop_instance, image.frames)
            self._added[id(image)] = made
        return made

    def note(self, sop_class: str, sop_instance: str, series: str, study: str, where: str) -> Reference:
        """Note an instance; raises Contradiction when it was said to be of another class, series or study."""
        known = self._known.get(sop_instance)
        if known is None:
            made = Reference(sop_class, sop_instance)
            self._known[sop_instance] = made, series, study
            self._studies.setdefault(study, {}).setdefault(series, []).append(made)
            return made
        if known[0].sop_class != sop_class or known[1] != series or known[2] != study:
            why = "the same SOP instance is said to be of another SOP class, series or study elsewhere"
            raise Contradiction(Problem(where, "one-instance-one-place", why))
        return known[0]

    def find(self, sop_instance: str) -> Reference | None:
        """The reference to an instance that was noted before."""
        known = self._known.get(sop_instance)
        return known[0] if known is not None else None

    def of_study(self, study: str) -> tuple[Reference, ...]:
        """All that was noted of one study."""
        return tuple(one for series in self._studies.get(study, {}).values() for one in series)

    @property
    def studies(self) -> tuple[str, ...]:
        """The studies that instances were noted of."""
        return tuple(self._studies)

    def current(self) -> bytes:
        """Current Requested Procedure Evidence Sequence, empty without evidence."""
        return self._sequence("CurrentRequestedProcedureEvidenceSequence", [self.study])

    def key_objects(self) -> bytes:
        """The same of a Key Object Selection Document, with other studies: archives read no other sequence of it."""
        return self._sequence("CurrentRequestedProcedureEvidenceSequence", list(self._studies))

    def pertinent(self) -> bytes:
        """Pertinent Other Evidence Sequence: what comes from other studies, empty without such."""
        return self._sequence(
            "PertinentOtherEvidenceSequence", [study for study in self._studies if study != self.study]
        )

    def _sequence(self, keyword: str, studies: list[str]) -> bytes:
        items = [_study(study, self._studies[study]) for study in studies if study in self._studies]
        return long(keyword, b"".join(items)) if items else b""


def _study(study: str, series: dict[str, list[Reference]]) -> bytes:
    """One item: Hierarchical SOP Instance Reference Macro (PS3.3 C.17.2.1)."""
    made = b"".join([_series(uid, instances) for uid, instances in series.items()])
    return item(long("ReferencedSeriesSequence", made) + short("StudyInstanceUID", ui(study)))


def _series(series: str, instances: list[Reference]) -> bytes:
    made = b"".join([said_instance(one) for one in instances])
    return item(long("ReferencedSOPSequence", made) + short("SeriesInstanceUID", ui(series)))
