"""The webhook destination: each output is posted, signed, with a key that is the same for every attempt."""

from __future__ import annotations

import hmac
import time
from collections.abc import Callable
from hashlib import sha256
from http import HTTPStatus
from typing import Final

from service.delivery.destination import Answer, Echo, Failed, Outcome, Outgoing, tried
from service.delivery.http import HttpPeer, Reply
from service.delivery.secrets import SecretMissing
from service.delivery.settings import Webhook

SIGNATURE: Final = "Lesionbridge-Signature"
_ANSWER_BYTES: Final = 65_536
_NO_HEAD: Final = (403, 404, 405, 501)
"""What a receiver that knows POST only answers to HEAD: 405 and 501 by RFC 9110 (15.5.6, 15.6.2), 404 where methods are
a part of the route (Express), 403 at some gateways (AWS). A path that is wrong is answered in the same way.
"""


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
        return (*self._there(), tried("the signature's key can be read", self._key))

    def _there(self) -> tuple[Echo, ...]:
        what = "the receiver answers"
        try:
            reply = self._peer.ask("HEAD", self.settings.url, {}, most=_ANSWER_BYTES)
        except Failed as failed:
            return (Echo(what, False, str(failed)),)
        status = reply.status
        if status == HTTPStatus.UNAUTHORIZED or 300 <= status < 400 or (status >= 500 and status not in _NO_HEAD):
            return (Echo(what, False, f"status {status}: {self._peer.unhappy(reply).reason}"),)
        return Echo(what, True, f"it answers HEAD with status {status}"), _takes_posts(reply)

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


def _takes_posts(reply: Reply) -> Echo:
    """Whether the path is one that is posted to, as far as an answer to HEAD can say: Allow does, where it stands."""
    what = "the path takes a POST"
    allowed = {one.strip().upper() for one in reply.headers.get("allow", "").split(",")} - {""}
    if reply.status == HTTPStatus.METHOD_NOT_ALLOWED and allowed:
        is_right = "POST" in allowed
        return Echo(what, is_right, "it says so (Allow)" if is_right else "it says that it takes other methods (Allow)")
    said = "only a POST can show that, and none is made without a report"
    if reply.status in _NO_HEAD:
        said = f"a receiver that knows POST only may answer HEAD so, and so may one that has nothing there: {said}"
    return Echo(what, None, said)
