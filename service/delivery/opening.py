"""A destination of its settings; each kind is imported when the first of it is opened."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from service.delivery.destination import Destination
from service.delivery.settings import DestinationSettings


def _folder(settings: Any) -> Destination:
    from service.delivery.folder import FolderDestination

    return FolderDestination(settings)


OPENERS: Final[Mapping[str, Callable[[Any], Destination]]] = {"folder": _folder}


def open_destination(settings: DestinationSettings) -> Destination:
    """The destination; nothing is connected yet."""
    return OPENERS[settings.KIND](settings)
