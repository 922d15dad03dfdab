"""A Storage SCP for SR classes and a Verification SCP (PS3.4 B, A): success means that the report is on disk."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

import structlog

from service.access.events import Arrival, rule_of
from service.delivery.acceptor import Acceptor
from service.delivery.dimse import TRANSFER_SYNTAXES, VERIFICATION, quiet
from service.delivery.trust import association_context
from service.domain.errors import Forbidden, Invalid, LesionBridgeError, Problem
from service.doors import Format
from service.receiving import statuses
from service.receiving.reception import Peer, Reception
from service.receiving.settings import DicomListener

if TYPE_CHECKING:
    from pydicom import Dataset

STORED: Final = {
    "1.2.840.10008.5.1.4.1.1.88.11": "Basic Text SR",
    "1.2.840.10008.5.1.4.1.1.88.22": "Enhanced SR",
    "1.2.840.10008.5.1.4.1.1.88.33": "Comprehensive SR",
    "1.2.840.10008.5.1.4.1.1.88.34": "Comprehensive 3D SR",
    "1.2.840.10008.5.1.4.1.1.88.35": "Extensible SR",
    "1.2.840.10008.5.1.4.1.1.88.50": "Mammography CAD SR",
    "1.2.840.10008.5.1.4.1.1.88.65": "Chest CAD SR",
    "1.2.840.10008.5.1.4.1.1.88.69": "Colon CAD SR",
}
"""The SOP classes that are taken (PS3.4 B.5)."""
EXPLICIT_BIG: Final = "1.2.840.10008.1.2.2"
_COMMENT: Final = 64  # Error Comment (0000,0902) is LO
_SLACK: Final = 65_536
_log = structlog.get_logger()


class DicomServer:
    """Listens once it is made; ``port`` is the one that was taken. Raises OSError where it can't be."""

    def __init__(self, reception: Reception, settings: DicomListener) -> None:
        """Bind, and start to accept associations."""
        from pynetdicom import AE, evt

        quiet()
        self._reception = reception
        entity = AE(ae_title=settings.ae_title)
        entity.maximum_pdu_size = settings.max_pdu
        entity.acse_timeout = entity.dimse_timeout = entity.network_timeout = settings.timeout_s
        entity.require_calling_aet = list(settings.calling)
        entity.require_called_aet = settings.check_called
        entity.add_supported_context(VERIFICATION, list(TRANSFER_SYNTAXES[:2]))
        for uid in STORED:
            entity.add_supported_context(uid, [*TRANSFER_SYNTAXES, EXPLICIT_BIG])
        most = reception.here.settings.limits.body_bytes + _SLACK
        acceptor = Acceptor(
            settings.associations,
            settings.timeout_s,
            most,
            way="dicom",
            message_s=settings.message_s,
            ended=_ended,
            lacks=self._lacking,
        )
        server: Any = entity.start_server(
            (settings.host, settings.port),
            block=False,
            ssl_context=association_context(settings.tls, settings.timeout_s) if settings.tls is not None else None,
            evt_handlers=[
                (evt.EVT_C_STORE, self._store),
                (evt.EVT_REJECTED, self._rejected),
                *acceptor.handlers(),
            ],
        )
        acceptor.bound(server)
        self._server = server
        self.port: int = server.socket.getsockname()[1]

    def stop(self) -> None:
        """End all associations and the listening."""
        self._server.shutdown()

    def _store(self, event: Any) -> Dataset:
        """The status of one C-STORE (PS3.4 B.2.3)."""
        peer = self._peer(event.assoc)
        failed: Exception | None = None
        kept: list[str] = []
        try:
            content = event.encoded_dataset()
            self._held(event, content)
            kept.append(str(self._reception.take(content, Format.SR, peer.site, peer.request).id))
        except LesionBridgeError as error:
            failed = error
        except Exception as error:  # noqa: BLE001 - whatever it is, the peer gets an answer
            failed = error
            _log.error("failed", error=type(error).__name__, way="dicom", request=peer.request)
        return self._answer(peer, failed, *kept)

    def _lacking(self, association: Any, request: Any) -> Dataset | None:
        """The status of a C-STORE that does not name its object, which it has to (PS3.7 9.1.1.1)."""
        from pynetdicom.dimse_primitives import C_STORE

        if not isinstance(request, C_STORE):
            return None
        lacks = Invalid(Problem("", "sr-identity", "the request does not say which object of which class it stores"))
        return self._answer(self._peer(association), lacks)

    def _answer(self, peer: Peer, failed: Exception | None, *kept: str) -> Dataset:
        """Note in trail and log what became of an object; the status that its sender gets."""
        failed = self._reception.note(peer, Arrival.OBJECT, failed, *kept)
        rule = rule_of(failed)
        _log.info("dicom object", accepted=failed is None, rule=rule, request=peer.request)
        return _status(0x0000 if failed is None else statuses.dimse(failed), rule)

    def _rejected(self, event: Any) -> None:
        """An association of somebody who may not, or calls somebody else, is in the trail too."""
        refusal = Forbidden(Problem("", "association", "the association was rejected"))
        self._reception.note(self._peer(event.assoc), Arrival.STRANGER, refusal)

    def _peer(self, association: Any) -> Peer:
        title = association.requestor.ae_title.strip()
        site = self._reception.here.receiving.site_of_title(title)
        return Peer(str(uuid4()), title, str(association.requestor.address or ""), site)

    def _held(self, event: Any, content: bytes) -> None:
        """That the object is the one that the request names (PS3.7 9.1.1.1), of the class that was negotiated."""
        from service.formats.sr.read import named

        request = event.request
        if request.AffectedSOPClassUID != event.context.abstract_syntax:
            raise Invalid(Problem("", "sop-class", "the request is not of the SOP class of its presentation context"))
        sop_class, instance, _ = named(content, self._reception.here.settings.limits)
        if (sop_class, instance) != (str(request.AffectedSOPClassUID), str(request.AffectedSOPInstanceUID)):
            raise Invalid(Problem("", "sr-identity", "the object is not the one that the request names"))


def _ended(why: str, address: str) -> None:
    _log.warning("dicom association ended", reason=why, address=address)


def _status(code: int, comment: str) -> Dataset:
    from pydicom import Dataset

    made = Dataset()
    made.Status = code
    if comment:
        made.ErrorComment = comment[:_COMMENT]
    return made
