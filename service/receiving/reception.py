"""The desk where everything that comes in by itself is taken: published, routed, delivered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Protocol
from uuid import uuid4

import structlog
from prometheus_client import Counter

from service.access.events import Arrival, Came, arrived, is_ours, rule_of
from service.delivery.settings import DestinationSettings
from service.domain.errors import LesionBridgeError, Problem, Unavailable
from service.domain.received import Received
from service.doors import Format, Options, detect
from service.pipeline import Source
from service.publishing import Receipt, publish
from service.receiving.routing import Routed
from service.receiving.settings import Receiving, Site

if TYPE_CHECKING:
    from service.config import Settings
    from service.store.reports import Store

RECEIVED: Final = Counter("lesionbridge_received", "What came in by a listener.", ("way", "outcome"))
_log = structlog.get_logger()


class Here(Protocol):
    """What a reception needs of a deployment."""

    settings: Settings
    destinations: Mapping[str, DestinationSettings]
    receiving: Receiving

    @property
    def store(self) -> Store:
        """The store of this process."""
        ...

    def source(self, body: bytes, form: Format, mapping: str | None = None) -> Source:
        """A sender's document with what the deployment adds to it."""
        ...


@dataclass(frozen=True, slots=True)
class Peer:
    """Who sent something: ``who`` is its name in the protocol, ``address`` that of the network, ``request`` our id."""

    request: str
    who: str
    address: str = ""
    site: Site | None = None


@dataclass(frozen=True, slots=True)
class Reception:
    """Takes documents that came by one way; ``trace`` is the W3C trace context of a request."""

    here: Here
    way: str
    trace: str = ""

    def take(self, body: bytes, form: Format | None = None, site: Site | None = None, request: str = "") -> Receipt:
        """Publish one document; the same one again gives the same receipt. Raises what `publish` and readers raise."""
        return self._publish(self.source(body, form or detect(body), site), request)

    def take_one_of(self, body: bytes, received: Received, site: Site | None = None, request: str = "") -> Receipt:
        """Publish one report of a table."""
        return self._publish(replace(self.source(body, Format.CSV, site), received=received), request)

    def note(self, peer: Peer, arrival: Arrival, failed: Exception | None, *reports: str) -> Exception | None:
        """Write into the audit trail what came in; the error that the peer is answered with.

        What can't be written down is not accepted: the peer sends it again, and it is kept once.
        """
        RECEIVED.labels(self.way, "accepted" if failed is None else "refused").inc()
        if not self.here.settings.audit:
            return failed
        sender = peer.site.name if peer.site is not None else self.here.settings.default_sender
        store = self.here.store
        came = Came(
            store.now(),
            peer.request,
            arrival,
            self.way,
            peer.who,
            sender,
            peer.address,
            rule_of(failed),
            is_ours(failed),
            tuple(("report", one) for one in reports),
        )
        try:
            store.audit.add(arrived(came))
        except LesionBridgeError as error:
            _log.error("not audited", error=type(error).__name__, request=peer.request)
            return failed or Unavailable(Problem("", "audit", "the audit trail can't be written: send it again"))
        return failed

    def source(self, body: bytes, form: Format, site: Site | None) -> Source:
        """The document as its site sends it."""
        source = self.here.source(body, form)
        return source if site is None else replace(source, default_sender=site.name)

    def _publish(self, source: Source, request: str) -> Receipt:
        from service.store.delivery_rows import Origin

        origin = Origin(request or str(uuid4()), self.trace)
        planner = Routed(self.here.receiving.routes, self.here.destinations, self.way, origin)
        if source.format is Format.HL7V2:
            from service.receiving.following import is_numbered, publish_next

            if not is_numbered(source.body):
                return publish_next(source, self.here.store, planner)
        return publish(source, Options(), self.here.store, planner=planner)
