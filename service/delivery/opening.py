"""A destination of its settings; each kind is imported when the first of it is opened."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from service.delivery.destination import Destination
from service.delivery.firsts import Holds
from service.delivery.settings import DestinationSettings, Fhir


def _folder(settings: Any) -> Destination:
    from service.delivery.folder import FolderDestination

    return FolderDestination(settings)


def _stow(settings: Any) -> Destination:
    from service.delivery.stow import StowDestination

    return StowDestination(settings)


def _cstore(settings: Any) -> Destination:
    from service.delivery.cstore import CStoreDestination

    return CStoreDestination(settings)


def _fhir(settings: Any, holds: Holds | None = None) -> Destination:
    from service.delivery.fhir import FhirDestination

    return FhirDestination(settings, holds=holds)


def _mllp(settings: Any) -> Destination:
    from service.delivery.mllp import MllpDestination

    return MllpDestination(settings)


def _webhook(settings: Any) -> Destination:
    from service.delivery.webhook import WebhookDestination

    return WebhookDestination(settings)


OPENERS: Final[Mapping[str, Callable[[Any], Destination]]] = {
    "stow": _stow,
    "cstore": _cstore,
    "fhir": _fhir,
    "mllp": _mllp,
    "folder": _folder,
    "webhook": _webhook,
}


def open_destination(settings: DestinationSettings, holds: Holds | None = None) -> Destination:
    """The destination; nothing is connected yet. ``holds``: what all processes that deliver share; None: it is one."""
    if isinstance(settings, Fhir):
        return _fhir(settings, holds)
    return OPENERS[settings.KIND](settings)
