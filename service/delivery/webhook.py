"""The webhook destination: each output is posted, signed, with a key that is the same for every attempt."""

from __future__ import annotations

import hmac
import time
from collections.abc import Callable
from hashlib import sha256
from http import HTTPStatus
from typing import Final

from service.delivery.destination import Answer, Echo, Failed, Outcome, Outgoing, tried
from service.delivery.http import HttpPeer
from service.delivery.secrets import SecretMissing
from service.delivery.settings import Webhook

SIGNATURE: Final = "Lesionbridge-Signature"
_ANSWER_BYTES: Final = 65_536


class WebhookDestination:
    """Posts to one URL; any 2xx means that the receiver has it."""

    def __init__(
        self, settings: Webhook, peer: HttpPeer | None = None, *, now: Callable[[], float] = time.time
    ) -> None:
        """Take the settings; nothing is connected yet. ``now`` is the time of day, in seconds."""
        self.settings = settings
        self._peer = peer or HttpPeer(settings.timeouts, settings.tls, settings.auth)
        self._now = now

    @property
    def name(self) -> str:
        """Its name in the settings."""
        return self.settings.name

    def send(self, outgoing: Outgoing) -> Answer:
        """Post the bytes under a key that is the same for each attempt, so that a receiver knows them again."""
        headers = {"Content-Type": outgoing.media_type, "Idempotency-Key": outgoing.delivery}
        try:
            headers |= self._signed(outgoing.content)
            reply = self._peer.ask("POST", self.settings.url, headers, outgoing.content, most=_ANSWER_BYTES)
        except Failed as failed:
            return failed.answer
        if 200 <= reply.status < 300:
            return Answer(Outcome.STORED, "", str(reply.status))
        return self._peer.unhappy(reply)

    def verify(self, outgoing: Outgoing) -> Answer:  # noqa: ARG002 - the protocol's signature
        """A webhook can't be asked what it has."""
        return Answer(Outcome.STORED, "a webhook can't be asked what it has")

    def probe(self) -> tuple[Echo, ...]:
        """Ask for the headers of the URL: whatever is answered, the receiver is there."""
        return (tried("the receiver answers", self._answers), tried("the signature's key can be read", self._key))

    def _answers(self) -> str:
        reply = self._peer.ask("HEAD", self.settings.url, {}, most=_ANSWER_BYTES)
        # A receiver may know POST only: then it answers with 405, or 501, and is there (RFC 9110 15.5.6, 15.6.2).
        is_wrong = reply.status in (401, 403, 404) or 300 <= reply.status < 400 or reply.status >= 500
        if is_wrong and reply.status != HTTPStatus.NOT_IMPLEMENTED:
            raise Failed(Outcome.REFUSED, f"status {reply.status}: {self._peer.unhappy(reply).reason}")
        return f"it answers with status {reply.status}"

    def _key(self) -> str:
        return "what is sent is signed" if self._signed(b"") else "what is sent is not signed"

    def _signed(self, content: bytes) -> dict[str, str]:
        """``t=SECONDS,v1=HEX``: HMAC-SHA256 over ``SECONDS.content``, so that an old message can't be played again."""
        if self.settings.signature is None:
            return {}
        try:
            key = self.settings.signature.read().encode()
        except SecretMissing as error:
            raise Failed(Outcome.NOT_SENT, str(error)) from error
        at = str(int(self._now()))
        digest = hmac.new(key, at.encode() + b"." + content, sha256).hexdigest()
        return {SIGNATURE: f"t={at},v1={digest}"}
