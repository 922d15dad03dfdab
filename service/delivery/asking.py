"""What an archive says over DIMSE when it is asked for an object: C-FIND lists it, C-GET gives it back (PS3.4 C)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from service.delivery.destination import Answer, Failed, Outcome, Outgoing
from service.delivery.dicomweb import compared
from service.delivery.dimse import (
    STUDY_ROOT_FIND,
    STUDY_ROOT_GET,
    TRANSFER_SYNTAXES,
    associated,
    status_of,
    written,
)
from service.delivery.settings import CStore
from service.domain.emitted import SrReference

if TYPE_CHECKING:
    from pydicom import Dataset

_PENDING: Final = frozenset({0xFF00, 0xFF01})
_SUCCESS: Final = 0x0000
_NO_MATCH: Final = "the archive does not list it"


def found(settings: CStore, sr: SrReference) -> Answer:
    """Whether the archive lists the instance (Study Root, IMAGE level; PS3.4 C.6.2); raises Failed."""
    listed = False
    with associated(settings, [(STUDY_ROOT_FIND, syntax) for syntax in TRANSFER_SYNTAXES[:2]]) as made:
        for told, match in made.send_c_find(_instance(sr), STUDY_ROOT_FIND):
            status = status_of(told)
            if status in _PENDING:
                listed = listed or (match is not None and match.get("SOPInstanceUID") == sr.sop_instance)
            elif status != _SUCCESS:
                raise Failed(Outcome.UNKNOWN, _unanswered("C-FIND", status))
    if listed:
        return Answer(Outcome.VERIFIED, "listed; the content was not compared", "0000")
    return Answer(Outcome.NOT_SENT, _NO_MATCH, "0000")


def got(settings: CStore, outgoing: Outgoing) -> Answer:
    """Get the object on our own association and compare it with what was sent (PS3.4 C.4.3); raises Failed."""
    from pynetdicom import build_role, evt

    sr = outgoing.sr
    if sr is None:
        raise Failed(Outcome.REFUSED, "this is no DICOM object")
    held: list[bytes] = []

    def keep(event: Any) -> int:
        if event.request.AffectedSOPInstanceUID == sr.sop_instance and not held:
            held.append(event.encoded_dataset())
        return _SUCCESS

    proposed = [(STUDY_ROOT_GET, syntax) for syntax in TRANSFER_SYNTAXES[:2]]
    proposed += [(sr.sop_class, syntax) for syntax in TRANSFER_SYNTAXES]
    roles = [build_role(sr.sop_class, scp_role=True)]
    most = 4 * len(outgoing.content) + 1_048_576  # an archive may add to it, but not without end
    with associated(settings, proposed, handlers=[(evt.EVT_C_STORE, keep)], roles=roles, most=most) as made:
        if not any(one.abstract_syntax == STUDY_ROOT_GET for one in made.accepted_contexts):
            raise Failed(Outcome.REFUSED, "it takes no C-GET (PS3.8 7.1.1.13)")
        status = None
        for told, _ in made.send_c_get(_instance(sr), STUDY_ROOT_GET):
            status = status_of(told)
    if held:
        return compared(outgoing.content, held[0], settings.may_change, written(status))
    if status == _SUCCESS:
        return Answer(Outcome.NOT_SENT, "the archive gives nothing back under this UID", "0000")
    raise Failed(Outcome.UNKNOWN, _unanswered("C-GET", status))


def _unanswered(what: str, status: int | None) -> str:
    if status is None:
        return f"{what} is not answered: it may not know our AE title"
    return f"{what} ends with status {written(status)}"


def _instance(sr: SrReference) -> Dataset:
    """The identifier of one instance."""
    from pydicom import Dataset

    made = Dataset()
    made.QueryRetrieveLevel = "IMAGE"
    made.StudyInstanceUID = sr.study
    made.SeriesInstanceUID = sr.series
    made.SOPInstanceUID = sr.sop_instance
    return made
