"""Storage commitment (PS3.4 J): the archive takes over responsibility for an object, and says so in a report.

The report (N-EVENT-REPORT) comes on our association, or on one that the archive opens to us. For the latter a port is
listened on, and only while a report is awaited: the port belongs to the machine, and several processes may share it.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4
from weakref import WeakKeyDictionary

import structlog

from service.delivery import statuses
from service.delivery.acceptor import Acceptor
from service.delivery.destination import Answer, Failed, Outcome
from service.delivery.dimse import TRANSFER_SYNTAXES, associated, quiet
from service.delivery.pem import unusable
from service.delivery.settings import CStore
from service.delivery.trust import association_context
from service.domain.emitted import SrReference

if TYPE_CHECKING:
    from pydicom import Dataset

PUSH_MODEL: Final = "1.2.840.10008.1.20.1"
WELL_KNOWN: Final = "1.2.840.10008.1.20.1.1"
_REQUEST: Final = 1  # action type (PS3.4 J.3.2)
_ALL_STORED: Final = 1  # event type (PS3.4 J.3.3)
_SUCCESS: Final = 0x0000
_NO_SUCH_TRANSACTION: Final = 0x0110
_NO_REASON: Final = 0x0110
_CANNOT: Final = 0x0110  # processing failure (PS3.7 C.4)
_COMMITTED: Final = Answer(Outcome.VERIFIED, "committed; the content was not compared", "0000")
_ASSOCIATIONS: Final = 16
_REPORT_BYTES: Final = 1_048_576
"""A report names what was asked for, one object here; an archive may put several transactions' into one."""
_log = structlog.get_logger()
_KEPT: Final = 10_000
"""So many reports that are overdue are remembered, and so many that came late."""


class Late(Failed):
    """The report has not come in time; it still may."""


@dataclass(slots=True)
class _Awaited:
    """A report that is waited for, of an object of an archive; ``come`` once it is there and was answered."""

    subject: tuple[str, str]
    come: threading.Event = field(default_factory=threading.Event)
    event_type: int = 0
    content: Dataset | None = None


class _Desk:
    """Reports by transaction, and the one listener of this process for each port."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._awaited: dict[str, _Awaited] = {}
        self._overdue: OrderedDict[str, tuple[str, str]] = OrderedDict()
        self._committed: OrderedDict[tuple[str, str], bool] = OrderedDict()
        self._listeners: dict[tuple[str, int, str], tuple[Any, int]] = {}
        # A lock of its own: who ends a listener holds the other one, and waits for the threads that say what was sent.
        self._answering = threading.Lock()
        self._unanswered: WeakKeyDictionary[Any, list[_Awaited]] = WeakKeyDictionary()

    def handlers(self) -> list[tuple[Any, Any]]:
        """For ``evt_handlers`` of each association that a report may come on."""
        from pynetdicom import evt

        sent = ((one, self._sent) for one in (evt.EVT_PDU_SENT, evt.EVT_CONN_CLOSE))
        return [(evt.EVT_N_EVENT_REPORT, self.hand_in), *sent]

    def await_one(self, transaction: str, subject: tuple[str, str]) -> _Awaited:
        with self._lock:
            return self._awaited.setdefault(transaction, _Awaited(subject))

    def forget(self, transaction: str) -> None:
        """Wait no more; a report may still come, and then it counts for who asks next."""
        with self._lock:
            awaited = self._awaited.pop(transaction)
            if awaited.content is None:
                self._overdue[transaction] = awaited.subject
                _bound(self._overdue)

    def has(self, subject: tuple[str, str]) -> bool:
        """Whether the archive has committed itself to the object in a report that came late; it is said once."""
        with self._lock:
            return self._committed.pop(subject, False)

    def hand_in(self, event: Any) -> tuple[int, None]:
        """What is answered to an N-EVENT-REPORT: success where somebody waits for it, or has."""
        try:
            content = event.event_information
            transaction = str(content.get("TransactionUID", ""))
            for sequence in ("FailedSOPSequence", "ReferencedSOPSequence"):
                _named(content, sequence)  # decoded as it is looked at: a report that can't be read is found here
        except Exception:  # noqa: BLE001 - whatever pydicom makes of somebody's bytes, it is no report
            return _CANNOT, None
        with self._lock:
            awaited = self._awaited.get(transaction)
            if awaited is not None:
                self._take(event, content, awaited)
                return _SUCCESS, None
            subject = self._overdue.pop(transaction, None)
            if subject is None:
                return _NO_SUCH_TRANSACTION, None
            # What it did not commit itself to may have been sent again since: only that it did counts as late as this.
            if subject[1] in _named(content, "ReferencedSOPSequence"):
                self._late(subject, event, content)
            return _SUCCESS, None

    def _sent(self, event: Any) -> None:
        """Tell who waits, once the answer has left or never will: he ends the association that the report came on."""
        with self._answering:
            answered = self._unanswered.pop(event.assoc, [])
        for one in answered:
            one.come.set()

    def _take(self, event: Any, content: Dataset, *awaited: _Awaited) -> None:
        """Take a report for who waits for it; he is told once it is answered."""
        for one in awaited:
            one.event_type, one.content = int(event.event_type), content
        with self._answering:
            self._unanswered.setdefault(event.assoc, []).extend(awaited)

    def _late(self, subject: tuple[str, str], event: Any, content: Dataset) -> None:
        """Tell who waits for a report of the same object by now, or keep it for who asks next."""
        waiting = [one for one in self._awaited.values() if one.subject == subject and one.content is None]
        self._take(event, content, *waiting)
        if not waiting:
            self._committed[subject] = True
            _bound(self._committed)

    @contextmanager
    def listening(self, settings: CStore) -> Iterator[None]:
        """Listen while the block runs, where a port is set."""
        if not settings.commitment_port:
            yield
            return
        place = (settings.commitment_host, settings.commitment_port, settings.calling)
        with self._lock:
            server, users = self._listeners.get(place) or (self._listen(settings), 0)
            self._listeners[place] = (server, users + 1)
        try:
            yield
        finally:
            with self._lock:
                server, users = self._listeners[place]
                if users > 1:
                    self._listeners[place] = (server, users - 1)
                else:
                    del self._listeners[place]
                    server.shutdown()

    def _listen(self, settings: CStore) -> Any:
        from pynetdicom import AE

        quiet()
        entity = AE(ae_title=settings.calling)
        entity.acse_timeout = entity.dimse_timeout = settings.timeouts.read_s
        entity.network_timeout = settings.timeouts.read_s
        # The archive asks to be the SCP on an association that it opened itself (PS3.4 J.3.3, PS3.7 D.3.3.4).
        entity.add_supported_context(PUSH_MODEL, list(TRANSFER_SYNTAXES[:2]), scu_role=True, scp_role=True)
        entity.add_supported_context("1.2.840.10008.1.1")
        tls = settings.commitment_tls
        try:
            secured = association_context(tls, settings.timeouts.read_s) if tls is not None else None
        except (OSError, ValueError) as error:
            found = unusable(tls.certificate_file, tls.key_file, tls.ca_file) if tls is not None else None
            member, why = found or ("certificate_file", "can't be used")
            reason = f"TLS of the port for commitment reports: commitment_tls.{member}: {why}"
            raise Failed(Outcome.UNKNOWN, reason) from error
        try:
            times = settings.timeouts
            acceptor = Acceptor(
                _ASSOCIATIONS,
                times.read_s,
                _REPORT_BYTES,
                way="commitment",
                message_s=times.total_s,
                ended=_ended,
            )
            server = entity.start_server(
                (settings.commitment_host, settings.commitment_port),
                block=False,
                ssl_context=secured,
                evt_handlers=[*self.handlers(), *acceptor.handlers()],
            )
            acceptor.bound(server)
            return server
        except OSError as error:
            reason = "the port for commitment reports can't be listened on; another process may use it just now"
            raise Failed(Outcome.UNKNOWN, reason) from error


def _ended(why: str, address: str) -> None:
    _log.warning("commitment association ended", reason=why, address=address)


_DESK: Final = _Desk()


def committed(settings: CStore, sr: SrReference) -> Answer:
    """Ask the archive to commit itself to the object, and wait for its report; raises Failed, or Late."""
    transaction = f"2.25.{uuid4().int}"  # one for each request: a used one is refused (0131H)
    subject = (f"{settings.called}@{settings.host}:{settings.port}", sr.sop_instance)
    if _DESK.has(subject):
        return _COMMITTED
    awaited = _DESK.await_one(transaction, subject)
    try:
        with (
            _DESK.listening(settings),
            associated(
                settings,
                [(PUSH_MODEL, syntax) for syntax in TRANSFER_SYNTAXES[:2]],
                handlers=_DESK.handlers(),
                more_s=settings.commitment_s,
            ) as made,
        ):
            told, _ = made.send_n_action(_request(transaction, sr), _REQUEST, PUSH_MODEL, WELL_KNOWN)
            status = told.get("Status") if told else None
            if status is None:
                raise Failed(Outcome.UNKNOWN, _UNANSWERED)
            if status != _SUCCESS:
                known = statuses.dimse(int(status))
                raise Failed(Outcome.UNKNOWN, f"it will not commit: {int(status):04X}, {known.meaning}")
            if not awaited.come.wait(settings.commitment_s) and awaited.content is None:
                raise Late(Outcome.UNKNOWN, f"no report of commitment came in time: {_where(settings)}")
    finally:
        _DESK.forget(transaction)
    return _verdict(awaited, sr)


_UNANSWERED: Final = (
    "the association ended before the request for commitment was answered: it may not know our AE title"
)


def _where(settings: CStore) -> str:
    """What an archive has to know to bring its report."""
    if not settings.commitment_port:
        return "it may bring it on an association of its own: set commitment_port, and let it know our title and port"
    return f"it has to know {settings.calling} at this host and port {settings.commitment_port}"


def _request(transaction: str, sr: SrReference) -> Dataset:
    """The action information: one object (PS3.4 J.3.2.1.1)."""
    from pydicom import Dataset

    item = Dataset()
    item.ReferencedSOPClassUID = sr.sop_class
    item.ReferencedSOPInstanceUID = sr.sop_instance
    made = Dataset()
    made.TransactionUID = transaction
    made.ReferencedSOPSequence = [item]
    return made


def _verdict(awaited: _Awaited, sr: SrReference) -> Answer:
    """What a report says of our object (PS3.4 J.3.3.1)."""
    content = awaited.content
    assert content is not None  # noqa: S101 - set before the event is
    for failed in _items(content, "FailedSOPSequence"):
        if failed.get("ReferencedSOPInstanceUID") == sr.sop_instance:
            said = failed.get("FailureReason")
            code = said if isinstance(said, int) else _NO_REASON
            known = statuses.dimse(code)
            outcome = Outcome.UNKNOWN if known.outcome.is_kept else known.outcome
            return Answer(outcome, f"not committed, failure reason {code:04X}H: {known.meaning}", f"{code:04X}")
    if sr.sop_instance in _named(content, "ReferencedSOPSequence"):
        return _COMMITTED
    if awaited.event_type == _ALL_STORED:
        return Answer(Outcome.UNKNOWN, "its report of commitment does not name the object", "0000")
    return Answer(Outcome.UNKNOWN, "its report names failures, and not the object", "0000")


def _named(content: Dataset, sequence: str) -> set[str]:
    """The instances that a sequence of a report names."""
    return {str(item.get("ReferencedSOPInstanceUID", "")) for item in _items(content, sequence)}


def _items(content: Dataset, sequence: str) -> Iterator[Dataset]:
    """The items of a sequence; none where a report has something else in its place."""
    found = content.get(sequence)
    for item in found if isinstance(found, Iterable) and not isinstance(found, str | bytes) else ():
        if hasattr(item, "get"):
            yield item


def _bound(kept: OrderedDict[Any, Any]) -> None:
    """Leave out the oldest."""
    while len(kept) > _KEPT:
        kept.popitem(last=False)
