"""STOW-RS: stores an SR at an archive, reads its answer to the last instance, and reads the object back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote

import orjson

from service.delivery import statuses
from service.delivery.destination import Answer, Echo, Failed, Outcome, Outgoing, not_asked, tried
from service.delivery.dicomweb import NotDicomJson, datasets, looked, read_back, sequence, text
from service.delivery.http import HttpPeer, Reply
from service.delivery.multipart import related
from service.delivery.settings import Stow
from service.domain.emitted import SrReference

DICOM: Final = "application/dicom"
DICOM_JSON: Final = "application/dicom+json"
_FAILED_SOPS: Final = "00081198"
_STORED_SOPS: Final = "00081199"
_OTHER_FAILURES: Final = "0008119A"
_FAILURE: Final = "00081197"
_WARNING: Final = "00081196"
_INSTANCE: Final = "00081155"


class StowDestination:
    """An archive that is spoken to over DICOMweb (PS3.18 10.5)."""

    def __init__(self, settings: Stow, peer: HttpPeer | None = None) -> None:
        """Take the settings; nothing is connected yet."""
        self.settings = settings
        self._peer = peer or HttpPeer(settings.timeouts, settings.tls, settings.auth)
        self._base = settings.url.rstrip("/")

    @property
    def name(self) -> str:
        """Its name in the settings."""
        return self.settings.name

    def send(self, outgoing: Outgoing) -> Answer:
        """Store the object; where the answer does not name it, it is read back at once."""
        # A bundle speaks of an SR, too: one may wait here from the time when the destination took FHIR.
        if outgoing.sr is None or outgoing.media_type.partition(";")[0].strip() != DICOM:
            return Answer(Outcome.REFUSED, "this is no DICOM object")
        body, content_type = related(outgoing.content, DICOM)
        try:
            reply = self._post(body, content_type)
        except Failed as failed:
            return failed.answer
        answer = self._meaning(reply, outgoing.sr)
        if answer.outcome is Outcome.UNKNOWN and 200 <= reply.status < 300 and self.settings.verify == "read-back":
            proof = self.verify(outgoing)
            return answer if proof.outcome is Outcome.NOT_SENT else proof
        return answer

    def verify(self, outgoing: Outgoing) -> Answer:
        """Read the object back and compare, or ask whether it is listed."""
        if outgoing.sr is None or self.settings.verify == "none":
            return Answer(Outcome.STORED)
        try:
            if self.settings.verify == "find":
                return self._find(outgoing.sr)
            return read_back(self._peer, self._base, outgoing, self.settings.may_change)
        except Failed as failed:
            return not_asked(failed.answer)

    def probe(self) -> tuple[Echo, ...]:
        """Search for no study, and ask for no object: both say whether the service is there and lets us in."""
        return (
            tried("QIDO-RS answers", lambda: looked(self._peer, self._base)),
            tried("we are let in", self._let_in),
        )

    def _post(self, body: bytes, content_type: str) -> Reply:
        headers = {"Content-Type": content_type, "Accept": DICOM_JSON}
        return self._peer.ask("POST", f"{self._base}/studies", headers, body)

    def _let_in(self) -> str:
        """An empty store request: an archive that lets us in says that there is nothing in it (400, 409, 415)."""
        body, content_type = related(b"", DICOM)
        reply = self._post(body, content_type)
        if reply.status in (401, 403, 404, 405, 501) or 300 <= reply.status < 400:
            raise Failed(Outcome.REFUSED, f"status {reply.status}: {self._peer.unhappy(reply).reason}")
        return f"a store request without content is answered with status {reply.status}"

    def _meaning(self, reply: Reply, sr: SrReference) -> Answer:
        """What a store answer says of our one instance (PS3.18 10.5.3; 200, 202 and 409 have the same body)."""
        if reply.status not in (200, 202, 409):
            return self._peer.unhappy(reply, _reason_text(reply))
        try:
            told = datasets(reply)
        except NotDicomJson as error:
            if reply.status == 409:
                return self._peer.unhappy(reply)
            return Answer(
                Outcome.UNKNOWN, f"its answer does not say what became of the object ({error})", str(reply.status)
            )
        return _verdict(told[0] if told else {}, reply.status, sr)

    def _find(self, sr: SrReference) -> Answer:
        """Whether QIDO-RS lists the instance (PS3.18 10.6)."""
        place = f"{self._base}/studies/{quote(sr.study)}/series/{quote(sr.series)}/instances"
        reply = self._peer.ask("GET", f"{place}?SOPInstanceUID={quote(sr.sop_instance)}", {"Accept": DICOM_JSON})
        if reply.status not in (200, 204, 404):
            return not_asked(self._peer.unhappy(reply))
        try:
            listed = [] if reply.status != 200 else datasets(reply)
        except NotDicomJson as error:
            return Answer(Outcome.UNKNOWN, f"its list can't be read ({error})", str(reply.status))
        if any(text(one, "00080018") == sr.sop_instance for one in listed):
            return Answer(Outcome.VERIFIED, "listed; the content was not compared", str(reply.status))
        return Answer(Outcome.NOT_SENT, "the archive does not list it", str(reply.status))


def _verdict(told: Mapping[str, Any], status: int, sr: SrReference) -> Answer:
    """The verdict on our instance in a Store Instances Response Module (PS3.18 I.2)."""
    for failed in (*sequence(told, _FAILED_SOPS), *sequence(told, _OTHER_FAILURES)):
        if text(failed, _INSTANCE) in ("", sr.sop_instance):
            return _coded(failed, _FAILURE, status, Outcome.REFUSED)
    for stored in sequence(told, _STORED_SOPS):
        if text(stored, _INSTANCE) == sr.sop_instance:
            return _coded(stored, _WARNING, status, Outcome.STORED)
    if status == 409:
        return Answer(Outcome.REFUSED, "it could not store the object and gives no reason", str(status))
    return Answer(Outcome.UNKNOWN, "its answer does not name the object", str(status))


def _coded(item: Mapping[str, Any], attribute: str, status: int, plain: Outcome) -> Answer:
    """Failure Reason or Warning Reason in words, with the code verbatim."""
    said = text(item, attribute)
    code = int(said) if said.isdecimal() and len(said) < 6 else None
    if code is None:
        return Answer(plain, "" if plain.is_kept else "it failed and gives no reason", str(status))
    known = statuses.dimse(code)
    outcome = Outcome.STORED if plain.is_kept else known.outcome if not known.outcome.is_kept else Outcome.REFUSED
    if code == 0x0111 and not plain.is_kept:
        outcome = Outcome.STORED  # an object is there already under our UID: whether it is ours, reading back tells
    kind = "warning" if plain.is_kept else "failure"
    return Answer(outcome, f"{kind} reason {code:04X}H ({code}): {known.meaning}", str(status))


def _reason_text(reply: Reply) -> str:
    """The words of an error body: plain text, or the message of a JSON object."""
    if reply.media_type.endswith("json"):
        try:
            told = orjson.loads(reply.content)
        except ValueError:
            return ""
        if isinstance(told, dict):
            said = [told[name] for name in ("Message", "message", "errorMessage", "Details") if name in told]
            return "; ".join(one for one in said if isinstance(one, str))
    return ""
