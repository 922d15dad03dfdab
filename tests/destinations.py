"""A destination that only remembers: it passes the same contract tests as those with real peers."""

from __future__ import annotations

import threading
from collections.abc import Iterable

from service.delivery.destination import Answer, Echo, Outcome, Outgoing


class RecordingDestination:
    """Keeps what it gets in memory; ``told`` are answers to give first, one a call of `send`."""

    def __init__(self, name: str = "recording", told: Iterable[Answer] = ()) -> None:
        self.name = name
        self.sent: list[Outgoing] = []
        self.verified: list[Outgoing] = []
        self.held: dict[str, bytes] = {}
        self.away = False
        self.told = list(told)
        self._lock = threading.Lock()

    def send(self, outgoing: Outgoing) -> Answer:
        """Remember it, unless told otherwise. An answer that was lost was lost after the peer had it."""
        with self._lock:
            self.sent.append(outgoing)
            if self.away:
                return Answer(Outcome.NOT_SENT, "the peer does not answer")
            told = self.told.pop(0) if self.told else Answer(Outcome.STORED)
            if told.outcome in (Outcome.STORED, Outcome.VERIFIED, Outcome.UNKNOWN):
                held = self.held.setdefault(outgoing.name, outgoing.content)
                if held != outgoing.content:
                    return Answer(Outcome.MISMATCH, "other content is there under this identity")
            return told

    def verify(self, outgoing: Outgoing) -> Answer:
        """Compare with what is remembered."""
        with self._lock:
            self.verified.append(outgoing)
            if self.away:
                return Answer(Outcome.UNKNOWN, "the peer does not answer")
            held = self.held.get(outgoing.name)
        if held is None:
            return Answer(Outcome.NOT_SENT, "the peer does not have it")
        if held != outgoing.content:
            return Answer(Outcome.MISMATCH, "other content is there under this identity")
        return Answer(Outcome.VERIFIED)

    def probe(self) -> tuple[Echo, ...]:
        """Say whether it is away."""
        return (Echo("it answers", not self.away, "it does not answer" if self.away else "it answers"),)
