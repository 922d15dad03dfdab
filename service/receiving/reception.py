"""The desk where everything that comes in by itself is taken: published, routed, delivered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol
from uuid import uuid4

from service.delivery.settings import DestinationSettings
from service.domain.received import Received
from service.doors import Format, Options, detect
from service.pipeline import Receipt, Source, publish
from service.receiving.routing import Routed
from service.receiving.settings import Receiving, Site

if TYPE_CHECKING:
    from service.config import Settings
    from service.store.reports import Store


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
class Reception:
    """Takes documents that came by one way; ``trace`` is the W3C trace context of a request."""

    here: Here
    way: str
    trace: str = ""

    def take(self, body: bytes, form: Format | None = None, site: Site | None = None, request: str = "") -> Receipt:
        """Publish one document; the same one again gives the same receipt. Raises what `publish` and readers raise."""
        return self._publish(self.source(body, form or detect(body), site), request)

    def take_one_of(self, body: bytes, received: Received, site: Site | None = None) -> Receipt:
        """Publish one report of a table."""
        return self._publish(replace(self.source(body, Format.CSV, site), received=received), "")

    def source(self, body: bytes, form: Format, site: Site | None) -> Source:
        """The document as its site sends it."""
        source = self.here.source(body, form)
        return source if site is None else replace(source, default_sender=site.name)

    def _publish(self, source: Source, request: str) -> Receipt:
        from service.store.deliveries import Origin

        origin = Origin(request or str(uuid4()), self.trace)
        planner = Routed(self.here.receiving.routes, self.here.destinations, self.way, origin)
        if source.format is Format.HL7V2:
            from service.receiving.following import is_numbered, publish_next

            if not is_numbered(source.body):
                return publish_next(source, self.here.store, planner)
        return publish(source, Options(), self.here.store, planner=planner)
