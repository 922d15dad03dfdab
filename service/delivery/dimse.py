"""Associations with a DICOM peer (PS3.8): what is proposed, and what it means when none comes about."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from service.delivery.destination import Failed, Outcome
from service.delivery.pdus import Allowance, hold
from service.delivery.settings import CStore
from service.delivery.trust import context

if TYPE_CHECKING:
    from pydicom import Dataset
    from pynetdicom.association import Association

EXPLICIT: Final = "1.2.840.10008.1.2.1"
IMPLICIT: Final = "1.2.840.10008.1.2"
DEFLATED: Final = "1.2.840.10008.1.2.1.99"
TRANSFER_SYNTAXES: Final = (EXPLICIT, IMPLICIT, DEFLATED)
"""In the order in which we like them; Implicit VR Little Endian has to be proposed for each SOP class (PS3.5 10.1)."""

BASIC_TEXT: Final = "1.2.840.10008.5.1.4.1.1.88.11"
ENHANCED: Final = "1.2.840.10008.5.1.4.1.1.88.22"
COMPREHENSIVE: Final = "1.2.840.10008.5.1.4.1.1.88.33"
COMPREHENSIVE_3D: Final = "1.2.840.10008.5.1.4.1.1.88.34"
KEY_OBJECT: Final = "1.2.840.10008.5.1.4.1.1.88.59"
SOP_CLASSES: Final = {
    ENHANCED: "Enhanced SR",
    COMPREHENSIVE: "Comprehensive SR",
    COMPREHENSIVE_3D: "Comprehensive 3D SR",
    BASIC_TEXT: "Basic Text SR",
    KEY_OBJECT: "Key Object Selection Document",
}
"""What is sent (PS3.4 B.5)."""
WRITTEN: Final[Mapping[str, tuple[str, ...]]] = {
    "strict": (ENHANCED, COMPREHENSIVE_3D),
    "ohif": (ENHANCED,),
    "enhanced": (ENHANCED,),
    "text": (BASIC_TEXT,),
    "air": (COMPREHENSIVE_3D,),
}
"""What a report is written as in each dialect, where nobody asks for another IOD: the others come from elsewhere, as an
SR that goes on as it came, or a rejection note.
"""
VERIFICATION: Final = "1.2.840.10008.1.1"
STUDY_ROOT_FIND: Final = "1.2.840.10008.5.1.4.1.2.2.1"
STUDY_ROOT_GET: Final = "1.2.840.10008.5.1.4.1.2.2.3"

_MOST: Final = 16 * 1024 * 1024
_TRANSIENT: Final = 2  # result of A-ASSOCIATE-RJ (PS3.8 9.3.4)


@contextmanager
def associated(
    settings: CStore,
    proposed: Sequence[tuple[str, str]],
    *,
    handlers: Sequence[tuple[Any, Any]] = (),
    roles: Sequence[Any] = (),
    most: int = _MOST,
    more_s: float = 0.0,
) -> Iterator[Association]:
    """An association with ``proposed`` pairs of abstract and transfer syntax, each a presentation context of its own.

    It is released in the end, or aborted where something went wrong. Raises Failed where none comes about: nothing was
    sent then. Past ``most`` bytes of the peer, or the time of an attempt and ``more_s`` seconds, it ends.
    """
    from pynetdicom import AE, evt

    quiet()
    entity = AE(ae_title=settings.calling)
    entity.connection_timeout = settings.timeouts.connect_s
    entity.acse_timeout = entity.dimse_timeout = settings.timeouts.read_s
    entity.network_timeout = settings.timeouts.total_s
    for abstract, transfer in proposed:
        entity.add_requested_context(abstract, transfer)
    allowance = Allowance(most, settings.timeouts.total_s + more_s)

    def opened(event: Any) -> None:
        hold(event.assoc, settings.timeouts.read_s, allowance)

    tls = (context(settings.tls), settings.host) if settings.tls is not None else None
    try:
        made = entity.associate(
            settings.host,
            settings.port,
            ae_title=settings.called,
            max_pdu=settings.max_pdu,
            ext_neg=list(roles),
            tls_args=tls,
            evt_handlers=[(evt.EVT_CONN_OPEN, opened), *handlers],
        )
    except (OSError, RuntimeError) as error:
        raise Failed(Outcome.NOT_SENT, f"no association ({type(error).__name__})") from error
    if not made.is_established:
        raise _none(made, settings)
    try:
        yield made
    except BaseException:
        made.abort()
        raise
    if made.is_established:
        made.release()


def _none(made: Association, settings: CStore) -> Failed:
    """Why there is no association."""
    answer = made.acceptor.primitive
    if made.is_rejected and answer is not None:
        outcome = Outcome.BUSY if answer.result == _TRANSIENT else Outcome.NOT_SENT
        return Failed(outcome, f"it rejects the association: {answer.result_str}, {answer.reason_str} (PS3.8 9.3.4)")
    if made.is_aborted and made.rejected_contexts:
        return Failed(Outcome.REFUSED, "it takes none of the SOP classes that were proposed (PS3.8 7.1.1.13)")
    if made.is_aborted:
        tls = ", or TLS came to no trust in time" if settings.tls is not None else ", or it wants TLS"
        return Failed(Outcome.NOT_SENT, f"no association: nobody listens there, the name is not known{tls}")
    return Failed(Outcome.NOT_SENT, "no association came about in time")


def quiet() -> None:
    """Keep pynetdicom from writing what it sends into a log: its debug lines hold whole data sets."""
    from pynetdicom import _config

    _config.LOG_HANDLER_LEVEL = "none"
    logging.getLogger("pynetdicom").setLevel(logging.CRITICAL)


def status_of(told: Dataset) -> int | None:
    """The status of a response; None where there was none."""
    found = told.get("Status") if told else None
    return int(found) if found is not None else None


def written(status: int | None) -> str:
    """A status as the standard writes it."""
    return "none" if status is None else f"{status:04X}"
