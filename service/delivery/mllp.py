"""HL7 v2 over MLLP: one message a connection, its acknowledgments read to the last that it asks for."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from service.delivery import statuses
from service.delivery.acknowledgment import Acknowledgment, NotHl7, expected, read
from service.delivery.destination import Answer, Echo, Failed, Outcome, Outgoing, tried
from service.delivery.settings import Mllp
from service.delivery.trust import connection

_START: Final = b"\x0b"  # MLLP: <SB> message <EB><CR> (HL7 v2 Implementation Guide, C.4)
_END: Final = b"\x1c\r"
_MOST: Final = 1_048_576
_CHUNK: Final = 65_536


class MllpDestination:
    """A receiver that is spoken to over MLLP, with or without TLS."""

    def __init__(self, settings: Mllp, *, clock: Callable[[], float] = time.monotonic) -> None:
        """Take the settings; nothing is connected yet. ``clock`` never goes back."""
        self.settings = settings
        self._clock = clock

    @property
    def name(self) -> str:
        """Its name in the settings."""
        return self.settings.name

    def send(self, outgoing: Outgoing) -> Answer:
        """Send the message; its control id is the same for each attempt, so that a receiver knows it again."""
        message = outgoing.content
        if _START in message or b"\x1c" in message:
            return Answer(Outcome.REFUSED, "the message holds a byte that frames it")
        try:
            asked = expected(message)
        except NotHl7 as error:
            return Answer(Outcome.REFUSED, f"this is no HL7 v2 message: {error}")
        commit: Answer | None = None
        try:
            with self._connected() as line:
                line.send(_START + message + _END)
                if asked.commit:
                    commit = self._meaning(line.acknowledgment(asked.control_id))
                    if not commit.outcome.is_kept or commit.outcome is Outcome.VERIFIED:
                        return commit
                if not asked.application:
                    return commit or Answer(Outcome.STORED, "the message asks for no acknowledgment")
                told = line.acknowledgment(asked.control_id)
                if told.code == "CA":
                    # A receiver may commit where nobody asked it to; the application is heard after that.
                    commit = self._meaning(told)
                    told = line.acknowledgment(asked.control_id)
                return self._meaning(told)
        except Failed as failed:
            if commit is None:
                return failed.answer
            return Answer(Outcome.STORED, f"commit accept; of the application: {failed}", "CA")

    def verify(self, outgoing: Outgoing) -> Answer:  # noqa: ARG002 - the protocol's signature
        """A receiver can't be asked what it has: its proof is the acknowledgment of the application."""
        return Answer(Outcome.STORED, "a receiver of HL7 v2 can't be asked; its proof is the acknowledgment")

    def probe(self) -> tuple[Echo, ...]:
        """Connect, and send nothing: an empty message is an error in many receivers' eyes."""
        first = tried("it listens", self._listens)
        if not first.passed:
            return (first,)
        said = "only a report that is sent can show that; one that waits for TLS or for another protocol listens, too"
        return (first, Echo("it acknowledges", None, said))

    def _listens(self) -> str:
        with self._connected():
            return (
                "a connection stands, TLS and all"
                if self.settings.tls is not None
                else "a connection stands, without TLS"
            )

    def _meaning(self, told: Acknowledgment) -> Answer:
        """What MSA-1 means here: whether an error is tried again is a setting, since systems in the field differ."""
        known = statuses.HL7.get(told.code)
        if known is None:
            return Answer(
                Outcome.UNKNOWN, f"an acknowledgment code that the standard does not have; {told.said}", told.code
            )
        outcome, meaning = known
        if outcome is Outcome.REFUSED and self.settings.retry_on_application_error:
            outcome = Outcome.UNKNOWN
        if outcome is Outcome.VERIFIED and self.settings.verify == "none":
            outcome = Outcome.STORED
        return Answer(outcome, f"{meaning}: {told.said}" if told.said else meaning, told.code)

    @contextmanager
    def _connected(self) -> Iterator[_Line]:
        """A connection for one message; raises Failed where none stands."""
        settings, times = self.settings, self.settings.timeouts
        until = self._clock() + times.total_s
        with connection(settings.host, settings.port, settings.tls, times.connect_s) as made:
            yield _Line(made, until, times.read_s, self._clock)


class _Line:
    """One connection under a deadline."""

    def __init__(self, connected: socket.socket, until: float, read_s: float, clock: Callable[[], float]) -> None:
        self._socket = connected
        self._until = until
        self._read_s = read_s
        self._clock = clock
        self._come = b""

    def send(self, content: bytes) -> None:
        try:
            self._socket.settimeout(self._left())
            self._socket.sendall(content)
        except OSError as error:
            raise Failed(Outcome.UNKNOWN, "the connection ended while the message was sent") from error

    def acknowledgment(self, control_id: str) -> Acknowledgment:
        """The next acknowledgment; one of another message is not ours."""
        try:
            told = read(self._block())
        except NotHl7 as error:
            raise Failed(Outcome.UNKNOWN, f"what it answers is no acknowledgment: {error}") from error
        if told.control_id != control_id:
            raise Failed(Outcome.UNKNOWN, "it acknowledges another message (MSA-2)")
        return told

    def _block(self) -> bytes:
        """The content of one MLLP block."""
        while _END not in self._come:
            if self._come and not self._come.startswith(_START):
                raise Failed(Outcome.UNKNOWN, "what it answers is not MLLP")
            if len(self._come) > _MOST:
                raise Failed(Outcome.UNKNOWN, f"its answer is larger than {_MOST} bytes")
            try:
                self._socket.settimeout(self._left())
                more = self._socket.recv(_CHUNK)
            except TimeoutError as error:
                raise Failed(Outcome.UNKNOWN, "no acknowledgment came in time") from error
            except OSError as error:
                raise Failed(Outcome.UNKNOWN, "the connection broke before the acknowledgment") from error
            if not more:
                raise Failed(Outcome.UNKNOWN, "it hung up before the acknowledgment")
            self._come += more
        block, _, self._come = self._come.partition(_END)
        if not block.startswith(_START):
            raise Failed(Outcome.UNKNOWN, "what it answers is not MLLP")
        return block[1:]

    def _left(self) -> float:
        """Seconds until the next byte has to be there."""
        left = min(self._read_s, self._until - self._clock())
        if left <= 0:
            raise Failed(Outcome.UNKNOWN, "no acknowledgment came in time")
        return left
