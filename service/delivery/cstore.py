"""C-STORE: stores an SR at an archive over DIMSE, in a transfer syntax that it takes, and proves that it is there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from io import BytesIO
from typing import TYPE_CHECKING, Final

from service.delivery import asking, statuses
from service.delivery.destination import Answer, Echo, Failed, Outcome, Outgoing, not_asked, tried
from service.delivery.dicom_content import NotDicom, read
from service.delivery.dicomweb import read_back
from service.delivery.dimse import (
    COMPREHENSIVE_3D,
    IMPLICIT,
    KEY_OBJECT,
    SOP_CLASSES,
    TRANSFER_SYNTAXES,
    VERIFICATION,
    WRITTEN,
    associated,
    status_of,
    written,
)
from service.delivery.http import HttpPeer
from service.delivery.proving import provable
from service.delivery.settings import CStore
from service.delivery.trust import connection

if TYPE_CHECKING:
    from pydicom import Dataset
    from pynetdicom.association import Association

_SUCCESS: Final = 0x0000
_NO_VERIFICATION: Final = "it takes no C-ECHO (Verification, PS3.4 A); that says nothing of what it stores"
_ALL_REFUSED: Final = "no: reports of this class are refused"
_SHAPES_REFUSED: Final = "no: reports with shapes in millimetres are refused; the dialect `enhanced` leaves these out"
_NOTES_REFUSED: Final = "no: rejection notes are refused, and nothing else is written in this class"
_ELSEWHERE: Final = "no: only an SR that came in this class, or was asked for in it, is refused"


class CStoreDestination:
    """An archive that is spoken to over DIMSE (PS3.4 B)."""

    def __init__(self, settings: CStore) -> None:
        """Take the settings; nothing is connected yet."""
        self.settings = settings
        self._web = HttpPeer(settings.timeouts, settings.dicomweb_tls, settings.dicomweb_auth)

    @property
    def name(self) -> str:
        """Its name in the settings."""
        return self.settings.name

    def send(self, outgoing: Outgoing) -> Answer:
        """Store the object, in the first of our transfer syntaxes that the archive takes."""
        if outgoing.sr is None:
            return Answer(Outcome.REFUSED, "this is no DICOM object")
        try:
            dataset = read(outgoing.content)
            with associated(self.settings, [(outgoing.sr.sop_class, syntax) for syntax in TRANSFER_SYNTAXES]) as made:
                return _stored(made, dataset, outgoing.sr.sop_class)
        except NotDicom as error:
            return Answer(Outcome.REFUSED, str(error))
        except Failed as failed:
            return failed.answer

    def verify(self, outgoing: Outgoing) -> Answer:
        """By storage commitment, by reading back over DICOMweb or with C-GET, or by C-FIND."""
        if outgoing.sr is None or self.settings.verify == "none":
            return Answer(Outcome.STORED)
        try:
            if self.settings.verify == "read-back":
                base = self.settings.dicomweb_url.rstrip("/")
                return read_back(self._web, base, outgoing, self.settings.may_change)
            if self.settings.verify == "find":
                return asking.found(self.settings, outgoing.sr)
            if self.settings.verify == "get":
                return asking.got(self.settings, outgoing)
            from service.delivery.commitment import committed

            return committed(self.settings, outgoing.sr)
        except Failed as failed:
            return not_asked(failed.answer)

    def probe(self) -> tuple[Echo, ...]:
        """C-ECHO, what the archive would take, and whether it could be asked for proof."""
        first = self._echoed()
        contexts = self._contexts()
        return (first, *contexts, *(provable(self.settings, self._web) if len(contexts) > 1 else ()))

    def _echoed(self) -> Echo:
        """An archive need not be an SCP of Verification to store; where no association comes about, nothing works."""
        made = tried("C-ECHO is answered", self._echo)
        return replace(made, needed=False) if made.said == _NO_VERIFICATION else made

    def _echo(self) -> str:
        try:
            with associated(self.settings, [(VERIFICATION, IMPLICIT)]) as made:
                status = status_of(made.send_c_echo())
        except Failed as failed:
            if failed.answer.outcome is Outcome.REFUSED:
                raise Failed(Outcome.REFUSED, _NO_VERIFICATION) from failed
            raise self._why(failed) from failed
        if status != _SUCCESS:
            raise Failed(Outcome.REFUSED, f"status {written(status)}")
        return f"{self.settings.called} answers {self.settings.calling}"

    def _why(self, failed: Failed) -> Failed:
        """Why no association came about, by a connection of its own: pynetdicom does not say what it failed at."""
        at = self.settings
        if not str(failed).startswith("no association:"):
            return failed
        try:
            with connection(at.host, at.port, at.tls, at.timeouts.connect_s):
                wants = "TLS" if at.tls is None else "our certificate (tls.certificate_file)"
        except Failed as away:
            return away
        reason = f"a connection stands, but no association comes about: it speaks no DICOM there, or wants {wants}"
        return Failed(Outcome.NOT_SENT, reason)

    def _contexts(self) -> tuple[Echo, ...]:
        proposed = [(sop_class, syntax) for sop_class in SOP_CLASSES for syntax in TRANSFER_SYNTAXES]
        try:
            with associated(self.settings, proposed) as made:
                taken = {str(one.abstract_syntax) for one in made.accepted_contexts}
        except Failed as failed:
            return (Echo("SR classes are taken", False, str(self._why(failed))),)
        needed = WRITTEN[self.settings.dialect or "strict"]
        return tuple(
            Echo(f"{name} is taken", uid in taken, "yes" if uid in taken else _missed(uid, needed), uid in needed)
            for uid, name in SOP_CLASSES.items()
        )


def _missed(uid: str, needed: Sequence[str]) -> str:
    """What it means that an archive does not take a class, where reports are written in those that are needed."""
    if uid not in needed:
        return _NOTES_REFUSED if uid == KEY_OBJECT else _ELSEWHERE
    return _SHAPES_REFUSED if uid == COMPREHENSIVE_3D and len(needed) > 1 else _ALL_REFUSED


def _stored(made: Association, dataset: Dataset, sop_class: str) -> Answer:
    """The status of a C-STORE over this association."""
    taken = {str(one.transfer_syntax[0]) for one in made.accepted_contexts if one.abstract_syntax == sop_class}
    syntax = next((one for one in TRANSFER_SYNTAXES if one in taken), None)
    if syntax is None:
        name = SOP_CLASSES.get(sop_class, sop_class)
        return Answer(Outcome.REFUSED, f"it takes {name} in none of our transfer syntaxes")
    status = status_of(made.send_c_store(transcoded(dataset, syntax)))
    if status is None:
        return Answer(Outcome.UNKNOWN, "the association ended before C-STORE was answered")
    known = statuses.dimse(status)
    return Answer(known.outcome, "" if status == _SUCCESS else known.meaning, written(status))


def transcoded(dataset: Dataset, syntax: str) -> Dataset:
    """The data set in another transfer syntax: the same attributes, encoded otherwise (PS3.5 10)."""
    from pydicom import dcmread, dcmwrite
    from pydicom.uid import UID

    if dataset.file_meta.TransferSyntaxUID == syntax:
        return dataset
    made = BytesIO()
    dataset.file_meta.TransferSyntaxUID = UID(syntax)
    dcmwrite(made, dataset, implicit_vr=syntax == IMPLICIT, little_endian=True, force_encoding=True)
    made.seek(0)
    return dcmread(made)
