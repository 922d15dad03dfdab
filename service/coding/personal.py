"""What of a report names its patient: a term that holds any of it is neither counted nor asked about elsewhere."""

from collections.abc import Iterator
from typing import Any, Final

from service.coding.words import fold
from service.domain.report import Patient, Report

_SHORTEST_NAME: Final = 3  # letters of a name's part; shorter ones are in too many words to tell a person


class Personal:
    """The names and ids of one report."""

    __slots__ = ("_ids", "_names")

    def __init__(self, report: Report[Any]) -> None:
        """Take the patient's names, ids and date of birth, the accession number and the report's id."""
        patient = report.patient
        born = patient.birth_date.text if patient.birth_date is not None else ""
        others = (other.id for other in patient.other_ids)
        ids = [patient.id, *others, report.study.accession or "", report.id, born, born.replace("-", "")]
        self._ids = {fold(one) for one in ids if len(one) >= _SHORTEST_NAME}
        self._names = set(_name_words(patient))

    def is_in(self, text: str) -> bool:
        """Whether a text holds any of it."""
        text = fold(text)
        words = {word.strip(".,;:()[]'\"") for word in text.replace("^", " ").replace("-", " ").split()}
        return bool(words & self._names) or any(one in text for one in self._ids)


def _name_words(patient: Patient) -> Iterator[str]:
    """The parts of the patient's name."""
    if patient.name is not None:
        for group in (patient.name.alphabetic, patient.name.ideographic, patient.name.phonetic):
            for part in group.parts:
                yield from (word for word in fold(part).replace("-", " ").split() if len(word) >= _SHORTEST_NAME)
